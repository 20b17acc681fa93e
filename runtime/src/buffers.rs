//! The memory of one session: its states, and the workspace, inputs and outputs of its steps.
//!
//! States hold `[B, elements]` or, in caches, `[B, room for tokens, elements]`. The rest is sized for the largest step so
//! far and keeps nothing from one step to the next.

use std::{ffi::c_void, ops::Range, sync::Arc};

use crate::{
    blocks::Block,
    buffer::Aligned,
    error::Error,
    memory::slot_bytes,
    pack::Packed,
    plan::{Buffer, Part, Plan, Sizes, State, StateKind},
};

#[derive(Debug)]
pub(crate) struct Buffers {
    /// Sizes of the largest step; what is allocated is [`Plan::bytes`] of these, less the weights.
    pub(crate) largest: Sizes,
    states: Vec<Aligned<f32>>,
    step: Step,
}

/// What is sized for one step and keeps nothing.
#[derive(Debug)]
struct Step {
    workspace: Aligned<u8>,
    /// Where each slot starts in the workspace.
    offsets: Vec<usize>,
    /// Names and bits, in the plan's order.
    inputs: Vec<(String, Aligned<u32>)>,
    outputs: Vec<Aligned<f32>>,
}

impl Step {
    /// None where there is no memory.
    fn new(plan: &Plan, sizes: &Sizes) -> Option<Step> {
        let mut end = 0usize;
        let mut offsets = Vec::new();
        for slot in &plan.slots {
            offsets.push(end);
            end = end.checked_add(slot_bytes(slot, sizes))?;
        }
        let inputs = plan.inputs.iter();
        let inputs = inputs.map(|input| Some((input.name.clone(), Aligned::new(input.elements.at(sizes))?)));
        let outputs =
            plan.outputs.iter().map(|output| Aligned::new(output.rows.at(sizes).checked_mul(output.columns)?));
        Some(Step {
            workspace: Aligned::new(end)?,
            offsets,
            inputs: inputs.collect::<Option<_>>()?,
            outputs: outputs.collect::<Option<_>>()?,
        })
    }
}

impl Buffers {
    /// States of sequences that have no token yet.
    ///
    /// # Errors
    /// E0610 when there is no memory for them.
    pub(crate) fn new(plan: &Plan, sequences: usize) -> Result<Buffers, Error> {
        let largest = Sizes { sequences, ..Sizes::default() };
        let states = plan.states.iter().map(|state| Aligned::new(sequences.checked_mul(state.room(0))?)).collect();
        let parts: (Option<Vec<_>>, _) = (states, Step::new(plan, &largest));
        let (Some(states), Some(step)) = parts else { return Err(shortage(plan, &largest)) };
        Ok(Buffers { largest, states, step })
    }

    /// Makes room for a step of these sizes.
    ///
    /// # Errors
    /// E0610 when there is no memory for it; nothing has changed then.
    pub(crate) fn reserve(&mut self, plan: &Plan, sizes: &Sizes, positions: &[usize]) -> Result<(), Error> {
        let former = self.largest;
        let largest = Sizes {
            tokens: former.tokens.max(sizes.tokens),
            sequences: former.sequences,
            rows: former.rows.max(sizes.rows),
            context: former.context.max(sizes.context),
        };
        if largest == former {
            return Ok(());
        }
        // All that is new is there before anything former goes, so that a failure changes nothing. Both do not count
        // at the same time: zeros that nobody has written to yet take no memory.
        let grows = |state: &State| state.kind == StateKind::Context && former.context < largest.context;
        let growing = plan.states.iter().enumerate().filter(|(_, state)| grows(state));
        let grown = growing.map(|(index, state)| {
            Some((index, Aligned::new(largest.sequences.checked_mul(state.room(largest.context))?)?))
        });
        let parts: (Option<Vec<_>>, _) = (grown.collect(), Step::new(plan, &largest));
        let (Some(grown), Some(step)) = parts else { return Err(shortage(plan, &largest)) };
        for (index, cache) in grown {
            let contexts = [former.context, largest.context];
            self.states[index] = moved(&self.states[index], cache, &plan.states[index], contexts, positions);
        }
        (self.step, self.largest) = (step, largest);
        Ok(())
    }

    pub(crate) fn set_inputs(&mut self, block: &Block) {
        let Block { tokens, position, cu_seqlens, rows } = block;
        for (name, values) in [("tokens", tokens), ("position", position), ("cu_seqlens", cu_seqlens), ("rows", rows)] {
            self.set_input(name, values.iter().map(|value| value.cast_unsigned()));
        }
    }

    /// Gives an input its first elements, as their bits; nothing where the program reads no such input.
    pub(crate) fn set_input(&mut self, name: &str, bits: impl Iterator<Item = u32>) {
        let input = self.step.inputs.iter_mut().find(|(other, _)| other == name);
        let elements = input.into_iter().flat_map(|(_, input)| input.as_mut_slice());
        elements.zip(bits).for_each(|(element, bits)| *element = bits);
    }

    pub(crate) fn output(&self, index: usize) -> &[f32] {
        self.step.outputs[index].as_slice()
    }

