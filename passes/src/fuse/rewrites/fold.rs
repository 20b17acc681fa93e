//! Folds: a value is computed within the kernel that reads it, and never stored.
//!
//! As an equation each is `f(x) = f(x)`: only who computes `x` changes. Which folds a kernel can take is known where
//! kernels are written ([`crate::kernel::fused`]); the conditions here keep out what no kernel ever could.

use egg::Id;
use mom_dialect::graph::OpKind;

use crate::fuse::{
    rewrite::{Numerics, Rewrite},
    term::{Head, Node, Terms, Tree},
};

const fn fold(name: &'static str, equation: &'static str, apply: fn(&Terms, Id, &Node) -> Vec<Tree>) -> Rewrite {
    Rewrite { name, equation, numerics: Numerics::Exact, apply }
}

pub(super) const REWRITES: &[Rewrite] = &[
    fold("dispatch-fold", "f(x[permutation]) reads x by the permutation", |terms, _, node| {
        folded(terms, node, |kind, _| matches!(kind, OpKind::Dispatch | OpKind::SelectRows))
    }),
    fold("combine-fold", "f(Σ w x[slot]) mixes as it reads", |terms, _, node| {
        folded(terms, node, |kind, _| *kind == OpKind::Combine)
    }),
    fold("norm-fold", "f(norm(x)) normalises as it reads", |terms, _, node| {
        folded(terms, node, |kind, _| {
            matches!(kind, OpKind::RmsNorm { .. } | OpKind::L2Norm { .. } | OpKind::Rotary { .. })
        })
    }),
    fold("elementwise-fold", "f(g(x)) applies g as it reads", |terms, _, node| {
        folded(terms, node, |kind, _| matches!(kind, OpKind::Elementwise(_)))
    }),
    fold("conv-fold", "f(conv(x)) convolves as it reads", |terms, _, node| {
        folded(terms, node, |kind, result| *kind == OpKind::ShortConv && result == 0)
    }),
    fold("product-fold", "f(x W) is applied to the product before it is stored", |terms, _, node| {
        let elementwise = matches!(node.kind(), Some(OpKind::Elementwise(_)));
        match elementwise {
            true => folded(terms, node, |kind, _| matches!(kind, OpKind::Linear | OpKind::GroupedLinear)),
            false => Vec::new(),
        }
    }),
    fold("router-fold", "sort(route(x)) routes and sorts at once", |terms, _, node| match node.kind() {
        Some(OpKind::Sort { .. }) => folded(terms, node, |kind, _| matches!(kind, OpKind::Router { .. })),
        _ => Vec::new(),
    }),
];

/// The node with each of its operands folded into it that `wanted` says, one at a time. `wanted` is given what makes the
/// operand, and which of its results it is.
fn folded(terms: &Terms, node: &Node, wanted: impl Fn(&OpKind, usize) -> bool) -> Vec<Tree> {
    let Some(kind) = node.kind() else { return Vec::new() };
    let mut trees = Vec::new();
    for place in readable(terms, kind, node.children.len()) {
        let operand = node.children[place];
        if !made_by(terms, operand, &wanted) {
            continue;
        }
        let children = node.children.iter().enumerate().map(|(index, &child)| match index == place {
            true => Tree::inline(Tree::Class(child)),
            false => Tree::Class(child),
        });
        trees.push(Tree::Node(node.head.clone(), children.collect()));
    }
    trees
}

/// The operands that an operation could make itself, as far as their place goes.
fn readable(terms: &Terms, kind: &OpKind, operands: usize) -> std::ops::Range<usize> {
    match kind {
        OpKind::Elementwise(_) => 0..operands,
        OpKind::RmsNorm { .. }
        | OpKind::L2Norm { .. }
        | OpKind::Rotary { .. }
        | OpKind::Dispatch
        | OpKind::Combine
        | OpKind::SelectRows
        | OpKind::Linear
        | OpKind::GroupedLinear
        | OpKind::ShortConv
        | OpKind::Sort { .. } => 0..1,
        OpKind::Scan { update_rule } => {
            let rule = terms.analysis.graph.update_rule(update_rule);
            0..rule.map_or(0, |rule| rule.inputs.len() + rule.parameters.len())
        }
        _ => 0..0,
    }
}

/// Whether a node of the class is an operation, or one result of an operation, that `wanted` says.
fn made_by(terms: &Terms, class: Id, wanted: &impl Fn(&OpKind, usize) -> bool) -> bool {
    terms[class].nodes.iter().any(|node| match &node.head {
        Head::Op(operator) => wanted(&operator.kind, 0),
        Head::Result(index) => node
            .children
            .first()
            .is_some_and(|&of| terms[of].nodes.iter().any(|made| made.kind().is_some_and(|kind| wanted(kind, *index)))),
        _ => false,
    })
}
