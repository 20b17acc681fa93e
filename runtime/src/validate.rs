//! A plan that passed [`Plan::validate`] can be run without looking at its indices again.
//!
//! What cannot be checked is whether buffers are as large as the kernels believe: those sizes are in their code alone.

use std::collections::HashSet;

use crate::plan::{Buffer, DType, Input, Launch, Layout, Linear, Param, Part, Plan, Sizes, State, StateKind};

/// Rows of an output that has one for each token.
pub(crate) const PER_TOKEN: Linear = Linear { tokens: 1, sequences: 0, rows: 0, context: 0, constant: 0 };
/// Rows of an output that has one for each row asked for.
pub(crate) const PER_ROW: Linear = Linear { tokens: 0, sequences: 0, rows: 1, context: 0, constant: 0 };

/// Rows of an output that has one for each sequence.
pub(crate) const PER_SEQUENCE: Linear = Linear { tokens: 0, sequences: 1, rows: 0, context: 0, constant: 0 };

/// Elements of an input of integers; none where there is no such input.
fn integers(name: &str) -> Option<Linear> {
    match name {
        "tokens" | "position" => Some(PER_TOKEN),
        "cu_seqlens" => Some(Linear { constant: 1, ..PER_SEQUENCE }),
        "rows" => Some(PER_ROW),
        _ => None,
    }
}

impl Plan {
    /// Checks that indices are in range, names are unique and sizes make sense.
    ///
    /// # Errors
    /// The first thing that does not fit, as a phrase.
    pub fn validate(&self) -> Result<(), String> {
        // Kernels count tokens and rows in i32.
        let countable = 1..=i32::MAX as usize;
        if !countable.contains(&self.block_tokens) {
            return Err(format!("a step takes at most {} tokens", self.block_tokens));
        }
        if self.vocab_size > i32::MAX as usize {
            return Err(format!("the vocabulary has {} tokens", self.vocab_size));
        }
        unique("input", self.inputs.iter().map(|input| &input.name))?;
        self.check_layouts()?;
        unique("state", self.parts().map(|(_, part)| &part.name))?;
        unique("output", self.outputs.iter().map(|output| &output.name))?;
        self.inputs.iter().try_for_each(|input| self.check_input(input))?;
        self.params.iter().try_for_each(check_param)?;
        self.states.iter().try_for_each(check_state)?;
        for output in &self.outputs {
            if ![PER_TOKEN, PER_ROW, PER_SEQUENCE].contains(&output.rows) {
                return Err(format!("output `{}` has rows that are neither T nor L nor B", output.name));
            }
            if output.columns == 0 {
                return Err(format!("output `{}` has no columns", output.name));
            }
            if output.name == "logits" && output.columns != self.vocab_size {
                return Err(format!("logits have {} columns for {} tokens", output.columns, self.vocab_size));
            }
        }
        if let Some(slot) = self.slots.iter().position(|slot| slot.at(&self.most()) > i64::MAX as usize) {
            return Err(format!("slot {slot} is too large"));
        }
        self.launches.iter().enumerate().try_for_each(|(index, launch)| {
            self.check_launch(launch).map_err(|problem| format!("launch {index} {problem}"))
        })
    }

    /// A parameter's name, columns and layout tell which it is.
    fn check_layouts(&self) -> Result<(), String> {
        let mut seen = HashSet::new();
        match self.params.iter().find(|param| !seen.insert((&param.name, param.columns, param.layout))) {
            Some(param) => Err(format!("parameter `{}` occurs twice", param.name)),
            None => Ok(()),
        }
    }

    fn check_input(&self, input: &Input) -> Result<(), String> {
        let Input { name, dtype, elements } = input;
        match (dtype, integers(name)) {
            (DType::I32, Some(expected)) if expected == *elements => {}
            (DType::F32, None) => {}
            _ => return Err(format!("input `{name}` is none that a step can be given")),
        }
        match elements.at(&self.most()) > isize::MAX as usize / 4 {
            true => Err(format!("input `{name}` is too large")),
            false => Ok(()),
        }
    }

    /// No step is larger than this.
    fn most(&self) -> Sizes {
        let countable = i32::MAX as usize;
        Sizes { tokens: self.block_tokens, sequences: countable, rows: self.block_tokens, context: countable + 1 }
    }

    fn check_launch(&self, launch: &Launch) -> Result<(), String> {
        if launch.kernel >= self.kernels.len() {
            return Err(format!("calls kernel {} of {}", launch.kernel, self.kernels.len()));
        }
        if launch.rows == Linear::default() || launch.chunk == 0 || launch.times == 0 {
            return Err("has no items".into());
        }
        if launch.items(&self.most()) > i64::MAX as usize {
            return Err("has more items than kernels can count".into());
        }
        // A kernel takes its buffers from a list whose length is not told.
        let mut others = self.launches.iter().filter(|other| other.kernel == launch.kernel);
        if let Some(other) = others.find(|other| other.buffers.len() != launch.buffers.len()) {
            let [found, count] = [launch, other].map(|launch| launch.buffers.len());
            return Err(format!("gives `{}` {found} buffers, another one {count}", self.kernels[launch.kernel]));
        }
        launch.buffers.iter().try_for_each(|buffer| {
            let (what, index, count) = match buffer {
                Buffer::Param(index) => ("parameter", *index, self.params.len()),
                Buffer::State(index) => ("state", *index, self.states.len()),
                Buffer::Slot(index) => ("slot", *index, self.slots.len()),
                Buffer::Output(index) => ("output", *index, self.outputs.len()),
                Buffer::Input(name) if self.inputs.iter().any(|input| input.name == *name) => return Ok(()),
                Buffer::Input(name) => return Err(format!("reads the unknown input `{name}`")),
            };
            if index < count { Ok(()) } else { Err(format!("uses {what} {index} of {count}")) }
        })
    }
}

fn check_param(param: &Param) -> Result<(), String> {
    let problem = |what: &str| Err(format!("parameter `{}` {what}", param.name));
    let elements = param.shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    let Some(elements) = elements else { return problem("is too large") };
    if param.columns == 0 || param.rows == 0 {
        return problem("is empty");
    }
    let end = param.rows.checked_mul(param.columns).and_then(|own| own.checked_add(param.first));
    if end.is_none_or(|end| end > elements) {
        return problem("lies outside its tensor");
    }
    if param.layout == (Layout::Panels { width: 0 }) {
        return problem("has panels of no rows");
    }
    if param.elements() > isize::MAX as usize {
        return problem("has panels that are too large");
    }
    if param.dtype == DType::I32 {
        return problem("holds integers");
    }
    Ok(())
}

fn check_state(state: &State) -> Result<(), String> {
    let Some(first) = state.parts.first() else { return Err("a state has no parts".into()) };
    let mut end = 0;
    for Part { name, first, elements, axes } in &state.parts {
        let product = axes.iter().try_fold(1usize, |product, (_, size)| product.checked_mul(*size));
        if *elements == 0 || product != Some(*elements) {
            return Err(format!("state `{name}` has {elements} elements, its axes say otherwise"));
        }
        if *first != end {
            return Err(format!("state `{name}` begins at element {first}, the one before it ends at {end}"));
        }
        end = end.saturating_add(*elements);
    }
    if end != state.elements {
        return Err(format!("the parts of state `{}` have {end} of its {} elements", first.name, state.elements));
    }
    if state.kind == (StateKind::Ring { capacity: 0 }) {
        return Err(format!("state `{}` has room for no token", first.name));
    }
    Ok(())
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> Result<(), String> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{what} `{name}` occurs twice"));
        }
    }
    Ok(())
}
