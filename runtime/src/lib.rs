//! Runs models that momc compiled: native code in an artifact, weights from safetensors, sessions in constant memory.
//!
//! ```no_run
//! use mom_runtime::{Device, Module, Weights};
//!
//! # fn main() -> Result<(), mom_runtime::Error> {
//! let module = Module::load("model.so")?;
//! let model = module.bind(Device::cpu()?, Weights::open("model.safetensors")?)?;
//! let mut session = model.session()?;
//! let logits = session.prefill(&[1, 2, 3])?;
//! let mark = session.checkpoint()?;
//! let next = session.decode(4)?;
//! session.rollback(&mark)?;
//! assert_eq!(session.decode(4)?, next);
//! # Ok(())
//! # }
//! ```
//!
//! Nothing here links MLIR, LLVM or Python. A [`plan::Plan`] lies inside the artifact and says everything the runtime
//! needs to know about the model: parameters, states, buffers and launches. In the order in which they matter:
//!
//! - [`plan`] and its checks, and [`Plan::bytes`](plan::Plan::bytes), which knows the memory of a session in advance;
//! - [`artifact`], the file: the plan and the kernels;
//! - [`weights`], read once and laid out as the kernels want them;
//! - [`session`], what feeds tokens to a model and keeps its states;
//! - [`Kernels`], a program without weights that runs on tensors, such as an update rule alone;
//! - [`cpu`], the only place that calls kernels.
#![warn(missing_docs)]

pub mod artifact;
mod bind;
mod blocks;
mod buffer;
mod buffers;
pub mod cpu;
mod error;
mod group;
mod host;
mod kernels;
mod machine;
mod memory;
mod pack;
pub mod plan;
mod random;
pub mod session;
mod validate;
pub mod weights;

#[cfg(test)]
mod tests;

pub use crate::{
    artifact::{Module, seal},
    blocks::{Piece, Rows},
    cpu::Device,
    error::Error,
    group::memory::Fault,
    kernels::{Kernels, Results, Run},
    machine::{FEATURES, has_feature},
    memory::{Memory, show_bytes},
    session::{Checkpoint, Model, Outputs, Session, Tensor},
    weights::Weights,
};
