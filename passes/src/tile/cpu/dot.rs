//! Matrix products in tiles of registers.
//!
//! A tile of accumulators, some rows by some vectors, goes through the whole inner dimension: each step loads the
//! vectors of one row of the right operand and repeats one number of the left for each row. Nothing is packed, as rows
//! of the right operand are contiguous.

use super::step::{Block, Frame, Step, Tile, vector};
use crate::{
    emit::{Emit, Ty, V},
    target::Target,
    tile::{Op, Shape, Value, halves::Half},
};

/// The left operand of a product.
#[derive(Clone, Copy)]
pub(super) struct Operand {
    pub(super) tile: Tile,
    /// Whether its columns are the rows of the product.
    pub(super) transposed: bool,
}

/// The part of the inner dimension that is summed.
pub(super) struct Range {
    pub(super) first: V,
    pub(super) last: V,
}

/// Elements that a register tile sums in vain: so many times its rows, and its columns.
pub(super) type Waste = (f64, f64);

/// Rows and vectors of the register tile for a product of so many rows and vectors.
pub(super) fn register_tile(target: &Target, rows: usize, vectors: usize, waste: Waste) -> (usize, usize) {
    let fits = |&(r, v): &(usize, usize)| r * v + v < target.registers;
    let all = (1..=vectors.min(8)).flat_map(|v| (1..=rows.min(16)).map(move |r| (r, v)));
    // Two multiply-adds and two loads a cycle, and a chain of dependent ones that is at least four cycles long.
    let tile = |r: usize, v: usize| if r * v == 0 { 0.0 } else { (0.5 * (r * v).max(r + v) as f64).max(4.0) + 0.3 };
    let cost = |&(r, v): &(usize, usize)| {
        let column = |v: usize| (rows / r) as f64 * tile(r, v) + tile(rows % r, v);
        let variants = (1 + usize::from(!rows.is_multiple_of(r))) * (1 + usize::from(!vectors.is_multiple_of(v)));
        let wasted = waste.0 * r as f64 + waste.1 * (v * target.lanes) as f64;
        ((vectors / v) as f64 * column(v) + column(vectors % v)) * (1.0 + 0.01 * variants as f64) * (1.0 + wasted)
    };
    all.filter(fits).min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or((1, 1))
}

/// `start` plus (or minus) the product's elements in a block.
pub(super) fn accumulate(
    emit: &mut Emit,
    left: Operand,
    right: Tile,
    range: &Range,
    block: &Block,
    start: Vec<V>,
    negative: bool,
) -> Vec<V> {
    let ty = block.ty();
    emit.fold(range.first, range.last, 1, &start, |emit, k, sums| {
        let row: Vec<V> = (0..block.vectors)
            .map(|vector| {
                let column = block.column(emit, vector);
                right.load(emit, k, column, ty)
            })
            .collect();
        let mut next = Vec::with_capacity(sums.len());
        for r in 0..block.rows {
            let at = block.row(emit, r);
            let (i, j) = if left.transposed { (k, at) } else { (at, k) };
            let factor = left.tile.load(emit, i, j, Ty::F32);
            let factor = emit.splat(factor, ty);
            let factor = if negative { emit.fneg(factor) } else { factor };
            for (v, &row) in row.iter().enumerate() {
                next.push(emit.fma(factor, row, sums[r * block.vectors + v]));
            }
        }
        next
    })
}

/// Rows of a product with one column that are summed side by side.
const COLUMN_ROWS: usize = 4;

impl Step<'_> {
    /// What register tiles of a value waste at diagonals: of its own, and of the left operands of its products.
    pub(super) fn waste(&self, value: Value) -> Waste {
        let own = match self.plan.halves.is_lower(&self.plan.graph, value) {
            true => 1.0 / self.shape(value).rows as f64,
            false => 0.0,
        };
        (own + self.wasted_depth(value), own)
    }

    fn wasted_depth(&self, value: Value) -> f64 {
        let node = &self.plan.graph.nodes[value.index()];
        if let Op::Dot { .. } = node.op {
            let left = node.operands[0];
            let is_half = self.plan.halves.zero[left.index()] != Half::Full;
            return if is_half { 1.0 / self.shape(left).rows as f64 } else { 0.0 };
        }
        let inner = node.operands.iter().filter(|&&operand| self.plan.is_inline(operand));
        inner.map(|&operand| self.wasted_depth(operand)).sum()
    }

    /// `[m, k] · [k, 1]`: sums along the rows of the left operand.
    pub(super) fn column_dot(&self, emit: &mut Emit, frame: &Frame, value: Value) {
        let node = &self.plan.graph.nodes[value.index()];
        let (a, b) = (node.operands[0], node.operands[1]);
        let shape = self.shape(a);
        let (a, b) = (self.tile(emit, frame, a), self.tile(emit, frame, b));
        let out = self.tile(emit, frame, value);
        let (zero, whole) = (emit.int(0), emit.int((shape.rows / COLUMN_ROWS * COLUMN_ROWS) as i64));
        emit.for_each(zero, whole, COLUMN_ROWS, |emit, row| self.row_sums(emit, (a, b, out), shape, row, COLUMN_ROWS));
        if !shape.rows.is_multiple_of(COLUMN_ROWS) {
            self.row_sums(emit, (a, b, out), shape, whole, shape.rows % COLUMN_ROWS);
        }
    }

    fn row_sums(&self, emit: &mut Emit, (a, b, out): (Tile, Tile, Tile), shape: Shape, row: V, rows: usize) {
        let lanes = super::plan::lanes(self.target, shape.columns);
        let ty = vector(lanes);
        let whole = shape.columns / lanes * lanes;
        let at: Vec<V> = (0..rows).map(|r| emit.add_const(row, r)).collect();
        let start = vec![emit.float(0.0, ty); rows];
        let (zero, end) = (emit.int(0), emit.int(whole as i64));
        let mut sums = emit.fold(zero, end, lanes, &start, |emit, k, sums| {
            let factor = emit.load(b.base, k, ty);
            at.iter()
                .zip(sums)
                .map(|(&row, &sum)| {
                    let element = a.load(emit, row, k, ty);
                    emit.fma(element, factor, sum)
                })
                .collect()
        });
        if whole < shape.columns {
            let last = emit.int((shape.columns - whole) as i64 - 1);
            let (inside, nothing) = (emit.lanes_to(last, ty), emit.float(0.0, ty));
            let factor = emit.load(b.base, end, ty);
            let factor = emit.select(inside, factor, nothing);
            for (sum, &row) in sums.iter_mut().zip(&at) {
                let element = a.load(emit, row, end, ty);
                let element = emit.select(inside, element, nothing);
                *sum = emit.fma(element, factor, *sum);
            }
        }
        for (sum, &row) in sums.iter().zip(&at) {
            let sum = emit.sum(*sum);
            emit.store(sum, out.base, row);
        }
    }
}
