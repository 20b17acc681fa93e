//! From terms to polynomials.

use egg::{Id, RecExpr};
use mom_dialect::graph::Function;

use super::{
    import::Axes,
    polynomial::Polynomial,
    term::{Call, Index, Term},
};

/// The most factors that a term is written out to. Erases one after the other are products of sums, so that each
/// doubles what is written out.
pub(crate) const LARGEST: usize = 2_000;

/// A term that has more than [`LARGEST`] factors when it is written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong(pub(crate) Id);

/// The polynomial of every node of a term.
///
/// # Errors
/// The first node that would be too long; it is not written out.
pub(crate) fn read(terms: &RecExpr<Term>, axes: &Axes) -> Result<Vec<Polynomial>, TooLong> {
    let mut read: Vec<Polynomial> = Vec::new();
    let size = |index: Index| match index {
        Index::Axis(number) => axes.size(number),
        _ => 1,
    };
    for term in terms.as_ref() {
        if size_of(term, &read) > LARGEST {
            return Err(TooLong(Id::from(read.len())));
        }
        let of = |id: Id| &read[usize::from(id)];
        let index = |id: Id| match &terms[id] {
            Term::Index(index) => *index,
            _ => Index::Entry(0),
        };
        let call = |function: Function, operands: &[Id]| {
            Polynomial::call(Call(function), operands.iter().map(|&id| of(id).clone()).collect())
        };
        read.push(match term {
            Term::Number(number) => Polynomial::number(number.0),
            Term::Index(_) => Polynomial::default(),
            Term::Leaf(leaf) => Polynomial::leaf(leaf.symbol, leaf.indices.clone()),
            Term::Add(operands) => call(Function::Add, operands),
            Term::Sub(operands) => call(Function::Sub, operands),
            Term::Mul(operands) => call(Function::Mul, operands),
            Term::Div(operands) => call(Function::Div, operands),
            Term::Neg(x) => call(Function::Neg, &[*x]),
            Term::Call(function, operands) => call(function.0, operands),
            Term::Sum([axis, x]) => of(*x).sum(index(*axis), size(index(*axis))),
            Term::Softmax([axis, x]) => Polynomial::softmax(index(*axis), of(*x).clone()),
            Term::Solve([row, unknown, matrix, vector]) => {
                let row = index(*row);
                Polynomial::solve(row, size(row), index(*unknown), of(*matrix), of(*vector))
            }
            Term::Entry([axis, entry, x]) => {
                let entry = match index(*entry) {
                    Index::Entry(entry) => entry,
                    _ => 0,
                };
                Polynomial::entry(index(*axis), size(index(*axis)), entry, of(*x).clone())
            }
        });
    }
    Ok(read)
}

/// How many factors a term has at most, by the polynomials of its operands.
fn size_of(term: &Term, read: &[Polynomial]) -> usize {
    let of = |id: Id| &read[usize::from(id)];
    match term {
        Term::Mul([a, b]) => of(*a).size_of_product(of(*b)),
        // A divisor is one factor, and a silu the product with one.
        Term::Div([x, divisor]) => of(*x).size() + of(*x).0.len() * of(*divisor).size(),
        Term::Call(Call(Function::Silu), x) => x.iter().map(|&x| of(x).size() * (1 + of(x).0.len())).sum(),
        _ => egg::Language::children(term).iter().map(|&child| of(child).size()).sum(),
    }
}
