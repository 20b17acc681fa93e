//! Programs that take tensors instead of tokens and have no weights, such as an update rule alone.
//!
//! Whatever a kernel indexes with is checked here: the boundaries of the sequences, and how many elements each tensor
//! has.

use std::fmt;

use crate::{
    artifact::Module,
    buffers::Buffers,
    cpu::{Device, Program},
    error::Error,
    plan::{DType, Plan, Sizes, StateKind},
    session::Tensor,
    validate::PER_ROW,
};

/// A compiled program that is ready to run on tensors. Cloning is cheap.
#[derive(Clone)]
pub struct Kernels {
    module: Module,
    device: Device,
}

/// What a program answers, by name and in the plan's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Results {
    /// Outputs, `[rows, columns]` where the rows are tokens or sequences.
    pub outputs: Vec<(String, Tensor)>,
    /// States after the last token, `[B, elements]`.
    pub states: Vec<(String, Tensor)>,
}

impl Results {
    /// The output of this name.
    pub fn output(&self, name: &str) -> Option<&Tensor> {
        self.outputs.iter().find(|(other, _)| other == name).map(|(_, tensor)| tensor)
    }

    /// The state of this name.
    pub fn state(&self, name: &str) -> Option<&Tensor> {
        self.states.iter().find(|(other, _)| other == name).map(|(_, tensor)| tensor)
    }
}

impl Kernels {
    pub(crate) fn new(module: Module, device: Device) -> Result<Kernels, Error> {
        let plan = module.plan();
        let reads_tokens = plan.inputs.iter().any(|input| input.dtype == DType::I32 && input.name != BOUNDARIES);
        let answers_rows = plan.outputs.iter().any(|output| output.rows == PER_ROW);
        let grows = plan.states.iter().any(|state| state.kind != StateKind::Fixed);
        if reads_tokens || answers_rows || grows || !plan.params.is_empty() {
            let message = format!("`{}` is a model: bind weights and open a session", plan.model);
            return Err(Error::Step(message));
        }
        Ok(Kernels { module, device })
    }

    /// What the artifact says about the program.
    pub fn plan(&self) -> &Plan {
        self.module.plan()
    }

    /// Runs the program over sequences whose tokens lie one after the other: sequence `b` has those from
    /// `cu_seqlens[b]` up to `cu_seqlens[b + 1]`. Inputs and states are given by name, row-major; a state that is not
    /// given starts as zeros.
    ///
    /// # Errors
    /// E0608 for boundaries that do not rise from 0, for a missing or unknown tensor, or one of another size; E0610 when
    /// there is no memory for the step.
    pub fn run(
        &self,
        cu_seqlens: &[usize],
        inputs: &[(&str, &[f32])],
        states: &[(&str, &[f32])],
    ) -> Result<Results, Error> {
        let mut run = self.prepare(cu_seqlens, inputs, states)?;
        run.step();
        Ok(run.results())
    }

    /// Allocates what [`Kernels::run`] needs and fills it in, so that a step does nothing but run the kernels.
    ///
    /// # Errors
    /// As for [`Kernels::run`].
    pub fn prepare(
        &self,
        cu_seqlens: &[usize],
        inputs: &[(&str, &[f32])],
        states: &[(&str, &[f32])],
    ) -> Result<Run<'_>, Error> {
        let plan = self.plan();
        let sizes = self.sizes(cu_seqlens)?;
        let expected = plan.inputs.iter().filter(|input| input.dtype == DType::F32);
        for input in expected.clone() {
            check("input", &input.name, input.elements.at(&sizes), find(inputs, &input.name).map(<[f32]>::len))?;
        }
        known("input", inputs, || expected.clone().map(|input| &input.name))?;
        for (_, part) in plan.parts() {
            let elements = part.elements.saturating_mul(sizes.sequences);
            let given = find(states, &part.name).map_or(elements, <[f32]>::len);
            check("state", &part.name, elements, Some(given))?;
        }
        known("state", states, || plan.parts().map(|(_, part)| &part.name))?;

