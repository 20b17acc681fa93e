//! Row-wise bodies: each row of what they make follows from one row of each operand, or from a few picked by number.
//!
//! [`RowWise::new`] turns the operations that make some wanted values into steps, in the order in which they run for one
//! row. What only moves rows ([`OpKind::Dispatch`], [`OpKind::SelectRows`]) is no step but an address: its operand is
//! read, or made, at another row. A chain of elementwise operations that nobody else reads is one step, one expression.
//! Rows in between lie in scratch, which is small enough for the first-level cache.
//!
//! A *slice* makes one head of a row at a time: all values lose the axis of heads. So the prologue of a scan, whose items
//! are heads, takes the same steps as one whose items are rows.
//!
//! Rows of a routed stream that nobody owns, and tokens of padding, are made from row 0: nobody reads them, and row 0 is
//! always there.

use std::collections::BTreeMap;

use mom_dialect::graph::{Body, ValueId};

use self::planner::Planner;

use crate::{
    emit::{Compare, Emit, V},
    kernel::{
        Place,
        attention::Rotation,
        elementwise::RowExpression,
        norm::Vectors,
        rows::{copy_row, weighted_sum},
    },
    target::Target,
};

mod planner;

/// One head at a time: head number `h` of `heads` is head `h · own / heads` of a value that has `own`.
#[derive(Clone, Debug)]
pub(crate) struct Slice {
    /// The axis of heads, the first of a row.
    pub(crate) axis: String,
    pub(crate) heads: usize,
}

/// Where a value that the steps read lies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Given {
    /// A buffer with all its rows and heads; for a value without rows, all of it.
    Buffer(V),
    /// Just the row, or its slice, that is being made.
    Row(Place),
}

/// Where a value's row lies, as far as that is known before the kernel runs.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// The row that reader number `.1` reads of a given value.
    Given(ValueId, usize),
    Scratch(usize),
    Wanted(usize),
}

/// A row number: that of the row being made, or one read from a row of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reader {
    Own,
    /// Entry `entry` of the numbers that the reader `of` has.
    Picked {
        numbers: ValueId,
        of: usize,
        entry: usize,
    },
}

#[derive(Clone, Debug)]
enum Work {
    Expression { expression: RowExpression, operands: Vec<Source> },
    RmsNorm { eps: f64, vectors: Vectors, x: Source, weight: Source },
    L2Norm { eps: f64, vectors: Vectors, x: Source },
    Rotary { rotation: Rotation, x: Source, position: Source },
    Combine { elements: usize, slot: Source, weight: Source, parts: Vec<Source> },
    Copy { elements: usize, x: Source },
}

#[derive(Clone, Debug)]
struct Step {
    work: Work,
    out: Source,
}

/// How a given value's row is found.
#[derive(Clone, Copy, Debug)]
struct Lies {
    has_rows: bool,
    /// Elements of a whole row, and of the slice of it.
    row: usize,
    slice: usize,
    /// Heads that it has; 1 where it has no axis of heads or nothing is sliced.
    heads: usize,
}

/// The steps that make one row of each wanted value.
#[derive(Clone, Debug)]
pub(crate) struct RowWise {
    target: Target,
    heads: usize,
    readers: Vec<Reader>,
    given: BTreeMap<ValueId, Lies>,
    steps: Vec<Step>,
    scratch: usize,
    cost_ns: u64,
}

/// What steps need beside the values, made outside of all loops by [`RowWise::prepare`].
pub(crate) struct Prepared {
    scratch: V,
    /// Those of each rotary step, in order.
    frequencies: Vec<V>,
}

impl RowWise {
    /// The steps that make `wanted`, which have rows of one extent (or none).
    ///
    /// Given are the body's arguments and the values `made`, which the caller makes row by row.
    ///
    /// # Errors
    /// The operation that is not row-wise, or what of it is not supported, in words.
    pub(crate) fn new(
        target: &Target,
        body: &Body,
        wanted: &[ValueId],
        made: &[ValueId],
        slice: Option<&Slice>,
    ) -> Result<RowWise, String> {
        Planner::new(target, body, wanted, made, slice).plan()
    }

