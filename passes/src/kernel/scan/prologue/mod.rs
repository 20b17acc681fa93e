//! What makes a scan's inputs for the tokens of a turn, right before the recurrence reads them.
//!
//! A prologue works within one head. What is row-wise is left to [`RowWise`], in levels: the first makes what
//! convolutions read, the next what is made of that, the last the scan's inputs, which have a row of scratch memory for
//! each token of the turn. A convolution keeps its last inputs in a ring of rows, which is filled from the window when a
//! segment begins and becomes the window when it ends.
//!
//! Each step is done for some tokens before the next, so that what one token has to wait for, as the sum of a norm, is
//! waited for by all of them together, while what they leave for the next step fits the first-level cache.
//!
//! A window is changed in place, so one item of the launch must do all of a head's work on a segment. Each token's
//! arithmetic is the same wherever a turn begins.

use std::collections::{BTreeMap, BTreeSet};

use mom_dialect::{
    graph::{Body, Op, OpKind, ValueId},
    shape::{Axis, DType},
};

use crate::{
    kernel::fused::row_wise::{RowWise, Slice},
    target::Target,
};

mod code;

pub(crate) use code::{Item, Ready};

/// Rows of scratch memory begin at multiples of so many elements, a cache line.
const LINE: usize = 16;
/// Tokens that a step is done for at a time.
const BATCH: usize = 4;

/// A convolution along the segment.
#[derive(Clone, Debug)]
struct Convolution {
    /// What it makes.
    result: ValueId,
    /// Buffers `[tap, heads, …]` and `[B, memory, tap, heads, …]`.
    weight: usize,
    window: usize,
    taps: usize,
    /// Elements of one head.
    elements: usize,
}

impl Convolution {
    /// Rows of the ring, which holds what the first token of a batch needs beside the inputs of all: a power of two, so
    /// that wrapping costs nothing.
    fn rows(&self) -> usize {
        (self.taps + BATCH - 1).next_power_of_two()
    }
}

/// Row-wise steps, and where what they make goes.
#[derive(Clone, Debug)]
struct Level {
    rows: RowWise,
    wanted: Wanted,
}

#[derive(Clone, Debug)]
enum Wanted {
    /// Into the rings of these convolutions.
    Rings(Vec<Convolution>),
    /// Into the results, which have so many elements.
    Results(Vec<usize>),
}

/// Makes inputs of a scan.
#[derive(Clone, Debug)]
pub(crate) struct Prologue {
    /// Heads of the scan.
    heads: usize,
    /// Buffers of the operands that are read.
    operands: BTreeMap<ValueId, usize>,
    /// The buffer that tells padding, which is skipped.
    position: Option<usize>,
    levels: Vec<Level>,
}

/// The scan that a prologue belongs to, as values of its body.
pub(crate) struct Stream<'b> {
    pub(crate) heads: usize,
    /// Segments and, where padding is told apart, positions.
    pub(crate) operands: &'b [ValueId],
    /// Operands that are changed in place.
    pub(crate) changed: &'b [ValueId],
}

impl Prologue {
    /// The prologue that makes `inputs`, all different, and the windows after the step that it leaves behind.
    ///
    /// # Errors
    /// What cannot be made for one head and one token after the other, in words.
    pub(crate) fn new(
        target: &Target,
        body: &Body,
        stream: &Stream<'_>,
        inputs: &[ValueId],
    ) -> Result<(Prologue, Vec<ValueId>), String> {
        let mut planner = Planner::new(target, body, stream);
        for &input in inputs {
            planner.depth(input)?;
        }
        planner.levels(inputs)
    }

    /// Whether one item must do all of a head's work on a segment.
    pub(crate) fn has_windows(&self) -> bool {
        self.convolutions().next().is_some()
    }

    fn convolutions(&self) -> impl Iterator<Item = &Convolution> {
        self.levels.iter().flat_map(|level| match &level.wanted {
            Wanted::Rings(convolutions) => convolutions.as_slice(),
            Wanted::Results(_) => &[],
        })
    }

    fn results(&self) -> impl Iterator<Item = usize> {
        self.levels.iter().flat_map(|level| match &level.wanted {
            Wanted::Rings(_) => Vec::new(),
            Wanted::Results(elements) => elements.clone(),
        })
    }

    /// The cost of one token of one head, roughly.
    pub(crate) fn token_ns(&self) -> u64 {
        let convolutions = self.convolutions().map(|convolution| (convolution.taps * convolution.elements / 16) as u64);
        self.levels.iter().map(|level| level.rows.cost_ns()).chain(convolutions).sum()
    }

    /// Elements of scratch memory: how many tokens the rings have seen and the numbers of a batch's tokens, rows of the
    /// steps, rings and rows of the convolutions, results for turns of `turn` tokens.
    fn rooms(&self, turn: usize) -> Vec<usize> {
        let convolutions = self.convolutions().flat_map(|own| [own.rows() * own.elements, BATCH * own.elements]);
        let results = self.results().map(|elements| turn * elements);
        let all = [1 + BATCH, BATCH * self.scratch()].into_iter().chain(convolutions).chain(results);
        all.map(|room| room.next_multiple_of(LINE)).collect()
    }

