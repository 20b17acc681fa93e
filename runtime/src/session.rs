//! A model in memory, and sessions that feed it tokens.
//!
//! A session holds the states of a fixed number of sequences and nothing that grows with their length, but for the
//! caches of attention without a window. Results depend neither on how tokens are cut into steps nor on what the other
//! sequences are.

use std::{fmt, sync::Arc};

use crate::{
    artifact::Module,
    blocks::{self, Block, Cutter, Piece, Rows},
    buffers::{Buffers, check_memory},
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
    pub(crate) fn new(module: Module, device: Device, params: Vec<Arc<Packed>>) -> Result<Model, Error> {
        // One sequence is possible in every bound model, so that `session` cannot fail.
        check_memory(module.plan(), &Sizes { sequences: 1, ..Sizes::default() })?;
        let mut distinct: Vec<&Arc<Packed>> = Vec::new();
        for packed in &params {
            if !distinct.iter().any(|other| Arc::ptr_eq(other, packed)) {
                distinct.push(packed);
            }
        }
        let weight_bytes = distinct.iter().map(|packed| packed.bytes()).sum();
        Ok(Model { inner: Arc::new(Inner { module, device, params, weight_bytes }) })
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
    pub fn session(&self) -> Session {
        self.sequences(1)
    }

    /// `sequences` sequences without a token, which are stepped together.
    ///
    /// # Errors
    /// E0608 for no sequence, E0610 for more than memory has addresses for.
    pub fn batch(&self, sequences: usize) -> Result<Session, Error> {
        if sequences == 0 {
            return Err(Error::Step("a batch needs at least one sequence".into()));
        }
        check_memory(self.plan(), &Sizes { sequences, ..Sizes::default() })?;
        Ok(self.sequences(sequences))
    }

    fn sequences(&self, sequences: usize) -> Session {
        let buffers = Buffers::new(self.plan(), sequences);
        Session { model: self.clone(), positions: vec![0; sequences], buffers, block: Block::default() }
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
    /// E0608 for an empty prompt or a token out of range; the session is then unchanged.
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
    /// E0608 for a token out of range.
    pub fn decode(&mut self, token: u32) -> Result<Vec<f32>, Error> {
        self.prefill(&[token])
    }

    /// Feeds each sequence its piece, one piece for each sequence.
    ///
    /// Results with a row for each token, such as router logits, are kept for [`Rows::All`] only: other steps take
    /// constant memory.
    ///
    /// # Errors
    /// E0608 when pieces do not fit the batch, hold no token at all, or a token is out of range; E0610 when the step
    /// cannot fit into memory. The session is then unchanged.
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
            rows: cutter.most_rows(),
            context: plan.context_capacity(ends.max().unwrap_or(0)),
        };
        self.buffers.reserve(plan, &largest, &self.positions)?;

        let mut outputs = kept_outputs(plan, rows);
        let mut done = 0;
        let program = Program { plan, kernels: inner.module.kernels(), params: &inner.params };
        while cutter.next(&mut self.block, &mut self.positions) {
            let sizes = Sizes {
                tokens: self.block.tokens.len(),
                rows: self.block.rows.len(),
                sequences: pieces.len(),
                context: self.buffers.largest.context,
            };
            self.buffers.set_inputs(&self.block);
            program.run(&inner.device, &mut self.buffers, &sizes);
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

    /// What a state holds, `[B, elements]`, or none for a name that the model has not.
    ///
    /// A cache without a window is given as `[B, length of the longest sequence, elements]`; what is beyond the end of
    /// a sequence is zero.
    pub fn state(&self, name: &str) -> Option<Vec<f32>> {
        let plan = self.model.plan();
        let index = plan.states.iter().position(|state| state.name == name)?;
        let sequences = self.buffers.state(plan, index, &self.positions);
        let longest = sequences.iter().map(Vec::len).max().unwrap_or(0);
        let padded = sequences.into_iter().flat_map(|mut values| {
            values.resize(longest, 0.0);
            values
        });
        Some(padded.collect())
    }

    /// Copies all states, to come back to with [`Session::rollback`].
    pub fn checkpoint(&self) -> Checkpoint {
        let plan = self.model.plan();
        Checkpoint {
            model: self.model.clone(),
            positions: self.positions.clone(),
            states: (0..plan.states.len()).map(|index| self.buffers.state(plan, index, &self.positions)).collect(),
        }
    }

    /// Makes all states what they were at the checkpoint, bit by bit. It may come from another session of the same
    /// model with as many sequences, so that several sessions continue one prompt.
    ///
    /// # Errors
    /// E0609 when the checkpoint is of another model or another number of sequences; the session is then unchanged.
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
    /// For each state, for each sequence.
    states: Vec<Vec<Vec<f32>>>,
}

impl Checkpoint {
    /// Real tokens that each sequence had read.
    pub fn positions(&self) -> &[usize] {
        &self.positions
    }
}

/// Empty tensors for the outputs that a step keeps, with their places in the plan.
fn kept_outputs(plan: &Plan, rows: Rows) -> Vec<(usize, Tensor)> {
    let kept = plan.outputs.iter().enumerate().filter(|(_, output)| rows == Rows::All || output.rows == PER_ROW);
    kept.map(|(index, output)| (index, Tensor { rows: 0, columns: output.columns, data: Vec::new() })).collect()
}
