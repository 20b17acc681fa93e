//! Dense products with weights packed in panels: `y[row, n] = Σ_k x[row, k] · w[n, k]`.
//!
//! A panel holds the weights of some output columns, `[k][column]`, so that the inner loop streams it. A register tile
//! of `ROWS × panel` accumulates over all of k in one chain of fused multiply-adds per output. The chain is the same
//! whatever the number of rows, so a token's result does not depend on the tokens beside it. The grouped form gives
//! each memory's rows the weight of that memory.

use mom_dialect::shape::{DType, Extent};

use super::{Kernel, SEQUENCES, each_item, extent_symbol, move_ns};
use crate::{
    emit::{Compare, Emit, Ty, V},
    target::Target,
};

/// Bytes of input rows that an item keeps in the second-level cache while the panels pass by.
const ROWS_BYTES: usize = 768 * 1024;

/// `x [rows, depth]`, `w [columns, depth]`.
#[derive(Clone, Copy)]
pub(crate) struct Product {
    pub(crate) rows: Extent,
    pub(crate) depth: usize,
    pub(crate) columns: usize,
    pub(crate) dtype: DType,
}

/// Columns of a panel: two vectors, or fewer where there are fewer columns.
pub(crate) fn panel_width(target: &Target, columns: usize) -> usize {
    columns.next_power_of_two().min(2 * target.lanes)
}

#[derive(Clone, Copy)]
struct Tiling {
    product: Product,
    panel: usize,
    panels: usize,
    /// Vectors of a panel's row and the lanes of each.
    vectors: usize,
    lanes: usize,
    /// Rows of the register tile.
    tile: usize,
    /// Rows of an item.
    chunk: usize,
}

impl Tiling {
    fn new(target: &Target, product: Product) -> Tiling {
        let panel = panel_width(target, product.columns);
        let lanes = panel.min(target.lanes);
        let vectors = panel / lanes;
        // Accumulators, the panel's row and one broadcast must fit the registers.
        let tile = (target.registers - vectors - 1) / vectors;
        let tile = if tile > 12 { 12 } else { tile.min(6) };
        let chunk = (ROWS_BYTES / (4 * product.depth.max(1)) / tile).clamp(1, 32) * tile;
        Tiling { product, panel, panels: product.columns.div_ceil(panel), vectors, lanes, tile, chunk }
    }

    fn symbol(&self, name: &str) -> String {
        let Product { rows, depth, columns, dtype } = self.product;
        format!("momc_{name}_{}_{depth}x{columns}_{dtype}", extent_symbol(rows))
    }

    fn schedule(&self) -> String {
        format!("tile = [{} : i64, {} : i64], chunk = {} : i64", self.tile, self.panel, self.chunk)
    }

    fn item_ns(&self) -> u64 {
        move_ns(self.product.depth * self.panel * self.product.dtype.bytes())
    }

    /// Rows `begin..end` times panel `panel`.
    fn rows(&self, emit: &mut Emit, buffers: (V, V, V), panel: V, begin: V, end: V) {
        let mut begin = begin;
        let mut size = self.tile;
        loop {
            let count = emit.sub(end, begin);
            let count = emit.div_const(count, size);
            let covered = emit.mul_const(count, size);
            let middle = emit.add(begin, covered);
            emit.for_each(begin, middle, size, |emit, row| self.tile(emit, buffers, panel, row, size));
            begin = middle;
            if size == 1 {
                break;
            }
            // What remains is covered by tiles of half the rows, and so on.
            size = if size.is_power_of_two() { size / 2 } else { size.next_power_of_two() / 2 };
        }
    }

    /// The register tile of `size` rows from `row`.
    fn tile(&self, emit: &mut Emit, (x, weight, out): (V, V, V), panel: V, row: V, size: usize) {
        let Product { depth, columns, dtype, .. } = self.product;
        let ty = Ty::Vector(self.lanes);
        let zero = emit.float(0.0, ty);
        let (first, last) = (emit.int(0), emit.int(depth as i64));
        let panel_base = emit.mul_const(panel, depth * self.panel);
        let row_bases: Vec<V> = (0..size)
            .map(|r| {
                let row = emit.add_const(row, r);
                emit.mul_const(row, depth)
            })
            .collect();
        let start = vec![zero; size * self.vectors];
        let sums = emit.fold(first, last, 1, &start, |emit, k, sums| {
            let base = emit.at(k, self.panel, panel_base);
            let weights: Vec<V> = (0..self.vectors)
                .map(|vector| {
                    let place = emit.add_const(base, vector * self.lanes);
                    match dtype {
                        DType::BF16 => emit.load_bf16(weight, place, ty),
                        _ => emit.load(weight, place, ty),
                    }
                })
                .collect();
            let mut next = Vec::with_capacity(sums.len());
            for (r, &row_base) in row_bases.iter().enumerate() {
                let place = emit.add(row_base, k);
                let scalar = emit.load(x, place, Ty::F32);
                let input = emit.splat(scalar, ty);
                for (vector, &weight) in weights.iter().enumerate() {
                    next.push(emit.fma(input, weight, sums[r * self.vectors + vector]));
                }
            }
            next
        });

        let column = emit.mul_const(panel, self.panel);
        let bases: Vec<V> = (0..size)
            .map(|r| {
                let row = emit.add_const(row, r);
                emit.at(row, columns, column)
            })
            .collect();
        if columns % self.panel == 0 {
            self.store_full(emit, out, &bases, &sums);
            return;
        }
        // The last panel is partly padding, which must not be stored.
        let end = emit.add_const(column, self.panel);
        let limit = emit.int(columns as i64);
        let full = emit.compare(Compare::LessEqual, end, limit);
        emit.when_else(
            full,
            |emit| self.store_full(emit, out, &bases, &sums),
            |emit| {
                let rest = columns % self.panel;
                for (r, &base) in bases.iter().enumerate() {
                    for column in 0..rest {
                        let lane = emit.extract(sums[r * self.vectors + column / self.lanes], column % self.lanes);
                        let place = emit.add_const(base, column);
                        emit.store(lane, out, place);
                    }
                }
            },
        );
    }

