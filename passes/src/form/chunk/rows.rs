//! The work of single tokens in steps of many: one row of a tile for each token.
//!
//! A value that is the same for all tokens may have one row only. A value of two axes lies in a row as in memory, the
//! last axis innermost; a parameter of two axes is a tile of its own until it is needed so.

use std::collections::BTreeMap;

use mom_dialect::{
    graph::{Op as BodyOp, OpKind, ValueId},
    ops,
    shape::{Axis, Type},
};

use crate::{
    algebra::Chain,
    form::shape,
    tile::{Graph, Op, Shape, Value, graph::Along},
};

/// A value of more elements than this is not made of smaller ones: steps of many tokens live on not holding the matrices
/// of their tokens.
const MOST_ELEMENTS: usize = 2048;

/// The graph of a step while it grows; values of the chain's body are made when they are asked for.
pub(super) struct Rows<'c> {
    pub(super) graph: Graph,
    pub(super) chain: &'c Chain,
    chunk: usize,
    tiles: BTreeMap<ValueId, Value>,
    /// Parameters of two axes, as matrices.
    matrices: BTreeMap<ValueId, Value>,
}

impl<'c> Rows<'c> {
    /// # Errors
    /// An input or parameter of more than two axes.
    pub(super) fn new(chain: &'c Chain, chunk: usize) -> Result<Rows<'c>, String> {
        let mut rows =
            Rows { graph: Graph::default(), chain, chunk, tiles: BTreeMap::new(), matrices: BTreeMap::new() };
        let arguments = chain.body.arguments();
        let (inputs, rest) = arguments.split_at(chain.inputs.len());
        for (number, (&argument, port)) in inputs.iter().zip(&chain.inputs).enumerate() {
            let shape = Shape::new(chunk, shape(&port.ty)?.elements());
            let tile = rows.graph.argument(Op::Input(number), shape);
            rows.tiles.insert(argument, tile);
        }
        for (number, (&argument, port)) in rest.iter().zip(&chain.parameters).enumerate() {
            let tile = rows.graph.argument(Op::Parameter(number), shape(&port.ty)?);
            let held = if port.ty.axes.len() > 1 { &mut rows.matrices } else { &mut rows.tiles };
            held.insert(argument, tile);
        }
        Ok(rows)
    }

    /// `[C, 1]`: 1 for tokens that are there.
    pub(super) fn real(&mut self) -> Value {
        self.graph.argument(Op::Real, Shape::new(self.chunk, 1))
    }

    /// Says what an argument of the body is: what a scan has read.
    pub(super) fn define(&mut self, argument: ValueId, tile: Value) {
        self.tiles.insert(argument, tile);
    }

    /// The tile of a value with a row for each token.
    ///
    /// # Errors
    /// As [`Rows::tile`].
    pub(super) fn full(&mut self, value: ValueId) -> Result<Value, String> {
        self.as_type(value, self.chain.body.ty(value))
    }

    /// As [`Rows::full`], laid out as a type of the same axes.
    pub(super) fn as_type(&mut self, value: ValueId, ty: &Type) -> Result<Value, String> {
        let tile = self.tile(value)?;
        let tile = self.over(tile, self.chain.body.ty(value), ty)?;
        if self.graph.shape(tile).rows == self.chunk {
            return Ok(tile);
        }
        // Tokens that are not there have it too: a later scan may divide by what they read.
        let zero = self.graph.constant(0.0);
        let zeros = self.graph.add(Op::Pad { row: 0, column: 0, shape: Shape::new(self.chunk, 1) }, &[zero]);
        Ok(self.graph.sum(tile, zeros))
    }

    /// The tile of a value.
    ///
    /// # Errors
    /// An operation that cannot be done row by row, or a value that depends on what no scan has read yet.
    pub(super) fn tile(&mut self, value: ValueId) -> Result<Value, String> {
        if let Some(&tile) = self.tiles.get(&value) {
            return Ok(tile);
        }
        let chain = self.chain;
        let tile = if let Some(&matrix) = self.matrices.get(&value) {
            self.flattened(matrix)
        } else {
            let op = chain.body.ops.iter().find(|op| op.results.contains(&value));
            let op = op.ok_or("a value that a scan needs depends on what this scan or a later one reads")?;
            self.operation(op)?
        };
        self.tiles.insert(value, tile);
        Ok(tile)
    }

    fn operation(&mut self, op: &BodyOp) -> Result<Value, String> {
        let chain = self.chain;
        let ty = |value: ValueId| chain.body.ty(value);
        let result = ty(op.results[0]);
        match (&op.kind, &op.operands[..]) {
            (OpKind::Constant { value }, []) => Ok(self.graph.constant(*value)),
            (OpKind::HeadIndex, []) => Ok(self.graph.argument(Op::Head, Shape::ONE)),
            (OpKind::Elementwise(function), operands) => {
                let mut tiles = Vec::new();
                for &operand in operands {
                    let tile = self.tile(operand)?;
                    tiles.push(self.over(tile, ty(operand), result)?);
                }
                Ok(self.graph.map(*function, &tiles))
            }
            (OpKind::Contract, &[a, b]) => self.contract(a, b),
            (OpKind::Sum { axis }, &[x]) => {
                let tile = self.tile(x)?;
                self.sum(tile, ty(x), axis)
            }
            (OpKind::Softmax { .. }, &[x]) if ty(x).axes.len() == 1 => {
                let tile = self.tile(x)?;
                Ok(self.graph.add(Op::Softmax, &[tile]))
            }
            (OpKind::Slice { axis, index }, &[x]) => {
                let tile = self.tile(x)?;
                self.entry(tile, ty(x), axis, *index)
            }
            (OpKind::Place { size, index, .. }, &[x]) => {
                let tile = self.tile(x)?;
                self.place(tile, *size, *index, result)
            }
            (OpKind::Relabel { .. }, &[x]) => self.tile(x),
            (kind, operands) => {
                let of: Vec<String> = operands.iter().map(|&operand| ty(operand).describe()).collect();
                Err(format!("`{}` of {} cannot be done for many tokens at once", ops::name(kind), of.join(" and ")))
            }
        }
    }

    /// The sum of products over the axes that both have.
    fn contract(&mut self, a: ValueId, b: ValueId) -> Result<Value, String> {
        let body = &self.chain.body;
        let (type_a, type_b) = (body.ty(a), body.ty(b));
        for (vector, matrix) in [(a, b), (b, a)] {
            if let (Some(&tile), [axis]) = (self.matrices.get(&matrix), &body.ty(vector).axes[..]) {
                let x = self.tile(vector)?;
                let first = body.ty(matrix).axes.first() == Some(axis);
                return Ok(if first { self.graph.dot(x, tile) } else { self.graph.dot_tb(x, tile) });
            }
        }
        let others = type_b.axes.iter().filter(|axis| !type_a.has(axis));
        let mut ty = Type::f32(type_a.axes.iter().chain(others).cloned().collect::<Vec<_>>());
        let (a, b) = (self.tile(a)?, self.tile(b)?);
        let (a, b) = (self.over(a, type_a, &ty)?, self.over(b, type_b, &ty)?);
        let mut x = self.graph.product(a, b);
        for axis in type_a.axes.iter().filter(|axis| type_b.has(axis)) {
            x = self.sum(x, &ty, &axis.name())?;
            ty.axes.retain(|own| own != axis);
        }
        Ok(x)
    }

    /// `x` of type `from`, repeated and reordered to lie as `to` does.
    fn over(&mut self, x: Value, from: &Type, to: &Type) -> Result<Value, String> {
        if from.axes == to.axes || from.axes.is_empty() {
            return Ok(x);
        }
        let [outer, inner] = &to.axes[..] else { return Err(too_many(to)) };
        let size = |axis: &Axis| axis.size().unwrap_or_default();
        let (outer_size, inner_size) = (size(outer), size(inner));
        if outer_size * inner_size > MOST_ELEMENTS {
            return Err(format!("{} for each token is too much to hold for many tokens at once", to.describe()));
        }
        let parts: Vec<Value> = match &from.axes[..] {
            [axis] if axis == outer => vec![x; inner_size],
            [axis] if axis == inner => {
                let columns: Vec<Value> = (0..inner_size).map(|at| self.columns(x, at, 1)).collect();
                columns.into_iter().map(|column| self.interleaved(&vec![column; outer_size])).collect()
            }
            _ => (0..inner_size).map(|at| self.columns(x, at * outer_size, outer_size)).collect(),
        };
        Ok(self.interleaved(&parts))
    }

    fn sum(&mut self, x: Value, ty: &Type, axis: &str) -> Result<Value, String> {
        if ty.axes.len() == 1 {
            return Ok(self.graph.add(Op::Sum(Along::Columns), &[x]));
        }
        let size = ty.axis(axis).and_then(Axis::size).unwrap_or_default();
        let mut total = self.entry(x, ty, axis, 0)?;
        for index in 1..size {
            let entry = self.entry(x, ty, axis, index)?;
            total = self.graph.sum(total, entry);
        }
        Ok(total)
    }

    /// One entry along an axis.
    fn entry(&mut self, x: Value, ty: &Type, axis: &str, index: usize) -> Result<Value, String> {
        match &ty.axes[..] {
            [_] => Ok(self.columns(x, index, 1)),
            [outer, inner] if outer.name() == axis => {
                let size = inner.size().unwrap_or_default();
                Ok(self.columns(x, index * size, size))
            }
            [_, inner] => {
                let columns = inner.size().unwrap_or_default();
                Ok(self.graph.add(Op::Deinterleave { rows: 1, columns, i: 0, j: index }, &[x]))
            }
            _ => Err(too_many(ty)),
        }
    }

    /// Zeros but for `x` at an entry of a new last axis.
    fn place(&mut self, x: Value, size: usize, index: usize, result: &Type) -> Result<Value, String> {
        match result.axes.len() {
            1 => {
                let shape = Shape::new(self.graph.shape(x).rows, size);
                Ok(self.graph.add(Op::Pad { row: 0, column: index, shape }, &[x]))
            }
            2 => {
                let zero = self.graph.constant(0.0);
                let zeros = self.graph.product(x, zero);
                let parts: Vec<Value> = (0..size).map(|at| if at == index { x } else { zeros }).collect();
                Ok(self.interleaved(&parts))
            }
            _ => Err(too_many(result)),
        }
    }

    fn columns(&mut self, x: Value, column: usize, count: usize) -> Value {
        let shape = Shape::new(self.graph.shape(x).rows, count);
        self.graph.add(Op::Slice { row: 0, column, shape }, &[x])
    }

    /// Columns of the parts in turn.
    fn interleaved(&mut self, parts: &[Value]) -> Value {
        self.graph.add(Op::Interleave { rows: 1, columns: parts.len() }, parts)
    }

    /// The rows of a matrix one behind the other.
    fn flattened(&mut self, matrix: Value) -> Value {
        let shape = self.graph.shape(matrix);
        let transposed = self.graph.add(Op::Transpose, &[matrix]);
        let columns: Vec<Value> = (0..shape.columns)
            .map(|row| {
                let column = Shape::new(1, shape.rows);
                self.graph.add(Op::Slice { row, column: 0, shape: column }, &[transposed])
            })
            .collect();
        self.interleaved(&columns)
    }
}

fn too_many(ty: &Type) -> String {
    format!("a value of {} for each token has more than two axes", ty.describe())
}
