//! The command `momc`: arguments in, exit code out.

mod cli;

use std::{panic, process::ExitCode, thread};

use clap::Parser;

/// Bytes of the stack that momc works on. Expressions and terms are walked recursively, and a long update rule is a deep
/// term: this is room for the longest that is accepted. What is not touched takes no memory.
const STACK: usize = 1 << 30;

fn main() -> ExitCode {
    let work = || momc::failure::guarded(|| cli::Cli::parse().execute());
    let done = thread::scope(|scope| match thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work) {
        Ok(worker) => worker.join().unwrap_or_else(|payload| panic::resume_unwind(payload)),
        // Where the system has no room for another stack, there is still this one.
        Err(_) => work(),
    });
    ExitCode::from(done.err().map_or(0, cli::ui::report))
}
