//! States whose equations need one another, found before anything is written out.

use std::collections::BTreeSet;

use egg::{Id, Language, RecExpr};
use mom_dialect::graph::UpdateRule;

use super::{
    import::Imported,
    normal::{Place, Reason, Refusal},
    polynomial::Polynomial,
    read,
    term::{Symbol, Term},
};

/// The states that each node of a term holds.
pub(crate) fn states(terms: &RecExpr<Term>) -> Vec<BTreeSet<usize>> {
    let mut states: Vec<BTreeSet<usize>> = Vec::new();
    for term in terms.as_ref() {
        let mut own: BTreeSet<usize> =
            term.children().iter().flat_map(|&child| states[usize::from(child)].clone()).collect();
        if let Term::Leaf(leaf) = term
            && let Symbol::State(state) = leaf.symbol
        {
            own.insert(state as usize);
        }
        states.push(own);
    }
    states
}

/// The refusal of a rule in which a state needs another that needs it.
pub(crate) fn refusal(rule: &UpdateRule, imported: &Imported) -> Option<Refusal> {
    let holds = states(&imported.terms);
    let direct: Vec<&BTreeSet<usize>> = imported.next.iter().map(|&id| &holds[usize::from(id)]).collect();
    let mut needs: Vec<BTreeSet<usize>> = direct.iter().map(|&needs| needs.clone()).collect();
    for _ in 0..rule.states.len() {
        needs = needs
            .iter()
            .map(|own| own.iter().flat_map(|&other| needs[other].clone()).chain(own.clone()).collect())
            .collect();
    }
    let (state, other) = (0..rule.states.len())
        .flat_map(|state| direct[state].iter().map(move |&other| (state, other)))
        .find(|&(state, other)| state != other && needs[other].contains(&state))?;
    let (at, whole) = summand(&imported.terms, &holds, imported.next[state], other);
    let term = match &imported.terms[at] {
        // Only a term of few factors is worth writing out.
        _ if whole => {
            let terms = imported.terms[at].build_recexpr(|id| imported.terms[id].clone());
            read::read(&terms, &imported.axes).ok().and_then(|mut read| read.pop()).unwrap_or_default()
        }
        _ => Polynomial::leaf(Symbol::State(other as u32), Vec::new()),
    };
    Some(Refusal {
        place: Place::State(state),
        reason: if whole { Reason::WholeState { coupled: true } } else { Reason::Cycle },
        term,
        at: Some(at),
    })
}

/// The summand of a term that holds a state, and whether it holds it as a factor.
fn summand(terms: &RecExpr<Term>, holds: &[BTreeSet<usize>], at: Id, state: usize) -> (Id, bool) {
    let with = |ids: &[Id]| ids.iter().copied().find(|&id| holds[usize::from(id)].contains(&state));
    match &terms[at] {
        Term::Add(operands) | Term::Sub(operands) => match with(operands) {
            Some(operand) => summand(terms, holds, operand, state),
            None => (at, false),
        },
        Term::Neg(x) => summand(terms, holds, *x, state),
        _ => (at, is_factor(terms, holds, at, state)),
    }
}

fn is_factor(terms: &RecExpr<Term>, holds: &[BTreeSet<usize>], at: Id, state: usize) -> bool {
    match &terms[at] {
        Term::Leaf(leaf) => leaf.symbol == Symbol::State(state as u32),
        Term::Mul(operands) => operands
            .iter()
            .filter(|&&id| holds[usize::from(id)].contains(&state))
            .all(|&id| is_factor(terms, holds, id, state)),
        _ => false,
    }
}
