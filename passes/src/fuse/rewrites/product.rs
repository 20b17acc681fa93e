//! Products: of one input with several weights.

use egg::Id;
use mom_dialect::{
    graph::OpKind,
    shape::{Axis, DType},
};

use super::matching::readers;
use crate::fuse::{
    rewrite::{Numerics, Rewrite},
    term::{Node, Terms, Tree},
};

pub(super) const REWRITES: &[Rewrite] = &[
    Rewrite {
        name: "products-merge",
        equation: "x A, x B = x [A B]",
        numerics: Numerics::Exact,
        apply: |terms, _, node| merge(terms, node, &OpKind::Linear),
    },
    Rewrite {
        name: "grouped-products-merge",
        equation: "x A_e, x B_e = x [A_e B_e] for each memory e",
        numerics: Numerics::Exact,
        apply: |terms, _, node| merge(terms, node, &OpKind::GroupedLinear),
    },
];

/// A product with one weight, or with one for each memory.
struct Product {
    /// The rows, and the segments of a grouped product.
    of: Vec<Id>,
    weights: Vec<Id>,
}

impl Product {
    /// The product that a node is, if it has one result.
    fn single(terms: &Terms, node: &Node, kind: &OpKind) -> Option<Product> {
        let operands: Vec<Id> = node.children.iter().map(|&child| terms.find(child)).collect();
        let memories = match kind {
            OpKind::Linear => None,
            _ => Some(terms[*operands.get(1)?].data.ty()?.rows()?.sequences),
        };
        let (of, weights) = operands.split_at_checked(1 + usize::from(memories.is_some()))?;
        let is_single = node.kind() == Some(kind) && weights.len() == memories.unwrap_or(1);
        is_single.then(|| Product { of: of.to_vec(), weights: weights.to_vec() })
    }

    /// What products must have in common to be one, beside the rows: the element type of weights, the axes summed over.
    fn frame(&self, terms: &Terms) -> Option<(DType, Vec<Axis>)> {
        let (x, weight) = (terms[self.of[0]].data.ty()?, terms[*self.weights.first()?].data.ty()?);
        Some((weight.dtype, weight.axes.iter().filter(|axis| x.has(axis)).cloned().collect()))
    }

    /// Whether a weight is also one of several memories in a grouped product.
    fn is_also_grouped(&self, terms: &Terms) -> bool {
        let grouped = |node: &Node| node.kind() == Some(&OpKind::GroupedLinear) && node.children.len() > 3;
        self.weights.iter().any(|&weight| readers(terms, weight).any(grouped))
    }
}

/// The product of one value with all the weights that it is multiplied with anywhere; and with those of them that no
/// grouped product takes, for the programs in which that one is computed instead.
fn merge(terms: &Terms, node: &Node, kind: &OpKind) -> Vec<Tree> {
    let Some(own) = Product::single(terms, node, kind) else { return Vec::new() };
    let frame = own.frame(terms);
    let beside = readers(terms, own.of[0]).filter_map(|other| Product::single(terms, other, kind));
    let mut all: Vec<Product> = beside.filter(|other| other.of == own.of && other.frame(terms) == frame).collect();
    all.sort_by(|a, b| a.weights.cmp(&b.weights));
    all.dedup_by(|a, b| a.weights == b.weights);
    let mut trees = vec![merged(&all, &own, kind)];
    if *kind == OpKind::Linear {
        all.retain(|product| !product.is_also_grouped(terms));
        trees.push(merged(&all, &own, kind));
    }
    trees.into_iter().flatten().collect()
}

/// The most products that become one: the text of a program has places for the weights of so many.
const MOST: usize = 14;

/// The result of `own` in the product of all, or of those of its share where there are more than one can hold.
fn merged(all: &[Product], own: &Product, kind: &OpKind) -> Option<Tree> {
    let place = all.iter().position(|product| product.weights == own.weights)?;
    let (share, place) = (all.chunks(MOST).nth(place / MOST)?, place % MOST);
    if share.len() == 1 {
        return None;
    }
    let weights = share.iter().flat_map(|product| &product.weights);
    let operands = own.of.iter().chain(weights).copied().map(Tree::Class);
    Some(Tree::result(place, Tree::op(kind.clone(), operands)))
}
