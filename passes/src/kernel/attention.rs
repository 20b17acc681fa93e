//! Softmax attention over a cache of keys and values, and what goes with it: rotary embedding of a row and the append.
//!
//! Token number p of a sequence lies in the cache at p modulo its capacity. Attention is one pass over the visible
//! positions with a running maximum (the online softmax of Milakov and Gimelshein, arXiv:1805.02867), in the order of
//! positions, so that the result does not depend on how the prompt was cut.

use mom_dialect::shape::Extent;

use super::{CONTEXT, Kernel, Place, SEQUENCES, each_item, move_ns};
use crate::{
    emit::{Compare, Emit, Ty, V},
    target::Target,
};

/// Rows that a cache has room for.
#[derive(Clone, Copy)]
pub(crate) enum Capacity {
    /// C of the step.
    Context,
    Ring(usize),
}

impl Capacity {
    fn symbol(self) -> String {
        match self {
            Capacity::Context => "context".into(),
            Capacity::Ring(capacity) => format!("ring{capacity}"),
        }
    }

    fn value(self, emit: &mut Emit) -> V {
        match self {
            Capacity::Context => emit.size(CONTEXT),
            Capacity::Ring(capacity) => emit.int(capacity as i64),
        }
    }
}

/// The sequence that a token of the step belongs to.
fn sequence_of(emit: &mut Emit, cu_seqlens: V, token: V) -> V {
    let (zero, one) = (emit.int(0), emit.int(1));
    let sequences = emit.size(SEQUENCES);
    emit.fold(zero, sequences, 1, &[zero], |emit, sequence, found| {
        let begin = emit.load_index(cu_seqlens, sequence);
        let next = emit.add(sequence, one);
        let end = emit.load_index(cu_seqlens, next);
        let (after, before) = (emit.compare(Compare::LessEqual, begin, token), emit.compare(Compare::Less, token, end));
        let here = emit.and(after, before);
        vec![emit.select(here, sequence, found[0])]
    })[0]
}

/// The rotation of a row's vectors by an angle that its position gives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rotation {
    pub(crate) vectors: usize,
    pub(crate) width: usize,
    pub(crate) base: f64,
}

impl Rotation {
    pub(crate) fn cost_ns(self) -> u64 {
        (self.width / 2 * 30) as u64 + move_ns(self.vectors * self.width * 8)
    }

    /// The frequencies on the stack; to be asked for outside of loops.
    pub(crate) fn frequencies(self, emit: &mut Emit) -> V {
        let half = self.width / 2;
        // A frequency takes two f32, one for what the other leaves: far into a sequence an angle rounded to f32
        // would be off by as much as a position is.
        let frequencies = emit.scratch(2 * half);
        for i in 0..half {
            let frequency = self.base.powf(-2.0 * i as f64 / self.width as f64);
            let rest = frequency - f64::from(frequency as f32);
            for (place, part) in [(2 * i, frequency), (2 * i + 1, rest)] {
                let part = emit.float(part, Ty::F32);
                let at = emit.int(place as i64);
                emit.store(part, frequencies, at);
            }
        }
        frequencies
    }

    /// Rotates one row.
    pub(crate) fn emit(self, emit: &mut Emit, frequencies: V, position: V, x: Place, out: Place) {
        let half = self.width / 2;
        let position = emit.int_to_double(position);
        emit.count(half, |emit, i| {
            let place = emit.mul_const(i, 2);
            let next = emit.add_const(place, 1);
            let (main, rest) = (emit.load(frequencies, place, Ty::F32), emit.load(frequencies, next, Ty::F32));
            let (main, rest) = (emit.widen(main), emit.widen(rest));
            let frequency = emit.fadd(main, rest);
            let angle = emit.fmul(position, frequency);
            let (sin, cos) = emit.sin_cos(angle);
            let (sin, cos) = (emit.narrow(sin), emit.narrow(cos));
            let minus_sin = emit.fneg(sin);
            emit.count(self.vectors, |emit, vector| {
                let first = emit.at(vector, self.width, i);
                let second = emit.add_const(first, half);
                let (a, b) = (x.offset(emit, first).load(emit, Ty::F32), x.offset(emit, second).load(emit, Ty::F32));
                let (a_cos, b_cos) = (emit.fmul(a, cos), emit.fmul(b, cos));
                let left = emit.fma(b, minus_sin, a_cos);
                let right = emit.fma(a, sin, b_cos);
                out.offset(emit, first).store(emit, left);
                out.offset(emit, second).store(emit, right);
            });
        });
    }
}

/// Buffers: x `[T, …]`, cache `[B, C, …]`, position, cu_seqlens.
pub(crate) fn append_cache<'a>(target: &'a Target, elements: usize, capacity: Capacity) -> Kernel<'a> {
    let lanes = target.lanes_dividing(elements);
    Kernel {
        symbol: format!("momc_append_cache_{elements}_{}", capacity.symbol()),
        schedule: String::new(),
        rows: Extent::TOKENS,
        chunk: 1,
        times: 1,
        item_ns: move_ns(elements * 8),
        token_ns: 0,
        body: Box::new(move |emit| {
            let (x, cache, position, cu_seqlens) = (emit.buffer(0), emit.buffer(1), emit.buffer(2), emit.buffer(3));
            let capacity = capacity.value(emit);
            each_item(emit, |emit, token| {
                let position = emit.load_index(position, token);
                let zero = emit.int(0);
                let real = emit.compare(Compare::GreaterEqual, position, zero);
                emit.when(real, |emit| {
                    let sequence = sequence_of(emit, cu_seqlens, token);
                    let slot = emit.rem(position, capacity);
                    let owner = emit.mul(sequence, capacity);
                    let slot = emit.add(owner, slot);
                    let (from, to) = (emit.mul_const(token, elements), emit.mul_const(slot, elements));
                    let end = emit.int(elements as i64);
                    emit.for_each(zero, end, lanes, |emit, i| {
                        let source = emit.add(from, i);
                        let value = emit.load(x, source, Ty::Vector(lanes));
                        let place = emit.add(to, i);
                        emit.store(value, cache, place);
                    });
                });
            });
        }),
    }
}

