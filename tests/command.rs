//! Runs the `momc` executable as a user does.

use std::{path::Path, process::Command};

use crate::Outcome;

/// What a user sees when momc is done.
#[derive(Debug)]
pub(crate) struct Finished {
    /// None if momc was killed by a signal.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs momc in `folder`, with these arguments.
pub(crate) fn momc(folder: &Path, arguments: &[&str]) -> Outcome<Finished> {
    let output = Command::new(env!("CARGO_BIN_EXE_momc")).current_dir(folder).args(arguments).output()?;
    Ok(Finished {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

impl Finished {
    /// What momc said on standard output, if it succeeded.
    pub(crate) fn success(self) -> Outcome<String> {
        match self.code {
            Some(0) => Ok(self.stdout),
            code => Err(format!("momc ended with {code:?}:\n{}", self.stderr).into()),
        }
    }
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> Outcome<&str> {
    Ok(path.to_str().ok_or("a path that is not text")?)
}
