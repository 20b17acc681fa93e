//! `momc compile`: a model becomes an artifact, or the text of one of its stages.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use momc::{
    driver::{Driver, Stage},
    failure::Failure,
};

use super::{
    inspect,
    output::{self, Place},
    rewriting::RewritingArguments,
    temporary, ui,
};

/// Compile a model to an artifact, or print one of its stages
///
/// MODEL is a model.toml, a Hugging Face folder with a config.json, or a .mlir file with the text of the stage `mom` or
/// `fused`.
/// The artifact holds code and launch plan; weights are never inside.
#[derive(Args)]
#[command(after_help = "Examples:
  momc compile examples/01-tiny.toml -o tiny.so
  momc compile path/to/mom-1.3b -o mom.so --target x86-64-v3
  momc compile examples/01-tiny.toml --emit mom")]
pub(crate) struct Compile {
    /// What to compile
    model: PathBuf,
    /// Artifact to write, ending in .so; with --emit, the text file
    #[arg(short, long, value_name = "FILE", required_unless_present = "emit")]
    output: Option<PathBuf>,
    /// Processor to compile for: native, x86-64-v3, x86-64-v4, aarch64, or emulated: this machine, in groups of threads as
    /// a GPU has them; with `--emit` also sm_80, sm_90a and sm_120a
    #[arg(long, default_value = "native")]
    target: String,
    /// Write the text of a stage in place of an artifact: spec, mom, fused, tiled, plan, llvm or asm
    #[arg(long, value_name = "STAGE")]
    emit: Option<Stage>,
    #[command(flatten)]
    rewriting: RewritingArguments,
}

impl Compile {
    pub(crate) fn execute(self) -> Result<(), Failure> {
        match (&self.output, self.emit) {
            (Some(output), None) => self.artifact(output),
            (output, Some(stage)) => self.text(output.as_deref(), stage),
            (None, None) => Err(Failure::Usage("either `-o` or `--emit` is needed".to_owned())),
        }
    }

    fn driver(&self) -> Result<Driver, Failure> {
        let mut driver = Driver::new(&self.model, &self.target)?;
        driver.rewriting = self.rewriting.read()?;
        Ok(driver)
    }

    fn artifact(&self, output: &Path) -> Result<(), Failure> {
        check_extension(output)?;
        let place = Place::find(output)?;
        let mut driver = self.driver()?;
        let scratch = temporary::folder()?;
        let artifact = scratch.item.path().join("artifact.so");
        let program = driver.compile(&artifact);
        ui::warn(&driver.warnings);
        let program = program?;
        place.write(&fs::read(&artifact).map_err(|error| Failure::cannot_read(&artifact, &error))?)?;
        ui::print(format_args!("{}{}\n", inspect::summary(&program.plan), times(&driver.times)))?;
        ui::print(format_args!("wrote       {}\n", output.display()))
    }

    fn text(&self, output: Option<&Path>, stage: Stage) -> Result<(), Failure> {
        let place = output.map(Place::for_text).transpose()?;
        let mut driver = self.driver()?;
        let text = driver.emit(stage);
        ui::warn(&driver.warnings);
        output::write(place.as_ref(), &text?)
    }
}

pub(crate) fn is_artifact(path: &Path) -> bool {
    path.extension() == Some(OsStr::new("so"))
}

fn check_extension(output: &Path) -> Result<(), Failure> {
    let shown = output.display();
    match output.extension().and_then(OsStr::to_str) {
        Some("so") => Ok(()),
        Some("cubin") => Err(Failure::Usage(format!(
            "`{shown}`: this version writes GPU code as PTX only, with `--emit asm`; artifacts end in `.so`"
        ))),
        None if output.file_name() == Some(OsStr::new(".so")) => {
            Err(Failure::Usage(format!("`{shown}`: there is no name before `.so`")))
        }
        _ => Err(Failure::Usage(format!("`{shown}`: the name of an artifact ends in `.so`"))),
    }
}

fn times(times: &[(&'static str, Duration)]) -> String {
    let steps: Vec<String> = times.iter().map(|(step, time)| format!("{step} {}", milliseconds(*time))).collect();
    let total = times.iter().map(|(_, time)| *time).sum();
    format!("time        {} ({})", milliseconds(total), steps.join(", "))
}

fn milliseconds(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1e3)
}
