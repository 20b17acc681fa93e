//! Every stage of a model with two memories, as a person reads it.
//!
//! The target is a fixed one, so that the texts are the same on every machine. What LLVM makes of them is its own
//! affair and not shown.

use std::path::Path;

use libtest_mimic::Trial;
use mom_runtime::plan::{Buffer, Linear, Plan};
use momc::driver::{Driver, Stage};

use crate::{Outcome, snapshot, trial};

/// The model of the snapshots.
pub(crate) const TWO_MEMORIES: &str = "tests/cases/two_memories.toml";

const TARGET: &str = "x86-64-v3";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("stages::spec", || shown("spec", &emitted(Stage::Spec)?)),
        trial("stages::mom", || shown("mom", &emitted(Stage::Mom)?)),
        trial("stages::fused", || shown("fused", &emitted(Stage::Fused)?)),
        trial("stages::fused_is_read_back", fused_is_read_back),
        trial("stages::tiled", || shown("tiled", &kernels(&emitted(Stage::Tiled)?))),
        trial("stages::plan", || shown("plan", &launches(&serde_json::from_str(&emitted(Stage::Plan)?)?))),
        trial("stages::code_has_every_kernel", code_has_every_kernel),
        trial("stages::ptx_has_every_kernel", ptx_has_every_kernel),
    ]
}

fn shown(stage: &str, text: &str) -> Outcome {
    snapshot::check(&format!("two_memories__{stage}"), text);
    Ok(())
}

fn emitted(stage: Stage) -> Outcome<String> {
    let failed = |failure| format!("{failure:?}");
    Ok(Driver::new(Path::new(TWO_MEMORIES), TARGET).map_err(failed)?.emit(stage).map_err(failed)?)
}

/// The first line of every kernel, with its schedule, and the whole of the embedding: the others would be thousands of
/// lines.
fn kernels(tiled: &str) -> String {
    let start = |line: &&str| line.contains("func.func ");
    let embedding = tiled.lines().skip_while(|line| !line.contains("func.func @momc_embedding"));
    let embedding = embedding.enumerate().take_while(|(number, line)| *number == 0 || !start(line));
    let lines = tiled.lines().filter(start).chain(["", "  // …", ""]).chain(embedding.map(|(_, line)| line));
    lines.map(|line| format!("{line}\n")).collect()
}

/// A program of the stage `fused` stays as it is, whatever rewrites there are.
fn fused_is_read_back() -> Outcome {
    let failed = |failure| format!("{failure:?}");
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("fused.mlir");
    let text = emitted(Stage::Fused)?;
    std::fs::write(&path, &text)?;
    let again = |stage| Driver::new(&path, TARGET).and_then(|mut driver| driver.emit(stage)).map_err(failed);
    if again(Stage::Fused)? != text {
        return Err("the program became another one".into());
    }
    let [was, is] = [emitted(Stage::Plan)?, again(Stage::Plan)?].map(|text| serde_json::from_str::<Plan>(&text));
    let (was, is) = (was?, is?);
    let same = (was.launches, was.vocab_size, was.memories) == (is.launches, is.vocab_size, is.memories);
    if same { Ok(()) } else { Err("its plan is another one".into()) }
}

fn code_has_every_kernel() -> Outcome {
    let plan: Plan = serde_json::from_str(&emitted(Stage::Plan)?)?;
    for stage in [Stage::Llvm, Stage::Asm] {
        let text = emitted(stage)?;
        if let Some(kernel) = plan.kernels.iter().find(|kernel| !text.contains(kernel.as_str())) {
            return Err(format!("the stage {stage} lacks {kernel}").into());
        }
    }
    Ok(())
}

/// Every kernel is an entry for graphics processors, and keeps nothing in memory of single threads.
fn ptx_has_every_kernel() -> Outcome {
    let failed = |failure| format!("{failure:?}");
    for target in ["sm_80", "sm_90a", "sm_120a"] {
        // One model has attention with rotary embeddings as well.
        let model = if target == "sm_80" { "examples/04-hybrid-7-1.toml" } else { TWO_MEMORIES };
        let mut driver = Driver::new(Path::new(model), target).map_err(failed)?;
        let plan: Plan = serde_json::from_str(&driver.emit(Stage::Plan).map_err(failed)?)?;
        let ptx = driver.emit(Stage::Asm).map_err(failed)?;
        if let Some(kernel) = plan.kernels.iter().find(|kernel| !ptx.contains(&format!(".visible .entry {kernel}("))) {
            return Err(format!("{target} lacks {kernel}").into());
        }
        let unwanted = [".local", ".extern"].into_iter().find(|what| ptx.contains(what));
        if !ptx.contains(&format!(".target {target}\n")) || unwanted.is_some() {
            return Err(format!("{target}: {unwanted:?} in\n{}", &ptx[..200]).into());
        }
    }
    Ok(())
}

/// The plan's launches, one line each: kernel, work items, buffers.
fn launches(plan: &Plan) -> String {
    let mut text = String::new();
    for launch in &plan.launches {
        let buffers: Vec<String> = launch.buffers.iter().map(|buffer| name(plan, buffer)).collect();
        let items = match (launch.chunk, launch.times) {
            (1, 1) => size(&launch.rows),
            (chunk, times) => format!("ceil({} / {chunk}) x {times}", size(&launch.rows)),
        };
        text += &format!("{} [{items}] {}\n", plan.kernels[launch.kernel], buffers.join(" "));
    }
    text += "\nslots in bytes\n";
    for (number, bytes) in plan.slots.iter().enumerate() {
        text += &format!("  slot{number} {}\n", size(bytes));
    }
    text
}

fn name(plan: &Plan, buffer: &Buffer) -> String {
    match buffer {
        Buffer::Param(index) => plan.params[*index].name.clone(),
        Buffer::State(index) => {
            plan.states[*index].parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join("+")
        }
        Buffer::Slot(index) => format!("slot{index}"),
        Buffer::Input(name) => name.clone(),
        Buffer::Output(index) => plan.outputs[*index].name.clone(),
    }
}

fn size(size: &Linear) -> String {
    let terms = [(size.tokens, "T"), (size.sequences, "B"), (size.rows, "L"), (size.context, "C")];
    let mut parts: Vec<String> =
        terms.iter().filter(|(factor, _)| *factor > 0).map(|(factor, name)| format!("{factor}{name}")).collect();
    if size.constant > 0 {
        parts.push(size.constant.to_string());
    }
    parts.join("+")
}
