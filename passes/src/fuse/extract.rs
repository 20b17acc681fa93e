//! Which program to take from an e-graph: the one whose kernels cost least by the model.
//!
//! Costs are of whole kernels, and a value that two kernels read is counted once, so no choice can be made class by
//! class. The search starts from the program as it was, and takes steps that lower the cost of all kernels together:
//! another node for one value, or all that one rewrite made. The order of steps is fixed, and so is the result.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use egg::Id;
use mom_dialect::graph::{Fused, OpKind};

use super::{
    cost::{Machine, Step, WORKLOAD, Work},
    draft::{Choice, Draft, Kernel, Mode, draft},
    export,
    region::Region,
    rewrite::Saturated,
    term::{Head, Node, Terms},
};
use crate::kernel::fused;

/// Whether native code has a kernel for a fused operation; if not, why.
pub(crate) type Supports<'a> = dyn Fn(&Fused) -> Result<(), String> + 'a;

/// A value, and each node that it could be with what the program would cost, and whether it is the one.
pub(crate) type Alternatives = ((Mode, Id), Vec<(Node, Option<f64>, bool)>);

/// What a search needs to know.
pub(crate) struct Search<'a> {
    terms: &'a Terms,
    roots: Vec<Id>,
    own: BTreeMap<Node, usize>,
    makers: &'a BTreeMap<Node, usize>,
    machine: &'a Machine,
    supports: &'a Supports<'a>,
    costs: RefCell<BTreeMap<Kernel, Option<f64>>>,
    /// How many kernels the programs have that were looked at.
    tries: Cell<usize>,
}

/// The most kernels that the programs have together which a search looks at; the layer of a mixture takes some hundred
/// thousand.
const TRIES: usize = 1_000_000;

/// A choice, its kernels, and nanoseconds of the workload.
#[derive(Clone)]
pub(crate) struct Chosen {
    pub(crate) choice: Choice,
    pub(crate) draft: Draft,
    pub(crate) cost: f64,
    /// The steps that led here, each with the rewrite that made it possible and the cost after it.
    pub(crate) steps: Vec<(Option<usize>, f64)>,
}

