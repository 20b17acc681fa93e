//! The text of the `mom` stage: it reads back, MLIR's own tool accepts it, and what is wrong in it is found.
//!
//! `tests/cases/verify` holds a program for each thing that can be wrong. The guilty line ends in
//! `//~ error[E0201]: …`, the whole error; an error of the program as a whole stands on its first line.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use libtest_mimic::Trial;
use mom_dialect::{
    diagnostic::{Diagnostic, Source},
    graph::{Body, Graph, OpKind, UpdateRule},
    mlir, print,
    rule::{self, BUILTIN},
    verify,
};

use crate::{Outcome, golden, machine::Model, tidy::files, trial};

/// The definition of the dialect for MLIR.
pub(crate) const MLIR_DEFINITION: &str = "dialect/mom.irdl.mlir";

/// A program with what only rewritten programs hold, printed as momc prints it.
const FUSED: &str = "tests/cases/fused.mlir";

/// Starts the error that a line of a case must cause.
const EXPECTED: &str = "//~ ";

pub(crate) fn trials() -> Vec<Trial> {
    let tool = mlir_opt();
    let mut trials = Vec::new();
    for model in models() {
        let (shown, other, tool) = (model.display().to_string(), model.clone(), tool.clone());
        trials.push(trial(format!("dialect::reads_back::{shown}"), move || reads_back(&Model::read(&model)?.graph)));
        trials.push(with_tool(format!("dialect::mlir_opt_accepts::{shown}"), tool, move |tool| {
            mlir_opt_accepts(&Model::read(&other)?.graph, tool)
        }));
    }
    trials.push(trial("dialect::reads_back::update_rules", || {
        let graph = update_rules()?;
        reads_back(&graph)?;
        holds_every_op(&graph)
    }));
    trials.push(with_tool("dialect::mlir_opt_accepts::update_rules".into(), tool.clone(), |tool| {
        mlir_opt_accepts(&update_rules()?, tool)
    }));
    trials.push(trial("dialect::reads_back::fused", || {
        let graph = fused()?;
        reads_back(&graph)?;
        let text = fs::read_to_string(FUSED)?;
        if print::print(&graph) == text { Ok(()) } else { Err(format!("{FUSED} prints differently").into()) }
    }));
    trials.push(with_tool("dialect::mlir_opt_accepts::fused".into(), tool, |tool| mlir_opt_accepts(&fused()?, tool)));
    for case in files(Path::new("tests/cases/verify"), "mlir") {
        trials.push(trial(format!("dialect::{}", case.display()), move || finds_the_fault(&case)));
    }
    trials
}

fn with_tool(name: String, tool: Option<PathBuf>, run: impl FnOnce(&Path) -> Outcome + Send + 'static) -> Trial {
    match tool {
        Some(tool) => trial(name, move || run(&tool)),
        None => trial(name, || Ok(())).with_kind("no mlir-opt-22").with_ignored_flag(true),
    }
}

/// All update rules that ship, with each of their variants, and one that holds what none of them does.
fn update_rules() -> Outcome<Graph> {
    let mut update_rules = Vec::new();
    let sizes = [("key", 4), ("value", 3), ("heads", 2)].map(|(axis, size)| (axis.to_owned(), size)).into();
    for (name, text) in BUILTIN {
        let file = rule::parse(&Source::new(format!("{name}.mom"), *text)).map_err(|found| lines(&found))?;
        for variant in [None].into_iter().chain(file.variants().map(Some)) {
            let on = variant.iter().map(|variant| ((*variant).to_owned(), 1.0)).collect();
            let rule = file.update_rule(&sizes, &on).map_err(|found| lines(&found))?;
            let name = variant.map_or((*name).to_owned(), |variant| format!("{name}_{variant}"));
            update_rules.push(UpdateRule { name, ..rule });
        }
    }
    // The adjoint of an entry, which only gradients hold.
    let mut placed = update_rules[0].clone();
    placed.name = "placed".into();
    let place = OpKind::Place { axis: "slot".into(), size: 2, index: 1 };
    placed.body.add(place, &[placed.next[0]], None)?;
    update_rules.push(placed);
    // A program computes something.
    let mut body = Body::default();
    let value = body.add(OpKind::Constant { value: 1.0 }, &[], None)?;
    body.add(OpKind::Output { name: "one".into() }, &value, None)?;
    Ok(Graph { name: "update_rules".into(), update_rules, body })
}

/// Every operation that only update rules hold is in one of these.
fn holds_every_op(graph: &Graph) -> Outcome {
    let text = print::print(graph);
    let only_there = ["sum", "softmax", "solve", "slice", "place", "relabel", "head_index", "identity", "contract"];
    let missing: Vec<&str> = only_there.into_iter().filter(|name| !text.contains(&format!("\"mom.{name}\""))).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("no update rule holds {missing:?}").into()) }
}

fn fused() -> Outcome<Graph> {
    let source = Source::new(FUSED, fs::read_to_string(FUSED)?);
    mlir::parse(&source).map_err(|found| lines(&found).into())
}

/// All models that the project holds.
fn models() -> Vec<PathBuf> {
    let mut models = files(Path::new("examples"), "toml");
    models.retain(|path| !path.ends_with("Cargo.toml"));
    models.extend(golden::model_folders());
    models
}

/// MLIR's tool, under the name that Debian gives it or where Debian puts it.
fn mlir_opt() -> Option<PathBuf> {
    let candidates = ["mlir-opt-22", "/usr/lib/llvm-22/bin/mlir-opt"].map(PathBuf::from);
    candidates
        .into_iter()
        .find(|tool| Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success()))
}

fn reads_back(graph: &Graph) -> Outcome {
    let text = print::print(graph);
    let parsed = mlir::parse(&Source::new("program.mlir", text.as_str())).map_err(|found| lines(&found))?;
    let found = verify::verify(&parsed);
    if !found.is_empty() {
        return Err(lines(&found).into());
    }
    if print::print(&parsed) == text { Ok(()) } else { Err("the text read back prints differently".into()) }
}

fn mlir_opt_accepts(graph: &Graph, tool: &Path) -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("program.mlir");
    fs::write(&file, print::print_with_locations(graph))?;
    let mut command = Command::new(tool);
    let output = command.arg(format!("--irdl-file={MLIR_DEFINITION}")).arg(&file).output()?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into()) }
}

fn finds_the_fault(case: &Path) -> Outcome {
    let text = fs::read_to_string(case)?;
    let expected: Vec<String> = (1..)
        .zip(text.lines())
        .filter_map(|(number, line)| Some(format!("line {number}: {}", line.split_once(EXPECTED)?.1)))
        .collect();
    if expected.is_empty() {
        return Err(format!("no line says `{EXPECTED}error[…]: …`").into());
    }
    let source = Source::new("case.mlir", text);
    let found = match mlir::parse(&source) {
        Ok(graph) => verify::verify(&graph),
        Err(found) => found,
    };
    let found: Vec<String> = found.iter().map(|found| format!("line {}: {}", line(found), headline(found))).collect();
    if found == expected {
        return Ok(());
    }
    Err(format!("expected:\n{}\nfound:\n{}", expected.join("\n"), found.join("\n")).into())
}

fn line(diagnostic: &Diagnostic) -> usize {
    diagnostic.primary.as_ref().map_or(1, |label| label.span.source.line_column(label.span.range.start).0)
}

fn headline(diagnostic: &Diagnostic) -> String {
    format!("error[{}]: {}", diagnostic.code, diagnostic.message)
}

/// Diagnostics one below the other.
pub(crate) fn lines(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
