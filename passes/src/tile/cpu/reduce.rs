//! Sums along rows and columns, running sums, softmax.

use super::{
    plan::lanes,
    step::{Block, Frame, Step, Tile, vector},
};
use crate::{
    emit::{Emit, Ty, V},
    tile::{Shape, Value, graph::Along},
};

impl Step<'_> {
    /// A sum of elements that are computed on the way.
    pub(super) fn sum(&self, emit: &mut Emit, frame: &Frame, value: Value, along: Along) {
        let operand = self.plan.graph.nodes[value.index()].operands[0];
        let shape = self.shape(operand);
        let out = self.tile(emit, frame, value);
        match along {
            Along::Rows => {
                let count = shape.columns.div_ceil(lanes(self.target, shape.columns));
                let tile = (1, if count.is_multiple_of(2) { 2 } else { 1 });
                let one_row = Shape::new(1, shape.columns);
                self.blocks(emit, one_row, tile, None, &|emit, block| {
                    let start = vec![emit.float(0.0, block.ty()); block.vectors];
                    let (zero, rows) = (emit.int(0), emit.int(shape.rows as i64));
                    let sums = emit.fold(zero, rows, 1, &start, |emit, row, sums| {
                        let values = self.any(emit, frame, operand, &Block { row, ..block }, shape);
                        values.iter().zip(sums).map(|(&value, &sum)| emit.fadd(sum, value)).collect()
                    });
                    let zero = emit.int(0);
                    Block { row: zero, ..block }.store(emit, &sums, out);
                });
            }
            Along::Columns => {
                let Shape { rows, columns } = self.flat(shape);
                emit.count(rows, |emit, row| {
                    let sum = self.row_sum(emit, columns, |emit, column, lanes| {
                        let block = Block { row, rows: 1, column, vectors: 1, lanes };
                        self.any(emit, frame, operand, &block, shape)[0]
                    });
                    emit.store(sum, out.base, row);
                });
            }
        }
    }

    /// A block of a value, computed or read.
    fn any(&self, emit: &mut Emit, frame: &Frame, value: Value, block: &Block, shape: Shape) -> Vec<V> {
        if self.plan.is_inline(value) {
            self.evaluate(emit, frame, value, block, shape)
        } else {
            self.read(emit, frame, value, block, shape)
        }
    }

    /// The sum of the elements of one row, given by column and lanes.
    fn row_sum(&self, emit: &mut Emit, columns: usize, element: impl Fn(&mut Emit, V, usize) -> V) -> V {
        let lanes = lanes(self.target, columns);
        let ty = vector(lanes);
        let whole = columns / lanes * lanes;
        let (zero, end, start) = (emit.int(0), emit.int(whole as i64), emit.float(0.0, ty));
        let mut sum = emit.fold(zero, end, lanes, &[start], |emit, column, sum| {
            let element = element(emit, column, lanes);
            vec![emit.fadd(sum[0], element)]
        })[0];
        if whole < columns {
            let element = element(emit, end, lanes);
            let last = emit.int((columns - whole) as i64 - 1);
            let inside = emit.lanes_to(last, ty);
            let element = emit.select(inside, element, start);
            sum = emit.fadd(sum, element);
        }
        emit.sum(sum)
    }

    pub(super) fn cumulate(&self, emit: &mut Emit, frame: &Frame, value: Value, reverse: bool, exclusive: bool) {
        let operand = self.plan.graph.nodes[value.index()].operands[0];
        let Shape { rows, columns } = self.shape(value);
        let (from, out) = (self.tile(emit, frame, operand), self.tile(emit, frame, value));
        let lanes = lanes(self.target, columns);
        let ty = vector(lanes);
        let (zero, end, last) = (emit.int(0), emit.int(columns as i64), emit.int(rows as i64 - 1));
        let count = emit.int(rows as i64);
        emit.for_each(zero, end, lanes, |emit, column| {
            let start = emit.float(0.0, ty);
            emit.fold(zero, count, 1, &[start], |emit, step, sum| {
                let row = if reverse { emit.sub(last, step) } else { step };
                let element = from.load(emit, row, column, ty);
                let next = emit.fadd(sum[0], element);
                out.store(emit, if exclusive { sum[0] } else { next }, row, column);
                vec![next]
            });
        });
    }

    pub(super) fn softmax(&self, emit: &mut Emit, frame: &Frame, value: Value) {
        let operand = self.plan.graph.nodes[value.index()].operands[0];
        let Shape { rows, columns } = self.shape(value);
        let (from, out) = (self.tile(emit, frame, operand), self.tile(emit, frame, value));
        let lanes = lanes(self.target, columns);
        let ty = vector(lanes);
        let whole = columns / lanes * lanes;
        let (zero, end) = (emit.int(0), emit.int(whole as i64));
        emit.count(rows, |emit, row| {
            let lowest = emit.float(f64::NEG_INFINITY, Ty::F32);
            let all = emit.int(columns as i64);
            let largest = emit.fold(zero, all, 1, &[lowest], |emit, column, largest| {
                let element = from.load(emit, row, column, Ty::F32);
                vec![emit.fmax(largest[0], element)]
            })[0];
            let largest = emit.splat(largest, ty);
            let exponential = |emit: &mut Emit, column: V| {
                let element = from.load(emit, row, column, ty);
                let difference = emit.fsub(element, largest);
                let value = emit.exp(difference);
                out.store(emit, value, row, column);
                value
            };
            let sum = self.row_sum(emit, columns, |emit, column, _| exponential(emit, column));
            let one = emit.float(1.0, Ty::F32);
            let factor = emit.fdiv(one, sum);
            let factor = emit.splat(factor, ty);
            let scale = |emit: &mut Emit, out: Tile, column: V| {
                let element = out.load(emit, row, column, ty);
                let scaled = emit.fmul(element, factor);
                out.store(emit, scaled, row, column);
            };
            emit.for_each(zero, end, lanes, |emit, column| scale(emit, out, column));
            if whole < columns {
                scale(emit, out, end);
            }
        });
    }
}
