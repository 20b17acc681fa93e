//! The memory of one session: its states, and the workspace, inputs and outputs of its steps.
//!
//! States hold `[B, elements]` or, in caches, `[B, room for tokens, elements]`. The rest is sized for the largest step so
//! far and keeps nothing from one step to the next.

use std::{ffi::c_void, ops::Range, sync::Arc};

use crate::{
    blocks::Block,
    buffer::Aligned,
    error::Error,
    memory::{input_elements, slot_bytes},
    pack::Packed,
    plan::{Buffer, Plan, Sizes, State, StateKind},
    validate::INPUTS,
};

#[derive(Debug)]
pub(crate) struct Buffers {
    /// Sizes of the largest step; what is allocated is [`Plan::bytes`] of these, less the weights.
    pub(crate) largest: Sizes,
    states: Vec<Aligned<f32>>,
    workspace: Aligned<u8>,
    /// Where each slot starts in the workspace.
    offsets: Vec<usize>,
    /// In the order of [`INPUTS`].
    inputs: Vec<Aligned<i32>>,
    outputs: Vec<Aligned<f32>>,
}

impl Buffers {
    /// States of sequences that have no token yet.
    pub(crate) fn new(plan: &Plan, sequences: usize) -> Buffers {
        let largest = Sizes { sequences, ..Sizes::default() };
        let states = plan.states.iter().map(|state| Aligned::new(sequences * state.room(0))).collect();
        let mut buffers = Buffers {
            largest,
            states,
            workspace: Aligned::new(0),
            offsets: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        buffers.allocate_step(plan);
        buffers
    }

    /// Makes room for a step of these sizes.
    pub(crate) fn reserve(&mut self, plan: &Plan, sizes: &Sizes, positions: &[usize]) -> Result<(), Error> {
        let largest = Sizes {
            tokens: self.largest.tokens.max(sizes.tokens),
            sequences: self.largest.sequences,
            rows: self.largest.rows.max(sizes.rows),
            context: self.largest.context.max(sizes.context),
        };
        if largest == self.largest {
            return Ok(());
        }
        check_memory(plan, &largest)?;
        let former = std::mem::replace(&mut self.largest, largest);
        if former.context < largest.context {
            for (state, buffer) in plan.states.iter().zip(&mut self.states) {
                if state.kind == StateKind::Context {
                    grow(buffer, state, [former.context, largest.context], positions);
                }
            }
        }
        self.allocate_step(plan);
        Ok(())
    }

    fn allocate_step(&mut self, plan: &Plan) {
        // The former buffers go first, so that both do not count at the same time.
        self.workspace = Aligned::new(0);
        self.inputs.clear();
        self.outputs.clear();
        let sizes = self.largest;
        let mut end = 0;
        self.offsets.clear();
        for slot in &plan.slots {
            self.offsets.push(end);
            end += slot_bytes(slot, &sizes);
        }
        self.workspace = Aligned::new(end);
        self.inputs.extend(INPUTS.map(|input| Aligned::new(input_elements(input).at(&sizes))));
        self.outputs.extend(plan.outputs.iter().map(|output| Aligned::new(output.rows.at(&sizes) * output.columns)));
    }

    pub(crate) fn set_inputs(&mut self, block: &Block) {
        let values = [&block.tokens, &block.position, &block.cu_seqlens, &block.rows];
        for (buffer, values) in self.inputs.iter_mut().zip(values) {
            buffer.as_mut_slice()[..values.len()].copy_from_slice(values);
        }
    }

    pub(crate) fn output(&self, index: usize) -> &[f32] {
        self.outputs[index].as_slice()
    }

    /// Where a buffer lies; never null.
    pub(crate) fn address(&mut self, buffer: &Buffer, params: &[Arc<Packed>]) -> *mut c_void {
        match buffer {
            Buffer::Param(index) => params[*index].address(),
            Buffer::State(index) => self.states[*index].as_mut_ptr().cast(),
            Buffer::Slot(index) => self.workspace.as_mut_ptr().wrapping_add(self.offsets[*index]).cast(),
            Buffer::Output(index) => self.outputs[*index].as_mut_ptr().cast(),
            Buffer::Input(name) => {
                let index = INPUTS.iter().position(|input| input == name).unwrap_or_default();
                self.inputs[index].as_mut_ptr().cast()
            }
        }
    }

    /// What a state holds for each sequence, without the room that a cache has not used.
    pub(crate) fn state(&self, plan: &Plan, index: usize, positions: &[usize]) -> Vec<Vec<f32>> {
        let ranges = used(&plan.states[index], self.largest.context, positions);
        ranges.map(|range| self.states[index].as_slice()[range].to_vec()).collect()
    }

    /// Puts back what [`Buffers::state`] gave for the same positions.
    pub(crate) fn set_state(&mut self, plan: &Plan, index: usize, positions: &[usize], values: &[Vec<f32>]) {
        let ranges = used(&plan.states[index], self.largest.context, positions);
        for (range, values) in ranges.zip(values) {
            self.states[index].as_mut_slice()[range].copy_from_slice(values);
        }
    }

    /// Bytes that are allocated.
    pub(crate) fn bytes(&self) -> u64 {
        let floats = self.states.iter().chain(&self.outputs).map(Aligned::bytes);
        floats.chain(self.inputs.iter().map(Aligned::bytes)).sum::<u64>() + self.workspace.bytes()
    }
}

/// Where each sequence's part of a state lies, as far as it is in use.
fn used<'a>(state: &State, context: usize, positions: &'a [usize]) -> impl Iterator<Item = Range<usize>> + 'a {
    let (stride, elements, grows) = (state.room(context), state.elements, state.kind == StateKind::Context);
    positions.iter().enumerate().map(move |(sequence, &position)| {
        let start = sequence * stride;
        start..start + if grows { position * elements } else { stride }
    })
}

/// Moves a cache to one with more room.
fn grow(buffer: &mut Aligned<f32>, state: &State, context: [usize; 2], positions: &[usize]) {
    let [former, larger] = context;
    let mut grown = Aligned::new(positions.len() * state.room(larger));
    for (from, to) in used(state, former, positions).zip(used(state, larger, positions)) {
        grown.as_mut_slice()[to].copy_from_slice(&buffer.as_slice()[from]);
    }
    *buffer = grown;
}

/// Whether what a session of these sizes allocates has addresses at all.
pub(crate) fn check_memory(plan: &Plan, sizes: &Sizes) -> Result<(), Error> {
    let bytes = plan.bytes(sizes);
    if bytes > isize::MAX as u64 {
        return Err(Error::Memory { what: format!("{} sequences of `{}`", sizes.sequences, plan.model), bytes });
    }
    Ok(())
}
