//! What makes a value, seen through the classes of the e-graph.

use egg::Id;
use mom_dialect::{
    graph::OpKind,
    shape::{Extent, Type},
};

use crate::fuse::term::{Head, Node, Terms, Tree};

/// An operation that makes a value.
#[derive(Clone, Copy)]
pub(super) struct Made<'a> {
    pub(super) kind: &'a OpKind,
    pub(super) node: &'a Node,
    /// The class of the operation: of all its results together, where it has several.
    pub(super) class: Id,
    /// Which result the value is.
    pub(super) result: usize,
}

impl Made<'_> {
    pub(super) fn operand(&self, terms: &Terms, place: usize) -> Option<Id> {
        self.node.children.get(place).map(|&child| terms.find(child))
    }

    /// The same result of `operation`, a term with results as this one's.
    pub(super) fn picked(&self, terms: &Terms, operation: Tree) -> Tree {
        match terms[self.class].data.types.len() {
            1 => operation,
            _ => Tree::result(self.result, operation),
        }
    }
}

/// The operations that make the value of a class.
pub(super) fn makers(terms: &Terms, class: Id) -> Vec<Made<'_>> {
    let mut made = Vec::new();
    for node in &terms[class].nodes {
        match (&node.head, node.kind()) {
            (_, Some(kind)) => made.push(Made { kind, node, class: terms.find(class), result: 0 }),
            (&Head::Result(result), _) => made.extend(operations(terms, node.children[0], result)),
            _ => {}
        }
    }
    made
}

/// The operations of a class of operations, each as the maker of its result number `result`.
pub(super) fn operations(terms: &Terms, class: Id, result: usize) -> impl Iterator<Item = Made<'_>> {
    let class = terms.find(class);
    let nodes = terms[class].nodes.iter();
    nodes.filter_map(move |node| node.kind().map(|kind| Made { kind, node, class, result }))
}

/// The class of result number `result` of an operation, if anybody reads it.
pub(super) fn result_of(terms: &Terms, operation: Id, result: usize) -> Option<Id> {
    terms.lookup(Node { head: Head::Result(result), children: vec![operation] })
}

/// The nodes that read a class.
pub(super) fn readers(terms: &Terms, class: Id) -> impl Iterator<Item = &Node> {
    let reads = move |node: &&Node| node.children.iter().any(|&child| terms.find(child) == class);
    terms[class].parents().flat_map(|parent| terms[terms.find(parent)].nodes.iter()).filter(reads)
}

pub(super) fn type_of(terms: &Terms, class: Id) -> Option<&Type> {
    terms[class].data.ty()
}

pub(super) fn rows(terms: &Terms, class: Id) -> Option<Extent> {
    type_of(terms, class).and_then(Type::rows)
}

/// Whether row `r` of what a node makes is made of row `r` of those operands that have rows, and of nothing else that
/// has.
pub(super) fn is_row_wise(node: &Node) -> bool {
    match node.kind() {
        Some(OpKind::Elementwise(_) | OpKind::RmsNorm { .. } | OpKind::L2Norm { .. } | OpKind::Rotary { .. }) => true,
        Some(OpKind::Linear) => node.children.len() == 2,
        _ => false,
    }
}

/// How many outputs an operation with states has, before these.
pub(super) fn outputs(terms: &Terms, kind: &OpKind) -> Option<usize> {
    match kind {
        OpKind::ShortConv => Some(1),
        OpKind::Scan { update_rule } => Some(terms.analysis.graph.update_rule(update_rule)?.outputs.len()),
        _ => None,
    }
}

/// What a `sort` sorts: the choices of a router.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Routing {
    /// The class of the sort, and of the router.
    pub(super) sort: Id,
    pub(super) router: Id,
    pub(super) logits: Id,
    pub(super) position: Id,
    pub(super) cu_seqlens: Id,
    pub(super) top_k: usize,
    pub(super) memories: usize,
    pub(super) shared_state: bool,
}

impl Routing {
    /// The routing whose slots a class holds.
    pub(super) fn of_slots(terms: &Terms, slot: Id) -> Option<Routing> {
        makers(terms, slot).into_iter().filter(|made| made.result == 1).find_map(|made| Routing::of_sort(terms, made))
    }

    /// The routing whose segments a class holds.
    pub(super) fn of_segments(terms: &Terms, segments: Id) -> Option<Routing> {
        makers(terms, segments)
            .into_iter()
            .filter(|made| made.result == 2)
            .find_map(|made| Routing::of_sort(terms, made))
    }

    fn of_sort(terms: &Terms, sort: Made<'_>) -> Option<Routing> {
        let (&OpKind::Sort { memories }, &[selected, position, cu_seqlens]) = (sort.kind, &sort.node.children[..])
        else {
            return None;
        };
        makers(terms, selected).into_iter().find_map(|router| match *router.kind {
            OpKind::Router { top_k, shared_state } if router.result == 0 => Some(Routing {
                sort: sort.class,
                router: router.class,
                logits: router.operand(terms, 0)?,
                position: terms.find(position),
                cu_seqlens: terms.find(cu_seqlens),
                top_k,
                memories,
                shared_state,
            }),
            _ => None,
        })
    }

    /// Whether a class is result number `result` of the sort: the permutation, the slots, the segments.
    pub(super) fn is_sorted(&self, terms: &Terms, class: Id, result: usize) -> bool {
        result_of(terms, self.sort, result) == Some(terms.find(class))
    }

    /// What an operand is in the order of this routing's stream, if it is a value of the tokens that was dispatched.
    pub(super) fn before_dispatch(&self, terms: &Terms, class: Id) -> Option<Id> {
        makers(terms, class).into_iter().find_map(|made| match (made.kind, &made.node.children[..]) {
            (OpKind::Dispatch, &[x, permutation, segments])
                if self.is_sorted(terms, permutation, 0) && self.is_sorted(terms, segments, 2) =>
            {
                Some(terms.find(x))
            }
            _ => None,
        })
    }
}
