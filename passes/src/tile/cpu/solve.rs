//! Linear systems: by substitution in blocks for triangular ones, by elimination for any.

use super::{
    dot::{Operand, Range, accumulate},
    plan::{lanes, room, stride},
    step::{Block, Frame, Step, Tile, vector},
};
use crate::{
    emit::{Emit, Ty, V},
    target::Target,
    tile::{Shape, Value},
};

/// Rows that are solved in registers.
const ROWS: usize = 8;

/// Elimination works on a copy of the matrix.
pub(super) fn workspace(target: &Target, matrix: Shape) -> usize {
    room(target, matrix) + target.lanes
}

impl Step<'_> {
    /// Block after block of rows: what is known is multiplied in by the micro-kernel, then the block's own rows follow
    /// one another in registers.
    pub(super) fn solve_lower(&self, emit: &mut Emit, frame: &Frame, value: Value, transposed: bool) {
        let node = &self.plan.graph.nodes[value.index()];
        let (l, b) = (self.tile(emit, frame, node.operands[0]), self.tile(emit, frame, node.operands[1]));
        let out = self.tile(emit, frame, value);
        let Shape { rows, columns } = node.shape;
        let lanes = lanes(self.target, columns);
        let count = columns.div_ceil(lanes);
        let vectors = if count % 2 == 0 && ROWS * 2 + 4 <= self.target.registers { 2 } else { 1 };
        let (whole, rest) = (rows / ROWS * ROWS, rows % ROWS);
        let solve = Substitution { l, b, out, rows, transposed };
        let (zero, end) = (emit.int(0), emit.int((count * lanes) as i64));
        emit.for_each(zero, end, vectors * lanes, |emit, column| {
            let whole_end = emit.int(whole as i64);
            let block = |row, rows| Block { row, rows, column, vectors, lanes };
            if transposed && rest > 0 {
                solve.block(emit, &block(whole_end, rest));
            }
            emit.for_each(zero, whole_end, ROWS, |emit, row| {
                let row = if transposed {
                    let last = emit.int(whole as i64 - ROWS as i64);
                    emit.sub(last, row)
                } else {
                    row
                };
                solve.block(emit, &block(row, ROWS));
            });
            if !transposed && rest > 0 {
                solve.block(emit, &block(whole_end, rest));
            }
        });
    }

    /// Gaussian elimination with partial pivoting, then substitution backwards.
    pub(super) fn solve(&self, emit: &mut Emit, frame: &Frame, value: Value, transposed: bool) {
        let node = &self.plan.graph.nodes[value.index()];
        let (matrix, b) = (node.operands[0], node.operands[1]);
        let (from, b) = (self.tile(emit, frame, matrix), self.tile(emit, frame, b));
        let out = self.tile(emit, frame, value);
        let square = self.shape(matrix);
        let n = square.rows;
        let a = self.scratch_tile(emit, frame, self.plan.workspaces[value.index()], stride(self.target, square));
        if transposed {
            self.transpose(emit, from, a, square);
        } else {
            self.copy(emit, from, a, square);
        }
        self.copy(emit, b, out, node.shape);
        let (zero, count) = (emit.int(0), emit.int(n as i64));
        emit.count(n, |emit, k| {
            let pivot = largest(emit, a, k, count);
            self.swap(emit, a, (k, pivot), n);
            self.swap(emit, out, (k, pivot), node.shape.columns);
            let diagonal = a.load(emit, k, k, Ty::F32);
            let next = emit.add_const(k, 1);
            emit.for_each(next, count, 1, |emit, row| {
                let entry = a.load(emit, row, k, Ty::F32);
                let factor = emit.fdiv(entry, diagonal);
                self.subtract(emit, a, (k, row), factor, n);
                self.subtract(emit, out, (k, row), factor, node.shape.columns);
            });
        });
        emit.count(n, |emit, step| {
            let last = emit.int(n as i64 - 1);
            let k = emit.sub(last, step);
            let diagonal = a.load(emit, k, k, Ty::F32);
            let after = emit.add_const(k, 1);
            self.each_part(emit, (k, after), node.shape.columns, |emit, row, column, ty| {
                let element = out.load(emit, row, column, ty);
                let divisor = emit.splat(diagonal, ty);
                let element = emit.fdiv(element, divisor);
                out.store(emit, element, row, column);
            });
            emit.for_each(zero, k, 1, |emit, row| {
                let factor = a.load(emit, row, k, Ty::F32);
                self.subtract(emit, out, (k, row), factor, node.shape.columns);
            });
        });
    }

    fn swap(&self, emit: &mut Emit, tile: Tile, (a, b): (V, V), columns: usize) {
        let after = emit.add_const(a, 1);
        self.each_part(emit, (a, after), columns, |emit, a, column, ty| {
            let (first, second) = (tile.load(emit, a, column, ty), tile.load(emit, b, column, ty));
            tile.store(emit, second, a, column);
            tile.store(emit, first, b, column);
        });
    }

    /// Row `to` minus `factor` times row `from`.
    fn subtract(&self, emit: &mut Emit, tile: Tile, (from, to): (V, V), factor: V, columns: usize) {
        let after = emit.add_const(to, 1);
        let factor = emit.fneg(factor);
        self.each_part(emit, (to, after), columns, |emit, to, column, ty| {
            let (known, element) = (tile.load(emit, from, column, ty), tile.load(emit, to, column, ty));
            let factor = emit.splat(factor, ty);
            let element = emit.fma(factor, known, element);
            tile.store(emit, element, to, column);
        });
    }
}

/// The row from `k` on whose entry in column `k` is largest.
fn largest(emit: &mut Emit, a: Tile, k: V, count: V) -> V {
    let none = emit.float(-1.0, Ty::F32);
    emit.fold(k, count, 1, &[none, k], |emit, row, found| {
        let entry = a.load(emit, row, k, Ty::F32);
        let negative = emit.fneg(entry);
        let size = emit.fmax(entry, negative);
        let larger = emit.greater(size, found[0]);
        vec![emit.select(larger, size, found[0]), emit.select(larger, row, found[1])]
    })[1]
}

/// (I + L) x = b, or (I + Lᵀ) x = b, with L the part of `l` below the diagonal.
struct Substitution {
    l: Tile,
    b: Tile,
    out: Tile,
    rows: usize,
    transposed: bool,
}

impl Substitution {
    /// The rows of one block, for some columns.
    fn block(&self, emit: &mut Emit, block: &Block) {
        let start = block.load(emit, self.b);
        let range = if self.transposed {
            Range { first: emit.add_const(block.row, block.rows), last: emit.int(self.rows as i64) }
        } else {
            Range { first: emit.int(0), last: block.row }
        };
        let left = Operand { tile: self.l, transposed: self.transposed };
        let mut x = accumulate(emit, left, self.out, &range, block, start, true);
        let order: Vec<usize> =
            if self.transposed { (0..block.rows).rev().collect() } else { (0..block.rows).collect() };
        let ty = vector(block.lanes);
        for (done, &row) in order.iter().enumerate() {
            for &known in &order[..done] {
                let (below, above) = (row.max(known), row.min(known));
                let (i, j) = (block.row(emit, below), block.row(emit, above));
                let entry = self.l.load(emit, i, j, Ty::F32);
                let entry = emit.splat(entry, ty);
                let factor = emit.fneg(entry);
                for vector in 0..block.vectors {
                    let at = |row: usize| row * block.vectors + vector;
                    x[at(row)] = emit.fma(factor, x[at(known)], x[at(row)]);
                }
            }
        }
        block.store(emit, &x, self.out);
    }
}
