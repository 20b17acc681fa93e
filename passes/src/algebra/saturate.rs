//! Saturation of an e-graph with a rule's equations, and what is taken out of it.

use std::{cmp::Ordering, collections::BTreeMap, time::Duration};

use egg::{CostFunction, EGraph, Explanation, Extractor, Id, Language, RecExpr, Rewrite, Runner, SimpleScheduler};

use super::{
    coupling,
    import::Imported,
    rewrites::{Dependence, rewrites},
    term::{Symbol, Term},
};

/// Limits that the largest rules stay far below.
const NODES: usize = 20_000;
const ITERATIONS: usize = 40;

/// The states' equations as sums of products of coefficients and states, as far as they can be brought to that form.
pub(crate) struct Saturated {
    /// The states after the token.
    pub(crate) next: Vec<RecExpr<Term>>,
    /// Every step on the way, in order.
    pub(crate) stages: Vec<Stage>,
}

/// One saturated e-graph.
pub(crate) struct Stage {
    pub(crate) from: RecExpr<Term>,
    pub(crate) to: RecExpr<Term>,
    pub(crate) egraph: EGraph<Term, Dependence>,
}

/// Brings a rule's equations to their normal form; `explained` keeps what [`Stage::proof`] needs, which costs time.
///
/// What several expressions of the rule are made from is normalised before them and stands in them in that form. So an
/// e-graph never holds more than one step of an unrolled loop, and grows with the rule's length, not with its
/// expansion.
pub(crate) fn saturate(imported: &Imported, explained: bool) -> Saturated {
    let terms = &imported.terms;
    let holds = coupling::states(terms);
    let mut uses = vec![0_usize; terms.as_ref().len()];
    terms.as_ref().iter().flat_map(Language::children).for_each(|&child| uses[usize::from(child)] += 1);
    imported.next.iter().for_each(|&root| uses[usize::from(root)] += 2);
    let mut needed = vec![false; terms.as_ref().len()];
    imported.next.iter().for_each(|&root| needed[usize::from(root)] = true);
    for at in (0..needed.len()).rev() {
        let children = terms.as_ref()[at].children().iter().map(|&child| usize::from(child));
        children.for_each(|child| needed[child] |= needed[at]);
    }
    let rewrites = rewrites().unwrap_or_default();
    let mut known: BTreeMap<Id, RecExpr<Term>> = BTreeMap::new();
    let mut stages = Vec::new();
    for at in 0..needed.len() {
        if needed[at] && uses[at] > 1 && !terms.as_ref()[at].is_leaf() && !holds[at].is_empty() {
            let stage = Stage::run(with_known(terms, Id::from(at), &known), &rewrites, explained);
            known.insert(Id::from(at), stage.to.clone());
            stages.push(stage);
        }
    }
    let next = imported.next.iter().map(|&root| with_known(terms, root, &known)).collect();
    Saturated { next, stages }
}

/// A term with what is known of its parts in their place.
fn with_known(terms: &RecExpr<Term>, root: Id, known: &BTreeMap<Id, RecExpr<Term>>) -> RecExpr<Term> {
    let mut written = RecExpr::default();
    let mut places: BTreeMap<Id, Id> = BTreeMap::new();
    write(terms, root, known, &mut places, &mut written);
    written
}

fn write(
    terms: &RecExpr<Term>,
    at: Id,
    known: &BTreeMap<Id, RecExpr<Term>>,
    places: &mut BTreeMap<Id, Id>,
    written: &mut RecExpr<Term>,
) -> Id {
    if let Some(&place) = places.get(&at) {
        return place;
    }
    let place = match known.get(&at) {
        Some(known) => {
            let mut copied: Vec<Id> = Vec::new();
            for term in known.as_ref() {
                copied.push(written.add(term.clone().map_children(|child| copied[usize::from(child)])));
            }
            copied.last().copied().unwrap_or(at)
        }
        None => {
            let term = terms[at].clone().map_children(|child| write(terms, child, known, places, written));
            written.add(term)
        }
    };
    places.insert(at, place);
    place
}

impl Stage {
    fn run(from: RecExpr<Term>, rewrites: &[Rewrite<Term, Dependence>], explained: bool) -> Stage {
        let runner = Runner::<Term, Dependence>::default();
        let runner = if explained { runner.with_explanations_enabled() } else { runner };
        // Only nodes and iterations limit the work: the same rule gives the same result on every machine.
        let runner = runner
            .with_expr(&from)
            .with_scheduler(SimpleScheduler)
            .with_time_limit(Duration::from_secs(1 << 30))
            .with_node_limit(NODES)
            .with_iter_limit(ITERATIONS)
            .run(rewrites);
        let to = Extractor::new(&runner.egraph, Form).find_best(runner.roots[0]).1;
        Stage { from, to, egraph: runner.egraph }
    }

    /// Why what went in and what came out are equal; the e-graph must have been made for this.
    pub(crate) fn proof(&mut self) -> Explanation<Term> {
        self.egraph.explain_equivalence(&self.from, &self.to)
    }
}

/// How an expression stands to the normal form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    /// No state.
    Free,
    /// A state, or a sum over a state with a coefficient.
    Atom,
    /// A coefficient times an atom.
    Scaled,
    /// A sum of these.
    Affine,
    /// Anything else.
    Other,
}

/// First what is not in normal form counts, then the size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    misplaced: usize,
    size: usize,
    shape: Shape,
}

impl PartialOrd for Cost {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let key = |cost: &Cost| (cost.misplaced, cost.size, cost.shape);
        key(self).partial_cmp(&key(other))
    }
}

struct Form;

impl CostFunction<Term> for Form {
    type Cost = Cost;

    fn cost<C: FnMut(Id) -> Cost>(&mut self, term: &Term, mut costs: C) -> Cost {
        use Shape::{Affine, Atom, Free, Other, Scaled};
        let operands: Vec<Cost> = term.children().iter().map(|&child| costs(child)).collect();
        let sum = |part: fn(&Cost) -> usize| operands.iter().map(part).fold(0, usize::saturating_add);
        let (misplaced, size) = (sum(|cost| cost.misplaced), sum(|cost| cost.size).saturating_add(1));
        let shapes: Vec<Shape> = operands.iter().map(|cost| cost.shape).collect();
        let shape = match (term, &shapes[..]) {
            (Term::Leaf(leaf), _) if matches!(leaf.symbol, Symbol::State(_)) => Atom,
            (_, shapes) if shapes.iter().all(|shape| *shape == Free) => Free,
            (Term::Mul(_), [Free, Atom]) => Scaled,
            (Term::Sum(_), [_, Atom | Scaled]) => Atom,
            (Term::Add(_), shapes) if !shapes.contains(&Other) => Affine,
            _ => Other,
        };
        Cost { misplaced: misplaced.saturating_add(usize::from(shape == Other)), size, shape }
    }
}
