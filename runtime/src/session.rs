//! A model in memory, and sessions that feed it tokens.
//!
//! A session holds the states of a fixed number of sequences and nothing that grows with their length, but for the
//! caches of attention without a window. Results depend neither on how tokens are cut into steps nor on what the other
//! sequences are.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    artifact::Module,
    blocks::{self, Block, Cutter, Piece, Rows},
    buffer::zeros,
    buffers::{Buffers, shortage},
    cpu::{Device, Program},
    error::Error,
    memory::Memory,
    pack::Packed,
    plan::{Plan, Sizes},
    validate::PER_ROW,
};

/// A compiled model with its weights. Cloning is cheap; clones share everything.
#[derive(Clone)]
pub struct Model {
    inner: Arc<Inner>,
}

struct Inner {
    module: Module,
    device: Device,
    params: Vec<Arc<Packed>>,
    weight_bytes: u64,
}

impl Model {
    pub(crate) fn new(module: Module, device: Device, params: Vec<Arc<Packed>>) -> Model {
        let mut distinct: Vec<&Arc<Packed>> = Vec::new();
        for packed in &params {
            if !distinct.iter().any(|other| Arc::ptr_eq(other, packed)) {
                distinct.push(packed);
            }
        }
        let weight_bytes = distinct.iter().map(|packed| packed.bytes()).sum();
        Model { inner: Arc::new(Inner { module, device, params, weight_bytes }) }
    }

    /// What the artifact says about the model.
    pub fn plan(&self) -> &Plan {
        self.inner.module.plan()
    }

    /// Where the model runs.
    pub fn device(&self) -> &Device {
        &self.inner.device
    }

    /// What a session's memory consists of.
    pub fn memory(&self) -> Memory {
        self.plan().memory()
    }

    /// One sequence without a token.
    ///
    /// # Errors
    /// E0610 when there is no memory for it.
    pub fn session(&self) -> Result<Session, Error> {
        self.batch(1)
    }

    /// `sequences` sequences without a token, which are stepped together.
    ///
    /// # Errors
    /// E0608 for no sequence, E0610 when there is no memory for so many.
    pub fn batch(&self, sequences: usize) -> Result<Session, Error> {
        if sequences == 0 {
            return Err(Error::Step("a batch needs at least one sequence".into()));
        }
        let buffers = Buffers::new(self.plan(), sequences)?;
        let positions = zeros(sequences).ok_or_else(|| shortage(self.plan(), &buffers.largest))?;
        Ok(Session { model: self.clone(), positions, buffers, block: Block::default(), times: None })
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { module, device, weight_bytes, .. } = &*self.inner;
        let mut structure = formatter.debug_struct("Model");
        structure.field("module", module).field("device", device).field("weight_bytes", weight_bytes);
        structure.finish_non_exhaustive()
    }
}

/// A result of a step: f32 `[rows, columns]`, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Rows, sequence by sequence; those of a sequence in the order of time.
    pub rows: usize,
    /// Elements of a row.
    pub columns: usize,
    /// The elements.
    pub data: Vec<f32>,
}

/// The results of a step, by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outputs {
    tensors: Vec<(String, Tensor)>,
}

impl Outputs {
    /// `logits`, `router_logits.<layer>` or another output of the plan, if the step computed it.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.iter().find(|(other, _)| *other == name).map(|(_, tensor)| tensor)
    }

    /// All results in the plan's order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }
}

/// What sequences have read so far: their states, in constant memory.
#[derive(Debug)]
pub struct Session {
    model: Model,
    /// Real tokens of each sequence so far.
    positions: Vec<usize>,
    buffers: Buffers,
    /// Kept so that a step allocates nothing.
    block: Block,
    /// What each launch took so far, while that is asked for.
    times: Option<Vec<Duration>>,
}

impl Session {
    /// The model that the session runs.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Real tokens that each sequence has read.
    pub fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// Feeds a prompt, or more of it, to the session's one sequence; returns the logits of its last token.
    ///
    /// # Errors
    /// E0608 for an empty prompt or a token out of range, E0610 when there is no memory for the step. The session is then
    /// unchanged.
    pub fn prefill(&mut self, tokens: &[u32]) -> Result<Vec<f32>, Error> {
        self.prefill_with(tokens, &mut |_, _| ())
    }

    /// As [`Session::prefill`]; calls `progress` with the number of tokens done and of all.
    ///
    /// # Errors
    /// As for [`Session::prefill`].
    pub fn prefill_with(&mut self, tokens: &[u32], progress: &mut dyn FnMut(usize, usize)) -> Result<Vec<f32>, Error> {
        let outputs = self.step_with(&[Piece::new(tokens)], Rows::Last, progress)?;
        let logits = outputs.tensors.into_iter().find(|(name, _)| name == "logits");
        logits
            .map(|(_, tensor)| tensor.data)
            .ok_or_else(|| Error::Step(format!("`{}` computes no logits; use `step`", self.model.plan().model)))
    }

