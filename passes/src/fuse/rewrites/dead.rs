//! Arithmetic that changes nothing. Values that nobody reads, and work that is done twice, need no rewrite: the one is
//! never extracted, the other is one node.

use egg::Id;
use mom_dialect::graph::{Function, OpKind};

use crate::fuse::{
    rewrite::{Numerics, Rewrite},
    term::{Node, Terms, Tree},
};

pub(super) const REWRITES: &[Rewrite] = &[
    Rewrite {
        name: "neutral-drop",
        equation: "x · 1 = x / 1 = x + (-0) = x - 0 = x",
        numerics: Numerics::Exact,
        apply: neutral,
    },
    Rewrite {
        name: "zero-drop",
        equation: "x + 0 = x - (-0) = x, but for the sign of a zero",
        numerics: Numerics::Reassociates,
        apply: zero,
    },
    Rewrite { name: "negation-cancel", equation: "-(-x) = x", numerics: Numerics::Exact, apply: negation },
];

fn neutral(terms: &Terms, class: Id, node: &Node) -> Vec<Tree> {
    without(terms, (class, node), |function| match function {
        Function::Mul => Some((1.0, true)),
        Function::Div => Some((1.0, false)),
        Function::Add => Some((-0.0, true)),
        Function::Sub => Some((0.0, false)),
        _ => None,
    })
}

fn zero(terms: &Terms, class: Id, node: &Node) -> Vec<Tree> {
    without(terms, (class, node), |function| match function {
        Function::Add => Some((0.0, true)),
        Function::Sub => Some((-0.0, false)),
        _ => None,
    })
}

/// What is left of a function of two values, one of which is the function's neutral element: `neutral` says which that is,
/// and whether it may stand on either side.
fn without(terms: &Terms, (class, node): (Id, &Node), neutral: fn(Function) -> Option<(f64, bool)>) -> Vec<Tree> {
    let (Some(OpKind::Elementwise(function)), &[a, b]) = (node.kind(), &node.children[..]) else { return Vec::new() };
    let Some((element, either_side)) = neutral(*function) else { return Vec::new() };
    // Zeros of either sign are equal, but not the same.
    let is_element = |id: Id| terms[id].data.constant.is_some_and(|value| value.to_bits() == element.to_bits());
    // A value that another widens by axes is not the result.
    let whole = |id: &Id| terms[*id].data.types == terms[class].data.types;
    let left = [a].into_iter().filter(|_| is_element(b));
    let right = [b].into_iter().filter(|_| either_side && is_element(a));
    left.chain(right).filter(whole).map(Tree::Class).collect()
}

fn negation(terms: &Terms, _: Id, node: &Node) -> Vec<Tree> {
    let negated = |node: &Node| match (node.kind(), &node.children[..]) {
        (Some(OpKind::Elementwise(Function::Neg)), &[x]) => Some(x),
        _ => None,
    };
    let twice = |x: Id| terms[x].nodes.iter().filter_map(negated).map(Tree::Class).collect();
    negated(node).map_or_else(Vec::new, twice)
}
