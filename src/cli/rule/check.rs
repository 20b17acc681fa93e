//! `momc rule check`: what momc finds out about an update rule.

use clap::Args;
use mom_dialect::diagnostic::Diagnostic;
use mom_passes::Form;
use momc::{failure::Failure, rule};

use super::{FormArgument, RuleArguments};
use crate::cli::ui;

/// Check an update rule: its class, its normal form, and the forms it has
///
/// Sizes of axes are made up, unless they are given as `--set key=64`; what is found depends on them only where a loop
/// counts an axis.
#[derive(Args)]
#[command(after_help = "Examples:
  momc rule check my_rule.mom
  momc rule check my_rule.mom --form chunk
  momc rule check gated_delta_rule --explain")]
pub(crate) struct Check {
    #[command(flatten)]
    rule: RuleArguments,
    /// Fail if the rule has not this form: recurrent or chunk
    #[arg(long)]
    form: Option<FormArgument>,
    /// Show the proof that the normal form is what the rule says
    #[arg(long)]
    explain: bool,
}

impl Check {
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let (file, settings) = self.rule.open()?;
        let rule = rule::sized(&file, &settings)?;
        let form = match self.form {
            None | Some(FormArgument::Reference) => Form::Auto,
            Some(FormArgument::Form(form)) => form,
        };
        let demanded = mom_passes::has_form(&rule, form).map_err(|found| match &found.primary {
            Some(_) => found,
            None => Box::new(Diagnostic::clone(&found).at(file.span().clone())),
        });
        if demanded.is_ok() {
            ui::print(format_args!("{:<12} {}\n{}", "rule", rule.name, mom_passes::analyse(&rule, self.explain)))?;
        }
        Ok(demanded?)
    }
}
