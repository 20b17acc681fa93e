//! The commands of momc, one file each. They say what they did on standard output; [`ui`] alone prints.

mod batch;
mod bench;
mod bind;
mod calibrate;
mod compile;
mod explain;
mod import;
mod inspect;
mod logits;
mod output;
mod prompt;
mod rewriting;
mod rule;
mod run;
mod temporary;
mod tensors;
pub(crate) mod ui;

use clap::{Parser, Subcommand};
use momc::failure::Failure;

/// A compiler for mixture-of-memories (MoM) sequence models: model descriptions in, native code out.
#[derive(Parser)]
#[command(name = "momc", version, max_term_width = 110, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 the input is at fault, 2 wrong usage, 3 a fault of momc.

Example:
  momc run examples/01-tiny.toml --random-weights 1 --prompt-tokens 1,2,3";

#[derive(Subcommand)]
enum Command {
    Compile(compile::Compile),
    Run(run::Run),
    Import(import::Import),
    Inspect(inspect::Inspect),
    Explain(explain::Explain),
    Calibrate(calibrate::Calibrate),
    Rule(rule::Rule),
    Bench(bench::Bench),
}

impl Cli {
    pub(crate) fn execute(self) -> Result<(), Failure> {
        match self.command {
            Command::Compile(command) => command.execute(),
            Command::Run(command) => command.execute(),
            Command::Import(command) => command.execute(),
            Command::Inspect(command) => command.execute(),
            Command::Explain(command) => command.execute(),
            Command::Calibrate(command) => command.execute(),
            Command::Rule(command) => command.execute(),
            Command::Bench(command) => command.execute(),
        }
    }
}
