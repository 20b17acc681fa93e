//! Copies: transposes, parts of tiles, and tiles woven into each other.

use super::{
    plan::lanes,
    step::{Frame, Step, Tile, vector},
};
use crate::{
    emit::{Emit, Ty, V},
    tile::{Op, Shape, Value},
};

/// Rows and columns that are transposed at once.
const SQUARE: usize = 8;

impl Step<'_> {
    pub(super) fn rearrange(&self, emit: &mut Emit, frame: &Frame, value: Value) {
        let node = &self.plan.graph.nodes[value.index()];
        let out = self.tile(emit, frame, value);
        let operands: Vec<(Tile, Shape)> =
            node.operands.iter().map(|&operand| (self.tile(emit, frame, operand), self.shape(operand))).collect();
        let (from, shape) = operands[0];
        match node.op {
            Op::Slice { row, column, shape } => {
                let (part, rows) = (part(emit, from, row, column), emit.int(shape.rows as i64));
                self.copy_rows(emit, part, out, rows, shape.columns);
            }
            Op::Pad { row, column, .. } => {
                self.clear(emit, out, node.shape);
                let (part, rows) = (part(emit, out, row, column), emit.int(shape.rows as i64));
                self.copy_rows(emit, from, part, rows, shape.columns);
            }
            Op::Interleave { rows, columns } => {
                for (number, &(from, shape)) in operands.iter().enumerate() {
                    let (i, j) = (number / columns, number % columns);
                    let to = part(emit, out, i, j);
                    let to = Tile { stride: rows * out.stride, ..to };
                    self.copy_spread(emit, (from, 1), (to, columns), shape);
                }
            }
            Op::Deinterleave { rows, columns, i, j } => {
                let from = part(emit, from, i, j);
                let from = Tile { stride: rows * from.stride, ..from };
                self.copy_spread(emit, (from, columns), (out, 1), node.shape);
            }
            _ => self.transpose(emit, from, out, shape),
        }
    }

    pub(super) fn copy(&self, emit: &mut Emit, from: Tile, to: Tile, shape: Shape) {
        // A column can be part of a wider tile.
        let shape = if from.stride == 1 && to.stride == 1 { self.flat(shape) } else { shape };
        let rows = emit.int(shape.rows as i64);
        self.copy_rows(emit, from, to, rows, shape.columns);
    }

    /// Copies exactly `columns` elements of each row.
    pub(super) fn copy_rows(&self, emit: &mut Emit, from: Tile, to: Tile, rows: V, columns: usize) {
        let zero = emit.int(0);
        self.each_part(emit, (zero, rows), columns, |emit, row, column, ty| {
            let value = from.load(emit, row, column, ty);
            to.store(emit, value, row, column);
        });
    }

    pub(super) fn clear(&self, emit: &mut Emit, tile: Tile, shape: Shape) {
        let shape = self.flat(shape);
        let (zero, rows) = (emit.int(0), emit.int(shape.rows as i64));
        self.clear_rows(emit, tile, (zero, rows), shape.columns);
    }

    pub(super) fn clear_rows(&self, emit: &mut Emit, tile: Tile, rows: (V, V), columns: usize) {
        self.each_part(emit, rows, columns, |emit, row, column, ty| {
            let zero = emit.float(0.0, ty);
            tile.store(emit, zero, row, column);
        });
    }

    /// Goes through rows in vectors, and one by one through what is left of each row.
    pub(super) fn each_part(
        &self,
        emit: &mut Emit,
        (first, last): (V, V),
        columns: usize,
        body: impl Fn(&mut Emit, V, V, Ty),
    ) {
        let lanes = if columns < self.target.lanes { 1 << columns.ilog2() } else { self.target.lanes };
        let whole = columns / lanes * lanes;
        emit.for_each(first, last, 1, |emit, row| {
            let (zero, middle, end) = (emit.int(0), emit.int(whole as i64), emit.int(columns as i64));
            emit.for_each(zero, middle, lanes, |emit, column| body(emit, row, column, vector(lanes)));
            if whole < columns {
                emit.for_each(middle, end, 1, |emit, column| body(emit, row, column, Ty::F32));
            }
        });
    }

    /// Copies between tiles whose elements are some places apart.
    fn copy_spread(&self, emit: &mut Emit, from: (Tile, usize), to: (Tile, usize), shape: Shape) {
        if from.1 == 1 && to.1 == 1 {
            let rows = emit.int(shape.rows as i64);
            return self.copy_rows(emit, from.0, to.0, rows, shape.columns);
        }
        emit.count(shape.rows, |emit, row| {
            emit.count(shape.columns, |emit, column| {
                let (there, here) = (emit.mul_const(column, from.1), emit.mul_const(column, to.1));
                let value = from.0.load(emit, row, there, Ty::F32);
                to.0.store(emit, value, row, here);
            });
        });
    }

    /// `to[c, r] = from[r, c]` for a `from` of this shape.
    pub(super) fn transpose(&self, emit: &mut Emit, from: Tile, to: Tile, shape: Shape) {
        let square = SQUARE.min(lanes(self.target, shape.rows)).min(lanes(self.target, shape.columns));
        let square = if square < 4 { 1 } else { square };
        let Shape { rows, columns } = shape;
        let (row_end, column_end) = (rows / square * square, columns / square * square);
        let (zero, last_row, last_column) = (emit.int(0), emit.int(row_end as i64), emit.int(column_end as i64));
        emit.for_each(zero, last_row, square, |emit, row| {
            emit.for_each(zero, last_column, square, |emit, column| square_at(emit, from, to, row, column, square));
        });
        let (rows, columns) = (emit.int(rows as i64), emit.int(columns as i64));
        let rest = |emit: &mut Emit, rows: (V, V), columns: (V, V)| {
            emit.for_each(rows.0, rows.1, 1, |emit, row| {
                emit.for_each(columns.0, columns.1, 1, |emit, column| {
                    let value = from.load(emit, row, column, Ty::F32);
                    to.store(emit, value, column, row);
                });
            });
        };
        if row_end < shape.rows {
            rest(emit, (last_row, rows), (zero, columns));
        }
        if column_end < shape.columns {
            rest(emit, (zero, last_row), (last_column, columns));
        }
    }
}