    fn store_full(&self, emit: &mut Emit, out: V, bases: &[V], sums: &[V]) {
        for (r, &base) in bases.iter().enumerate() {
            for vector in 0..self.vectors {
                let place = emit.add_const(base, vector * self.lanes);
                emit.store(sums[r * self.vectors + vector], out, place);
            }
        }
    }
}

/// Buffers: x, weight in panels, y.
pub(crate) fn linear<'a>(target: &Target, product: Product) -> Kernel<'a> {
    let tiling = Tiling::new(target, product);
    Kernel {
        symbol: tiling.symbol("linear"),
        schedule: tiling.schedule(),
        rows: product.rows,
        chunk: tiling.chunk,
        times: tiling.panels,
        item_ns: tiling.item_ns(),
        token_ns: 0,
        body: Box::new(move |emit| {
            let buffers = (emit.buffer(0), emit.buffer(1), emit.buffer(2));
            let total = rows(emit, product.rows);
            each_item(emit, |emit, item| {
                let (chunk, panel) = (emit.div_const(item, tiling.panels), emit.rem_const(item, tiling.panels));
                let begin = emit.mul_const(chunk, tiling.chunk);
                let end = emit.add_const(begin, tiling.chunk);
                let end = emit.min(end, total);
                tiling.rows(emit, buffers, panel, begin, end);
            });
        }),
    }
}

/// Buffers: x in memory order, segments, weight of each memory in panels, y.
///
/// Each memory's rows are cut into chunks of their own; the launch has room for the chunks that a split of all rows at
/// the memories' boundaries can make, and those that are not needed do nothing.
pub(crate) fn grouped_linear<'a>(target: &Target, product: Product, memories: usize) -> Kernel<'a> {
    let tiling = Tiling::new(target, product);
    Kernel {
        symbol: format!("{}_m{memories}", tiling.symbol("grouped_linear")),
        schedule: tiling.schedule(),
        rows: product.rows.plus((memories - 1) * tiling.chunk),
        chunk: tiling.chunk,
        times: tiling.panels,
        item_ns: tiling.item_ns(),
        token_ns: 0,
        body: Box::new(move |emit| {
            let (x, segments) = (emit.buffer(0), emit.buffer(1));
            let out = emit.buffer(2 + memories);
            let sequences = emit.size(SEQUENCES);
            let zero = emit.int(0);
            each_item(emit, |emit, item| {
                let (chunk, panel) = (emit.div_const(item, tiling.panels), emit.rem_const(item, tiling.panels));
                // Find the memory that the chunk belongs to: `chunk` counts down past the memories before it.
                let last = emit.int(memories as i64);
                let found = emit.fold(zero, last, 1, &[chunk, zero, zero, zero], |emit, memory, found| {
                    let chunk = found[0];
                    let segment = emit.mul(memory, sequences);
                    let next = emit.add(segment, sequences);
                    let (first, last) = (emit.load_index(segments, segment), emit.load_index(segments, next));
                    let count = emit.sub(last, first);
                    let rounded = emit.add_const(count, tiling.chunk - 1);
                    let chunks = emit.div_const(rounded, tiling.chunk);
                    let not_before = emit.compare(Compare::GreaterEqual, chunk, zero);
                    let within = emit.compare(Compare::Less, chunk, chunks);
                    let here = emit.and(not_before, within);
                    let from = emit.at(chunk, tiling.chunk, first);
                    let to = emit.add_const(from, tiling.chunk);
                    let to = emit.min(to, last);
                    vec![
                        emit.sub(chunk, chunks),
                        emit.select(here, memory, found[1]),
                        emit.select(here, from, found[2]),
                        emit.select(here, to, found[3]),
                    ]
                });
                let (begin, end) = (found[2], found[3]);
                let weight = emit.add_const(found[1], 2);
                let weight = emit.buffer_at(weight);
                tiling.rows(emit, (x, weight, out), panel, begin, end);
            });
        }),
    }
}

/// The value of an extent when the step runs.
pub(super) fn rows(emit: &mut Emit, extent: Extent) -> V {
    let mut total = emit.int(extent.constant as i64);
    for (index, factor) in [extent.tokens, extent.sequences, extent.rows, extent.context].into_iter().enumerate() {
        if factor > 0 {
            let size = emit.size(index);
            let term = emit.mul_const(size, factor);
            total = emit.add(total, term);
        }
    }
    total
}