    /// Feeds one token to the session's one sequence; returns its logits.
    ///
    /// # Errors
    /// As for [`Session::prefill`].
    pub fn decode(&mut self, token: u32) -> Result<Vec<f32>, Error> {
        self.prefill(&[token])
    }

    /// As [`Session::step`] for the rows of the last tokens, and answers how long each launch of the plan took; pieces
    /// that take several steps have their sum.
    ///
    /// # Errors
    /// As for [`Session::step`].
    pub fn launch_times(&mut self, pieces: &[Piece<'_>]) -> Result<Vec<Duration>, Error> {
        self.times = Some(vec![Duration::ZERO; self.model.plan().launches.len()]);
        let done = self.step(pieces, Rows::Last);
        let times = self.times.take().unwrap_or_default();
        done.map(|_| times)
    }

    /// Feeds each sequence its piece, one piece for each sequence.
    ///
    /// Results with a row for each token, such as router logits, are kept for [`Rows::All`] only: other steps take
    /// constant memory.
    ///
    /// # Errors
    /// E0608 when pieces do not fit the batch, hold no token at all, or a token is out of range; E0610 when
    /// there is no memory for the step or its results. The session is then unchanged.
    pub fn step(&mut self, pieces: &[Piece<'_>], rows: Rows) -> Result<Outputs, Error> {
        self.step_with(pieces, rows, &mut |_, _| ())
    }

    /// As [`Session::step`]; calls `progress` with the number of tokens done and of all, padding included.
    ///
    /// # Errors
    /// As for [`Session::step`].
    pub fn step_with(
        &mut self,
        pieces: &[Piece<'_>],
        rows: Rows,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Outputs, Error> {
        let inner = self.model.inner.clone();
        let plan = inner.module.plan();
        blocks::check(pieces, &self.positions, plan.vocab_size)?;
        let total = pieces.iter().map(|piece| piece.tokens.len()).sum();
        let ends = pieces.iter().zip(&self.positions).map(|(piece, position)| position + piece.real());
        let mut cutter = Cutter::new(pieces, rows, plan.block_tokens);
        let largest = Sizes {
            tokens: plan.block_tokens.min(total),
            sequences: pieces.len(),
            rows: cutter.row_count().min(plan.block_tokens),
            context: plan.context_capacity(ends.max().unwrap_or(0)),
        };
        let mut outputs = kept_outputs(plan, rows, cutter.row_count())?;
        self.buffers.reserve(plan, &largest, &self.positions)?;
        if !self.block.reserve(&largest) {
            return Err(shortage(plan, &largest));
        }

        let mut done = 0;
        let program = Program { plan, kernels: inner.module.code(), params: &inner.params };
        while cutter.next(&mut self.block, &mut self.positions) {
            let sizes = Sizes {
                tokens: self.block.tokens.len(),
                rows: self.block.rows.len(),
                sequences: pieces.len(),
                context: self.buffers.largest.context,
            };
            self.buffers.set_inputs(&self.block);
            match &mut self.times {
                Some(times) => program.run_timed(&inner.device, &mut self.buffers, &sizes, times),
                None => program.run(&inner.device, &mut self.buffers, &sizes),
            }
            for (index, tensor) in &mut outputs {
                let rows = plan.outputs[*index].rows.at(&sizes);
                tensor.rows += rows;
                tensor.data.extend_from_slice(&self.buffers.output(*index)[..rows * tensor.columns]);
            }
            done += sizes.tokens;
            progress(done, total);
        }
        let tensors = outputs.into_iter().map(|(index, tensor)| (plan.outputs[index].name.clone(), tensor)).collect();
        Ok(Outputs { tensors })
    }

    /// What a state holds, `[B, elements]`.
    ///
    /// A cache without a window is given as `[B, length of the longest sequence, elements]`; what is beyond the end of
    /// a sequence is zero.
    ///
    /// # Errors
    /// E0608 for a name that the model has not, E0610 when there is no memory for a copy.
    pub fn state(&self, name: &str) -> Result<Vec<f32>, Error> {
        let plan = self.model.plan();
        let found = plan.parts().find(|(_, part)| part.name == name);
        let (index, part) = found.ok_or_else(|| Error::Step(format!("`{}` has no state `{name}`", plan.model)))?;
        let sequences = || self.buffers.part(plan, (index, part), &self.positions);
        let longest = sequences().map(|tokens| tokens.len() * part.elements).max().unwrap_or(0);
        let copy = longest.checked_mul(self.positions.len()).and_then(zeros);
        let mut copy: Vec<f32> = copy.ok_or_else(|| self.no_copy(&format!("a copy of the state `{name}`")))?;
        for (to, from) in copy.chunks_mut(longest.max(1)).zip(sequences()) {
            to.chunks_exact_mut(part.elements).zip(from).for_each(|(to, from)| to.copy_from_slice(from));
        }
        Ok(copy)
    }

    /// Copies all states, to come back to with [`Session::rollback`].
    ///
    /// # Errors
    /// E0610 when there is no memory for the copy.
    pub fn checkpoint(&self) -> Result<Checkpoint, Error> {
        let plan = self.model.plan();
        let states = (0..plan.states.len()).map(|index| joined(|| self.buffers.state(plan, index, &self.positions)));
        let parts: (Option<Vec<_>>, _) = (states.collect(), joined(|| [self.positions.as_slice()].into_iter()));
        let (Some(states), Some(positions)) = parts else { return Err(self.no_copy("a checkpoint")) };
        Ok(Checkpoint { model: self.model.clone(), positions, states })
    }

    fn no_copy(&self, what: &str) -> Error {
        Error::Memory {
            what: format!("{what} beside a session of `{}`", self.model.plan().model),
            bytes: self.allocated_bytes(),
            help: "drop checkpoints and sessions that are no longer needed, or use fewer sequences".into(),
        }
    }

    /// Makes all states what they were at the checkpoint, bit by bit. It may come from another session of the same
    /// model with as many sequences, so that several sessions continue one prompt.
    ///
    /// # Errors
    /// E0609 when the checkpoint is of another model or another number of sequences, E0610 when there is no memory for
    /// its caches. The session is then unchanged.
    pub fn rollback(&mut self, checkpoint: &Checkpoint) -> Result<(), Error> {
        if !Arc::ptr_eq(&self.model.inner, &checkpoint.model.inner) {
            return Err(Error::Checkpoint("the checkpoint was taken with another bound model".into()));
        }
        let [found, batch] = [checkpoint.positions.len(), self.positions.len()];
        if found != batch {
            return Err(Error::Checkpoint(format!(
                "the checkpoint holds {found} sequences, the session {batch}; roll back a session of {found}"
            )));
        }
        let plan = self.model.inner.module.plan();
        let longest = checkpoint.positions.iter().copied().max().unwrap_or(0);
        let sizes = Sizes { context: plan.context_capacity(longest), ..self.buffers.largest };
        self.buffers.reserve(plan, &sizes, &self.positions)?;
        self.positions.copy_from_slice(&checkpoint.positions);
        for (index, values) in checkpoint.states.iter().enumerate() {
            self.buffers.set_state(plan, index, &self.positions, values);
        }
        Ok(())
    }

    /// Bytes that the session has allocated, the weights it shares with others included. Always what [`Plan::bytes`]
    /// says of [`Session::largest_step`].
    pub fn allocated_bytes(&self) -> u64 {
        self.model.inner.weight_bytes + self.buffers.bytes()
    }

    /// The sizes that the session has room for.
    pub fn largest_step(&self) -> Sizes {
        self.buffers.largest
    }
}

/// All states of a session at one moment.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    model: Model,
    positions: Vec<usize>,
    /// For each state what [`Buffers::state`] gave, one sequence after the other.
    states: Vec<Vec<f32>>,
}

impl Checkpoint {
    /// Real tokens that each sequence had read.
    pub fn positions(&self) -> &[usize] {
        &self.positions
    }
}

/// Empty tensors with room for the `count` rows of the outputs that a step keeps, with their places in the plan.
fn kept_outputs(plan: &Plan, rows: Rows, count: usize) -> Result<Vec<(usize, Tensor)>, Error> {
    let kept = || plan.outputs.iter().enumerate().filter(|(_, output)| rows == Rows::All || output.rows == PER_ROW);
    let tensors = kept().map(|(index, output)| {
        let mut data = Vec::new();
        data.try_reserve_exact(count.checked_mul(output.columns)?).ok()?;
        Some((index, Tensor { rows: 0, columns: output.columns, data }))
    });
    tensors.collect::<Option<_>>().ok_or_else(|| {
        let columns = kept().fold(0u64, |sum, (_, output)| sum.saturating_add(output.columns as u64));
        Error::Memory {
            what: format!("the results of {count} rows of `{}`", plan.model),
            bytes: columns.saturating_mul(count as u64).saturating_mul(4),
            help: "give the tokens in several steps, or ask for the rows of the last tokens only".into(),
        }
    })
}

/// All slices one after the other; none where there is no memory for a copy.
fn joined<'a, T: Copy + 'a, I: Iterator<Item = &'a [T]>>(slices: impl Fn() -> I) -> Option<Vec<T>> {
    let mut joined = Vec::new();
    joined.try_reserve_exact(slices().map(<[T]>::len).sum()).ok()?;
    slices().for_each(|slice| joined.extend_from_slice(slice));
    Some(joined)
}
