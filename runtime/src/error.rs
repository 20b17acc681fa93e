//! Everything that can go wrong when a compiled model runs, each with the number under which the guide explains it.
//!
//! Messages are for people: they say what is wrong in the words of the model and its files, and what to do about it.

use std::fmt;

use crate::memory::show_bytes;

/// What went wrong. The text starts with the error's number, as in `E0608: …`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be read at all.
    #[error("E0601: cannot read `{path}`: {cause}")]
    File {
        /// As the caller wrote it.
        path: String,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// A file is not a whole artifact of momc.
    #[error("E0602: `{path}` {problem}; {help}")]
    Artifact {
        /// As the caller wrote it.
        path: String,
        /// What is wrong with it.
        problem: String,
        /// What to do.
        help: String,
    },
    /// The artifact speaks another version of the plan.
    #[error(
        "E0603: `{path}` was compiled by momc {momc}, whose plan format is {found}; this runtime reads {}; \
         compile the model again",
        crate::plan::FORMAT
    )]
    Format {
        /// As the caller wrote it.
        path: String,
        /// Version of the compiler.
        momc: String,
        /// Format of its plan.
        found: u32,
    },
    /// The artifact is for another machine.
    #[error(
        "E0604: `{path}` was compiled for {target}, but {problem}; compile it for this machine with `--target native`"
    )]
    Machine {
        /// As the caller wrote it.
        path: String,
        /// Name of the target.
        target: String,
        /// What this machine is or lacks.
        problem: String,
    },
    /// The plan contradicts itself.
    #[error("E0605: the plan in `{path}` contradicts itself: {problem}; compile the model again")]
    Plan {
        /// As the caller wrote it.
        path: String,
        /// What does not fit.
        problem: String,
    },
    /// A file of weights cannot be understood.
    #[error("E0606: `{path}` {problem}")]
    WeightsFile {
        /// As the caller wrote it.
        path: String,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// The weights are those of another model.
    #[error("E0607: the weights do not fit the model `{model}`:{}", List(.problems, *.more))]
    Weights {
        /// Name of the model.
        model: String,
        /// The first of what is wrong.
        problems: Vec<String>,
        /// How many more problems there are.
        more: usize,
    },
    /// A step was asked for something it cannot do.
    #[error("E0608: {0}")]
    Step(String),
    /// A checkpoint belongs to another model or batch.
    #[error("E0609: {0}")]
    Checkpoint(String),
    /// The system has not that much memory.
    #[error("E0610: there is no memory for {what}, {} in all; {help}", show_bytes(*.bytes))]
    Memory {
        /// What was asked for.
        what: String,
        /// What it takes.
        bytes: u64,
        /// What to do.
        help: String,
    },
    /// A device cannot be used.
    #[error("E0611: {0}")]
    Device(String),
}

impl Error {
    /// The number of this kind of error: 601 for `E0601`.
    pub fn code(&self) -> u16 {
        match self {
            Error::File { .. } => 601,
            Error::Artifact { .. } => 602,
            Error::Format { .. } => 603,
            Error::Machine { .. } => 604,
            Error::Plan { .. } => 605,
            Error::WeightsFile { .. } => 606,
            Error::Weights { .. } => 607,
            Error::Step(_) => 608,
            Error::Checkpoint(_) => 609,
            Error::Memory { .. } => 610,
            Error::Device(_) => 611,
        }
    }

    /// The text without the number, for those who show numbers in their own way.
    pub fn message(&self) -> String {
        let text = self.to_string();
        text.split_once(": ").map_or(text.clone(), |(_, message)| message.to_string())
    }
}

/// One line for each problem.
struct List<'a>(&'a [String], usize);

impl fmt::Display for List<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in self.0 {
            write!(formatter, "\n  - {problem}")?;
        }
        if self.1 > 0 {
            write!(formatter, "\n  - and {} more", self.1)?;
        }
        Ok(())
    }
}