    /// Where nothing is computed: the one wanted value is a row of a given one, and this finds it.
    pub(crate) fn address(&self) -> Option<Address<'_>> {
        match self.steps[..] {
            [Step { work: Work::Copy { x: Source::Given(value, reader), .. }, .. }] => {
                Some(Address { row_wise: self, value, reader })
            }
            _ => None,
        }
    }

    /// The given values that are read.
    pub(crate) fn reads(&self) -> impl Iterator<Item = ValueId> + '_ {
        self.given.keys().copied()
    }

    /// f32 elements of scratch for a row.
    pub(crate) fn scratch(&self) -> usize {
        self.scratch
    }

    /// Rough cost of a row (or slice).
    pub(crate) fn cost_ns(&self) -> u64 {
        self.cost_ns
    }

    /// To be called outside of loops, with room for [`RowWise::scratch`] elements.
    pub(crate) fn prepare(&self, emit: &mut Emit, scratch: V) -> Prepared {
        let rotations = self.steps.iter().filter_map(|step| match step.work {
            Work::Rotary { rotation, .. } => Some(rotation),
            _ => None,
        });
        Prepared { scratch, frequencies: rotations.map(|rotation| rotation.frequencies(emit)).collect() }
    }

    /// Makes row `row` of the wanted values, of head `head` where sliced, in the places `wanted`.
    pub(crate) fn emit(
        &self,
        emit: &mut Emit,
        prepared: &Prepared,
        given: &dyn Fn(ValueId) -> Given,
        (row, head): (V, Option<V>),
        wanted: &[Place],
    ) {
        let at = At::new(self, emit, given, row, head);
        let scratch = Place::start(emit, prepared.scratch);
        for step in 0..self.steps.len() {
            self.step(emit, prepared, step, &at, scratch, wanted);
        }
    }

    /// How many steps there are.
    pub(crate) fn steps(&self) -> usize {
        self.steps.len()
    }

    /// Does step number `step` of a row, as [`RowWise::emit`] does all of them: who makes several rows step by step gives
    /// each of them a `scratch` of its own.
    pub(crate) fn emit_step(
        &self,
        emit: &mut Emit,
        prepared: &Prepared,
        step: usize,
        given: &dyn Fn(ValueId) -> Given,
        (row, head): (V, Option<V>),
        (scratch, wanted): (Place, &[Place]),
    ) {
        let at = At::new(self, emit, given, row, head);
        self.step(emit, prepared, step, &at, scratch, wanted);
    }

    fn step(&self, emit: &mut Emit, prepared: &Prepared, number: usize, at: &At<'_>, scratch: Place, wanted: &[Place]) {
        let step = &self.steps[number];
        let place = |emit: &mut Emit, source: Source| match source {
            Source::Given(value, reader) => at.given(emit, value, reader),
            Source::Scratch(first) => {
                let first = emit.int(first as i64);
                scratch.offset(emit, first)
            }
            Source::Wanted(number) => wanted[number],
        };
        let out = place(emit, step.out);
        match &step.work {
            Work::Expression { expression, operands } => {
                let operands: Vec<Place> = operands.iter().map(|&operand| place(emit, operand)).collect();
                expression.emit(emit, &self.target, &operands, out);
            }
            Work::RmsNorm { eps, vectors, x, weight } => {
                let (x, weight) = (place(emit, *x), place(emit, *weight));
                vectors.rms_norm(emit, *eps, x, weight, out);
            }
            Work::L2Norm { eps, vectors, x } => {
                let x = place(emit, *x);
                vectors.l2_norm(emit, *eps, x, out);
            }
            Work::Rotary { rotation, x, position } => {
                let (x, position) = (place(emit, *x), place(emit, *position));
                let position = emit.load_index(position.pointer, position.first);
                let before = &self.steps[..number];
                let before = before.iter().filter(|step| matches!(step.work, Work::Rotary { .. })).count();
                if let Some(&frequencies) = prepared.frequencies.get(before) {
                    rotation.emit(emit, frequencies, position, x, out);
                }
            }
            Work::Combine { elements, slot, weight, parts } => {
                let (slot, weight) = (place(emit, *slot), place(emit, *weight));
                let parts: Vec<Place> = parts.iter().map(|&part| place(emit, part)).collect();
                // A token has all its slots or none.
                let any = emit.load_index(slot.pointer, slot.first);
                let zero = emit.int(0);
                let real = emit.compare(Compare::GreaterEqual, any, zero);
                weighted_sum(emit, &self.target, *elements, (real, weight, &parts), out);
            }
            Work::Copy { elements, x } => {
                let x = place(emit, *x);
                copy_row(emit, &self.target, *elements, x, out);
            }
        }
    }
}

/// A wanted value that is a row of a given one.
#[derive(Clone, Copy)]
pub(crate) struct Address<'a> {
    row_wise: &'a RowWise,
    value: ValueId,
    reader: usize,
}

impl Address<'_> {
    /// Where row `row` of the wanted value lies, of head `head` where sliced.
    pub(crate) fn locate(self, emit: &mut Emit, given: &dyn Fn(ValueId) -> Given, row: V, head: Option<V>) -> Place {
        At::new(self.row_wise, emit, given, row, head).given(emit, self.value, self.reader)
    }
}

/// The row that is being made.
struct At<'a> {
    row_wise: &'a RowWise,
    given: &'a dyn Fn(ValueId) -> Given,
    /// The row number of each reader.
    rows: Vec<V>,
    head: Option<V>,
}

impl<'a> At<'a> {
    fn new(
        row_wise: &'a RowWise,
        emit: &mut Emit,
        given: &'a dyn Fn(ValueId) -> Given,
        row: V,
        head: Option<V>,
    ) -> At<'a> {
        let mut at = At { row_wise, given, rows: Vec::new(), head };
        for &reader in &row_wise.readers {
            let row = match reader {
                Reader::Own => row,
                Reader::Picked { numbers, of, entry } => {
                    let entry = emit.int(entry as i64);
                    let place = at.given(emit, numbers, of).offset(emit, entry);
                    let number = emit.load_index(place.pointer, place.first);
                    let zero = emit.int(0);
                    emit.max(number, zero)
                }
            };
            at.rows.push(row);
        }
        at
    }

    /// The row (or slice) of a given value that a reader reads.
    fn given(&self, emit: &mut Emit, value: ValueId, reader: usize) -> Place {
        let pointer = match (self.given)(value) {
            Given::Row(place) => return place,
            Given::Buffer(pointer) => pointer,
        };
        let Some(&Lies { has_rows, row, slice, heads }) = self.row_wise.given.get(&value) else {
            return Place::start(emit, pointer);
        };
        let place =
            if has_rows { Place::row(emit, pointer, self.rows[reader], row) } else { Place::start(emit, pointer) };
        let (Some(head), true) = (self.head, row > slice) else { return place };
        let own = emit.mul_const(head, heads);
        let own = emit.div_const(own, self.row_wise.heads);
        place.entry(emit, own, slice)
    }
}
