//! Kernels over tiles, written once for all targets: the stage `tiled`.
//!
//! A kernel walks the tokens of one segment for one head, `chunk` tokens a step, and carries the states from step to
//! step. What a step does is a [`Graph`]: operations on tiles, matrices of fixed size, in SSA form. A lowering decides
//! where tiles live and how each operation is done; the interpreter (`evaluate`) says in float64 what they mean; the
//! adjoint of a graph is again a graph (`adjoint`), so gradients of every form come from one generator.
//!
//! Vectors are tiles of one row. In a step of one token a matrix of the update rule is a tile; in a step of `chunk`
//! tokens every value has one row for each token, and matrices exist only as states.

pub(crate) mod adjoint;
pub(crate) mod cpu;
pub(crate) mod evaluate;
pub(crate) mod flops;
pub(crate) mod graph;
pub(crate) mod halves;
mod print;
#[cfg(test)]
pub(crate) mod tests;
mod verify;

pub(crate) use graph::{Graph, Op, Shape, Value};

/// What a test or a user may pin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// Tokens of a step. 1: the recurrent form.
    pub chunk: usize,
    /// Rows of the sub-blocks into which decays with one rate for each row of the state are cut; divides `chunk`.
    pub sub_block: usize,
    /// Steps between two states that the gradient saves; those between are computed again.
    pub save: usize,
}

impl Schedule {
    pub(crate) const RECURRENT: Schedule = Schedule { chunk: 1, sub_block: 1, save: 64 };
    pub(crate) const CHUNK: Schedule = Schedule { chunk: 32, sub_block: 16, save: 1 };
}

/// A value that comes from outside of a kernel or leaves it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Port {
    pub(crate) name: String,
    /// Of one head of one token, of one parameter, or of one state, row-major. In steps of many tokens a token's
    /// elements are one row of the tile.
    pub(crate) shape: Shape,
    /// How many heads there are in memory; divides the kernel's.
    pub(crate) heads: usize,
}

/// A scan in some form.
///
/// Arguments of `step` are numbered in their kind: [`Op::Input`] of `inputs` (a row for each token of the step),
/// [`Op::Parameter`] of `parameters`, [`Op::State`] of `states` before the step. Its results are the `outputs` of the
/// step's tokens, then the states after it. For tokens that are not there ([`Op::Real`] is 0) the step must leave states
/// as they are; what it outputs for them is not stored. Their rows are those of the last token that is there, so that
/// what is computed of them is as finite as what is computed of it: of zeros an update rule may take the logarithm, or
/// divide by them. A step none of whose tokens is there is skipped, in either direction, so that one of a single token
/// need not ask.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scan {
    pub(crate) name: String,
    pub(crate) schedule: Schedule,
    pub(crate) heads: usize,
    pub(crate) inputs: Vec<Port>,
    pub(crate) parameters: Vec<Port>,
    pub(crate) states: Vec<Port>,
    pub(crate) outputs: Vec<Port>,
    pub(crate) step: Graph,
}

/// The adjoint of a scan: from cotangents of outputs and final states to those of inputs, parameters and first states.
///
/// The kernel first walks forward and saves the states before every `save`-th step; then, group after group of `save`
/// steps from the end, it computes the states within the group again and walks back. Arguments of `back` are those of
/// the forward step, and after the `inputs` the cotangents of the outputs (zeros for tokens that are not there), after
/// the `states` the cotangents of the states after the step. Its results are the cotangents of the inputs of the step's tokens, then those of the
/// parameters (to be summed over steps), then those of the states before the step. Cotangents of inputs and parameters
/// that several heads share are given for each head of the scan, those of parameters for each sequence.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Gradient {
    pub(crate) scan: Scan,
    pub(crate) back: Graph,
}

impl Scan {
    /// The tile of an input or an output in a step.
    pub(crate) fn tile(&self, port: &Port) -> Shape {
        match self.schedule.chunk {
            1 => port.shape,
            chunk => Shape::new(chunk, port.shape.elements()),
        }
    }
}
