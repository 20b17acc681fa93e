//! A model that is ready to run: compiled or loaded, with its weights in memory.

use std::{path::PathBuf, time::Duration};

use clap::{Args, value_parser};
use mom_runtime::{Device, Model, Module, Weights, show_bytes};
use momc::{driver::Driver, failure::Failure};

use super::{compile, rewriting::RewritingArguments, temporary, ui};

#[derive(Args)]
pub(crate) struct ModelArguments {
    /// A model.toml, a Hugging Face folder, or a .so that `momc compile` wrote
    model: PathBuf,
    /// Weights: a .safetensors file, an index of several, or a folder with either [default: those in MODEL, if it is a
    /// folder]
    #[arg(long, value_name = "FILE", conflicts_with = "random_weights")]
    weights: Option<PathBuf>,
    /// Make weights up, to try a size without a checkpoint
    #[arg(long, value_name = "SEED")]
    random_weights: Option<u64>,
    /// Threads to compute with [default: all cores]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    #[command(flatten)]
    rewriting: RewritingArguments,
}

impl ModelArguments {
    /// Finds out before anything else whether there is a model, and weights for it.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if let Err(error) = self.model.metadata() {
            return Err(Failure::cannot_read(&self.model, &error));
        }
        if compile::is_artifact(&self.model) && self.rewriting.is_given() {
            let model = self.model.display();
            return Err(Failure::Usage(format!(
                "`{model}` is compiled already; say how to rewrite it to `momc compile`"
            )));
        }
        if self.weights.is_some() || self.random_weights.is_some() || self.model.is_dir() {
            return Ok(());
        }
        Err(Failure::Usage(format!(
            "`{}` comes without weights: give them with `--weights FILE`, or make some up with `--random-weights 1`",
            self.model.display()
        )))
    }

    /// The compiled model. What is not an artifact yet is compiled for this machine, in a folder that goes away again.
    pub(crate) fn module(&self) -> Result<Module, Failure> {
        if compile::is_artifact(&self.model) {
            return Ok(Module::load(&self.model)?);
        }
        let mut driver = Driver::new(&self.model, "native")?;
        driver.rewriting = self.rewriting.read()?;
        let scratch = temporary::folder()?;
        let artifact = scratch.item.path().join("artifact.so");
        let spinner = ui::spinner("compiling");
        let compiled = driver.compile(&artifact);
        spinner.finish_and_clear();
        ui::warn(&driver.warnings);
        compiled?;
        // A loaded library stays, whatever happens to its file.
        Ok(Module::load(&artifact)?)
    }

    /// The compiled model with its weights.
    pub(crate) fn bind(&self, module: &Module) -> Result<Model, Failure> {
        let weights = match (&self.weights, self.random_weights) {
            (Some(path), _) => Weights::open(path)?,
            (None, Some(seed)) => Weights::random(seed),
            (None, None) => Weights::open(&self.model)?,
        };
        let device = match self.threads {
            Some(threads) => Device::cpu_threads(threads.into())?,
            None => Device::cpu()?,
        };
        let spinner = ui::spinner("reading weights");
        let model = module.bind(device, weights);
        spinner.finish_and_clear();
        Ok(model?)
    }

    /// Says how much memory all of this took at most.
    pub(crate) fn say_peak_memory(&self) {
        let compiling = if compile::is_artifact(&self.model) { "" } else { ", the compiler included" };
        if let Some(bytes) = peak_memory() {
            ui::say(format_args!("memory   {} at most{compiling}", show_bytes(bytes)));
        }
    }

    /// A file that lies in the model's folder, or in that of its weights.
    pub(crate) fn companion(&self, name: &str) -> Option<PathBuf> {
        let folders = [Some(&self.model), self.weights.as_ref()];
        folders.into_iter().flatten().map(|folder| folder.join(name)).find(|path| path.is_file())
    }
}

/// The most memory of this process that was resident, in bytes; none where the system does not tell.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Things a second, for people.
pub(crate) fn rate(count: usize, time: Duration) -> String {
    let rate = count as f64 / time.as_secs_f64().max(1e-9);
    if rate < 100.0 { format!("{rate:.1} tokens/s") } else { format!("{rate:.0} tokens/s") }
}
