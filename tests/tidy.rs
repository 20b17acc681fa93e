//! Invariants of the source tree that no compiler checks.

use std::{
    fs,
    path::{Path, PathBuf},
};

use libtest_mimic::Trial;
use mom_dialect::graph::Function;

use crate::{Outcome, dialect::MLIR_DEFINITION, machine::Model, trial};

/// A file longer than this most likely holds a second idea.
const LONGEST_FILE: usize = 600;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("tidy::files_say_what_they_hold", files_say_what_they_hold),
        trial("tidy::files_are_short", files_are_short),
        trial("tidy::mlir_defines_every_op", mlir_defines_every_op),
        trial("tidy::examples_are_read", examples_are_read),
    ]
}

/// All Rust sources of the workspace, in a fixed order.
fn sources() -> Vec<PathBuf> {
    ["src", "dialect", "passes", "runtime", "examples", "tests"]
        .iter()
        .flat_map(|root| files(Path::new(root), "rs"))
        .collect()
}

/// The files below `root` with this ending, in a fixed order; none if there is no such folder.
pub(crate) fn files(root: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Fails with the files of which `wrong` says something.
fn refuse(wrong: impl Fn(&str) -> Option<String>) -> Outcome {
    let mut complaints = Vec::new();
    for path in sources() {
        if let Some(complaint) = wrong(&fs::read_to_string(&path)?) {
            complaints.push(format!("{}: {complaint}", path.display()));
        }
    }
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n").into()) }
}

fn files_say_what_they_hold() -> Outcome {
    refuse(|text| (!text.starts_with("//! ")).then(|| "starts without `//!`".into()))
}

fn files_are_short() -> Outcome {
    refuse(|text| {
        let lines = text.lines().count();
        (lines > LONGEST_FILE).then(|| format!("{lines} lines"))
    })
}

fn mlir_defines_every_op() -> Outcome {
    let definition = fs::read_to_string(MLIR_DEFINITION)?;
    // There, each function that works element by element is an operation of its own.
    let names = mom_dialect::ops::NAMES.into_iter().filter(|name| *name != "mom.elementwise");
    let names = names.map(|name| name.trim_start_matches("mom.")).chain(Function::ALL.map(Function::name));
    let missing: Vec<&str> = names.filter(|name| !definition.contains(&format!("irdl.operation @{name} "))).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("{MLIR_DEFINITION} lacks {missing:?}").into()) }
}

fn examples_are_read() -> Outcome {
    let examples = files(Path::new("examples"), "toml");
    if examples.is_empty() {
        return Err("there are no examples".into());
    }
    for path in examples.iter().filter(|path| !path.ends_with("Cargo.toml")) {
        Model::read(path)?;
    }
    Ok(())
}
