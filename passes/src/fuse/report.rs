//! What was done with a program, for people: kernels before and after, the way from the one to the other, and what the
//! other choices would have cost.

use std::collections::BTreeMap;

use egg::Id;
use mom_dialect::{
    graph::{Graph, Op, OpKind},
    shape::{Axis, Type},
};

use super::{
    cost::{Step, Work},
    draft::{Kernel, Mode},
    export,
    extract::{Chosen, Search, is_view},
    region::Region,
    rewrite::{Limit, Saturated},
    term::{Head, Node, Terms},
};

/// What was done with the regions of one shape.
#[derive(Clone, Debug)]
pub struct RegionReport {
    /// What the names of the parameters of the first of them have in common.
    pub name: String,
    /// How many regions of the program have this shape.
    pub count: usize,
    pub before: Vec<KernelReport>,
    pub after: Vec<KernelReport>,
    /// Modelled nanoseconds of the workload before the first step.
    pub cost: f64,
    /// The rewrites that led from the one to the other, with the modelled nanoseconds of the workload after each.
    pub steps: Vec<(Option<&'static str>, f64)>,
    /// How often each rewrite found something new, the busiest first.
    pub uses: Vec<(&'static str, usize)>,
    /// The values of the program afterwards that could have been computed otherwise.
    pub choices: Vec<ChoiceReport>,
    pub nodes: usize,
    pub classes: usize,
    /// What ended the saturation, if not that nothing new came.
    pub limit: Option<&'static str>,
}

/// One kernel of a program.
#[derive(Clone, Debug)]
pub struct KernelReport {
    /// Names of its operations in order.
    pub ops: Vec<String>,
    /// The kernels, by their places, whose results it reads.
    pub reads: Vec<usize>,
    /// What it reads and what it makes, with their types.
    pub operands: Vec<String>,
    pub results: Vec<String>,
    /// Its work and modelled nanoseconds in each of the steps that were asked for.
    pub work: Vec<(Work, f64)>,
}

/// A value that the e-graph knows several ways to compute.
#[derive(Clone, Debug)]
pub struct ChoiceReport {
    /// Its type.
    pub value: String,
    /// Whether it is computed within the kernel that reads it.
    pub inline: bool,
    pub alternatives: Vec<Alternative>,
}

/// One way to compute a value.
#[derive(Clone, Debug)]
pub struct Alternative {
    pub term: String,
    /// The rewrite that found it; none where it is the program's own.
    pub rewrite: Option<&'static str>,
    /// Modelled nanoseconds of the workload, all else being as it was chosen; none where native code has no such kernel
    /// or the program would have no meaning.
    pub cost: Option<f64>,
    pub chosen: bool,
}

/// Reports of one region, whose `count` is not known yet, with the work of kernels in `steps`. `names` are those of the rewrites.
pub(crate) fn report(
    (graph, region): (&Graph, &Region),
    saturated: &Saturated,
    (search, steps): (&Search<'_>, &[Step]),
    (before, after): (Option<&Chosen>, Option<&Chosen>),
    names: &[&'static str],
) -> RegionReport {
    let terms = &saturated.terms;
    let writer = Writer { terms, leaves: leaf_names(graph, region), steps };
    let kernels = |chosen: Option<&Chosen>| chosen.map_or_else(Vec::new, |chosen| writer.kernels(search, chosen));
    let mut uses: Vec<(&'static str, usize)> = names.iter().copied().zip(saturated.uses.iter().copied()).collect();
    uses.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let way = after.iter().flat_map(|chosen| &chosen.steps);
    let alternatives = |chosen: &Chosen| search.alternatives(chosen);
    let choices = after.map_or_else(Vec::new, alternatives).into_iter().map(|((mode, class), nodes)| ChoiceReport {
        value: terms[class].data.types.iter().map(shown).collect::<Vec<_>>().join(", "),
        inline: mode == Mode::Inline,
        alternatives: nodes
            .into_iter()
            .map(|(node, cost, chosen)| Alternative {
                rewrite: saturated.makers.get(&node).map(|&maker| names[maker]),
                term: writer.node(&node, 2),
                cost,
                chosen,
            })
            .collect(),
    });
    RegionReport {
        name: region_name(graph, region),
        count: 0,
        before: kernels(before),
        after: kernels(after),
        cost: before.map_or(0.0, |chosen| chosen.cost),
        steps: way.map(|(maker, cost)| (maker.map(|maker| names[maker]), *cost)).collect(),
        uses,
        choices: choices.collect(),
        nodes: terms.total_number_of_nodes(),
        classes: terms.number_of_classes(),
        limit: match saturated.limit {
            Some(Limit::Nodes) => Some("nodes"),
            Some(Limit::Rounds) => Some("rounds"),
            None if search.is_exhausted() => Some("programs to look at"),
            None => None,
        },
    }
}

/// Writes terms and values of one region.
struct Writer<'a> {
    terms: &'a Terms,
    leaves: Vec<String>,
    /// Those that the work of kernels is given in.
    steps: &'a [Step],
}

impl Writer<'_> {
    fn kernels(&self, search: &Search<'_>, chosen: &Chosen) -> Vec<KernelReport> {
        let kernels: Vec<&Kernel> = chosen.draft.kernels.iter().filter(|kernel| !is_view(kernel)).collect();
        let results = |kernel: &Kernel| export::results(kernel).into_iter().map(|(class, _)| class);
        let makers: BTreeMap<Id, usize> = kernels
            .iter()
            .enumerate()
            .flat_map(|(index, kernel)| results(kernel).map(move |class| (class, index)))
            .collect();
        // The operation that a value was chosen to be of.
        let maker = |class: Id| match chosen.choice.get(&(Mode::Stored, class)) {
            Some(Node { head: Head::Result(_), children }) => self.terms.find(children[0]),
            _ => class,
        };
        let report = |kernel: &&Kernel| {
            let mut reads: Vec<usize> =
                kernel.operands.iter().filter_map(|&class| makers.get(&maker(class)).copied()).collect();
            reads.sort_unstable();
            reads.dedup();
            let work = self.steps.iter().map(|step| search.work(kernel, step));
            let made = export::results(kernel).into_iter();
            KernelReport {
                ops: kernel.parts.iter().map(|part| part.node.to_string()).collect(),
                reads,
                operands: kernel.operands.iter().map(|&class| self.operand(class)).collect(),
                results: made.filter_map(|(class, at)| self.terms[class].data.types.get(at)).map(shown).collect(),
                work: work.map(|work| (work, search.machine().time(&work))).collect(),
            }
        };
        kernels.iter().map(report).collect()
    }

    /// Something that a kernel reads: its name, if it has one, and its type.
    fn operand(&self, class: Id) -> String {
        let ty = self.terms[class].data.types.iter().map(shown).collect::<Vec<_>>().join(", ");
        match self.leaf(class) {
            Some(name) => format!("{name} {ty}"),
            None => ty,
        }
    }

    fn leaf(&self, class: Id) -> Option<&str> {
        self.terms[class].nodes.iter().find_map(|node| match node.head {
            Head::Leaf(_, index) => self.leaves.get(index).map(String::as_str),
            _ => None,
        })
    }

    /// A node with so many levels of what it is computed from; deeper ones are `…`.
    fn node(&self, node: &Node, depth: usize) -> String {
        let child = |&child: &Id| self.class(child, depth - 1);
        match (&node.head, &node.children[..]) {
            (Head::Leaf(_, index), _) => self.leaves.get(*index).cloned().unwrap_or_default(),
            (Head::Result(at), [of]) => format!("{}.{at}", self.class(*of, depth)),
            (Head::Inline, [of]) => format!("⟨{}⟩", self.class(*of, depth)),
            (_, children) => format!("{node}({})", children.iter().map(child).collect::<Vec<_>>().join(", ")),
        }
    }

    fn class(&self, class: Id, depth: usize) -> String {
        if let Some(name) = self.leaf(class) {
            return name.to_owned();
        }
        let nodes = &self.terms[class].nodes;
        match nodes.iter().min() {
            Some(node) if depth > 0 => self.node(node, depth),
            _ => "…".to_owned(),
        }
    }
}

fn leaf_names(graph: &Graph, region: &Region) -> Vec<String> {
    let name = |(index, value)| {
        let maker = graph.body.ops.iter().find(|op| op.results.contains(value));
        maker.and_then(given_name).map_or_else(|| format!("x{index}"), |name| short(name).to_owned())
    };
    region.leaves.iter().enumerate().map(name).collect()
}

fn given_name(op: &Op) -> Option<&str> {
    match &op.kind {
        OpKind::Param { name, .. } | OpKind::State { name, .. } | OpKind::Input { name, .. } => Some(name),
        _ => None,
    }
}

/// What the names of a region's parameters have in common: `layers.0.attn`. With nothing in common, the first and the
/// last; without any, the first of its operations.
fn region_name(graph: &Graph, region: &Region) -> String {
    let names: Vec<&str> = graph
        .body
        .ops
        .iter()
        .filter(|op| matches!(op.kind, OpKind::Param { .. }) && op.results.iter().any(|it| region.leaves.contains(it)))
        .filter_map(given_name)
        .collect();
    let common = |left: &str, right: &str| left.bytes().zip(right.bytes()).take_while(|(l, r)| l == r).count();
    let [first, .., last] = names[..] else {
        if let [name] = names[..] {
            return short(name).to_owned();
        }
        let first = region.ops.first().and_then(|&op| graph.body.ops.get(op));
        return first.map_or_else(String::new, |op| mom_dialect::ops::name(&op.kind).replace("mom.", ""));
    };
    let length = names.iter().map(|name| common(first, name)).min().unwrap_or(0);
    let shared = first.get(..length).unwrap_or_default().trim_end_matches(['.', '_']);
    match shared {
        "" | "model" => format!("{} … {}", short(first), short(last)),
        _ => short(shared).to_owned(),
    }
}

fn short(name: &str) -> &str {
    name.trim_start_matches("model.").trim_end_matches(".weight")
}

/// A type in the words of the model: `f32 [T, head 4, key 256]`.
fn shown(ty: &Type) -> String {
    let axis = |axis: &Axis| match axis {
        Axis::Rows(_) => axis.name(),
        Axis::Named { name, size } => format!("{name} {size}"),
    };
    format!("{} [{}]", ty.dtype, ty.axes.iter().map(axis).collect::<Vec<_>>().join(", "))
}