    /// Elements of scratch memory that the steps of one token need.
    fn scratch(&self) -> usize {
        self.levels.iter().map(|level| level.rows.scratch()).max().unwrap_or(0)
    }

    /// Elements of scratch memory for turns of `turn` tokens.
    pub(crate) fn room(&self, turn: usize) -> usize {
        self.rooms(turn).iter().sum()
    }
}

/// Sorts what is to be made into levels.
struct Planner<'b> {
    target: &'b Target,
    body: &'b Body,
    stream: &'b Stream<'b>,
    makers: BTreeMap<ValueId, &'b Op>,
    /// How many convolutions one after the other a value needs.
    depths: BTreeMap<ValueId, usize>,
    /// By their results, each with how many it needs.
    convolutions: BTreeMap<ValueId, (&'b Op, usize)>,
}

impl<'b> Planner<'b> {
    fn new(target: &'b Target, body: &'b Body, stream: &'b Stream<'b>) -> Planner<'b> {
        let makers = body.ops.iter().flat_map(|op| op.results.iter().map(move |&result| (result, op))).collect();
        Planner { target, body, stream, makers, depths: BTreeMap::new(), convolutions: BTreeMap::new() }
    }

    fn depth(&mut self, value: ValueId) -> Result<usize, String> {
        if let Some(&known) = self.depths.get(&value) {
            return Ok(known);
        }
        let Some(&op) = self.makers.get(&value) else { return Ok(0) };
        let mut depth = 0;
        for &operand in &op.operands {
            depth = depth.max(self.depth(operand)?);
        }
        if op.kind == OpKind::ShortConv {
            if value != op.results[0] {
                return Err("a window is read by what moves it on".into());
            }
            self.convolutions.insert(value, (op, depth));
            depth += 1;
        }
        self.depths.insert(value, depth);
        Ok(depth)
    }

    fn levels(self, inputs: &[ValueId]) -> Result<(Prologue, Vec<ValueId>), String> {
        let heads = self.stream.heads;
        let slice = Slice { axis: "head".into(), heads };
        let made: Vec<ValueId> = self.convolutions.keys().copied().collect();
        let mut windows = Vec::new();
        let mut levels = Vec::new();
        let depths: BTreeSet<usize> = self.convolutions.values().map(|(_, depth)| *depth).collect();
        for depth in depths {
            let own = self.convolutions.values().filter(|(_, own)| *own == depth);
            let (mut wanted, mut convolutions) = (Vec::new(), Vec::new());
            for (op, _) in own {
                convolutions.push(self.convolution(op)?);
                wanted.push(op.operands[0]);
                windows.push(op.results[1]);
            }
            let rows = RowWise::new(self.target, self.body, &wanted, &made, Some(&slice))?;
            levels.push(Level { rows, wanted: Wanted::Rings(convolutions) });
        }
        let rows = RowWise::new(self.target, self.body, inputs, &made, Some(&slice))?;
        let elements = inputs.iter().map(|&input| self.part(input).1).collect();
        levels.push(Level { rows, wanted: Wanted::Results(elements) });
        let mut operands = BTreeMap::new();
        for value in levels.iter().flat_map(|level| level.rows.reads()).filter(|value| !made.contains(value)) {
            operands.insert(value, self.operand(value)?);
        }
        let position = self.stream.operands.get(1).map(|&position| self.operand(position)).transpose()?;
        Ok((Prologue { heads, operands, position, levels }, windows))
    }

    /// The number of the buffer of an operand that is not changed in place.
    fn operand(&self, value: ValueId) -> Result<usize, String> {
        if self.stream.changed.contains(&value) {
            return Err("a state that the launch changes is read by what makes the scan's inputs".into());
        }
        buffer(self.body, value)
    }

    /// Heads that a value has, and the elements of one.
    fn part(&self, value: ValueId) -> (usize, usize) {
        let ty = self.body.ty(value);
        let heads = ty.axis("head").and_then(Axis::size).unwrap_or(1);
        (heads, ty.row_elements() / heads.max(1))
    }

    fn convolution(&self, op: &Op) -> Result<Convolution, String> {
        if op.operands[3..] != *self.stream.operands {
            return Err("a short convolution goes along other segments than the scan".into());
        }
        let (heads, elements) = self.part(op.operands[0]);
        if heads != self.stream.heads {
            return Err(format!(
                "a short convolution makes inputs for {heads} heads, which the scan's {} share: several items would \
                 change one window",
                self.stream.heads
            ));
        }
        let weight = self.body.ty(op.operands[1]);
        if weight.dtype != DType::F32 {
            return Err("the weight of a short convolution is not of single precision".into());
        }
        Ok(Convolution {
            result: op.results[0],
            weight: self.operand(op.operands[1])?,
            window: buffer(self.body, op.operands[2])?,
            taps: weight.axes.last().and_then(Axis::size).unwrap_or(1),
            elements,
        })
    }
}

/// The number of an operand's buffer.
///
/// # Errors
/// Where the value is no operand of the body.
pub(crate) fn buffer(body: &Body, value: ValueId) -> Result<usize, String> {
    let found = body.arguments().iter().position(|&argument| argument == value);
    found.ok_or_else(|| "a state, a weight or the bounds of segments are computed in the launch that needs them".into())
}
