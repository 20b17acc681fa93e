//! Why something could not be done, and whose fault that is.
//!
//! Every way to fail ends in one of the three kinds of [`Failure`], and each kind has an exit code of its own.

use std::{
    any::Any,
    env, io,
    panic::{self, AssertUnwindSafe},
    path::Path,
};

use mom_dialect::diagnostic::{Code, Diagnostic, Diagnostics, Severity};

/// A file could not be read or written.
pub const FILE: Code = Code(620);
/// The tokenizer or the prompt does not suit the model.
pub const PROMPT: Code = Code(621);
/// The file given to `--tokens` does not suit the model.
pub const TOKENS: Code = Code(622);
/// The model's logits are not numbers.
pub const LOGITS: Code = Code(623);
/// There is no rewrite of this name.
pub const UNKNOWN_REWRITE: Code = Code(404);
/// momc stopped where it should not have.
pub const PANIC: Code = Code(499);

/// Why something could not be done.
#[derive(Debug)]
pub enum Failure {
    /// The command line asks for what cannot be: exit code 2.
    Usage(String),
    /// The input is at fault: exit code 1.
    Input(Diagnostics),
    /// momc is at fault: exit code 3.
    Fault { diagnostics: Diagnostics, reproducer: Option<Reproducer> },
    /// Nobody reads what momc prints any more, as in `momc inspect … | head`: exit code 0.
    Unread,
}

/// What shows a fault of momc again.
#[derive(Debug)]
pub struct Reproducer {
    /// Name of the file to write.
    pub file: &'static str,
    pub text: String,
    /// Arguments of momc that replay the fault.
    pub command: String,
}

impl Failure {
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Unread => 0,
            Failure::Input(_) => 1,
            Failure::Usage(_) => 2,
            Failure::Fault { .. } => 3,
        }
    }

    /// Adds what shows the fault again, if momc is at fault and nothing more precise is known.
    #[must_use]
    pub fn reproduced_by(self, make: impl FnOnce() -> Reproducer) -> Failure {
        match self {
            Failure::Fault { diagnostics, reproducer: None } => {
                Failure::Fault { diagnostics, reproducer: Some(make()) }
            }
            other => other,
        }
    }

    pub fn cannot_read(path: &Path, error: &io::Error) -> Failure {
        Diagnostic::error(FILE, format!("cannot read `{}`: {}", path.display(), reason(error))).into()
    }

    pub fn cannot_write(path: &Path, error: &io::Error) -> Failure {
        Diagnostic::error(FILE, format!("cannot write `{}`: {}", path.display(), reason(error))).into()
    }

    pub fn no_temporary_folder(error: &io::Error) -> Failure {
        let place = env::temp_dir();
        Diagnostic::error(FILE, format!("cannot make a temporary folder in `{}`: {}", place.display(), reason(error)))
            .help("name another place for temporary files in the environment variable `TMPDIR`")
            .into()
    }
}

/// The error in words, without the number that the operating system gives it.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let end = text.find(" (os error").unwrap_or(text.len());
    text[..end].to_lowercase()
}

/// A name that is none of the rewrites `known`.
pub fn unknown_rewrite(name: &str, known: &[&str]) -> Diagnostic {
    let diagnostic = Diagnostic::error(UNKNOWN_REWRITE, format!("there is no rewrite `{name}`"));
    let similarity = |word: &str| strsim::jaro_winkler(name, word);
    let nearest = known.iter().max_by(|one, other| similarity(one).total_cmp(&similarity(other)));
    let diagnostic = diagnostic.note(format!("the rewrites are {}", known.join(", ")));
    match nearest.filter(|word| similarity(word) > 0.8) {
        Some(word) => diagnostic.help(format!("did you mean `{word}`?")),
        None => diagnostic,
    }
}

impl From<Diagnostics> for Failure {
    fn from(diagnostics: Diagnostics) -> Failure {
        match diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Bug) {
            true => Failure::Fault { diagnostics, reproducer: None },
            false => Failure::Input(diagnostics),
        }
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Failure {
        vec![diagnostic].into()
    }
}

impl From<Box<Diagnostic>> for Failure {
    fn from(diagnostic: Box<Diagnostic>) -> Failure {
        (*diagnostic).into()
    }
}

impl From<mom_runtime::Error> for Failure {
    fn from(error: mom_runtime::Error) -> Failure {
        let text = error.message();
        let mut lines = text.lines();
        let diagnostic = Diagnostic::error(Code(error.code()), lines.next().unwrap_or_default().trim_end_matches(':'));
        lines.fold(diagnostic, |diagnostic, line| diagnostic.note(line.trim_start_matches("  - "))).into()
    }
}

/// Does `work`; a panic in it becomes a fault of momc.
///
/// # Errors
/// Those of `work`.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| {
        let message = format!("momc stopped unexpectedly: {}", panic_message(payload.as_ref()));
        Err(Diagnostic::bug(PANIC, message).into())
    })
}

fn panic_message(payload: &dyn Any) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no reason given")
}
