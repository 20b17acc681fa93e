//! What each kernel takes on this machine.

use std::{collections::BTreeMap, path::Path, time::Duration};

use mom_passes::{
    Program,
    fuse::cost::{Step, WORKLOAD},
};
use mom_runtime::{Device, Model, Module, Weights};

use super::Version;
use crate::failure::Failure;

/// How often each step is run; of each launch the fastest counts, which nothing else on the machine has held up.
const ROUNDS: usize = 7;

/// Nanoseconds of each kernel, by region and place there, in each step of [`WORKLOAD`]; of kernels that the program has
/// several times the mean.
#[derive(Clone, Debug, Default)]
pub struct Times {
    kernels: BTreeMap<(usize, usize), Vec<f64>>,
    /// All launches of each step.
    pub total: Vec<f64>,
}

impl Times {
    /// None where another kernel does the work of this one.
    pub fn of(&self, region: usize, kernel: usize) -> Option<&[f64]> {
        self.kernels.get(&(region, kernel)).map(Vec::as_slice)
    }
}

/// Runs a program with made-up weights. Its artifact goes to `path`, in a folder that is the caller's to remove.
///
/// # Errors
/// A fault of momc, E0604 for a target that this machine is not, E0610 where there is no memory.
pub fn measure(version: &mut Version, path: &Path) -> Result<(), Failure> {
    version.program.write(path)?;
    let model = Module::load(path)?.bind(Device::cpu()?, Weights::random(1))?;
    let mut steps = Vec::new();
    for step in WORKLOAD {
        steps.push(fastest(&model, &step)?);
    }
    version.times = Some(times(version, &version.program, &steps));
    Ok(())
}

/// Of each launch the shortest time, in a step after which the sequence has its length.
fn fastest(model: &Model, step: &Step) -> Result<Vec<Duration>, Failure> {
    let vocabulary = model.plan().vocab_size.max(1);
    let tokens: Vec<u32> = (0..step.context).map(|token| (token * 7 % vocabulary) as u32).collect();
    let (before, tokens) = tokens.split_at(step.context - step.tokens);
    let mut session = model.session()?;
    session.prefill(before)?;
    let mark = session.checkpoint()?;
    let mut fastest = session.launch_times(tokens)?;
    for _ in 1..ROUNDS {
        session.rollback(&mark)?;
        let times = session.launch_times(tokens)?;
        fastest.iter_mut().zip(times).for_each(|(least, time)| *least = time.min(*least));
    }
    Ok(fastest)
}

fn times(version: &Version, program: &Program, steps: &[Vec<Duration>]) -> Times {
    let ns = |time: Duration| time.as_secs_f64() * 1e9;
    let mut times = Times {
        kernels: BTreeMap::new(),
        total: steps.iter().map(|step| step.iter().copied().map(ns).sum()).collect(),
    };
    for (launch, op) in program.ops.iter().enumerate() {
        let Some(&Some(place)) = version.fusion.kernels.get(*op) else { continue };
        let count = version.fusion.regions[place.0].count as f64;
        let sums = times.kernels.entry(place).or_insert_with(|| vec![0.0; steps.len()]);
        for (sum, step) in sums.iter_mut().zip(steps) {
            *sum += step.get(launch).copied().map_or(0.0, ns) / count;
        }
    }
    times
}
