//! Programs as terms of an e-graph.
//!
//! An operation is a [`Node`] whose children are its operands. One with several results, or none, stands for all of
//! them, and [`Head::Result`] picks one. What the program is given (parameters, states, inputs, values that were made
//! before) is a [`Head::Leaf`]. [`Head::Inline`] marks an edge: the value below is computed by the kernel that reads it
//! and never stored; as a term it means the value itself, so a rewrite may put it anywhere, and the cost model knows
//! where it pays and where no kernel can take it.

use std::{
    fmt,
    hash::{Hash, Hasher},
    rc::Rc,
};

use egg::{Analysis, DidMerge, EGraph, Id, Language};
use mom_dialect::{
    graph::{Function, Graph, OpKind},
    shape::Type,
};

pub(crate) type Terms = EGraph<Node, Facts>;

/// What an operation does. Two are equal when their kinds are.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    pub(crate) kind: Rc<OpKind>,
    /// Everything that the kind says, for order and hashing, since kinds hold floats.
    text: Rc<str>,
}

impl Operator {
    pub(crate) fn new(kind: OpKind) -> Operator {
        let text = format!("{kind:?}").into();
        Operator { kind: Rc::new(kind), text }
    }
}

impl PartialEq for Operator {
    fn eq(&self, other: &Operator) -> bool {
        self.text == other.text
    }
}

impl Eq for Operator {}

impl PartialOrd for Operator {
    fn partial_cmp(&self, other: &Operator) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Operator {
    fn cmp(&self, other: &Operator) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for Operator {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

/// What the program is given, as far as it matters to rewrites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Given {
    Param,
    State,
    Input,
    /// A value of the program outside the region that is rewritten.
    Value,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Head {
    /// What is given, by its number in the region; its type is in [`Facts::leaves`].
    Leaf(Given, usize),
    Op(Operator),
    Result(usize),
    Inline,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Node {
    pub(crate) head: Head,
    pub(crate) children: Vec<Id>,
}

impl Node {
    /// The kind of the operation that the node is.
    pub(crate) fn kind(&self) -> Option<&OpKind> {
        match &self.head {
            Head::Op(operator) => Some(&operator.kind),
            _ => None,
        }
    }
}

impl Language for Node {
    type Discriminant = Head;

    fn discriminant(&self) -> Head {
        self.head.clone()
    }

    fn matches(&self, other: &Node) -> bool {
        self.head == other.head && self.children.len() == other.children.len()
    }

    fn children(&self) -> &[Id] {
        &self.children
    }

    fn children_mut(&mut self) -> &mut [Id] {
        &mut self.children
    }
}

impl fmt::Display for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.head {
            Head::Leaf(Given::Param, index) => write!(formatter, "param{index}"),
            Head::Leaf(Given::State, index) => write!(formatter, "state{index}"),
            Head::Leaf(Given::Input, index) => write!(formatter, "input{index}"),
            Head::Leaf(Given::Value, index) => write!(formatter, "value{index}"),
            Head::Op(operator) => match &*operator.kind {
                OpKind::Elementwise(function) => formatter.write_str(function.name()),
                kind => formatter.write_str(mom_dialect::ops::name(kind).trim_start_matches("mom.")),
            },
            Head::Result(index) => write!(formatter, "result{index}"),
            Head::Inline => formatter.write_str("inline"),
        }
    }
}

/// A term that a rewrite proposes: parts that are there, and nodes around them.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    Class(Id),
    Node(Head, Vec<Tree>),
}

impl Tree {
    pub(crate) fn op(kind: OpKind, operands: impl IntoIterator<Item = Tree>) -> Tree {
        Tree::Node(Head::Op(Operator::new(kind)), operands.into_iter().collect())
    }

    pub(crate) fn result(index: usize, of: Tree) -> Tree {
        Tree::Node(Head::Result(index), vec![of])
    }

