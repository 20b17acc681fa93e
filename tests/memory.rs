//! A session takes the same memory whatever the length of its prompt.
//!
//! Peak memory is that of a whole process, so each prompt is read by a process of its own: this executable, told by
//! its environment what to do.

use std::{
    env, fs,
    path::Path,
    process::{Command, ExitCode},
    time::Instant,
};

use libtest_mimic::Trial;
use mom_runtime::{Device, Module, Weights};

use crate::{Outcome, machine::Model, tolerance, trial};

const MODEL: &str = "examples/01-tiny.toml";
const SHORT: usize = 1_000;
const LONG: usize = 100_000;

/// Tells the measured process which artifact to load.
const ARTIFACT: &str = "MOMC_TEST_ARTIFACT";
/// Tells it how many tokens to read.
const TOKENS: &str = "MOMC_TEST_TOKENS";

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("memory::does_not_grow_with_the_prompt", does_not_grow_with_the_prompt)]
}

fn does_not_grow_with_the_prompt() -> Outcome {
    let folder = tempfile::tempdir()?;
    let artifact = folder.path().join("tiny.so");
    Model::read(Path::new(MODEL))?.write(&artifact)?;
    let short = measure(&artifact, SHORT)?;
    let long = measure(&artifact, LONG)?;
    for (tokens, Measured { peak, decode }) in [(SHORT, &short), (LONG, &long)] {
        eprintln!("{tokens} tokens: {peak} kB at most, then {decode} ns for each further token");
    }
    let growth = long.peak as f64 / short.peak as f64;
    if growth > tolerance::MEMORY_GROWTH {
        return Err(format!("{LONG} tokens take {growth:.3} times the memory of {SHORT} tokens").into());
    }
    Ok(())
}

/// What a process found out about itself.
struct Measured {
    /// In kB.
    peak: u64,
    /// Of one token, in nanoseconds.
    decode: u64,
}

fn measure(artifact: &Path, tokens: usize) -> Outcome<Measured> {
    let output = Command::new(env::current_exe()?).env(ARTIFACT, artifact).env(TOKENS, tokens.to_string()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(peak)), Some(Ok(decode))) => Ok(Measured { peak, decode }),
        _ => Err(format!("the measured process said {text:?} and {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

/// Does what the environment asks for, if this is a measured process.
pub(crate) fn measured_process() -> Option<ExitCode> {
    let (artifact, tokens) = (env::var_os(ARTIFACT)?, env::var(TOKENS).ok()?.parse().ok()?);
    match read_prompt(Path::new(&artifact), tokens) {
        Ok(Measured { peak, decode }) => {
            let mut output = std::io::stdout();
            std::io::Write::write_fmt(&mut output, format_args!("{peak} {decode}\n")).ok()?;
            Some(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("{error}");
            Some(ExitCode::FAILURE)
        }
    }
}

fn read_prompt(artifact: &Path, tokens: usize) -> Outcome<Measured> {
    const DECODED: u32 = 50;
    let model = Module::load(artifact)?.bind(Device::cpu()?, Weights::random(1))?;
    let vocabulary = model.plan().vocab_size;
    let prompt: Vec<u32> = (0..tokens).map(|place| (place * 7919 % vocabulary) as u32).collect();
    let mut session = model.session()?;
    session.prefill(&prompt)?;
    let start = Instant::now();
    for token in 0..DECODED {
        session.decode(token % vocabulary as u32)?;
    }
    let decode = (start.elapsed() / DECODED).as_nanos() as u64;
    Ok(Measured { peak: peak_memory()?, decode })
}

/// Peak resident memory of this process, in kB.
fn peak_memory() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")).ok_or("the system does not say VmHWM")?;
    Ok(kilobytes.parse()?)
}
