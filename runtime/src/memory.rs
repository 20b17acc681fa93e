//! How much memory a session takes, known from the plan alone.
//!
//! [`Plan::bytes`] is exactly what a session allocates, the weights included; beside it every thread that runs kernels has
//! [`Plan::thread_bytes`](crate::plan::Plan::thread_bytes). KB, MB and GB are powers of 1000.

use crate::{
    bind::earlier,
    buffer::ALIGNMENT,
    plan::{Linear, Plan, Sizes, State, StateKind},
};

/// The least tokens that a cache without a window has room for.
const LEAST_CONTEXT: usize = 64;

/// What a session's memory consists of, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Parameters as they are bound; shared by all sessions of a model.
    pub weights_bytes: u64,
    /// States of one sequence that do not grow with its length.
    pub state_bytes_per_sequence: u64,
    /// Caches of attention without a window, for one token of one sequence.
    pub cache_bytes_per_token: u64,
    /// Workspace, inputs and outputs of a step.
    pub step: Linear,
    /// What each thread that runs kernels works in beside the workspace; shared by all sessions of a model. These are the
    /// threads of the device, if it has several, and those that ask for steps, which take part in them.
    pub bytes_per_thread: u64,
}

impl Plan {
    /// Bytes of all parameters, those that share memory counted once.
    pub fn weight_bytes(&self) -> u64 {
        let distinct = (0..self.params.len()).filter(|&index| earlier(&self.params, index).is_none());
        distinct.fold(0, |sum: u64, index| sum.saturating_add(self.params[index].bytes() as u64))
    }

    /// Tokens that caches get room for when the longest sequence has `length`: a power of two, at least 64. Zero
    /// where no state grows.
    pub fn context_capacity(&self, length: usize) -> usize {
        if self.growing().next().is_none() || length == 0 {
            return 0;
        }
        length.checked_next_power_of_two().unwrap_or(usize::MAX).max(LEAST_CONTEXT)
    }

    /// Bytes of a session whose largest step had these sizes, the weights included. Saturates.
    pub fn bytes(&self, sizes: &Sizes) -> u64 {
        let states = self.states.iter().map(|state| bytes_of(state.room(sizes.context), sizes.sequences));
        let inputs = self.inputs.iter().map(|input| bytes_of(input.elements.at(sizes), 1));
        let outputs = self.outputs.iter().map(|output| bytes_of(output.rows.at(sizes), output.columns));
        let slots = self.slots.iter().map(|slot| slot_bytes(slot, sizes));
        let parts = states.chain(inputs).chain(outputs).chain(slots);
        parts.fold(self.weight_bytes(), |sum, bytes| sum.saturating_add(bytes as u64))
    }

    /// The most bytes that `batch` sequences of up to `length` tokens take, prompts and generated tokens together,
    /// when logits are asked for one token of each sequence at a time and so many threads run kernels. Saturates.
    pub fn peak_memory(&self, batch: usize, length: usize, threads: usize) -> u64 {
        let context = self.context_capacity(length);
        let tokens = batch.saturating_mul(length).min(self.block_tokens);
        let whole = self.bytes(&Sizes { tokens, sequences: batch, rows: batch, context });
        // While a cache grows, its former half lives beside it.
        let former = if context > LEAST_CONTEXT { context / 2 } else { 0 };
        let copy = self.growing().map(|state| bytes_of(state.room(former), batch)).max().unwrap_or(0);
        whole.saturating_add(copy as u64).saturating_add(self.thread_bytes.saturating_mul(threads) as u64)
    }

    /// The parts of [`Plan::peak_memory`], but for the rounding of each slot to a multiple of 64 bytes.
    pub fn memory(&self) -> Memory {
        let mut step = Linear::default();
        for slot in &self.slots {
            add(&mut step, slot, 1);
        }
        for input in &self.inputs {
            add(&mut step, &input.elements, 4);
        }
        for output in &self.outputs {
            add(&mut step, &output.rows, bytes_of(output.columns, 1));
        }
        let bytes = |growing: bool| {
            let states = self.states.iter().filter(|state| (state.kind == StateKind::Context) == growing);
            states.fold(0, |sum: u64, state| sum.saturating_add(bytes_of(state.room(1), 1) as u64))
        };
        Memory {
            weights_bytes: self.weight_bytes(),
            state_bytes_per_sequence: bytes(false),
            cache_bytes_per_token: bytes(true),
            step,
            bytes_per_thread: self.thread_bytes as u64,
        }
    }

    /// [`Plan::peak_memory`] for people, as a formula in B sequences of T tokens:
    /// `weights 1.71 GB + 25.2 MB·B + 12.1 KB·min(B·T, 512) + 788 KB·threads`.
    pub fn memory_formula(&self) -> String {
        let Memory { weights_bytes, state_bytes_per_sequence, cache_bytes_per_token, step, bytes_per_thread } =
            self.memory();
        let sequence = state_bytes_per_sequence.saturating_add(step.sequences.saturating_add(step.rows) as u64);
        let mut formula = format!("weights {}", show_bytes(weights_bytes.saturating_add(step.constant as u64)));
        formula += &format!(" + {}·B", show_bytes(sequence));
        formula += &format!(" + {}·min(B·T, {})", show_bytes(step.tokens as u64), self.block_tokens);
        if bytes_per_thread > 0 {
            formula += &format!(" + {}·threads", show_bytes(bytes_per_thread));
        }
        if step.context > 0 {
            formula += &format!(" + {}·C", show_bytes(step.context as u64));
        }
        if cache_bytes_per_token > 0 {
            formula += &format!(" + cache {}·B·C", show_bytes(cache_bytes_per_token));
            formula += &format!(" where C is T rounded up to a power of two, at least {LEAST_CONTEXT}");
        }
        formula
    }

    fn growing(&self) -> impl Iterator<Item = &State> {
        self.states.iter().filter(|state| state.kind == StateKind::Context)
    }
}

/// Bytes of `rows · columns` elements of four bytes; states, inputs and outputs have no others.
fn bytes_of(rows: usize, columns: usize) -> usize {
    rows.saturating_mul(columns).saturating_mul(4)
}

/// Bytes that a slot takes in the workspace.
pub(crate) fn slot_bytes(slot: &Linear, sizes: &Sizes) -> usize {
    slot.at(sizes).checked_next_multiple_of(ALIGNMENT).unwrap_or(usize::MAX)
}

fn add(sum: &mut Linear, term: &Linear, factor: usize) {
    let add = |sum: &mut usize, term: usize| *sum = sum.saturating_add(term.saturating_mul(factor));
    add(&mut sum.tokens, term.tokens);
    add(&mut sum.sequences, term.sequences);
    add(&mut sum.rows, term.rows);
    add(&mut sum.context, term.context);
    add(&mut sum.constant, term.constant);
}

/// A number of bytes in three digits: `12.1 KB`.
pub fn show_bytes(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut units = ["B", "KB", "MB", "GB", "TB", "PB", "EB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    // 999.5 and more would round to four digits.
    while value >= 999.5 {
        let Some(next) = units.next() else { break };
        (value, unit) = (value / 1000.0, next);
    }
    let digits = match value {
        _ if unit == "B" => 0,
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::show_bytes;

    #[test]
    fn bytes_have_three_digits() {
        let shown: Vec<String> = [0, 999, 1000, 12_096, 999_499, 999_500, 1_710_000_000].map(show_bytes).into();
        assert_eq!(shown, ["0 B", "999 B", "1.00 KB", "12.1 KB", "999 KB", "1.00 MB", "1.71 GB"]);
    }
}
