//! The router and the counting sort that turns its choices into varlen segments, on the device's side of the plan.

use mom_dialect::shape::Extent;

use super::{Kernel, SEQUENCES, TOKENS, each_item, move_ns};
use crate::emit::{Compare, Ty};

/// Buffers: logits `[T, memory]`, selected, weight `[T, choice]`.
///
/// The `top_k` largest logits, largest first, the lower index first among equals, and the softmax over just these,
/// which is what renormalising the softmax over all of them gives.
pub(crate) fn router<'a>(memories: usize, top_k: usize) -> Kernel<'a> {
    Kernel {
        symbol: format!("momc_router_{memories}_{top_k}"),
        schedule: String::new(),
        rows: Extent::TOKENS,
        chunk: 1,
        times: 1,
        item_ns: move_ns(memories * top_k * 20),
        token_ns: 0,
        body: Box::new(move |emit| {
            let (logits, selected, weight) = (emit.buffer(0), emit.buffer(1), emit.buffer(2));
            each_item(emit, |emit, token| {
                let (row, first) = (emit.mul_const(token, memories), emit.mul_const(token, top_k));
                let (zero, nothing) = (emit.int(0), emit.int(-1));
                let (count, choices) = (emit.int(memories as i64), emit.int(top_k as i64));
                let (none, lowest) = (emit.float(0.0, Ty::F32), emit.float(f64::NEG_INFINITY, Ty::F32));
                let carried = emit.fold(zero, choices, 1, &[none, lowest], |emit, choice, carried| {
                    let best = emit.fold(zero, count, 1, &[lowest, nothing], |emit, memory, best| {
                        let place = emit.add(row, memory);
                        let logit = emit.load(logits, place, Ty::F32);
                        // The first memory not yet chosen is taken whatever its logit is, so that the choices are
                        // always distinct memories.
                        let first_one = emit.compare(Compare::Less, best[1], zero);
                        let larger = emit.greater(logit, best[0]);
                        let better = emit.or(first_one, larger);
                        let better = emit.fold(zero, choice, 1, &[better], |emit, earlier, better| {
                            let place = emit.add(first, earlier);
                            let earlier = emit.load_index(selected, place);
                            let differs = emit.differ(memory, earlier);
                            vec![emit.and(better[0], differs)]
                        })[0];
                        vec![emit.select(better, logit, best[0]), emit.select(better, memory, best[1])]
                    });
                    let place = emit.add(first, choice);
                    emit.store_index(best[1], selected, place);
                    // The first choice has the largest logit of all.
                    let is_first = emit.compare(Compare::LessEqual, choice, zero);
                    let largest = emit.select(is_first, best[0], carried[1]);
                    let difference = emit.fsub(best[0], largest);
                    let exp = emit.exp(difference);
                    emit.store(exp, weight, place);
                    vec![emit.fadd(carried[0], exp), largest]
                });
                emit.for_each(zero, choices, 1, |emit, choice| {
                    let place = emit.add(first, choice);
                    let exp = emit.load(weight, place, Ty::F32);
                    let share = emit.fdiv(exp, carried[0]);
                    emit.store(share, weight, place);
                });
            });
        }),
    }
}

/// Buffers: selected, position, cu_seqlens, permutation `[kT]`, slot `[T, choice]`, segments `[MB+1]`.
///
/// A stable counting sort by (memory, sequence). One item: the work is linear in the tokens and small beside a row of
/// any product.
pub(crate) fn sort<'a>(memories: usize, choices: usize) -> Kernel<'a> {
    Kernel {
        symbol: format!("momc_sort_{memories}_{choices}"),
        schedule: String::new(),
        rows: Extent::ZERO.plus(1),
        chunk: 1,
        times: 1,
        item_ns: 1000,
        token_ns: 0,
        body: Box::new(move |emit| {
            let (selected, position, cu_seqlens) = (emit.buffer(0), emit.buffer(1), emit.buffer(2));
            let (permutation, slot, segments) = (emit.buffer(3), emit.buffer(4), emit.buffer(5));
            each_item(emit, |emit, _| {
                let (zero, one, padding) = (emit.int(0), emit.int(1), emit.int(-1));
                let (tokens, sequences) = (emit.size(TOKENS), emit.size(SEQUENCES));
                let boundaries = emit.mul_const(sequences, memories);
                let boundaries = emit.add(boundaries, one);
                emit.for_each(zero, boundaries, 1, |emit, i| emit.store_index(zero, segments, i));

                // segments[s + 1] counts the rows of s, then holds where s begins, then where its next row goes; after
                // the last row that is where s ends, which is what it is to hold.
                let each_choice = |emit: &mut crate::emit::Emit,
                                   body: &dyn Fn(
                    &mut crate::emit::Emit,
                    crate::emit::V,
                    crate::emit::V,
                    crate::emit::V,
                )| {
                    emit.for_each(zero, sequences, 1, |emit, sequence| {
                        let next = emit.add(sequence, one);
                        let (begin, end) = (emit.load_index(cu_seqlens, sequence), emit.load_index(cu_seqlens, next));
                        emit.for_each(begin, end, 1, |emit, token| {
                            let position = emit.load_index(position, token);
                            let real = emit.compare(Compare::GreaterEqual, position, zero);
                            emit.count(choices, |emit, choice| {
                                let index = emit.at(token, choices, choice);
                                emit.when_else(
                                    real,
                                    |emit| {
                                        let memory = emit.load_index(selected, index);
                                        let segment = emit.mul(memory, sequences);
                                        let segment = emit.add(segment, sequence);
                                        let cursor = emit.add(segment, one);
                                        body(emit, cursor, token, index);
                                    },
                                    |emit| emit.store_index(padding, slot, index),
                                );
                            });
                        });
                    });
                };
                each_choice(emit, &|emit, cursor, _, _| {
                    let count = emit.load_index(segments, cursor);
                    let count = emit.add(count, one);
                    emit.store_index(count, segments, cursor);
                });
                emit.fold(one, boundaries, 1, &[zero], |emit, cursor, total| {
                    let count = emit.load_index(segments, cursor);
                    emit.store_index(total[0], segments, cursor);
                    vec![emit.add(total[0], count)]
                });
                each_choice(emit, &|emit, cursor, token, index| {
                    let row = emit.load_index(segments, cursor);
                    emit.store_index(token, permutation, row);
                    emit.store_index(row, slot, index);
                    let next = emit.add(row, one);
                    emit.store_index(next, segments, cursor);
                });
                let last = emit.sub(boundaries, one);
                let total = emit.load_index(segments, last);
                let all = emit.mul_const(tokens, choices);
                emit.for_each(total, all, 1, |emit, row| emit.store_index(padding, permutation, row));
            });
        }),
    }
}