        let positions = vec![0; sizes.sequences];
        let mut buffers = Buffers::new(plan, sizes.sequences)?;
        buffers.reserve(plan, &sizes, &positions)?;
        // A boundary is at most T, which fits: `sizes` has checked it.
        buffers.set_input(BOUNDARIES, cu_seqlens.iter().map(|&boundary| boundary as u32));
        for (name, values) in inputs {
            buffers.set_input(name, values.iter().map(|value| value.to_bits()));
        }
        for (index, part) in plan.parts() {
            if let Some(values) = find(states, &part.name) {
                buffers.set_part(plan, (index, part), &positions, values);
            }
        }
        Ok(Run { kernels: self, sizes, positions, buffers })
    }

    fn sizes(&self, cu_seqlens: &[usize]) -> Result<Sizes, Error> {
        let [0, .., tokens] = *cu_seqlens else {
            return Err(Error::Step("the boundaries of the sequences must be 0 and one more for each sequence".into()));
        };
        let limit = self.plan().block_tokens;
        if !cu_seqlens.is_sorted() || cu_seqlens.len() > i32::MAX as usize {
            return Err(Error::Step("the boundaries of the sequences must not fall".into()));
        }
        if tokens > limit {
            return Err(Error::Step(format!("there are {tokens} tokens; a step takes at most {limit}")));
        }
        Ok(Sizes { tokens, sequences: cu_seqlens.len() - 1, ..Sizes::default() })
    }
}

const BOUNDARIES: &str = "cu_seqlens";

fn find<'a>(tensors: &[(&str, &'a [f32])], name: &str) -> Option<&'a [f32]> {
    tensors.iter().find(|(other, _)| *other == name).map(|(_, values)| *values)
}

fn check(what: &str, name: &str, expected: usize, found: Option<usize>) -> Result<(), Error> {
    match found {
        Some(found) if found == expected => Ok(()),
        Some(found) => {
            Err(Error::Step(format!("the {what} `{name}` has {found} elements, but the step needs {expected}")))
        }
        None => Err(Error::Step(format!("the {what} `{name}` is missing"))),
    }
}

fn known<'a, I: Iterator<Item = &'a String>>(
    what: &str,
    given: &[(&str, &[f32])],
    names: impl Fn() -> I,
) -> Result<(), Error> {
    match given.iter().find(|(name, _)| !names().any(|known| known == name)) {
        Some((name, _)) => Err(Error::Step(format!("the program has no {what} `{name}`"))),
        None => Ok(()),
    }
}

/// A program with its tensors in place.
#[derive(Debug)]
pub struct Run<'a> {
    kernels: &'a Kernels,
    sizes: Sizes,
    positions: Vec<usize>,
    buffers: Buffers,
}

impl Run<'_> {
    /// Runs the kernels once. States go on from where they are, so that a second step feeds the same tokens again.
    pub fn step(&mut self) {
        let Kernels { module, device } = self.kernels;
        let program = Program { plan: module.plan(), kernels: module.code(), params: &[] };
        program.run(device, &mut self.buffers, &self.sizes);
    }

    /// Copies of what the last step answered.
    pub fn results(&self) -> Results {
        let plan = self.kernels.plan();
        let outputs = plan.outputs.iter().enumerate().map(|(index, output)| {
            let rows = output.rows.at(&self.sizes);
            let data = self.buffers.output(index)[..rows * output.columns].to_vec();
            (output.name.clone(), Tensor { rows, columns: output.columns, data })
        });
        let states = plan.parts().map(|(index, part)| {
            let sequences = self.buffers.part(plan, (index, part), &self.positions);
            let data = sequences.flatten().flatten().copied().collect();
            (part.name.clone(), Tensor { rows: self.sizes.sequences, columns: part.elements, data })
        });
        Results { outputs: outputs.collect(), states: states.collect() }
    }
}

impl fmt::Debug for Kernels {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Kernels").field("module", &self.module).finish_non_exhaustive()
    }
}
