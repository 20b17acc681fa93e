//! From terms to polynomials.

use egg::{Id, RecExpr};
use mom_dialect::graph::Function;

use super::{
    import::Axes,
    polynomial::Polynomial,
    term::{Call, Index, Term},
};

/// The polynomial of every node of a term.
pub(crate) fn read(terms: &RecExpr<Term>, axes: &Axes) -> Vec<Polynomial> {
    let mut read: Vec<Polynomial> = Vec::new();
    let size = |index: Index| match index {
        Index::Axis(number) => axes.size(number),
        _ => 1,
    };
    for term in terms.as_ref() {
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
    read
}
