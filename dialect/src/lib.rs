//! What a mixture-of-memories program *means*: the `mom` stage.
//!
//! A program is a [`graph::Graph`]: a list of typed operations over the tokens of one step. A step takes `T` tokens
//! of `B` sequences, packed without gaps and delimited by `cu_seqlens`, advances the states of those sequences and
//! answers `L` rows of logits. Axes have names, and operations find each other's axes by name; [`shape`] says how.
//! What an operation does is defined by its file in [`ops`] and computed, slowly and in float64, by [`mod@reference`].
//! How a memory changes is not an operation but data: an update rule, read by [`rule`].
//!
//! This crate does no input or output and knows no target. Only the module `mlir` (feature `mlir`) links MLIR.

pub mod alone;
pub mod diagnostic;
pub mod graph;
#[cfg(feature = "mlir")]
pub mod mlir;
pub mod ops;
pub mod print;
pub mod reference;
pub mod rule;
pub mod shape;
pub mod split;
pub mod verify;
