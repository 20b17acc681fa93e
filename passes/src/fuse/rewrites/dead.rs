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
        equation: "x · 1 = x / 1 = x + 0 = x - 0 = x",
        numerics: Numerics::Exact,
        apply: neutral,
    },
    Rewrite { name: "negation-cancel", equation: "-(-x) = x", numerics: Numerics::Exact, apply: negation },
];

fn neutral(terms: &Terms, class: Id, node: &Node) -> Vec<Tree> {
    let (Some(OpKind::Elementwise(function)), &[a, b]) = (node.kind(), &node.children[..]) else { return Vec::new() };
    let (element, either_side) = match function {
        Function::Mul => (1.0, true),
        Function::Div => (1.0, false),
        Function::Add => (0.0, true),
        Function::Sub => (0.0, false),
        _ => return Vec::new(),
    };
    let is_element = |id: Id| terms[id].data.constant == Some(element);
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
