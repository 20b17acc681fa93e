//! Causal depthwise convolution along each segment, with the window of its last inputs as state.
//!
//! An item is one segment and one block of channels: it walks the segment's rows with the window in registers.

use mom_dialect::shape::Extent;

use super::{Kernel, SEQUENCES, each_item, move_ns};
use crate::{
    emit::{Compare, Emit, Ty, V},
    target::Target,
};

/// Channels of one row, taps of the filter, memories whose windows a sequence has.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) channels: usize,
    pub(crate) taps: usize,
    pub(crate) memories: usize,
    /// Whether padding is to be skipped.
    pub(crate) masked: bool,
}

/// Buffers: x, weight `[tap, channel]`, window `[B, memory, tap, channel]`, segments, (position,) y.
pub(crate) fn short_conv<'a>(target: &'a Target, shape: Shape) -> Kernel<'a> {
    let Shape { channels, taps, memories, masked } = shape;
    let lanes = target.lanes_dividing(channels);
    // Four vectors of channels keep the loads of a row apart from each other's latency.
    let vectors = [4, 2, 1].into_iter().find(|vectors| channels % (vectors * lanes) == 0).unwrap_or(1);
    let block = vectors * lanes;
    Kernel {
        symbol: format!("momc_short_conv_{channels}_{taps}_m{memories}{}", if masked { "_masked" } else { "" }),
        schedule: format!("channels = {block} : i64"),
        rows: Extent::SEQUENCES.times(memories),
        chunk: 1,
        times: channels / block,
        item_ns: move_ns(block * taps * 8),
        token_ns: 0,
        body: Box::new(move |emit| {
            let ty = Ty::Vector(lanes);
            let (x, weight, window, segments) = (emit.buffer(0), emit.buffer(1), emit.buffer(2), emit.buffer(3));
            let position = masked.then(|| emit.buffer(4));
            let out = emit.buffer(if masked { 5 } else { 4 });
            let sequences = emit.size(SEQUENCES);
            each_item(emit, |emit, item| {
                let (segment, part) = (emit.div_const(item, channels / block), emit.rem_const(item, channels / block));
                let (memory, sequence) = (emit.div(segment, sequences), emit.rem(segment, sequences));
                let owner = emit.at(sequence, memories, memory);
                let channel = emit.mul_const(part, block);
                let state = emit.at(owner, taps * channels, channel);
                let next = emit.add_const(segment, 1);
                let (begin, end) = (emit.load_index(segments, segment), emit.load_index(segments, next));

                let filters = load_taps(emit, (weight, channel), shape, vectors, ty);
                let carried = load_taps(emit, (window, state), shape, vectors, ty);
                let last = emit.fold(begin, end, 1, &carried, |emit, row, carried| {
                    let place = emit.at(row, channels, channel);
                    let live = position.map(|position| {
                        let position = emit.load_index(position, row);
                        let zero = emit.int(0);
                        emit.compare(Compare::GreaterEqual, position, zero)
                    });
                    let mut shifted = Vec::with_capacity(carried.len());
                    for vector in 0..vectors {
                        let place = emit.add_const(place, vector * lanes);
                        let input = emit.load(x, place, ty);
                        let old = &carried[vector * taps..(vector + 1) * taps];
                        let new: Vec<V> = old[1..].iter().copied().chain([input]).collect();
                        let mut sum = emit.fmul(filters[vector * taps], new[0]);
                        for tap in 1..taps {
                            sum = emit.fma(filters[vector * taps + tap], new[tap], sum);
                        }
                        match live {
                            None => {
                                emit.store(sum, out, place);
                                shifted.extend(new);
                            }
                            Some(live) => {
                                let zero = emit.float(0.0, ty);
                                let y = emit.select(live, sum, zero);
                                emit.store(y, out, place);
                                for (&new, &old) in new.iter().zip(old) {
                                    shifted.push(emit.select(live, new, old));
                                }
                            }
                        }
                    }
                    shifted
                });
                for vector in 0..vectors {
                    for tap in 0..taps {
                        let place = emit.add_const(state, tap * channels + vector * lanes);
                        emit.store(last[vector * taps + tap], window, place);
                    }
                }
            });
        }),
    }
}

/// Loads `[tap, channel]` from an address, vector by vector, the taps of each in order.
fn load_taps(emit: &mut Emit, (buffer, base): (V, V), shape: Shape, vectors: usize, ty: Ty) -> Vec<V> {
    let Ty::Vector(lanes) = ty else { return Vec::new() };
    let mut loaded = Vec::with_capacity(vectors * shape.taps);
    for vector in 0..vectors {
        for tap in 0..shape.taps {
            let place = emit.add_const(base, tap * shape.channels + vector * lanes);
            loaded.push(emit.load(buffer, place, ty));
        }
    }
    loaded
}
