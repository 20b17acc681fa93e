//! `momc explain`: what rewriting does to a model, and what its kernels cost.

use std::{env::consts::ARCH, path::PathBuf};

use clap::Args;
use momc::{
    driver::Driver,
    explain::{measure, page, text},
    failure::Failure,
};

use super::{output::Place, rewriting::RewritingArguments, temporary, ui};

/// Show what rewriting does to a model: its kernels before and after, and their cost
///
/// Costs are for a prefill of 512 tokens and a decode step of one, by the cost model that chose the kernels. `roof` is the
/// part of a time that the machine needs at its limits of computing or moving data; the rest is lost between launches.
#[derive(Args)]
#[command(after_help = "Examples:
  momc explain examples/01-tiny.toml
  momc explain examples/02-380m.toml --measure --html 380m.html
  momc explain examples/01-tiny.toml --no-rewrite products-merge")]
pub(crate) struct Explain {
    /// A model.toml, a Hugging Face folder, or a .mlir file with the text of the stage `mom`
    model: PathBuf,
    /// Processor to compile for: native, x86-64-v3, x86-64-v4 or aarch64
    #[arg(long, default_value = "native")]
    target: String,
    /// Time every kernel on this machine, with made-up weights
    #[arg(long)]
    measure: bool,
    /// Write a page with both programs drawn, the way from one to the other, and what other choices would cost
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    rewriting: RewritingArguments,
}

impl Explain {
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let place = self.html.as_deref().map(Place::for_text).transpose()?;
        let mut driver = Driver::new(&self.model, &self.target)?;
        driver.rewriting = self.rewriting.read()?;
        let spinner = ui::spinner("rewriting");
        let explanation = driver.explain();
        spinner.finish_and_clear();
        ui::warn(&driver.warnings);
        let mut explanation = explanation?;
        if self.measure {
            let arch = &explanation.after.program.plan.target.arch;
            if arch != ARCH {
                return Err(Failure::Usage(format!("`--measure` runs kernels on this machine, which is no {arch}")));
            }
            let scratch = temporary::folder()?;
            let spinner = ui::spinner("measuring");
            let before = measure::measure(&mut explanation.before, &scratch.item.path().join("before.so"));
            let after = measure::measure(&mut explanation.after, &scratch.item.path().join("after.so"));
            spinner.finish_and_clear();
            before.and(after)?;
        }
        ui::print(text::write(&explanation))?;
        if let (Some(place), Some(file)) = (place, &self.html) {
            place.write(page::write(&explanation).as_bytes())?;
            ui::say(format_args!("wrote {}", file.display()));
        }
        Ok(())
    }
}
