//! Products with a decay for each column between every two rows.
//!
//! Rows are cut into sub-blocks. Between two sub-blocks the decay is a product of three factors, each at most one: from
//! the end of the earlier row to the end of its sub-block, over the sub-blocks between, and from the start of the later
//! row's sub-block to the row. The first and the last are multiplied into the operands, the middle one is multiplied on
//! as the loop over sub-blocks goes on, and a micro-kernel sums. Within a sub-block the gates between each pair of rows
//! are summed and exponentiated for themselves.

use super::{
    dot::{Operand, Range, accumulate, register_tile},
    plan::{lanes, room, stride},
    step::{Block, Frame, Step, Tile, vector},
};
use crate::{
    emit::{Emit, Ty, V},
    target::Target,
    tile::{Graph, Shape, Value, graph::Node},
};

/// Rows of a sub-block: the schedule's, where it divides the rows.
fn sub_block(wanted: usize, rows: usize) -> usize {
    (1..=wanted.max(1)).rev().find(|size| rows.is_multiple_of(*size)).unwrap_or(1)
}

/// Tiles that these operations work in, one after the other: two operands with their factors in; the decay of each
/// sub-block; the second of the former, transposed; a row.
fn shapes(wanted: usize, factors: Shape) -> [Shape; 5] {
    let blocks = factors.rows / sub_block(wanted, factors.rows);
    [factors, factors, Shape::new(blocks, factors.columns), factors.transposed(), Shape::new(1, factors.columns)]
}

/// Elements of scratch memory.
pub(super) fn workspace(target: &Target, wanted: usize, graph: &Graph, node: &Node) -> usize {
    let factors = graph.shape(node.operands[2]);
    shapes(wanted, factors).iter().map(|&shape| room(target, shape) + target.lanes).sum()
}

/// Over which tokens of a row's sub-block its decay goes.
#[derive(Clone, Copy)]
enum Part {
    /// From the start of the sub-block to the row.
    Until { exclusive: bool },
    /// From behind the row to the end of the sub-block.
    After,
}

/// What the operations share.
struct Decay<'a> {
    step: &'a Step<'a>,
    /// Rows, and columns of the factors.
    rows: usize,
    columns: usize,
    /// Rows of a sub-block.
    size: usize,
    /// Of each row, what decays with it: the exponential of its gates.
    factors: Tile,
    work: [Tile; 5],
}

impl Step<'_> {
    fn decay<'a>(&'a self, emit: &mut Emit, frame: &Frame, value: Value) -> Decay<'a> {
        let factors = self.plan.graph.nodes[value.index()].operands[2];
        let shape = self.shape(factors);
        let mut offset = self.plan.workspaces[value.index()];
        let work = shapes(self.sub_block, shape).map(|shape| {
            let tile = self.scratch_tile(emit, frame, offset, stride(self.target, shape));
            offset += room(self.target, shape) + self.target.lanes;
            tile
        });
        let factors = self.tile(emit, frame, factors);
        let size = sub_block(self.sub_block, shape.rows);
        Decay { step: self, rows: shape.rows, columns: shape.columns, size, factors, work }
    }

    pub(super) fn decay_gram(&self, emit: &mut Emit, frame: &Frame, value: Value, exclusive: bool) {
        let node = &self.plan.graph.nodes[value.index()];
        let (a, b) = (self.tile(emit, frame, node.operands[0]), self.tile(emit, frame, node.operands[1]));
        let out = self.tile(emit, frame, value);
        let decay = self.decay(emit, frame, value);
        self.clear(emit, out, node.shape);
        if decay.size < decay.rows {
            decay.gram_between(emit, a, b, out, exclusive);
        }
        decay.gram_within(emit, a, b, out, exclusive);
    }

    pub(super) fn decay_apply(&self, emit: &mut Emit, frame: &Frame, value: Value, exclusive: bool, transposed: bool) {
        let node = &self.plan.graph.nodes[value.index()];
        let (p, x) = (self.tile(emit, frame, node.operands[0]), self.tile(emit, frame, node.operands[1]));
        let out = self.tile(emit, frame, value);
        let decay = self.decay(emit, frame, value);
        if decay.size < decay.rows {
            decay.apply_between(emit, (p, x, out), exclusive, transposed);
        } else {
            self.clear(emit, out, node.shape);
        }
        decay.apply_within(emit, (p, x, out), exclusive, transposed);
    }
}

