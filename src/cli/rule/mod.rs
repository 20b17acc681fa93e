//! `momc rule`: an update rule alone, without a model around it.

mod check;
mod run;
mod verify;

use std::str::FromStr;

use clap::{Args, Subcommand};
use mom_dialect::rule;
use mom_passes::{Form, Options, Pinned};
use momc::{
    failure::Failure,
    rule::{Settings, open},
};

/// Work with an update rule alone
///
/// RULE is a file ending in `.mom`, or the name of an update rule that ships with momc.
#[derive(Args)]
pub(crate) struct Rule {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Check),
    Run(run::Run),
    Verify(verify::Verify),
}

impl Rule {
    pub(crate) fn execute(self) -> Result<(), Failure> {
        match self.command {
            Command::Check(command) => command.execute(),
            Command::Run(command) => command.execute(),
            Command::Verify(command) => command.execute(),
        }
    }
}

/// Which update rule, and what is set in it.
#[derive(Args)]
struct RuleArguments {
    /// A file ending in .mom, or the name of a rule that ships with momc
    rule: String,
    /// Give an option of the rule a value or an axis a size, or turn a variant on with 1
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, f64)>,
}

impl RuleArguments {
    fn open(&self) -> Result<(rule::File, Settings), Failure> {
        let mut settings = Settings::new();
        for (name, value) in &self.settings {
            if settings.insert(name.clone(), *value).is_some() {
                return Err(Failure::Usage(format!("`--set {name}` is given twice")));
            }
        }
        Ok((open(&self.rule)?, settings))
    }
}

fn setting(text: &str) -> Result<(String, f64), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    let number = match value {
        "true" => Ok(1.0),
        "false" => Ok(0.0),
        _ => value.parse().map_err(|_| format!("`{value}` is not a number")),
    };
    Ok((name.to_owned(), number?))
}

/// The value of `--form`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FormArgument {
    Form(Form),
    Reference,
}

impl FromStr for FormArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<FormArgument, String> {
        match text {
            "auto" => Ok(FormArgument::Form(Form::Auto)),
            "recurrent" => Ok(FormArgument::Form(Form::Recurrent)),
            "chunk" => Ok(FormArgument::Form(Form::Chunk)),
            "reference" => Ok(FormArgument::Reference),
            _ => Err("there are auto, recurrent, chunk and reference".to_owned()),
        }
    }
}

/// The form and its schedule, where a form is meant.
fn options(form: Form, schedule: Option<&Pinned>) -> Options {
    Options { form, pinned: schedule.cloned().unwrap_or_default() }
}
