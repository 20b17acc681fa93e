//! The recurrent form: a step of one token, for any update rule.
//!
//! The body of the rule is taken over operation by operation. Values have at most two axes, and their tiles follow from
//! their types: a vector is one row, a matrix has its axes in the order of its type. Steps of one token are skipped
//! where the token is not there, so nothing here is masked.

use std::{collections::BTreeMap, iter};

use mom_dialect::{
    graph::{self, Body, OpKind, UpdateRule, ValueId},
    ops,
    shape::{Axis, Type},
};

use super::{Heads, ports, shape};
use crate::tile::{Graph, Op, Scan, Schedule, Shape, Value, graph::Along};

/// The scan of a rule in steps of one token.
///
/// # Errors
/// A value of more than two axes; an operation that an update rule cannot hold.
pub(crate) fn recurrent(rule: &UpdateRule, heads: &Heads, schedule: &Schedule) -> Result<Scan, String> {
    let same = iter::repeat(heads.heads);
    let inputs = ports(&rule.inputs, heads.inputs.iter().copied())?;
    let parameters = ports(&rule.parameters, heads.parameters.iter().copied())?;
    let (states, outputs) = (ports(&rule.states, same.clone())?, ports(&rule.outputs, same)?);

    let mut step = Step { body: &rule.body, graph: Graph::default(), tiles: BTreeMap::new() };
    let arguments = (0..inputs.len()).map(Op::Input);
    let arguments = arguments.chain((0..parameters.len()).map(Op::Parameter)).chain((0..states.len()).map(Op::State));
    let shapes = inputs.iter().chain(&parameters).chain(&states).map(|port| port.shape);
    for ((value, argument), shape) in rule.body.arguments().into_iter().zip(arguments).zip(shapes) {
        let tile = step.graph.argument(argument, shape);
        step.tiles.insert(value, tile);
    }
    for op in &rule.body.ops {
        let tile = step.operation(op)?;
        step.tiles.insert(op.results[0], tile);
    }
    let results = rule.read.iter().zip(&rule.outputs).chain(rule.next.iter().zip(&rule.states));
    let results: Vec<Value> = results.map(|(&value, port)| step.oriented(value, &port.ty.axes)).collect();
    step.graph.results = results;
    Ok(Scan {
        name: rule.name.clone(),
        schedule: Schedule { chunk: 1, sub_block: 1, ..schedule.clone() },
        heads: heads.heads,
        inputs,
        parameters,
        states,
        outputs,
        step: step.graph.without_dead_code(),
    })
}

struct Step<'a> {
    body: &'a Body,
    graph: Graph,
    tiles: BTreeMap<ValueId, Value>,
}

impl Step<'_> {
    fn operation(&mut self, op: &graph::Op) -> Result<Value, String> {
        let result = self.body.ty(op.results[0]);
        let to = shape(result)?;
        let operand = |at: usize| op.operands[at];
        Ok(match &op.kind {
            OpKind::Constant { value } => self.graph.constant(*value),
            OpKind::HeadIndex => self.graph.argument(Op::Head, Shape::ONE),
            OpKind::Identity { size, .. } => {
                let [lower, below] = [false, true].map(|strict| self.graph.add(Op::Triangle { n: *size, strict }, &[]));
                self.graph.difference(lower, below)
            }
            OpKind::Elementwise(function) => {
                let tiles: Vec<Value> = op.operands.iter().map(|&x| self.oriented(x, &result.axes)).collect();
                self.graph.map(*function, &tiles)
            }
            OpKind::Contract => self.contract(operand(0), operand(1)),
            OpKind::Sum { axis } => {
                let x = self.tiles[&operand(0)];
                if self.is_along_rows(operand(0), axis) {
                    self.graph.add(Op::Sum(Along::Rows), &[x])
                } else {
                    let sum = self.graph.add(Op::Sum(Along::Columns), &[x]);
                    self.transposed(sum)
                }
            }
            OpKind::Softmax { axis } => {
                let x = self.tiles[&operand(0)];
                if self.is_along_rows(operand(0), axis) {
                    let x = self.transposed(x);
                    let softmax = self.graph.add(Op::Softmax, &[x]);
                    self.transposed(softmax)
                } else {
                    self.graph.add(Op::Softmax, &[x])
                }
            }
            OpKind::Solve => {
                let transposed = self.axes(operand(0))[0] != self.axes(operand(1))[0];
                let b = self.transposed(self.tiles[&operand(1)]);
                let x = self.graph.add(Op::Solve { transposed }, &[self.tiles[&operand(0)], b]);
                self.transposed(x)
            }
            OpKind::Slice { axis, index } => {
                let x = self.tiles[&operand(0)];
                let Shape { rows, columns } = self.graph.shape(x);
                if self.is_along_rows(operand(0), axis) {
                    self.graph.add(Op::Slice { row: *index, column: 0, shape: Shape::new(1, columns) }, &[x])
                } else {
                    let slice = Op::Slice { row: 0, column: *index, shape: Shape::new(rows, 1) };
                    let column = self.graph.add(slice, &[x]);
                    self.transposed(column)
                }
            }
            OpKind::Place { index, .. } => {
                let column = self.transposed(self.tiles[&operand(0)]);
                self.graph.add(Op::Pad { row: 0, column: *index, shape: to }, &[column])
            }
            OpKind::Relabel { .. } => self.tiles[&operand(0)],
            other => return Err(format!("an update rule cannot hold `{}`", ops::name(other))),
        })
    }

    /// The sum of products over the axes that both have; the result's are the others of `a`, then those of `b`.
    fn contract(&mut self, a: ValueId, b: ValueId) -> Value {
        let shared: Vec<Axis> = self.axes(a).iter().filter(|axis| self.axes(b).contains(axis)).cloned().collect();
        if shared.len() > 1 {
            let b = self.oriented(b, &shared);
            let product = self.graph.product(self.tiles[&a], b);
            let sum = self.graph.add(Op::Sum(Along::Columns), &[product]);
            return self.graph.add(Op::Sum(Along::Rows), &[sum]);
        }
        // What remains of a vector is nothing, so that a matrix times a vector is best written as a row times a matrix.
        let (a, b) = if self.axes(b).len() < self.axes(a).len() && self.axes(b).len() == 1 { (b, a) } else { (a, b) };
        let along_rows = |value: ValueId| self.axes(value).len() == 2 && self.axes(value)[0] == shared[0];
        let dot = Op::Dot { transpose_a: along_rows(a), transpose_b: !along_rows(b) };
        self.graph.add(dot, &[self.tiles[&a], self.tiles[&b]])
    }

    /// The tile of a value, laid out so that it repeats to, or is, a tile of these axes.
    fn oriented(&mut self, value: ValueId, axes: &[Axis]) -> Value {
        let tile = self.tiles[&value];
        let turned = match (self.axes(value), axes) {
            ([own], [first, _]) => own == first,
            ([own, _], [first, _]) => own != first,
            _ => false,
        };
        if turned { self.transposed(tile) } else { tile }
    }

    fn transposed(&mut self, tile: Value) -> Value {
        if self.graph.shape(tile) == Shape::ONE { tile } else { self.graph.add(Op::Transpose, &[tile]) }
    }

    fn axes(&self, value: ValueId) -> &[Axis] {
        let Type { axes, .. } = self.body.ty(value);
        axes
    }

    /// Whether this is the axis that a matrix has first.
    fn is_along_rows(&self, value: ValueId, axis: &str) -> bool {
        self.axes(value).len() == 2 && self.axes(value)[0].name() == axis
    }
}
