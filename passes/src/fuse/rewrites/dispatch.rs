//! What is computed for each token or for each of its choices: dispatch and combine on either side of what works row by
//! row.

use egg::Id;
use mom_dialect::{
    graph::{Function, OpKind},
    shape::Extent,
};

use super::matching::{is_row_wise, makers, rows};
use crate::fuse::{
    rewrite::{Numerics, Rewrite},
    term::{Node, Terms, Tree},
};

pub(super) const REWRITES: &[Rewrite] = &[
    Rewrite {
        name: "dispatch-after-row-wise",
        equation: "f(x[permutation]) = f(x)[permutation]",
        numerics: Numerics::Exact,
        apply: dispatch_after,
    },
    Rewrite {
        name: "dispatch-before-row-wise",
        equation: "f(x)[permutation] = f(x[permutation])",
        numerics: Numerics::Exact,
        apply: dispatch_before,
    },
    Rewrite {
        name: "combine-before-linear",
        equation: "Σ w (x A)[slot] = (Σ w x[slot]) A",
        numerics: Numerics::Reassociates,
        apply: combine_before,
    },
    Rewrite {
        name: "combine-after-linear",
        equation: "(Σ w x[slot]) A = Σ w (x A)[slot]",
        numerics: Numerics::Reassociates,
        apply: combine_after,
    },
];

/// The node over other operands where they have rows; `other` gives these.
fn over(terms: &Terms, node: &Node, mut other: impl FnMut(Id) -> Option<Tree>) -> Option<Tree> {
    let operands = node.children.iter().map(|&child| match rows(terms, child) {
        None => Some(Tree::Class(child)),
        Some(_) => other(child),
    });
    Some(Tree::op(node.kind()?.clone(), operands.collect::<Option<Vec<Tree>>>()?))
}

fn dispatch_after(terms: &Terms, _: Id, node: &Node) -> Vec<Tree> {
    let first = node.children.iter().find(|&&child| rows(terms, child).is_some()).filter(|_| is_row_wise(node));
    let Some(&first) = first else { return Vec::new() };
    let mut trees = Vec::new();
    // All operands with rows must be dispatched as the first is.
    for (_, permutation, segments) in dispatches(terms, first) {
        let same = |child: Id| {
            let mut all = dispatches(terms, child).into_iter();
            let (x, ..) = all.find(|&(_, other, bounds)| (other, bounds) == (permutation, segments))?;
            Some(Tree::Class(x))
        };
        if let Some(of_tokens) = over(terms, node, same) {
            trees.push(Tree::op(OpKind::Dispatch, [of_tokens, Tree::Class(permutation), Tree::Class(segments)]));
        }
    }
    trees
}

/// Each value that a class is the dispatch of, with the permutation and the segments.
fn dispatches(terms: &Terms, class: Id) -> Vec<(Id, Id, Id)> {
    let made = makers(terms, class).into_iter().filter(|made| *made.kind == OpKind::Dispatch);
    made.filter_map(|made| match made.node.children[..] {
        [x, permutation, segments] => Some((terms.find(x), terms.find(permutation), terms.find(segments))),
        _ => None,
    })
    .collect()
}

fn dispatch_before(terms: &Terms, _: Id, node: &Node) -> Vec<Tree> {
    let (Some(OpKind::Dispatch), &[x, permutation, segments]) = (node.kind(), &node.children[..]) else {
        return Vec::new();
    };
    let dispatched = |child: Id| {
        let operands = [child, permutation, segments].map(Tree::Class);
        (rows(terms, child) == Some(Extent::TOKENS)).then(|| Tree::op(OpKind::Dispatch, operands))
    };
    let row_wise = makers(terms, x).into_iter().filter(|made| is_row_wise(made.node));
    row_wise.filter_map(|made| over(terms, made.node, dispatched)).collect()
}

/// The place of the operand in which a node is linear, row by row; the others have no rows.
fn linear_in(terms: &Terms, node: &Node) -> Option<usize> {
    let has_rows = |place: usize| rows(terms, node.children[place]).is_some();
    match (node.kind()?, node.children.len()) {
        (OpKind::Linear, 2) => Some(0),
        (OpKind::Elementwise(Function::Mul), 2) if has_rows(0) && !has_rows(1) => Some(0),
        (OpKind::Elementwise(Function::Mul), 2) if has_rows(1) && !has_rows(0) => Some(1),
        (OpKind::Elementwise(Function::Div), 2) if has_rows(0) && !has_rows(1) => Some(0),
        _ => None,
    }
}

fn combine_before(terms: &Terms, _: Id, node: &Node) -> Vec<Tree> {
    let (Some(OpKind::Combine), &[x, slot, weight]) = (node.kind(), &node.children[..]) else { return Vec::new() };
    let combined = |child: Id| Some(Tree::op(OpKind::Combine, [child, slot, weight].map(Tree::Class)));
    let linear = makers(terms, x).into_iter().filter(|made| linear_in(terms, made.node).is_some());
    linear.filter_map(|made| over(terms, made.node, combined)).collect()
}

fn combine_after(terms: &Terms, _: Id, node: &Node) -> Vec<Tree> {
    let Some(place) = linear_in(terms, node) else { return Vec::new() };
    let mixtures = makers(terms, node.children[place]).into_iter().filter(|made| *made.kind == OpKind::Combine);
    let after = mixtures.filter_map(|made| {
        let &[x, slot, weight] = &made.node.children[..] else { return None };
        let of_choices = over(terms, node, |_| Some(Tree::Class(x)))?;
        Some(Tree::op(OpKind::Combine, [of_choices, Tree::Class(slot), Tree::Class(weight)]))
    });
    after.collect()
}