/// The part of a tile that begins at a fixed place.
fn part(emit: &mut Emit, tile: Tile, row: usize, column: usize) -> Tile {
    let (row, column) = (emit.int(row as i64), emit.int(column as i64));
    tile.from(emit, row, column)
}

/// Transposes a square of `n` rows, a power of two, in registers: at distance d = 1, 2, 4, … the rows i and i + d
/// exchange the halves of every piece of 2 d elements.
fn square_at(emit: &mut Emit, from: Tile, to: Tile, row: V, column: V, n: usize) {
    let ty = vector(n);
    let mut rows: Vec<V> = (0..n)
        .map(|i| {
            let row = emit.add_const(row, i);
            from.load(emit, row, column, ty)
        })
        .collect();
    let mut distance = 1;
    while distance < n {
        for i in (0..n).filter(|i| i & distance == 0) {
            let (a, b) = (rows[i], rows[i + distance]);
            let pick = |odd: usize| -> Vec<usize> {
                (0..n)
                    .map(
                        |lane| {
                            if lane & distance == 0 { lane + odd * distance } else { n + lane - (1 - odd) * distance }
                        },
                    )
                    .collect()
            };
            rows[i] = emit.shuffle(a, b, &pick(0));
            rows[i + distance] = emit.shuffle(a, b, &pick(1));
        }
        distance *= 2;
    }
    for (i, &value) in rows.iter().enumerate() {
        let column = emit.add_const(column, i);
        to.store(emit, value, column, row);
    }
}