/// Heads of the queries and of the cache, their width, what a query sees.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) width: usize,
    pub(crate) window: Option<usize>,
    pub(crate) scale: f64,
    pub(crate) capacity: Capacity,
}

/// Buffers: q `[T, head, width]`, keys, values `[B, C, kv_head, width]`, position, cu_seqlens, out. An item is one
/// token and one head.
pub(crate) fn attention<'a>(target: &'a Target, shape: Shape) -> Kernel<'a> {
    let Shape { heads, kv_heads, width, window, scale, capacity } = shape;
    let lanes = target.lanes_dividing(width);
    let window_symbol = window.map_or("all".into(), |window| window.to_string());
    Kernel {
        symbol: format!(
            "momc_attention_{heads}x{kv_heads}x{width}_{window_symbol}_{:08x}_{}",
            (scale as f32).to_bits(),
            capacity.symbol()
        ),
        schedule: String::new(),
        rows: Extent::TOKENS,
        chunk: 1,
        times: heads,
        item_ns: move_ns(width * 4 * 64),
        token_ns: 0,
        body: Box::new(move |emit| {
            let (q, keys, values) = (emit.buffer(0), emit.buffer(1), emit.buffer(2));
            let (position, cu_seqlens, out) = (emit.buffer(3), emit.buffer(4), emit.buffer(5));
            let capacity = capacity.value(emit);
            // The sum of values is kept on the stack: a head may be wider than the registers hold.
            let sum = emit.scratch(width);
            each_item(emit, |emit, item| {
                let (token, head) = (emit.div_const(item, heads), emit.rem_const(item, heads));
                let query = emit.mul_const(item, width);
                let position = emit.load_index(position, token);
                let (zero, one) = (emit.int(0), emit.int(1));
                let end = emit.add(position, one);
                let begin = match window {
                    None => zero,
                    Some(window) => {
                        let window = emit.int(window as i64);
                        let begin = emit.sub(end, window);
                        emit.max(begin, zero)
                    }
                };
                let sequence = sequence_of(emit, cu_seqlens, token);
                let owner = emit.mul(sequence, capacity);
                let kv_head = emit.div_const(head, heads / kv_heads);
                each_vector(emit, width, lanes, |emit, i| {
                    let nothing = emit.float(0.0, Ty::Vector(lanes));
                    emit.store(nothing, sum, i);
                });
                let lowest = emit.float(-3.0e38, Ty::F32);
                let nothing = emit.float(0.0, Ty::F32);
                // Padding has position -1, sees nothing and keeps a sum of zero.
                let state = emit.fold(begin, end, 1, &[lowest, nothing], |emit, seen, state| {
                    let slot = emit.rem(seen, capacity);
                    let slot = emit.add(owner, slot);
                    let row = emit.at(slot, kv_heads, kv_head);
                    let row = emit.mul_const(row, width);
                    let dot = dot(emit, (q, query), (keys, row), width, lanes);
                    let factor = emit.float(scale, Ty::F32);
                    let score = emit.fmul(dot, factor);
                    let maximum = emit.fmax(score, state[0]);
                    let old = emit.fsub(state[0], maximum);
                    let old = emit.exp(old);
                    let new = emit.fsub(score, maximum);
                    let new = emit.exp(new);
                    let ty = Ty::Vector(lanes);
                    let (old_lanes, new_lanes) = (emit.splat(old, ty), emit.splat(new, ty));
                    each_vector(emit, width, lanes, |emit, i| {
                        let place = emit.add(row, i);
                        let value = emit.load(values, place, ty);
                        let before = emit.load(sum, i, ty);
                        let kept = emit.fmul(before, old_lanes);
                        let after = emit.fma(value, new_lanes, kept);
                        emit.store(after, sum, i);
                    });
                    vec![maximum, emit.fma(state[1], old, new)]
                });
                let one = emit.float(1.0, Ty::F32);
                let none = emit.greater(state[1], nothing);
                let total = emit.select(none, state[1], one);
                let total = emit.splat(total, Ty::Vector(lanes));
                each_vector(emit, width, lanes, |emit, i| {
                    let value = emit.load(sum, i, Ty::Vector(lanes));
                    let value = emit.fdiv(value, total);
                    let place = emit.add(query, i);
                    emit.store(value, out, place);
                });
            });
        }),
    }
}

fn each_vector(emit: &mut Emit, width: usize, lanes: usize, body: impl FnOnce(&mut Emit, V)) {
    let (zero, end) = (emit.int(0), emit.int(width as i64));
    emit.for_each(zero, end, lanes, body);
}

fn dot(emit: &mut Emit, a: (V, V), b: (V, V), width: usize, lanes: usize) -> V {
    let ty = Ty::Vector(lanes);
    let (zero, end) = (emit.int(0), emit.int(width as i64));
    let start = emit.float(0.0, ty);
    let sums = emit.fold(zero, end, lanes, &[start], |emit, i, sums| {
        let (left, right) = (emit.add(a.1, i), emit.add(b.1, i));
        let (left, right) = (emit.load(a.0, left, ty), emit.load(b.0, right, ty));
        vec![emit.fma(left, right, sums[0])]
    });
    emit.sum(sums[0])
}