impl Decay<'_> {
    fn lanes(&self) -> usize {
        lanes(self.step.target, self.columns)
    }

    /// For each vector of columns.
    fn each_column(&self, emit: &mut Emit, body: impl FnOnce(&mut Emit, V, Ty)) {
        let (zero, end) = (emit.int(0), emit.int(self.columns as i64));
        let lanes = self.lanes();
        emit.for_each(zero, end, lanes, |emit, column| body(emit, column, vector(lanes)));
    }

    /// For the first row of each sub-block.
    fn each_block(&self, emit: &mut Emit, body: impl FnOnce(&mut Emit, V)) {
        let (zero, end) = (emit.int(0), emit.int(self.rows as i64));
        emit.for_each(zero, end, self.size, body);
    }

    /// The decay of each row over a part of its sub-block, times `x` where there is one, into `out`.
    fn parts(&self, emit: &mut Emit, x: Option<Tile>, out: Tile, part: Part) {
        self.each_block(emit, |emit, first| {
            self.each_column(emit, |emit, column, ty| {
                let (zero, size, start) = (emit.int(0), emit.int(self.size as i64), emit.float(1.0, ty));
                emit.fold(zero, size, 1, &[start], |emit, step, decay| {
                    let row = match part {
                        Part::Until { .. } => emit.add(first, step),
                        Part::After => {
                            let last = emit.add_const(first, self.size - 1);
                            emit.sub(last, step)
                        }
                    };
                    let factor = self.factors.load(emit, row, column, ty);
                    let next = emit.fmul(decay[0], factor);
                    let inclusive = matches!(part, Part::Until { exclusive: false });
                    let mut value = if inclusive { next } else { decay[0] };
                    if let Some(x) = x {
                        let x = x.load(emit, row, column, ty);
                        value = emit.fmul(x, value);
                    }
                    out.store(emit, value, row, column);
                    vec![next]
                });
            });
        });
    }

    /// The decay over each whole sub-block.
    fn totals(&self, emit: &mut Emit, out: Tile) {
        self.each_block(emit, |emit, first| {
            self.each_column(emit, |emit, column, ty| {
                let (last, start) = (emit.add_const(first, self.size), emit.float(1.0, ty));
                let total = emit.fold(first, last, 1, &[start], |emit, row, total| {
                    let factor = self.factors.load(emit, row, column, ty);
                    vec![emit.fmul(total[0], factor)]
                });
                let block = emit.div_const(first, self.size);
                out.store(emit, total[0], block, column);
            });
        });
    }

    /// The part of the Gram matrix below the sub-blocks on the diagonal.
    fn gram_between(&self, emit: &mut Emit, a: Tile, b: Tile, out: Tile, exclusive: bool) {
        let [left, right, totals, turned, _] = self.work;
        self.parts(emit, Some(a), left, Part::Until { exclusive });
        self.parts(emit, Some(b), right, Part::After);
        self.totals(emit, totals);
        self.step.transpose(emit, right, turned, Shape::new(self.rows, self.columns));
        // Rows lie side by side in `turned`; vectors must not reach beyond a sub-block.
        let lanes = (1 << self.size.trailing_zeros()).min(self.step.target.lanes);
        let ty = vector(lanes);
        let (tile_rows, most) = register_tile(self.step.target, self.size, self.size / lanes, (0.0, 0.0));
        let vectors = (1..=most).rev().find(|vectors| (self.size / lanes).is_multiple_of(*vectors)).unwrap_or(1);
        self.each_block(emit, |emit, first| {
            let zero = emit.int(0);
            // What lies before the sub-block before this one decays over that.
            let size = emit.int(self.size as i64);
            let passed = emit.sub(first, size);
            let block = emit.div_const(first, self.size);
            let one = emit.int(1);
            let before = emit.sub(block, one);
            emit.count(self.columns, |emit, column| {
                emit.for_each(zero, passed, lanes, |emit, row| {
                    let total = totals.load(emit, before, column, Ty::F32);
                    let total = emit.splat(total, ty);
                    let value = turned.load(emit, column, row, ty);
                    let value = emit.fmul(value, total);
                    turned.store(emit, value, column, row);
                });
            });
            let last = emit.int(self.columns as i64);
            emit.for_each(zero, first, vectors * lanes, |emit, column| {
                self.rows_of_block(emit, first, tile_rows, |emit, row, rows| {
                    let block = Block { row, rows, column, vectors, lanes };
                    let start = vec![emit.float(0.0, ty); rows * vectors];
                    let left = Operand { tile: left, transposed: false };
                    let range = Range { first: zero, last };
                    let sums = accumulate(emit, left, turned, &range, &block, start, false);
                    block.store(emit, &sums, out);
                });
            });
        });
    }

    /// Cuts the rows of a sub-block into register tiles.
    fn rows_of_block(&self, emit: &mut Emit, first: V, rows: usize, body: impl Fn(&mut Emit, V, usize)) {
        let whole = self.size / rows * rows;
        let end = emit.add_const(first, whole);
        emit.for_each(first, end, rows, |emit, row| body(emit, row, rows));
        if whole < self.size {
            body(emit, end, self.size - whole);
        }
    }

    /// For each pair of rows t ≥ s of each sub-block (`exclusive`: t > s).
    fn gram_within(&self, emit: &mut Emit, a: Tile, b: Tile, out: Tile, exclusive: bool) {
        // What is left of the row s of `b` when t has come.
        let faded = self.work[4];
        let (lanes, zero) = (self.lanes(), emit.int(0));
        let ty = vector(lanes);
        let (whole, rest) = (self.columns / lanes * lanes, self.columns % lanes);
        self.each_block(emit, |emit, first| {
            let last = emit.add_const(first, self.size);
            emit.for_each(first, last, 1, |emit, s| {
                self.each_column(emit, |emit, column, ty| {
                    let value = b.load(emit, s, column, ty);
                    faded.store(emit, value, zero, column);
                });
                let begin = if exclusive { emit.add_const(s, 1) } else { s };
                emit.for_each(begin, last, 1, |emit, t| {
                    let (newest, behind) = self.newest(emit, t, s, exclusive);
                    let term = |emit: &mut Emit, column: V, total: V| {
                        let value = faded.load(emit, zero, column, ty);
                        let value = self.fade(emit, value, (newest, column), behind);
                        faded.store(emit, value, zero, column);
                        let a = a.load(emit, t, column, ty);
                        emit.fma(a, value, total)
                    };
                    let (end, start) = (emit.int(whole as i64), emit.float(0.0, ty));
                    let mut total = emit
                        .fold(zero, end, lanes, &[start], |emit, column, total| vec![term(emit, column, total[0])])[0];
                    if rest > 0 {
                        let more = term(emit, end, total);
                        let last = emit.int(rest as i64 - 1);
                        let inside = emit.lanes_to(last, ty);
                        total = emit.select(inside, more, total);
                    }
                    let total = emit.sum(total);
                    out.store(emit, total, t, s);
                });
            });
        });
    }

    /// The row whose factor comes to the decay of the rows t and s when t goes on by one, and whether it is behind s:
    /// t itself, or in the exclusive form the row before.
    fn newest(&self, emit: &mut Emit, t: V, s: V, exclusive: bool) -> (V, V) {
        let back = emit.int(i64::from(exclusive));
        let newest = emit.sub(t, back);
        (newest, emit.differ(newest, s))
    }

    fn fade(&self, emit: &mut Emit, value: V, (row, column): (V, V), really: V) -> V {
        let factor = self.factors.load(emit, row, column, value.ty);
        let faded = emit.fmul(value, factor);
        emit.select(really, faded, value)
    }

    /// What rows of other sub-blocks give; the first sub-block (`transposed`: the last) is cleared.
    fn apply_between(&self, emit: &mut Emit, (p, x, out): (Tile, Tile, Tile), exclusive: bool, transposed: bool) {
        let [own, other, totals, ..] = self.work;
        let until = Part::Until { exclusive };
        let (own_part, other_part) = if transposed { (Part::After, until) } else { (until, Part::After) };
        self.parts(emit, None, own, own_part);
        self.parts(emit, Some(x), other, other_part);
        self.totals(emit, totals);
        let lanes = self.lanes();
        let (tile_rows, vectors) = register_tile(self.step.target, self.size, self.columns.div_ceil(lanes), (0.0, 0.0));
        let rows = emit.int(self.rows as i64);
        self.each_block(emit, |emit, step| {
            let (size, zero) = (emit.int(self.size as i64), emit.int(0));
            let first = if transposed {
                let last = emit.sub(rows, size);
                emit.sub(last, step)
            } else {
                step
            };
            let after = emit.add(first, size);
            // The sub-block that has been passed since, and the rows beyond it, which decay over it.
            let block = emit.div_const(first, self.size);
            let one = emit.int(1);
            let (passed, beyond, range) = if transposed {
                let beyond = emit.add(after, size);
                (emit.add(block, one), (beyond, rows), Range { first: after, last: rows })
            } else {
                let beyond = emit.sub(first, size);
                (emit.sub(block, one), (zero, beyond), Range { first: zero, last: first })
            };
            emit.for_each(beyond.0, beyond.1, 1, |emit, row| {
                self.each_column(emit, |emit, column, ty| {
                    let total = totals.load(emit, passed, column, ty);
                    let value = other.load(emit, row, column, ty);
                    let value = emit.fmul(value, total);
                    other.store(emit, value, row, column);
                });
            });
            let shape = Shape::new(1, self.columns);
            self.step.blocks(emit, shape, (1, vectors), None, &|emit, columns| {
                self.rows_of_block(emit, first, tile_rows, |emit, row, rows| {
                    let block = Block { row, rows, ..columns };
                    let start = vec![emit.float(0.0, block.ty()); rows * block.vectors];
                    let left = Operand { tile: p, transposed };
                    let sums = accumulate(emit, left, other, &range, &block, start, false);
                    let factors = block.load(emit, own);
                    let values: Vec<V> =
                        sums.iter().zip(factors).map(|(&sum, factor)| emit.fmul(sum, factor)).collect();
                    block.store(emit, &values, out);
                });
            });
        });
    }

    /// Adds what rows of the same sub-block give.
    fn apply_within(&self, emit: &mut Emit, (p, x, out): (Tile, Tile, Tile), exclusive: bool, transposed: bool) {
        self.each_block(emit, |emit, first| {
            let last = emit.add_const(first, self.size);
            self.each_column(emit, |emit, column, ty| {
                emit.for_each(first, last, 1, |emit, s| {
                    let begin = if exclusive { emit.add_const(s, 1) } else { s };
                    // What decays: the row s itself, or where rows t are summed up, one.
                    let start = if transposed { emit.float(1.0, ty) } else { x.load(emit, s, column, ty) };
                    let nothing = emit.float(0.0, ty);
                    let results = emit.fold(begin, last, 1, &[start, nothing], |emit, t, carried| {
                        let (newest, behind) = self.newest(emit, t, s, exclusive);
                        let faded = self.fade(emit, carried[0], (newest, column), behind);
                        let weight = p.load(emit, t, s, Ty::F32);
                        let weight = emit.splat(weight, ty);
                        if transposed {
                            let weight = emit.fmul(weight, faded);
                            let other = x.load(emit, t, column, ty);
                            return vec![faded, emit.fma(weight, other, carried[1])];
                        }
                        let so_far = out.load(emit, t, column, ty);
                        let next = emit.fma(weight, faded, so_far);
                        out.store(emit, next, t, column);
                        vec![faded, carried[1]]
                    });
                    if transposed {
                        let so_far = out.load(emit, s, column, ty);
                        let next = emit.fadd(so_far, results[1]);
                        out.store(emit, next, s, column);
                    }
                });
            });
        });
    }
}