    pub(crate) fn inline(value: Tree) -> Tree {
        Tree::Node(Head::Inline, vec![value])
    }
}

/// What all terms of one e-graph have in common.
pub(crate) struct Facts {
    /// A program without operations, for its update rules.
    pub(crate) graph: Graph,
    /// Types of the leaves.
    pub(crate) leaves: Vec<Type>,
}

/// What is known of a class.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fact {
    /// The type of the value; several where the class is an operation with several results. Empty where a node is ill
    /// typed, which no rewrite may make.
    pub(crate) types: Vec<Type>,
    /// Rows `[T, …]` of padding are zero.
    pub(crate) zero_at_padding: bool,
    /// The number that a constant is.
    pub(crate) constant: Option<f64>,
}

impl Fact {
    /// The type of a single value.
    pub(crate) fn ty(&self) -> Option<&Type> {
        match &self.types[..] {
            [ty] => Some(ty),
            _ => None,
        }
    }
}

impl Analysis<Node> for Facts {
    type Data = Fact;

    fn make(terms: &mut Terms, node: &Node, _: Id) -> Fact {
        let fact = |index: usize| node.children.get(index).map(|&child| &terms[child].data);
        let types = match &node.head {
            Head::Leaf(_, index) => terms.analysis.leaves.get(*index).cloned().into_iter().collect(),
            Head::Inline => fact(0).map_or_else(Vec::new, |fact| fact.types.clone()),
            Head::Result(index) => fact(0).and_then(|fact| fact.types.get(*index)).cloned().into_iter().collect(),
            Head::Op(operator) => {
                let operands: Option<Vec<&Type>> = node.children.iter().map(|&child| terms[child].data.ty()).collect();
                let types =
                    operands.and_then(|operands| terms.analysis.graph.result_types(&operator.kind, &operands).ok());
                types.unwrap_or_default()
            }
        };
        let constant = match node.kind() {
            Some(OpKind::Constant { value }) => Some(*value),
            _ if node.head == Head::Inline => fact(0).and_then(|fact| fact.constant),
            _ => None,
        };
        Fact { types, zero_at_padding: zero_at_padding(terms, node), constant }
    }

    /// The two are one value: what is known of either is known of it.
    fn merge(&mut self, own: &mut Fact, other: Fact) -> DidMerge {
        let merged = Fact {
            types: own.types.clone(),
            zero_at_padding: own.zero_at_padding || other.zero_at_padding,
            constant: own.constant.or(other.constant),
        };
        let did = DidMerge(merged != *own, merged != other);
        *own = merged;
        did
    }
}

/// Whether a node's rows of padding are zero whatever the hidden states there are.
fn zero_at_padding(terms: &Terms, node: &Node) -> bool {
    let zero = |index: usize| node.children.get(index).is_some_and(|&child| terms[child].data.zero_at_padding);
    match &node.head {
        Head::Leaf(..) => false,
        Head::Inline => zero(0),
        // Operations with several results: the outputs of what skips padding.
        Head::Result(index) => node.children.first().is_some_and(|&child| {
            terms[child].nodes.iter().any(|node| match node.kind() {
                Some(OpKind::ShortConv) => *index == 0 && node.children.len() > 4,
                Some(OpKind::Scan { update_rule }) => {
                    let rule = terms.analysis.graph.update_rule(update_rule);
                    rule.is_some_and(|rule| {
                        *index < rule.outputs.len() && node.children.len() > rule.arguments().count() + 1
                    })
                }
                Some(OpKind::Linear) => node.children.first().is_some_and(|&x| terms[x].data.zero_at_padding),
                _ => false,
            })
        }),
        Head::Op(operator) => match &*operator.kind {
            OpKind::Combine | OpKind::Attention { .. } => true,
            OpKind::Linear | OpKind::RmsNorm { .. } | OpKind::L2Norm { .. } | OpKind::Rotary { .. } => zero(0),
            OpKind::Elementwise(function) => match function {
                Function::Mul => zero(0) || zero(1),
                Function::Add | Function::Sub | Function::Max | Function::Min => zero(0) && zero(1),
                Function::Neg | Function::Silu | Function::Sqrt => zero(0),
                _ => false,
            },
            _ => false,
        },
    }
}
