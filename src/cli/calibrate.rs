//! `momc calibrate`: what this machine can do, for the cost model.

use std::path::PathBuf;

use clap::{Args, value_parser};
use mom_runtime::Device;
use momc::{calibrate::calibrate, failure::Failure, spec::machine};

use super::{
    output::{self, Place},
    temporary, ui,
};

/// Measure this machine for the cost model
///
/// Takes some seconds, in which nothing else should run. The file says what a launch costs, how fast products and other
/// vector code compute, and how fast each level of memory is; `--machine` of the other commands takes it. Without one they
/// assume a server with two cores.
#[derive(Args)]
#[command(after_help = "Example:
  momc calibrate -o machine.toml
  momc compile examples/02-380m.toml --machine machine.toml -o 380m.so")]
pub(crate) struct Calibrate {
    /// File to write; standard output without it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Threads to measure with [default: all cores]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl Calibrate {
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let place = self.output.as_deref().map(Place::for_text).transpose()?;
        let device = match self.threads {
            Some(threads) => Device::cpu_threads(threads.into())?,
            None => Device::cpu()?,
        };
        let folder = temporary::folder()?;
        let spinner = ui::spinner("measuring");
        let measured = calibrate(&device, folder.item.path());
        spinner.finish_and_clear();
        output::write(place.as_ref(), &machine::to_toml(&measured?))
    }
}
