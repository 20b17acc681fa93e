//! The code of a prologue: batches of tokens through its levels, and windows into rings and back.

use std::collections::BTreeMap;

use mom_dialect::graph::ValueId;

use super::{BATCH, Convolution, Prologue, Wanted};
use crate::{
    emit::{Compare, Emit, Ty, V},
    kernel::{
        Place,
        fused::row_wise::{Given, Prepared},
    },
    target::Target,
};

impl Prologue {
    /// Gets ready at the start of a kernel: `scratch` has [`Prologue::room`] for turns of `turn` tokens.
    pub(crate) fn ready<'p>(&'p self, emit: &mut Emit, target: &'p Target, scratch: V, turn: usize) -> Ready<'p> {
        let mut offset = 0;
        let mut rooms = self.rooms(turn).into_iter().map(|room| {
            offset += room;
            offset - room
        });
        let mut next = |emit: &mut Emit| {
            let place = emit.int(rooms.next().unwrap_or(0) as i64);
            emit.address(scratch, place)
        };
        let (count, steps) = (next(emit), next(emit));
        let convolutions = self.convolutions().map(|convolution| Rolling {
            convolution,
            weight: emit.buffer(convolution.weight),
            window: emit.buffer(convolution.window),
            ring: next(emit),
            row: next(emit),
        });
        let convolutions = convolutions.collect();
        Ready {
            prologue: self,
            target,
            operands: self.operands.iter().map(|(&value, &number)| (value, emit.buffer(number))).collect(),
            position: self.position.map(|number| emit.buffer(number)),
            prepared: self.levels.iter().map(|level| level.rows.prepare(emit, steps)).collect(),
            count,
            steps,
            convolutions,
            results: self.results().map(|elements| (next(emit), elements)).collect(),
        }
    }
}

/// What an item works on.
#[derive(Clone, Copy)]
pub(crate) struct Item {
    pub(crate) head: V,
    /// The number of the memory among the memories of all sequences.
    pub(crate) owner: V,
}

/// A prologue inside of a kernel.
pub(crate) struct Ready<'p> {
    prologue: &'p Prologue,
    target: &'p Target,
    operands: BTreeMap<ValueId, V>,
    position: Option<V>,
    /// Of each level.
    prepared: Vec<Prepared>,
    /// Where the number of inputs that the rings were given is kept, and behind it those of a batch's tokens.
    count: V,
    /// Where the steps' rows lie.
    steps: V,
    convolutions: Vec<Rolling<'p>>,
    /// Addresses and elements.
    results: Vec<(V, usize)>,
}

/// A convolution inside of a kernel.
struct Rolling<'p> {
    convolution: &'p Convolution,
    weight: V,
    window: V,
    ring: V,
    /// What it made for the tokens of the batch.
    row: V,
}

/// Some tokens of a turn that a step is done for at a time.
struct Batch {
    /// The turn's first row.
    turn: V,
    /// The batch's rows.
    first: V,
    last: V,
    /// How many inputs the rings had before.
    count: V,
}

/// One of them.
struct Token {
    row: V,
    /// Its number in the turn.
    slot: V,
    /// Its number in the batch.
    place: V,
    /// Its number among all inputs of the rings.
    number: V,
}

impl Rolling<'_> {
    /// The ring's row for input number `number`.
    fn input(&self, emit: &mut Emit, number: V) -> Place {
        let row = emit.rem_const(number, self.convolution.rows());
        Place::row(emit, self.ring, row, self.convolution.elements)
    }

    /// The ring's row for the input `back` before number `number`.
    fn before(&self, emit: &mut Emit, number: V, back: usize) -> Place {
        let number = emit.add_const(number, self.convolution.rows() - back);
        self.input(emit, number)
    }

    /// Copies between the window and the ring, which has seen `count` inputs.
    fn move_window(&self, emit: &mut Emit, target: &Target, item: Item, heads: usize, count: V, out: bool) {
        let &Convolution { taps, elements, .. } = self.convolution;
        for tap in 0..taps {
            let ring = self.before(emit, count, taps - tap);
            let entry = emit.mul_const(item.owner, taps);
            let entry = emit.add_const(entry, tap);
            let entry = emit.at(entry, heads, item.head);
            let window = Place::row(emit, self.window, entry, elements);
            let (from, to) = if out { (ring, window) } else { (window, ring) };
            parts(emit, target, elements, |emit, index, ty| {
                let value = from.offset(emit, index).load(emit, ty);
                to.offset(emit, index).store(emit, value);
            });
        }
    }
}

/// Something for each vector of `elements` elements.
fn parts(emit: &mut Emit, target: &Target, elements: usize, body: impl FnOnce(&mut Emit, V, Ty)) {
    let lanes = target.lanes_dividing(elements);
    let (zero, end) = (emit.int(0), emit.int(elements as i64));
    emit.for_each(zero, end, lanes, |emit, index| body(emit, index, Ty::Vector(lanes)));
}

