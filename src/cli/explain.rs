//! `momc explain`: what rewriting does to a model, and what its kernels cost.

use std::{
    env::consts::ARCH,
    path::{Path, PathBuf},
};

use clap::Args;
use mom_runtime::plan::Plan;
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
/// `--ablate` asks for a prefill of 2,048 tokens and for decode steps of one sequence and of eight instead.
#[derive(Args)]
#[command(after_help = "Examples:
  momc explain examples/01-tiny.toml
  momc explain examples/02-380m.toml --measure --html 380m.html
  momc explain examples/01-tiny.toml --no-rewrite products-merge
  momc explain examples/01-tiny.toml --ablate --measure")]
pub(crate) struct Explain {
    /// A model.toml, a Hugging Face folder, or a .mlir file with the text of the stage `mom`
    model: PathBuf,
    /// Processor to compile for: native, x86-64-v3, x86-64-v4, aarch64, or emulated: this machine, in groups of threads as
    /// a GPU has them
    #[arg(long, default_value = "native")]
    target: String,
    /// Time every kernel on this machine, with made-up weights
    #[arg(long)]
    measure: bool,
    /// Say in a table what each rewrite is worth: without any, with each left out, with all
    #[arg(long, conflicts_with = "html")]
    ablate: bool,
    /// Write a page with both programs drawn, the way from one to the other, and what other choices would cost
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    rewriting: RewritingArguments,
}

impl Explain {
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let place = self.html.as_deref().map(Place::for_text).transpose()?;
        if let Some(file) = self.html.as_deref().filter(|file| is_same(file, &self.model)) {
            return Err(Failure::Usage(format!("`{}` is the model; write the page to another file", file.display())));
        }
        let mut driver = Driver::new(&self.model, &self.target)?;
        driver.rewriting = self.rewriting.read()?;
        if self.ablate {
            return self.ablation(driver);
        }
        let spinner = ui::spinner("rewriting");
        let explanation = driver.explain();
        spinner.finish_and_clear();
        ui::warn(&driver.warnings);
        let mut explanation = explanation?;
        if self.measure {
            runs_here(&explanation.after.program.plan)?;
            let scratch = temporary::folder()?;
            let spinner = ui::spinner("measuring");
            let measured = measure::measure(&mut explanation, scratch.item.path());
            spinner.finish_and_clear();
            measured?;
        }
        ui::print(text::write(&explanation))?;
        if let (Some(place), Some(file)) = (place, &self.html) {
            place.write(page::write(&explanation).as_bytes())?;
            ui::say(format_args!("wrote {}", file.display()));
        }
        Ok(())
    }

    fn ablation(&self, mut driver: Driver) -> Result<(), Failure> {
        let spinner = ui::spinner("rewriting");
        let ablation = driver.ablate();
        spinner.finish_and_clear();
        ui::warn(&driver.warnings);
        let mut ablation = ablation?;
        if self.measure {
            ablation.variants.iter().try_for_each(|variant| runs_here(&variant.version.program.plan))?;
            let scratch = temporary::folder()?;
            let bar = ui::progress("measuring", ablation.variants.len());
            let measured = ablation.measure(scratch.item.path(), &mut |done| bar.set_position(done as u64));
            bar.finish_and_clear();
            measured?;
        }
        ui::print(ablation.write())
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn runs_here(plan: &Plan) -> Result<(), Failure> {
    match &plan.target.arch {
        arch if arch == ARCH => Ok(()),
        arch => Err(Failure::Usage(format!("`--measure` runs kernels on this machine, which is no {arch}"))),
    }
}
