//! A program is rewritten region by region: a layer's mixing part, its feed-forward part, the head.
//!
//! Regions end where one value alone goes on and several read it: at the residual stream. Those of equal shape have
//! equal terms and are solved once.

use std::{collections::BTreeMap, ops::Range};

use egg::Id;
use mom_dialect::{
    graph::{Graph, Op, OpKind, ValueId},
    shape::Type,
};

use super::term::{Facts, Given, Head, Node, Operator, Terms};

/// What a region is for: what the rest of the program and the world see of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Root {
    /// A value that later regions read.
    Value,
    SetState,
    Output,
}

/// Some operations of a program as terms.
#[derive(Clone)]
pub(crate) struct Region {
    /// The values of the program that the leaves stand for, in the order of their numbers.
    pub(crate) leaves: Vec<ValueId>,
    /// What must be computed: the operation's place for states and outputs, the value for the others.
    pub(crate) roots: Vec<(Root, Id, RootOf)>,
    /// The nodes of the program itself, and which of `ops` each is from.
    pub(crate) own: BTreeMap<Node, usize>,
    /// The operations that are no leaves, by their places in the program.
    pub(crate) ops: Vec<usize>,
    /// All that decides the solution: regions of equal keys have the same one.
    pub(crate) key: Key,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum RootOf {
    Op(usize),
    Value(ValueId),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    nodes: Vec<Node>,
    leaves: Vec<Type>,
    roots: Vec<(Root, Id)>,
}

fn given(kind: &OpKind) -> Option<Given> {
    match kind {
        OpKind::Param { .. } => Some(Given::Param),
        OpKind::State { .. } => Some(Given::State),
        OpKind::Input { .. } => Some(Given::Input),
        _ => None,
    }
}

/// Whether an operation only names what is given or asked for.
pub(crate) fn is_leaf(op: &Op) -> bool {
    given(&op.kind).is_some()
}

/// The ranges of operations that are rewritten together.
pub(crate) fn cut(graph: &Graph) -> Vec<Range<usize>> {
    let body = &graph.body;
    let mut last_use = vec![0; body.value_count()];
    let mut uses = vec![0; body.value_count()];
    for (index, op) in body.ops.iter().enumerate() {
        for operand in &op.operands {
            last_use[operand.index()] = index;
            uses[operand.index()] += 1;
        }
    }
    let mut regions = Vec::new();
    let mut begin = 0;
    let mut live: Vec<ValueId> = Vec::new();
    for (index, op) in body.ops.iter().enumerate() {
        if !is_leaf(op) {
            live.extend(&op.results);
        }
        live.retain(|value| last_use[value.index()] > index);
        // A value that only one operation reads may be computed within that one's kernel.
        if let [value] = live[..]
            && uses[value.index()] > 1
            && op.results.contains(&value)
        {
            regions.push(begin..index + 1);
            begin = index + 1;
        }
    }
    if begin < body.ops.len() {
        regions.push(begin..body.ops.len());
    }
    regions
}

impl Region {
    /// The operations `range` of a program, and their terms.
    pub(crate) fn new(graph: &Graph, range: Range<usize>) -> (Region, Terms) {
        let body = &graph.body;
        let context = Graph { name: String::new(), update_rules: graph.update_rules.clone(), body: Default::default() };
        let mut terms = Terms::new(Facts { graph: context, leaves: Vec::new() });
        let mut region = Region {
            leaves: Vec::new(),
            roots: Vec::new(),
            own: BTreeMap::new(),
            ops: Vec::new(),
            key: Key { nodes: Vec::new(), leaves: Vec::new(), roots: Vec::new() },
        };
        let makers: BTreeMap<ValueId, &Op> =
            body.ops.iter().flat_map(|op| op.results.iter().map(move |&result| (result, op))).collect();
        let mut known: BTreeMap<ValueId, Id> = BTreeMap::new();
        for (index, op) in body.ops[range.clone()].iter().enumerate().map(|(index, op)| (range.start + index, op)) {
            if is_leaf(op) {
                continue;
            }
            let ordinal = region.ops.len();
            region.ops.push(index);
            let children: Vec<Id> = op
                .operands
                .iter()
                .map(|&operand| {
                    if let Some(&id) = known.get(&operand) {
                        return id;
                    }
                    let kind = makers.get(&operand).and_then(|maker| given(&maker.kind)).unwrap_or(Given::Value);
                    let leaf = Node { head: Head::Leaf(kind, region.leaves.len()), children: Vec::new() };
                    region.leaves.push(operand);
                    terms.analysis.leaves.push(body.ty(operand).clone());
                    let id = region.add(&mut terms, leaf, ordinal);
                    known.insert(operand, id);
                    id
                })
                .collect();
            let root = match op.kind {
                OpKind::SetState { .. } => Some(Root::SetState),
                OpKind::Output { .. } => Some(Root::Output),
                _ => None,
            };
            if let Some(root) = root {
                region.roots.push((root, children[0], RootOf::Op(index)));
                continue;
            }
            let id = region.add(&mut terms, Node { head: Head::Op(Operator::new(op.kind.clone())), children }, ordinal);
            match op.results[..] {
                [result] => {
                    known.insert(result, id);
                }
                _ => {
                    for (place, &result) in op.results.iter().enumerate() {
                        let picked =
                            region.add(&mut terms, Node { head: Head::Result(place), children: vec![id] }, ordinal);
                        known.insert(result, picked);
                    }
                }
            }
        }
        let later: Vec<ValueId> = body.ops[range.end..].iter().flat_map(|op| op.operands.iter().copied()).collect();
        let mut left: Vec<ValueId> = later.into_iter().filter(|value| known.contains_key(value)).collect();
        left.sort_unstable();
        left.dedup();
        for value in left.into_iter().filter(|value| !region.leaves.contains(value)) {
            region.roots.push((Root::Value, known[&value], RootOf::Value(value)));
        }
        terms.rebuild();
        region.key.leaves.clone_from(&terms.analysis.leaves);
        region.key.roots = region.roots.iter().map(|(root, id, _)| (*root, *id)).collect();
        (region, terms)
    }

    fn add(&mut self, terms: &mut Terms, node: Node, op: usize) -> Id {
        self.key.nodes.push(node.clone());
        self.own.entry(node.clone()).or_insert(op);
        terms.add(node)
    }
}
