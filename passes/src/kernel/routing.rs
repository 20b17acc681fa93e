//! The router and the counting sort that turns its choices into varlen segments, on the device's side of the plan.

use mom_dialect::shape::Extent;

use super::{Kernel, SEQUENCES, TOKENS, each_item, move_ns};
use crate::emit::{Compare, Emit, Ty, V};

/// What a token chooses among.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choices {
    /// Memories that the router knows.
    pub(crate) memories: usize,
    pub(crate) top_k: usize,
    /// One more choice follows for every token: the memory after the last, with weight 1.
    pub(crate) shared_state: bool,
}

impl Choices {
    /// Choices of a token.
    pub(super) fn count(self) -> usize {
        self.top_k + usize::from(self.shared_state)
    }

    pub(super) fn symbol(self) -> String {
        let Choices { memories, top_k, shared_state } = self;
        format!("{memories}_{top_k}{}", if shared_state { "_shared" } else { "" })
    }

    /// Rough cost of a token.
    pub(super) fn token_ns(self) -> u64 {
        move_ns(self.memories * self.top_k * 10)
    }

    /// The `top_k` largest logits of a token, largest first, the lower index first among equals, and the softmax over just
    /// these, which is what renormalising the softmax over all of them gives.
    pub(super) fn route(self, emit: &mut Emit, (logits, selected, weight): (V, V, V), token: V) {
        let Choices { memories, top_k, shared_state } = self;
        let (row, first) = (emit.mul_const(token, memories), emit.mul_const(token, self.count()));
        let (zero, nothing) = (emit.int(0), emit.int(-1));
        let (count, choices) = (emit.int(memories as i64), emit.int(top_k as i64));
        let (none, lowest) = (emit.float(0.0, Ty::F32), emit.float(f64::NEG_INFINITY, Ty::F32));
        let (highest, least) = (emit.float(f64::INFINITY, Ty::F32), emit.float(f32::MIN.into(), Ty::F32));
        // The sum of the powers so far, the largest logit, and the choice before with its logit.
        let start = [none, lowest, highest, nothing];
        let carried = emit.fold(zero, choices, 1, &start, |emit, choice, carried| {
            let before = (carried[2], carried[3]);
            let best = emit.fold(zero, count, 1, &[lowest, nothing], |emit, memory, best| {
                let place = emit.add(row, memory);
                let logit = emit.load(logits, place, Ty::F32);
                // What is no number comes last, so that the order is strict and choices are always distinct memories.
                let is_number = emit.greater(logit, lowest);
                let logit = emit.select(is_number, logit, least);
                let (less, more) = (emit.greater(before.0, logit), emit.greater(logit, before.0));
                let later = emit.compare(Compare::Less, before.1, memory);
                let equal_and_later = emit.select(more, less, later);
                let left = emit.or(less, equal_and_later);
                let logit = emit.select(left, logit, lowest);
                let better = emit.greater(logit, best[0]);
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
            vec![emit.fadd(carried[0], exp), largest, best[0], best[1]]
        });
        emit.for_each(zero, choices, 1, |emit, choice| {
            let place = emit.add(first, choice);
            let exp = emit.load(weight, place, Ty::F32);
            let share = emit.fdiv(exp, carried[0]);
            emit.store(share, weight, place);
        });
        if shared_state {
            let place = emit.add(first, choices);
            emit.store_index(count, selected, place);
            let one = emit.float(1.0, Ty::F32);
            emit.store(one, weight, place);
        }
    }
}

/// Buffers: logits `[T, memory]`, selected, weight `[T, choice]`.
pub(crate) fn router<'a>(choices: Choices) -> Kernel<'a> {
    Kernel {
        symbol: format!("momc_router_{}", choices.symbol()),
        schedule: String::new(),
        rows: Extent::TOKENS,
        chunk: 1,
        times: 1,
        item_ns: choices.token_ns(),
        token_ns: 0,
        body: Box::new(move |emit| {
            let buffers = (emit.buffer(0), emit.buffer(1), emit.buffer(2));
            each_item(emit, |emit, token| choices.route(emit, buffers, token));
        }),
    }
}

/// Buffers: selected, position, cu_seqlens, permutation `[kT]`, slot `[T, choice]`, segments `[MB+1]`.
///
/// One item: the work is linear in the tokens and small beside a row of any product.
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
            let [selected, position, cu_seqlens] = [0, 1, 2].map(|number| emit.buffer(number));
            let [permutation, slot, segments] = [3, 4, 5].map(|number| emit.buffer(number));
            let streams = Streams { selected, position, cu_seqlens, permutation, slot, segments };
            each_item(emit, |emit, _| streams.sort(emit, memories, choices));
        }),
    }
}

/// The buffers of a sort. `selected` may lie where `slot` does: a choice is read before its slot is written.
#[derive(Clone, Copy)]
pub(super) struct Streams {
    pub(super) selected: V,
    pub(super) position: V,
    pub(super) cu_seqlens: V,
    pub(super) permutation: V,
    pub(super) slot: V,
    pub(super) segments: V,
}

impl Streams {
    /// A stable counting sort by (memory, sequence).
    pub(super) fn sort(self, emit: &mut Emit, memories: usize, choices: usize) {
        let Streams { selected, position, cu_seqlens, permutation, slot, segments } = self;
        let (zero, one, padding) = (emit.int(0), emit.int(1), emit.int(-1));
        let (tokens, sequences) = (emit.size(TOKENS), emit.size(SEQUENCES));
        let boundaries = emit.mul_const(sequences, memories);
        let boundaries = emit.add(boundaries, one);
        emit.for_each(zero, boundaries, 1, |emit, i| emit.store_index(zero, segments, i));

        // segments[s + 1] counts the rows of s, then holds where s begins, then where its next row goes; after
        // the last row that is where s ends, which is what it is to hold.
        let each_choice = |emit: &mut Emit, body: &dyn Fn(&mut Emit, V, V, V)| {
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
    }
}
