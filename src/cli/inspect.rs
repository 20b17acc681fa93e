//! `momc inspect`: what an artifact says about itself, without running it.

use std::{collections::BTreeMap, fmt::Write, path::PathBuf};

use clap::Args;
use mom_runtime::{
    Module,
    plan::{Part, Plan, StateKind},
    show_bytes,
};
use momc::{
    failure::Failure,
    show::{formula, grouped},
};

use super::ui;

/// Show what an artifact holds: target, kernels, buffers, states
///
/// Works for artifacts of every target; nothing is run. Sizes are functions of a step's tokens T, its sequences B, the
/// rows L whose logits are asked for and the room C of attention caches.
#[derive(Args)]
#[command(after_help = "Examples:\n  momc inspect tiny.so\n  momc inspect tiny.so --json | jq .launches")]
pub(crate) struct Inspect {
    /// A .so that `momc compile` wrote
    artifact: PathBuf,
    /// Print the launch plan as JSON
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let plan = Module::inspect(&self.artifact)?;
        match self.json {
            true => ui::print(momc::driver::plan_text(&plan)),
            false => ui::print(format_args!(
                "{}\n{}\n{}\n{}\n{}",
                summary(&plan),
                outputs(&plan),
                states(&plan),
                kernels(&plan),
                buffers(&plan)
            )),
        }
    }
}

/// What the artifact is, in a few lines.
pub(crate) fn summary(plan: &Plan) -> String {
    let Plan { model, layers, vocab_size, memories, target, .. } = plan;
    let tensors: BTreeMap<_, _> =
        plan.params.iter().map(|param| ((&param.tensor, param.first), param.rows * param.columns)).collect();
    let mut features = target.features.join(" ");
    if !features.is_empty() {
        features.insert_str(0, ": ");
    }
    let lines = [
        ("model", format!("{model}, {layers} layers, {memories} memories, vocabulary {}", grouped(*vocab_size))),
        ("compiled", format!("by momc {} for {} ({}{features})", plan.momc, target.name, target.arch)),
        ("parameters", format!("{}, {} in memory", grouped(tensors.values().sum()), show_bytes(plan.weight_bytes()))),
        ("kernels", format!("{} in {} launches a step", plan.kernels.len(), plan.launches.len())),
        ("memory", plan.memory_formula()),
        ("block", format!("{} tokens a step at most", grouped(plan.block_tokens))),
    ];
    lines.iter().fold(String::new(), |text, (name, line)| text + &format!("{name:<11} {line}\n"))
}

fn outputs(plan: &Plan) -> String {
    let mut text = "entry point step, from i32 tokens [T], position [T], cu_seqlens [B + 1], rows [L] to\n".to_owned();
    for output in &plan.outputs {
        _ = writeln!(text, "  {:<24} f32 [{}, {}]", output.name, formula(&output.rows), output.columns);
    }
    text
}

fn states(plan: &Plan) -> String {
    let fixed = plan.states.iter().filter(|state| state.kind == StateKind::Fixed).map(|state| state.elements);
    let mut text = format!("states, {} fixed bytes a sequence\n", grouped(4 * fixed.sum::<usize>()));
    for (index, part) in plan.parts() {
        _ = writeln!(text, "  {:<32} {}", part.name, state_shape(&plan.states[index].kind, part));
    }
    text
}

fn state_shape(kind: &StateKind, part: &Part) -> String {
    let axes: Vec<String> = part.axes.iter().map(|(name, size)| format!("{name} {size}")).collect();
    let axes = axes.join(", ");
    match kind {
        StateKind::Fixed => format!("[{axes}]"),
        StateKind::Context => format!("[C, {axes}]"),
        StateKind::Ring { capacity } => format!("[{capacity} last tokens, {axes}]"),
    }
}

fn kernels(plan: &Plan) -> String {
    let mut launches = vec![0usize; plan.kernels.len()];
    for launch in &plan.launches {
        launches[launch.kernel] += 1;
    }
    let mut text = "kernels, and how often a step launches each\n".to_owned();
    for (kernel, launches) in plan.kernels.iter().zip(launches) {
        _ = writeln!(text, "  {launches:>5}  {kernel}");
    }
    text
}

fn buffers(plan: &Plan) -> String {
    let mut text = "buffers of a step, in bytes\n".to_owned();
    for (number, bytes) in plan.slots.iter().enumerate() {
        _ = writeln!(text, "  {number:>5}  {}", formula(bytes));
    }
    text
}