impl Ready<'_> {
    /// The address of a result, `[token of the turn, elements]`.
    pub(crate) fn result(&self, number: usize) -> V {
        self.results[number].0
    }

    /// Begins a segment.
    pub(crate) fn open(&self, emit: &mut Emit, item: Item) {
        // Counting begins where no number before the first is negative.
        let Some(longest) = self.prologue.convolutions().map(Convolution::rows).max() else { return };
        let (zero, count) = (emit.int(0), emit.int(longest as i64));
        emit.store_index(count, self.count, zero);
        for rolling in &self.convolutions {
            rolling.move_window(emit, self.target, item, self.prologue.heads, count, false);
        }
    }

    /// Ends a segment.
    pub(crate) fn close(&self, emit: &mut Emit, item: Item) {
        if self.prologue.has_windows() {
            let zero = emit.int(0);
            let count = emit.load_index(self.count, zero);
            for rolling in &self.convolutions {
                rolling.move_window(emit, self.target, item, self.prologue.heads, count, true);
            }
        }
    }

    /// Makes the results for the tokens `first..last`.
    pub(crate) fn turn(&self, emit: &mut Emit, item: Item, (first, last): (V, V)) {
        let zero = emit.int(0);
        emit.for_each(first, last, BATCH, |emit, from| {
            let to = emit.add_const(from, BATCH);
            let to = emit.min(to, last);
            let count = if self.prologue.has_windows() { emit.load_index(self.count, zero) } else { zero };
            let batch = Batch { turn: first, first: from, last: to, count };
            let next = self.number(emit, &batch);
            self.batch(emit, item, &batch);
            if self.prologue.has_windows() {
                emit.store_index(next, self.count, zero);
            }
        });
    }

    /// Numbers the tokens of a batch; padding is told apart by -1. Gives the number of the next token.
    fn number(&self, emit: &mut Emit, batch: &Batch) -> V {
        let Some(position) = self.position else {
            let tokens = emit.sub(batch.last, batch.first);
            return emit.add(batch.count, tokens);
        };
        emit.fold(batch.first, batch.last, 1, &[batch.count], |emit, row, next| {
            let (position, zero) = (emit.load_index(position, row), emit.int(0));
            let real = emit.compare(Compare::GreaterEqual, position, zero);
            let (after, none) = (emit.add_const(next[0], 1), emit.int(-1));
            let number = emit.select(real, next[0], none);
            let place = emit.sub(row, batch.first);
            let place = emit.add_const(place, 1);
            emit.store_index(number, self.count, place);
            vec![emit.select(real, after, next[0])]
        })[0]
    }

    /// Something for each real token of a batch.
    fn each(&self, emit: &mut Emit, batch: &Batch, body: impl FnOnce(&mut Emit, Token)) {
        emit.for_each(batch.first, batch.last, 1, |emit, row| {
            let (slot, place) = (emit.sub(row, batch.turn), emit.sub(row, batch.first));
            if self.position.is_none() {
                let number = emit.add(batch.count, place);
                return body(emit, Token { row, slot, place, number });
            }
            let at = emit.add_const(place, 1);
            let (number, zero) = (emit.load_index(self.count, at), emit.int(0));
            let real = emit.compare(Compare::GreaterEqual, number, zero);
            emit.when(real, |emit| body(emit, Token { row, slot, place, number }));
        });
    }

    fn batch(&self, emit: &mut Emit, item: Item, batch: &Batch) {
        let mut convolutions = self.convolutions.iter();
        for (level, prepared) in self.prologue.levels.iter().zip(&self.prepared) {
            let own: Vec<&Rolling<'_>> = match &level.wanted {
                Wanted::Rings(rings) => convolutions.by_ref().take(rings.len()).collect(),
                Wanted::Results(_) => Vec::new(),
            };
            for step in 0..level.rows.steps() {
                self.each(emit, batch, |emit, token| {
                    let mut made = BTreeMap::new();
                    for Rolling { convolution, row, .. } in &self.convolutions {
                        let place = Place::row(emit, *row, token.place, convolution.elements);
                        made.insert(convolution.result, Given::Row(place));
                    }
                    let given = |value: ValueId| match (made.get(&value), self.operands.get(&value)) {
                        (Some(&made), _) => made,
                        (None, Some(&address)) => Given::Buffer(address),
                        // Whatever the steps read is one of these.
                        (None, None) => Given::Buffer(self.count),
                    };
                    let places: Vec<Place> = match &level.wanted {
                        Wanted::Rings(_) => own.iter().map(|rolling| rolling.input(emit, token.number)).collect(),
                        Wanted::Results(_) => {
                            let results = self.results.iter();
                            results
                                .map(|&(address, elements)| Place::row(emit, address, token.slot, elements))
                                .collect()
                        }
                    };
                    let scratch = Place::row(emit, self.steps, token.place, self.prologue.scratch());
                    let (row, head) = (token.row, Some(item.head));
                    level.rows.emit_step(emit, prepared, step, &given, (row, head), (scratch, &places));
                });
            }
            for rolling in own {
                self.convolve(emit, item, batch, rolling);
            }
        }
    }

    /// `row = Σ weight[tap] · input[tap]` for each token, the last tap meeting the token's own input.
    fn convolve(&self, emit: &mut Emit, item: Item, batch: &Batch, rolling: &Rolling<'_>) {
        let &Convolution { taps, elements, .. } = rolling.convolution;
        let weight = Place::row(emit, rolling.weight, item.head, elements);
        parts(emit, self.target, elements, |emit, index, ty| {
            let mut factors = Vec::new();
            for tap in 0..taps {
                let place = emit.add_const(index, tap * self.prologue.heads * elements);
                factors.push(weight.offset(emit, place).load(emit, ty));
            }
            self.each(emit, batch, |emit, token| {
                let mut sum: Option<V> = None;
                for (tap, &factor) in factors.iter().enumerate() {
                    let input = rolling.before(emit, token.number, taps - 1 - tap);
                    let input = input.offset(emit, index).load(emit, ty);
                    sum = Some(match sum {
                        None => emit.fmul(factor, input),
                        Some(sum) => emit.fma(factor, input, sum),
                    });
                }
                if let Some(sum) = sum {
                    Place::row(emit, rolling.row, token.place, elements).offset(emit, index).store(emit, sum);
                }
            });
        });
    }
}
