//! `momc rule verify`: every form of an update rule against the interpreter, on random tensors.

use clap::Args;
use mom_dialect::{
    diagnostic::{Code, Diagnostic},
    graph::Graph,
};
use mom_passes::{Form, Options, Target};
use mom_runtime::{Device, Kernels};
use momc::{
    failure::Failure,
    rule::{
        self,
        verify::{self, Report, Row},
    },
};

use super::RuleArguments;
use crate::cli::{temporary, ui};

/// A form is not what its update rule says.
const DIFFERS: Code = Code(420);

/// Hold every form of an update rule against the float64 interpreter
///
/// Random tensors of several lengths, packed sequences among them that are empty or hold one token, and gates and
/// strengths at their edges. Gradients are held against finite differences.
#[derive(Args)]
#[command(after_help = "Examples:
  momc rule verify gated_delta_rule
  momc rule verify my_rule.mom --set key=32 --set value=64")]
pub(crate) struct Verify {
    #[command(flatten)]
    rule: RuleArguments,
}

impl Verify {
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let (rule, settings) = self.rule.open()?;
        let target = Target::from_name("native")?;
        let kernels = |graph: &Graph, options: &Options| -> Result<Kernels, Failure> {
            let scratch = temporary::folder()?;
            let module = rule::compile(graph, &target, options, &scratch.item.path().join("artifact.so"))?;
            Ok(module.kernels(Device::cpu()?)?)
        };
        let spinner = ui::spinner("verifying");
        let report = verify::verify(&rule, &settings, &kernels);
        spinner.finish_and_clear();
        let report = report?;
        ui::print(table(&report))?;
        let faults: Vec<&Row> = report.rows.iter().filter(|row| !row.faults.is_empty()).collect();
        if faults.is_empty() {
            return Ok(());
        }
        let diagnostics = faults.into_iter().map(|row| {
            let message = format!("the {} form on {} is not what `{}` says", name(row.form), row.target, rule.name());
            row.faults.iter().fold(Diagnostic::error(DIFFERS, message), |diagnostic, fault| diagnostic.note(fault))
        });
        Err(diagnostics.collect::<Vec<_>>().into())
    }
}

fn name(form: Form) -> &'static str {
    match form {
        Form::Auto => "auto",
        Form::Recurrent => "recurrent",
        Form::Chunk => "chunk",
    }
}

/// Relative errors: against the interpreter, and for gradients against its finite differences.
fn table(report: &Report) -> String {
    let mut text = "form       target    outputs   states    gradients\n".to_owned();
    for Row { form, target, outputs, states, gradients, faults } in &report.rows {
        let verdict = if faults.is_empty() { "" } else { "  FAILED" };
        let form = name(*form);
        text += &format!("{form:<10} {target:<9} {outputs:<9.1e} {states:<9.1e} {gradients:<9.1e}{verdict}");
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    if let Some(reason) = &report.no_chunk {
        text += &format!("chunk      none: {reason}\n");
    }
    text
}
