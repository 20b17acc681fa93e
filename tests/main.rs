//! All tests of the compiler are this one executable: linking MLIR is what takes long, so it happens once.
//!
//! Cases are files that are read at run time; adding or changing one builds nothing. A trial's name is the module and
//! the case, so `cargo test golden::layers` runs what it says. Snapshots lie in `tests/snapshots`; `INSTA_UPDATE=always`
//! rewrites them.

mod bad_input;
mod balance;
mod cli;
mod command;
mod dialect;
mod explain;
mod fused;
mod fusion;
mod golden;
mod guide;
mod laws;
mod layers;
mod machine;
mod memory;
mod mixtures;
mod models;
mod numbered;
mod ops;
mod properties;
mod random_programs;
mod random_rules;
mod rules;
mod snapshot;
mod stages;
mod tensors;
mod tidy;
mod tolerance;

use std::{error::Error, process::ExitCode};

use libtest_mimic::{Arguments, Trial};

/// What a test comes to; the error is what a person reads.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// A test with a name.
pub(crate) fn trial(name: impl Into<String>, run: impl FnOnce() -> Outcome + Send + 'static) -> Trial {
    Trial::test(name, || Ok(run()?))
}

fn main() -> ExitCode {
    if let Some(outcome) = memory::measured_process() {
        return outcome;
    }
    let arguments = Arguments::from_args();
    let trials = [
        golden::trials(),
        guide::trials(),
        cli::trials(),
        properties::trials(),
        fused::trials(),
        fusion::trials(),
        balance::trials(),
        mixtures::trials(),
        random_programs::trials(),
        random_rules::trials(),
        bad_input::trials(),
        stages::trials(),
        explain::trials(),
        dialect::trials(),
        memory::trials(),
        rules::trials(),
        tidy::trials(),
    ];
    libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).exit_code()
}
