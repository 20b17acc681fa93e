//! Everything that momc prints goes through here.
//!
//! Results go to standard output, which may be a file or closed early; what is said beside them goes to standard
//! error, where progress shows on a terminal only.

use std::{
    fmt, fs,
    io::{self, IsTerminal, Write},
    path::Path,
    time::Duration,
};

use clap::error::ErrorKind;
use indicatif::{ProgressBar, ProgressStyle};
use mom_dialect::diagnostic::Diagnostic;
use momc::{
    failure::{Failure, Reproducer},
    render,
};

/// Prints a piece of a result at once.
pub(crate) fn print(text: impl fmt::Display) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    write!(output, "{text}").and_then(|()| output.flush()).map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::Unread,
        _ => Failure::cannot_write(Path::new("standard output"), &error),
    })
}

/// Says something beside the result. Nobody listening is no reason to stop.
pub(crate) fn say(text: impl fmt::Display) {
    _ = writeln!(io::stderr().lock(), "{text}");
}

/// A bar for `length` steps of `what` on a terminal, and nothing elsewhere.
pub(crate) fn progress(what: &'static str, length: usize) -> ProgressBar {
    let bar = ProgressBar::new(length as u64);
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.with_message(what)
}

/// Shows on a terminal that something goes on whose length is not known.
pub(crate) fn spinner(what: &'static str) -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message(what);
    spinner.enable_steady_tick(Duration::from_millis(100));
    spinner
}

/// Says what is odd about an input without being wrong.
pub(crate) fn warn(warnings: &[Diagnostic]) {
    if !warnings.is_empty() {
        say(render::render(warnings, colored()).trim_end());
    }
}

/// Tells the user why momc stopped; the exit code that says the same.
pub(crate) fn report(failure: Failure) -> u8 {
    let code = failure.exit_code();
    match failure {
        Failure::Unread => {}
        Failure::Usage(message) => _ = clap::Error::raw(ErrorKind::ArgumentConflict, message + "\n").print(),
        Failure::Input(diagnostics) => say(render::render(&diagnostics, colored()).trim_end()),
        Failure::Fault { diagnostics, reproducer } => {
            say(render::render(&diagnostics, colored()).trim_end());
            if let Some(reproducer) = reproducer {
                keep(&reproducer);
            }
        }
    }
    code
}

fn keep(reproducer: &Reproducer) {
    match fs::write(reproducer.file, &reproducer.text) {
        Ok(()) => say(format_args!(
            "\nPlease attach `{}`, which shows it again:\n  momc {}",
            reproducer.file, reproducer.command
        )),
        Err(_) => say(format_args!(
            "`{}` could not be written here. It would hold this program:\n{}",
            reproducer.file, reproducer.text
        )),
    }
}

fn colored() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}
