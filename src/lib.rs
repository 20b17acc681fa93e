//! momc: a compiler for mixture-of-memories sequence models.
//!
//! A model description ([`spec`]) becomes a program of the stage `mom` ([`build`]); [`driver`] takes it from there to
//! an artifact. This library and the command line above it are the only parts of momc that read files.

pub mod bench;
pub mod build;
pub mod calibrate;
pub mod driver;
pub mod explain;
pub mod failure;
pub mod generate;
pub mod render;
pub mod rule;
pub mod show;
pub mod spec;
