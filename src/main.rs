//! The command `momc`: arguments in, exit code out.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let done = momc::failure::guarded(|| cli::Cli::parse().execute());
    ExitCode::from(done.err().map_or(0, cli::ui::report))
}
