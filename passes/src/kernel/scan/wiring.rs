//! How a scan meets its launch: which buffers it works on, and where a turn of tokens finds the scan's inputs.
//!
//! A *turn* is some tokens of one segment that follow each other. An input lies either in a buffer of the launch, in rows
//! of all heads, or in scratch memory, where a [`Prologue`] made it for one head and the tokens of the turn.

use super::prologue::{Prologue, Ready};
use crate::emit::{Emit, V};

/// Where an input lies.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// The number of a buffer `[R, heads, …]`.
    Buffer(usize),
    /// The number of one of the prologue's results, `[token of the turn, …]`.
    Prologue(usize),
}

/// Numbers of buffers, and what goes before the recurrence.
#[derive(Clone, Debug)]
pub(crate) struct Wiring {
    pub(crate) inputs: Vec<Source>,
    pub(crate) parameters: Vec<usize>,
    pub(crate) states: Vec<usize>,
    pub(crate) segments: usize,
    pub(crate) position: Option<usize>,
    pub(crate) outputs: Vec<usize>,
    pub(crate) prologue: Option<Prologue>,
}

impl Wiring {
    /// Inputs, parameters, states, segments, (position,) outputs: a scan alone.
    pub(crate) fn plain(inputs: usize, parameters: usize, states: usize, masked: bool, outputs: usize) -> Wiring {
        let mut number = 0;
        let mut next = |count: usize| -> Vec<usize> {
            number += count;
            (number - count..number).collect()
        };
        Wiring {
            inputs: next(inputs).into_iter().map(Source::Buffer).collect(),
            parameters: next(parameters),
            states: next(states),
            segments: next(1)[0],
            position: next(usize::from(masked)).first().copied(),
            outputs: next(outputs),
            prologue: None,
        }
    }

    /// Whether an input is made by the prologue.
    pub(crate) fn is_made(&self, input: usize) -> bool {
        matches!(self.inputs.get(input), Some(Source::Prologue(_)))
    }

    /// Elements of scratch memory for turns of `turn` tokens.
    pub(crate) fn room(&self, turn: usize) -> usize {
        self.prologue.as_ref().map_or(0, |prologue| prologue.room(turn))
    }

    /// Whether one item must do all of a head's work on a segment.
    pub(crate) fn is_whole(&self) -> bool {
        self.prologue.as_ref().is_some_and(Prologue::has_windows)
    }

    /// The cost of one token of one head before the recurrence, roughly.
    pub(crate) fn token_ns(&self) -> u64 {
        self.prologue.as_ref().map_or(0, Prologue::token_ns)
    }

    /// Addresses of the inputs: of buffers, or of the rows of the turn's first token.
    pub(crate) fn inputs(&self, emit: &mut Emit, prologue: Option<&Ready<'_>>) -> Vec<V> {
        let address = |source: &Source| match (*source, prologue) {
            (Source::Buffer(number), _) => Some(emit.buffer(number)),
            (Source::Prologue(result), prologue) => prologue.map(|prologue| prologue.result(result)),
        };
        self.inputs.iter().filter_map(address).collect()
    }
}
