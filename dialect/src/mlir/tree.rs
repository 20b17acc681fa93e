//! What MLIR read, as plain values without lifetimes: the boundary between the module that calls MLIR and the reader.

use crate::diagnostic::Span;

pub(super) struct Operation {
    /// With its dialect, as `mom.linear`.
    pub(super) name: String,
    pub(super) span: Option<Span>,
    pub(super) operands: Vec<Key>,
    pub(super) results: Vec<Value>,
    pub(super) attributes: Vec<(String, Attribute)>,
    pub(super) regions: Vec<Vec<Block>>,
}

pub(super) struct Block {
    pub(super) arguments: Vec<Value>,
    pub(super) operations: Vec<Operation>,
}

/// Which value it is; equal keys are one value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key(pub(super) usize);

pub(super) struct Value {
    pub(super) key: Key,
    pub(super) ty: Type,
}

pub(super) struct Type {
    /// The type as MLIR writes it.
    pub(super) text: String,
    pub(super) tensor: Option<Tensor>,
}

pub(super) struct Tensor {
    /// The element type as MLIR writes it.
    pub(super) element: String,
    /// `None` where the size is not fixed.
    pub(super) sizes: Vec<Option<usize>>,
    pub(super) encoding: Option<Attribute>,
}

pub(super) enum Attribute {
    Text(String),
    Symbol(String),
    /// An `i64`.
    Integer(i64),
    Flag(bool),
    /// An `f64`.
    Float(f64),
    List(Vec<Attribute>),
    /// What no operation of `mom` has.
    Other,
}
