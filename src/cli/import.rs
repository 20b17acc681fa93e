//! `momc import`: a Hugging Face folder becomes a `model.toml`.

use std::path::PathBuf;

use clap::Args;
use momc::{failure::Failure, spec};

use super::{
    output::{self, Place},
    ui,
};

/// Write the model description of a Hugging Face folder
///
/// The `config.json` of fla's `mom` models and of the older `mom_gated_deltanet` models is understood. Every option is
/// written out, defaults too.
#[derive(Args)]
#[command(after_help = "Example:\n  momc import path/to/mom-1.3b -o mom-1.3b.toml")]
pub(crate) struct Import {
    /// Folder with a config.json
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// File to write; standard output without it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Import {
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let place = self.output.as_deref().map(Place::for_text).transpose()?;
        let spec = spec::read(&self.folder)?;
        ui::warn(&spec.warnings);
        output::write(place.as_ref(), &spec::to_toml(&spec))
    }
}
