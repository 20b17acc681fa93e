//! The flags that say how programs are rewritten.

use std::path::PathBuf;

use clap::Args;
use mom_passes::{
    Rewriting,
    fuse::{Selection, rewrites},
};
use momc::{failure::Failure, spec};

#[derive(Args)]
#[command(next_help_heading = "Rewrites")]
pub(crate) struct RewritingArguments {
    /// Do without this rewrite; may be given several times
    #[arg(long, value_name = "NAME")]
    no_rewrite: Vec<String>,
    /// Use these rewrites alone, separated by commas; '' leaves the program as it was built
    #[arg(long, value_name = "A,B")]
    only_rewrites: Option<String>,
    /// What the cost model knows of the machine, as `momc calibrate` writes it
    #[arg(long, value_name = "FILE")]
    machine: Option<PathBuf>,
}

impl RewritingArguments {
    /// # Errors
    /// E0404 for a rewrite that there is not; what is wrong with the machine's file.
    pub(crate) fn read(&self) -> Result<Rewriting, Failure> {
        let names = |list: &String| -> Vec<String> {
            list.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
        };
        let only = self.only_rewrites.as_ref().map(names);
        let known: Vec<&str> = rewrites().iter().map(|rewrite| rewrite.name).collect();
        for name in self.no_rewrite.iter().chain(only.iter().flatten()) {
            if !known.contains(&&name[..]) {
                return Err(momc::failure::unknown_rewrite(name, &known).into());
            }
        }
        let machine = self.machine.as_deref().map(spec::machine::read).transpose()?;
        let selection = Selection { only, without: self.no_rewrite.clone(), ..Selection::default() };
        Ok(Rewriting { selection, machine: machine.unwrap_or_default(), ..Rewriting::default() })
    }

    /// Whether anything is said at all.
    pub(crate) fn is_given(&self) -> bool {
        !self.no_rewrite.is_empty() || self.only_rewrites.is_some() || self.machine.is_some()
    }
}