impl<'a> Search<'a> {
    pub(crate) fn new(
        region: &Region,
        saturated: &'a Saturated,
        machine: &'a Machine,
        supports: &'a Supports<'a>,
    ) -> Search<'a> {
        let terms = &saturated.terms;
        let own = region.own.iter().map(|(node, &op)| (super::rewrite::canonical(terms, node), op)).rev().collect();
        let roots = region.roots.iter().map(|(_, id, _)| terms.find(*id)).collect();
        Search {
            terms,
            roots,
            own,
            makers: &saturated.makers,
            machine,
            supports,
            costs: RefCell::default(),
            tries: Cell::new(0),
        }
    }

    /// The program as it was. None where that cannot be run, which is a fault of momc.
    pub(crate) fn original(&self) -> Option<Chosen> {
        let costs = self.costs_as_trees();
        let choice = self.choice(&costs, |node| self.own.contains_key(node));
        self.chosen(choice)
    }

    /// The best program that the search finds from the original on. Of the rewrites the first `restructuring` change what
    /// is computed; each is tried with all that it made at once, beside those that were found good before it.
    pub(crate) fn best(&self, original: Chosen, restructuring: usize) -> Chosen {
        let costs = self.costs_as_trees();
        let mut best = self.climb(original.clone());
        let mut base = original;
        for rewrite in 0..restructuring {
            let made = |node: &Node| self.makers.get(node) == Some(&rewrite);
            let mut choice = base.choice.clone();
            choice.extend(self.choice(&costs, made).into_iter().filter(|(_, node)| made(node)));
            if choice == base.choice {
                continue;
            }
            let Some(mut start) = self.chosen(choice) else { continue };
            start.steps.clone_from(&base.steps);
            start.steps.push((Some(rewrite), start.cost));
            let candidate = self.climb(start.clone());
            if candidate.cost < best.cost {
                (best, base) = (candidate, start);
            }
        }
        best
    }

    /// For each class the cheapest of the nodes that `preferred` says, or else of the program's own, or else of all.
    fn choice(&self, costs: &BTreeMap<Id, f64>, preferred: impl Fn(&Node) -> bool) -> Choice {
        let mut choice = Choice::new();
        for class in self.terms.classes() {
            let cheapest = |wanted: &dyn Fn(&Node) -> bool| {
                let nodes = class.nodes.iter().filter(|node| wanted(node));
                let priced = nodes.filter_map(|node| Some((self.cost_as_tree(costs, class.id, node)?, node)));
                priced.min_by(|(a, own), (b, other)| a.total_cmp(b).then_with(|| own.cmp(other)))
            };
            let own = |node: &Node| self.own.contains_key(node);
            let node = cheapest(&preferred).or_else(|| cheapest(&own)).or_else(|| cheapest(&|_| true));
            choice.extend(node.map(|(_, node)| ((Mode::Stored, class.id), node.clone())));
        }
        choice
    }

    /// For each class the least cost as a tree, in which nothing is shared or computed on the way.
    fn costs_as_trees(&self) -> BTreeMap<Id, f64> {
        let mut costs: BTreeMap<Id, f64> = BTreeMap::new();
        loop {
            let mut changed = false;
            for class in self.terms.classes() {
                let priced = class.nodes.iter().filter_map(|node| self.cost_as_tree(&costs, class.id, node));
                let Some(least) = priced.min_by(f64::total_cmp) else { continue };
                if costs.get(&class.id).is_none_or(|&known| least < known) {
                    costs.insert(class.id, least);
                    changed = true;
                }
            }
            if !changed {
                return costs;
            }
        }
    }

    /// The cost of a node as a tree, if its operands have one.
    fn cost_as_tree(&self, costs: &BTreeMap<Id, f64>, class: Id, node: &Node) -> Option<f64> {
        let operands = node.children.iter().map(|&child| costs.get(&self.terms.find(child)).copied());
        let operands: f64 = operands.sum::<Option<f64>>()?;
        let own = match node.head {
            Head::Op(_) => self.cost_of_one(class, node)?,
            _ => 0.0,
        };
        Some(own + operands)
    }

    /// The cost of an operation alone in a kernel.
    fn cost_of_one(&self, class: Id, node: &Node) -> Option<f64> {
        let kind = node.kind()?;
        if !fused::stands_alone(kind) {
            return None;
        }
        let part = super::draft::Part { class, node: node.clone() };
        let operands = node.children.iter().map(|&child| self.terms.find(child)).collect();
        let kernel = Kernel { parts: vec![part], operands, ..Kernel::default() };
        Some(self.time(&kernel))
    }

    fn chosen(&self, choice: Choice) -> Option<Chosen> {
        let (draft, cost) = self.priced(&choice)?;
        Some(Chosen { choice, draft, cost, steps: Vec::new() })
    }

    /// The kernels of a choice and what they cost together.
    fn priced(&self, choice: &Choice) -> Option<(Draft, f64)> {
        let draft = draft(self.terms, &self.roots, choice);
        let kernels = draft.as_ref().map_or(choice.len(), |draft| draft.kernels.len());
        self.tries.set(self.tries.get() + kernels.max(1));
        let draft = draft?;
        let cost = draft.kernels.iter().map(|kernel| self.cost(kernel)).sum::<Option<f64>>()?;
        Some((draft, cost))
    }

    /// Whether the search tried as much as it may.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.tries.get() >= TRIES
    }

    /// Takes one step after the other that lowers the cost, until none does: another node for one value, or a value that
    /// all its readers compute themselves, where one of them alone would save nothing.
    fn climb(&self, mut best: Chosen) -> Chosen {
        loop {
            let before = best.cost;
            for (mode, class) in best.draft.used.clone() {
                if self.is_exhausted() {
                    return best;
                }
                let mut nodes: Vec<&Node> = self.terms[class].nodes.iter().collect();
                nodes.sort();
                for node in nodes {
                    if best.choice.get(&(mode, class)) != Some(node) {
                        let step = BTreeMap::from([((mode, class), node.clone())]);
                        self.take_if_better(&mut best, step);
                    }
                }
                let everywhere = self.folded_everywhere(&best, class);
                self.take_if_better(&mut best, everywhere);
            }
            if best.cost >= before {
                return best;
            }
        }
    }

    /// The choice with some of its nodes exchanged, if that costs less.
    fn take_if_better(&self, best: &mut Chosen, step: Choice) {
        let Some(maker) = step.values().next().map(|node| self.makers.get(node).copied()) else { return };
        let before: Vec<_> = step.into_iter().map(|(place, node)| (place, best.choice.insert(place, node))).collect();
        if let Some((draft, cost)) = self.priced(&best.choice)
            && cost < best.cost
        {
            (best.draft, best.cost) = (draft, cost);
            best.steps.push((maker, cost));
            return;
        }
        for (place, node) in before {
            match node {
                Some(node) => best.choice.insert(place, node),
                None => best.choice.remove(&place),
            };
        }
    }

    /// All nodes that read a class, with the class computed within their kernels.
    fn folded_everywhere(&self, best: &Chosen, class: Id) -> Choice {
        let inline = self.terms.lookup(Node { head: Head::Inline, children: vec![class] });
        let folded = |&(mode, reader): &(Mode, Id)| {
            let node = best.choice.get(&(mode, reader)).or_else(|| best.choice.get(&(Mode::Stored, reader)))?;
            let read = |&child: &Id| self.terms.find(child) == class;
            let children = node.children.iter().map(|child| if read(child) { inline } else { Some(*child) });
            let folded = Node { head: node.head.clone(), children: children.collect::<Option<_>>()? };
            let known = node.children.iter().any(read) && self.terms.lookup(folded.clone()) == Some(reader);
            known.then_some(((mode, reader), folded))
        };
        best.draft.used.iter().filter_map(folded).collect()
    }

    /// Nanoseconds of a kernel in the workload; none where native code has no such kernel.
    pub(crate) fn cost(&self, kernel: &Kernel) -> Option<f64> {
        if let Some(&known) = self.costs.borrow().get(kernel) {
            return known;
        }
        let cost = match &kernel.parts[..] {
            [part] => self.cost_of_one(part.class, &part.node),
            _ => export::fused(self.terms, kernel)
                .and_then(|fused| (self.supports)(&fused).ok())
                .map(|()| self.time(kernel)),
        };
        self.costs.borrow_mut().insert(kernel.clone(), cost);
        cost
    }

    /// Nanoseconds of the workload by the model.
    fn time(&self, kernel: &Kernel) -> f64 {
        if is_view(kernel) {
            return 0.0;
        }
        WORKLOAD.iter().map(|step| step.times * self.machine.time(&self.work(kernel, step))).sum()
    }

    /// For each value of a program that could have been computed otherwise: the nodes, what the program would cost with
    /// each, and whether it is the one that was chosen.
    pub(crate) fn alternatives(&self, chosen: &Chosen) -> Vec<Alternatives> {
        let alternatives = |&(mode, class): &(Mode, Id)| -> Alternatives {
            let meant = chosen.choice.get(&(mode, class)).or_else(|| chosen.choice.get(&(Mode::Stored, class)));
            let mut nodes = self.terms[class].nodes.clone();
            nodes.retain(|node| node.head != Head::Inline);
            nodes.sort();
            let alternative = |node: Node| {
                let mut choice = chosen.choice.clone();
                choice.insert((mode, class), node.clone());
                let is_chosen = Some(&node) == meant;
                (node, self.chosen(choice).map(|other| other.cost), is_chosen)
            };
            ((mode, class), nodes.into_iter().map(alternative).collect())
        };
        chosen.draft.used.iter().map(alternatives).filter(|(_, nodes)| nodes.len() > 1).collect()
    }

    pub(crate) fn machine(&self) -> &Machine {
        self.machine
    }

    /// What a kernel does in a step.
    pub(crate) fn work(&self, kernel: &Kernel, step: &Step) -> Work {
        export::work(self.terms, kernel, step)
    }
}

/// Whether a kernel only gives another view of states.
pub(crate) fn is_view(kernel: &Kernel) -> bool {
    matches!(&kernel.parts[..], [part] if matches!(
        part.node.kind(),
        Some(OpKind::JoinMemories | OpKind::SplitMemories | OpKind::Constant { .. })
    ))
}