    /// Where a buffer lies; never null.
    pub(crate) fn address(&mut self, buffer: &Buffer, params: &[Arc<Packed>]) -> *mut c_void {
        match buffer {
            Buffer::Param(index) => params[*index].address(),
            Buffer::State(index) => self.states[*index].as_mut_ptr().cast(),
            Buffer::Slot(index) => self.step.workspace.as_mut_ptr().wrapping_add(self.step.offsets[*index]).cast(),
            Buffer::Output(index) => self.step.outputs[*index].as_mut_ptr().cast(),
            Buffer::Input(name) => {
                let index = self.step.inputs.iter().position(|(input, _)| input == name).unwrap_or_default();
                self.step.inputs[index].1.as_mut_ptr().cast()
            }
        }
    }

    /// The addresses of a buffer's elements in a step of these sizes.
    pub(crate) fn range(
        &mut self,
        plan: &Plan,
        buffer: &Buffer,
        params: &[Arc<Packed>],
        sizes: &Sizes,
    ) -> Range<usize> {
        let start = self.address(buffer, params).addr();
        let bytes = match buffer {
            Buffer::Param(index) => params[*index].bytes(),
            Buffer::State(index) => self.states[*index].bytes(),
            Buffer::Slot(index) => 4 * plan.slots[*index].at(sizes) as u64,
            Buffer::Output(index) => self.step.outputs[*index].bytes(),
            Buffer::Input(name) => {
                let input = self.step.inputs.iter().find(|(input, _)| input == name);
                input.map_or(0, |(_, elements)| elements.bytes())
            }
        };
        start..start + bytes as usize
    }

    /// What a state holds for each sequence, without the room that a cache has not used.
    pub(crate) fn state(&self, plan: &Plan, index: usize, positions: &[usize]) -> impl Iterator<Item = &[f32]> {
        let ranges = used(&plan.states[index], self.largest.context, positions);
        ranges.map(move |range| &self.states[index].as_slice()[range])
    }

    /// What a part of a state holds for each sequence, without the room that a cache has not used: slices of the part's
    /// elements, in caches one for each token.
    pub(crate) fn part<'a>(
        &'a self,
        plan: &'a Plan,
        (index, part): (usize, &'a Part),
        positions: &'a [usize],
    ) -> impl Iterator<Item = impl ExactSizeIterator<Item = &'a [f32]>> {
        let elements = plan.states[index].elements;
        let own = move |whole: &'a [f32]| &whole[part.first..part.first + part.elements];
        self.state(plan, index, positions).map(move |sequence| sequence.chunks_exact(elements).map(own))
    }

    /// Gives a part of a state its values, of the form of [`Buffers::part`], one after the other.
    pub(crate) fn set_part(&mut self, plan: &Plan, (index, part): (usize, &Part), positions: &[usize], values: &[f32]) {
        let mut values = values.chunks_exact(part.elements);
        let state = &plan.states[index];
        for range in used(state, self.largest.context, positions) {
            let wholes = self.states[index].as_mut_slice()[range].chunks_exact_mut(state.elements);
            for (whole, values) in wholes.zip(&mut values) {
                whole[part.first..part.first + part.elements].copy_from_slice(values);
            }
        }
    }

    /// Puts back what [`Buffers::state`] gave for the same positions, one sequence after the other.
    pub(crate) fn set_state(&mut self, plan: &Plan, index: usize, positions: &[usize], mut values: &[f32]) {
        for range in used(&plan.states[index], self.largest.context, positions) {
            let (sequence, rest) = values.split_at(range.len());
            self.states[index].as_mut_slice()[range].copy_from_slice(sequence);
            values = rest;
        }
    }

    /// Bytes that are allocated.
    pub(crate) fn bytes(&self) -> u64 {
        let Step { workspace, inputs, outputs, .. } = &self.step;
        let floats = self.states.iter().chain(outputs).map(Aligned::bytes);
        floats.chain(inputs.iter().map(|(_, input)| input.bytes())).sum::<u64>() + workspace.bytes()
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

/// The cache with more room, filled with what the former one holds.
fn moved(
    former: &Aligned<f32>,
    mut larger: Aligned<f32>,
    state: &State,
    contexts: [usize; 2],
    positions: &[usize],
) -> Aligned<f32> {
    let [from, to] = contexts.map(|context| used(state, context, positions));
    for (from, to) in from.zip(to) {
        larger.as_mut_slice()[to].copy_from_slice(&former.as_slice()[from]);
    }
    larger
}

/// There is no memory for a session of these sizes.
pub(crate) fn shortage(plan: &Plan, sizes: &Sizes) -> Error {
    let Sizes { tokens, sequences, context, .. } = sizes;
    let sequences = if *sequences == 1 { "a sequence".into() } else { format!("{sequences} sequences") };
    let mut what = format!("{sequences} of `{}`", plan.model);
    if *context > 0 {
        what += &format!(" with room for {context} tokens each");
    }
    if *tokens > 0 {
        what += &format!(" in steps of {tokens} tokens");
    }
    let advice = "use fewer or shorter sequences, or compile the model with smaller `block_tokens` or windows";
    let help = format!("{advice}:\n  - a session takes {}", plan.memory_formula());
    Error::Memory { what, bytes: plan.bytes(sizes), help }
}
