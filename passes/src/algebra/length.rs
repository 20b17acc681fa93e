//! Equations that are too long to be written out.

use std::collections::BTreeSet;

use egg::{Id, Language, RecExpr};

use super::{
    coupling,
    import::Imported,
    normal::{Place, Reason, Refusal},
    polynomial::Polynomial,
    read::{self, TooLong},
    term::Term,
};

/// The refusal of a rule that has such a term. It names the longest product that the term is made from.
pub(crate) fn refusal(imported: &Imported, TooLong(at): TooLong) -> Refusal {
    let holds = coupling::states(&imported.terms);
    let needs = |&root: &Id| below(&imported.terms, root).contains(&at);
    let erases = |state: usize| depth(&imported.terms, &holds, imported.next[state], state);
    let (place, erases) = match imported.next.iter().position(needs) {
        Some(state) => (Place::State(state), erases(state)),
        None => {
            let output = imported.read.iter().position(needs).unwrap_or(0);
            (Place::Output(output), (0..imported.next.len()).map(erases).max().unwrap_or(0))
        }
    };
    let made_from = RecExpr::from(imported.terms.as_ref()[..usize::from(at)].to_vec());
    let made_from = read::read(&made_from, &imported.axes).unwrap_or_default();
    let operands = imported.terms[at].children().iter().filter_map(|&operand| made_from.get(usize::from(operand)));
    let products = operands.flat_map(|operand| &operand.0).map(|(x, factor)| Polynomial::of(x.clone(), factor.0));
    let term = products.max_by_key(|product| (product.holds_state(), product.size())).unwrap_or_default();
    Refusal { place, reason: Reason::TooLong { erases }, term, at: Some(at) }
}

/// How many sums over a state a term nests.
fn depth(terms: &RecExpr<Term>, holds: &[BTreeSet<usize>], root: Id, state: usize) -> usize {
    let mut depths: Vec<usize> = Vec::new();
    for term in terms.as_ref() {
        let own = match term {
            Term::Sum([_, x]) => usize::from(holds[usize::from(*x)].contains(&state)),
            _ => 0,
        };
        let deepest = term.children().iter().map(|&child| depths[usize::from(child)]).max().unwrap_or(0);
        depths.push(own + deepest);
    }
    depths[usize::from(root)]
}

/// The nodes that a node is made from, itself included.
fn below(terms: &RecExpr<Term>, root: Id) -> BTreeSet<Id> {
    let mut found = BTreeSet::from([root]);
    let mut left = vec![root];
    while let Some(at) = left.pop() {
        left.extend(terms[at].children().iter().copied().filter(|&child| found.insert(child)));
    }
    found
}
