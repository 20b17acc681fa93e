//! The rewrites of linear algebra, each a pair of patterns with conditions on axes and states.
//!
//! They bring every expression that is affine in the states to a sum of products of one coefficient and one state or
//! sum over a state. They neither reorder sums nor look into coefficients: [`super::polynomial`] orders both when the
//! result is read, which keeps an e-graph as small as the expression it holds.

use std::collections::BTreeSet;

use egg::{Analysis, ConditionalApplier, DidMerge, EGraph, Id, Language, Pattern, Rewrite, Subst, Var};

use super::term::{Index, Leaf, Symbol, Term};

/// A rewrite as text; the e-graph and the tests read the same list.
pub(crate) struct Law {
    pub(crate) name: &'static str,
    pub(crate) left: &'static str,
    pub(crate) right: &'static str,
    pub(crate) conditions: &'static [Condition],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// The variable holds a state.
    State(&'static str),
    /// The variable holds no state.
    Free(&'static str),
    /// The first variable does not have the axis that the second stands for.
    Without(&'static str, &'static str),
}

use Condition::{Free, State, Without};

const fn law(name: &'static str, left: &'static str, right: &'static str, conditions: &'static [Condition]) -> Law {
    Law { name, left, right, conditions }
}

pub(crate) const LAWS: &[Law] = &[
    law("difference as a sum", "(- ?a ?b)", "(+ ?a (* -1 ?b))", &[]),
    law("negative as a product", "(neg ?a)", "(* -1 ?a)", &[]),
    law("quotient as a product", "(/ ?m ?a)", "(* (/ 1 ?a) ?m)", &[State("?m"), Free("?a")]),
    law("product with one", "(* 1 ?a)", "?a", &[]),
    law("one on the right", "(* ?a 1)", "?a", &[]),
    law("coefficients to the right", "(* (* ?a ?b) ?c)", "(* ?a (* ?b ?c))", &[Free("?a"), Free("?b"), Free("?c")]),
    law("sum with zero", "(+ 0 ?a)", "?a", &[]),
    law("zero added", "(+ ?a 0)", "?a", &[]),
    law("two signs", "(* -1 (* -1 ?a))", "?a", &[]),
    law("silu", "(silu ?a)", "(* ?a (sigmoid ?a))", &[]),
    law("product of exponentials", "(* (exp ?a) (exp ?b))", "(exp (+ ?a ?b))", &[]),
    law("state on the right", "(* ?m ?a)", "(* ?a ?m)", &[State("?m"), Free("?a")]),
    law("one coefficient", "(* ?a (* ?b ?m))", "(* (* ?a ?b) ?m)", &[Free("?a"), Free("?b"), State("?m")]),
    law("product with a sum", "(* ?a (+ ?m ?b))", "(+ (* ?a ?m) (* ?a ?b))", &[Free("?a"), State("?m")]),
    law("product with a second summand", "(* ?a (+ ?b ?m))", "(+ (* ?a ?b) (* ?a ?m))", &[Free("?a"), State("?m")]),
    law("sum over an axis", "(sum ?i (+ ?m ?a))", "(+ (sum ?i ?m) (sum ?i ?a))", &[State("?m")]),
    law("second summand over an axis", "(sum ?i (+ ?a ?m))", "(+ (sum ?i ?a) (sum ?i ?m))", &[State("?m")]),
    law("factor out of a sum", "(sum ?i (* ?a ?m))", "(* ?a (sum ?i ?m))", &[State("?m"), Without("?a", "?i")]),
    law("coefficient summed", "(sum ?i (* ?a ?m))", "(* (sum ?i ?a) ?m)", &[State("?m"), Without("?m", "?i")]),
    law(
        "first factor out of a sum",
        "(sum ?i (* (* ?a ?b) ?m))",
        "(* ?a (sum ?i (* ?b ?m)))",
        &[State("?m"), Without("?a", "?i")],
    ),
    law(
        "second factor out of a sum",
        "(sum ?i (* (* ?b ?a) ?m))",
        "(* ?a (sum ?i (* ?b ?m)))",
        &[State("?m"), Without("?a", "?i")],
    ),
];

/// What is known of a class: the axes and the states that its value depends on at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) axes: BTreeSet<Index>,
    pub(crate) states: BTreeSet<u32>,
    /// What an index stands for.
    index: Option<Index>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Dependence;

impl Analysis<Term> for Dependence {
    type Data = Known;

    fn make(egraph: &mut EGraph<Term, Self>, term: &Term, _: Id) -> Known {
        let mut known = Known::default();
        for &child in term.children() {
            known.axes.extend(&egraph[child].data.axes);
            known.states.extend(&egraph[child].data.states);
        }
        let index = |id: Id| egraph[id].data.index;
        match term {
            Term::Index(index) => known.index = Some(*index),
            Term::Leaf(Leaf { symbol, indices }) => {
                known.axes.extend(indices.iter().filter(|index| matches!(index, Index::Axis(_))));
                known.states.extend(match symbol {
                    Symbol::State(state) => Some(*state),
                    _ => None,
                });
            }
            Term::Sum([axis, _]) | Term::Entry([axis, ..]) => {
                index(*axis).map(|axis| known.axes.remove(&axis));
            }
            Term::Softmax([axis, _]) => known.axes.extend(index(*axis)),
            Term::Solve([row, unknown, ..]) => {
                index(*row).map(|row| known.axes.remove(&row));
                known.axes.extend(index(*unknown));
            }
            _ => {}
        }
        known
    }

    /// What both sides may depend on is all that their common value can.
    fn merge(&mut self, own: &mut Known, other: Known) -> DidMerge {
        let axes: BTreeSet<Index> = own.axes.intersection(&other.axes).copied().collect();
        let states: BTreeSet<u32> = own.states.intersection(&other.states).copied().collect();
        let merged = Known { axes, states, index: own.index.or(other.index) };
        let did = DidMerge(merged != *own, merged != other);
        *own = merged;
        did
    }
}

impl Condition {
    /// The variables that the condition is about.
    fn variables(self) -> Vec<Var> {
        let names = match self {
            State(x) | Free(x) => vec![x],
            Without(x, axis) => vec![x, axis],
        };
        names.into_iter().filter_map(|name| name.parse().ok()).collect()
    }

    fn holds(self, variables: &[Var], egraph: &EGraph<Term, Dependence>, found: &Subst) -> bool {
        let known = |at: usize| variables.get(at).map(|&variable| &egraph[found[variable]].data);
        match self {
            State(_) => known(0).is_some_and(|known| !known.states.is_empty()),
            Free(_) => known(0).is_some_and(|known| known.states.is_empty()),
            Without(..) => known(1)
                .and_then(|axis| axis.index)
                .is_some_and(|axis| known(0).is_some_and(|known| !known.axes.contains(&axis))),
        }
    }
}

/// The list as rewrites of an e-graph.
///
/// # Errors
/// A pattern that does not parse; a fault of the list.
pub(crate) fn rewrites() -> Result<Vec<Rewrite<Term, Dependence>>, String> {
    let pattern = |text: &str| text.parse::<Pattern<Term>>().map_err(|error| format!("`{text}`: {error}"));
    let rewrite = |law: &Law| {
        let conditions: Vec<(Condition, Vec<Var>)> =
            law.conditions.iter().map(|condition| (*condition, condition.variables())).collect();
        let condition = move |egraph: &mut EGraph<Term, Dependence>, _: Id, found: &Subst| {
            conditions.iter().all(|(condition, variables)| condition.holds(variables, egraph, found))
        };
        let applier = ConditionalApplier { condition, applier: pattern(law.right)? };
        Rewrite::new(law.name, pattern(law.left)?, applier)
    };
    LAWS.iter().map(rewrite).collect()
}
