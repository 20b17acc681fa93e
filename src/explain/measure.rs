//! What programs and each of their kernels take on this machine.
//!
//! Two programs are measured round by round, one right after the other and each first in every other round, so that
//! whatever else the machine does meets both alike. Of each launch, and of whole steps, the fastest round counts.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use mom_passes::{Program, fuse::cost::Step};
use mom_runtime::{Checkpoint, Device, Model, Module, Piece, Rows, Session, Weights};

use super::{Explanation, Version};
use crate::failure::Failure;

/// How often each step is run at least, and for how long; steps that take long are run less often.
const ROUNDS: usize = 7;
const LEAST: Duration = Duration::from_millis(300);
const FEWEST_ROUNDS: usize = 3;
const MOST: Duration = Duration::from_secs(60);
/// Reading the clock between launches does not show in a step of this length.
const LONG: Duration = Duration::from_millis(100);

/// What one step took in all rounds.
#[derive(Clone, Debug)]
pub struct Timing {
    /// The fastest time of each launch.
    launches: Vec<Duration>,
    /// Whole steps, the fastest first.
    steps: Vec<Duration>,
}

impl Timing {
    /// Nanoseconds of the fastest step.
    pub fn fastest(&self) -> f64 {
        self.steps.first().copied().map_or(0.0, ns)
    }

    /// Nanoseconds of the step in the middle.
    pub fn median(&self) -> f64 {
        self.steps.get(self.steps.len() / 2).copied().map_or(0.0, ns)
    }

    /// Nanoseconds of all launches.
    pub fn launches(&self) -> f64 {
        self.launches.iter().copied().map(ns).sum()
    }
}

fn ns(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

/// What each step took, and nanoseconds of each kernel in each step, by region and place there; of kernels that the
/// program has several times the mean.
#[derive(Clone, Debug)]
pub struct Times {
    pub steps: Vec<Timing>,
    kernels: BTreeMap<(usize, usize), Vec<f64>>,
}

impl Times {
    /// None where there is no such kernel.
    pub fn of(&self, region: usize, kernel: usize) -> Option<&[f64]> {
        self.kernels.get(&(region, kernel)).map(Vec::as_slice)
    }

    pub(super) fn new(version: &Version, steps: Vec<Timing>) -> Times {
        let mut kernels = BTreeMap::new();
        for (launch, op) in version.program.ops.iter().enumerate() {
            let Some(&Some(place)) = version.fusion.kernels.get(*op) else { continue };
            let count = version.fusion.regions[place.0].count as f64;
            let sums = kernels.entry(place).or_insert_with(|| vec![0.0; steps.len()]);
            for (sum, step) in sums.iter_mut().zip(&steps) {
                *sum += step.launches.get(launch).copied().map_or(0.0, ns) / count;
            }
        }
        Times { steps, kernels }
    }
}

/// Measures both programs of an explanation with made-up weights. Their artifacts go into `folder`, which is the caller's
/// to remove.
///
/// # Errors
/// A fault of momc, E0604 for a target that this machine is not, E0610 where there is no memory for both.
pub fn measure(explanation: &mut Explanation, folder: &Path) -> Result<(), Failure> {
    let Explanation { rewriting, before, after, .. } = explanation;
    let models = [load(&before.program, &folder.join("before.so"))?, load(&after.program, &folder.join("after.so"))?];
    let (mut was, mut is) = (Vec::new(), Vec::new());
    for step in &rewriting.steps {
        let [before, after] = interleaved([&models[0], &models[1]], step)?;
        was.push(before);
        is.push(after);
    }
    before.times = Some(Times::new(before, was));
    after.times = Some(Times::new(after, is));
    Ok(())
}

/// A program with made-up weights; its artifact is written to `path`.
pub(super) fn load(program: &Program, path: &Path) -> Result<Model, Failure> {
    program.write(path)?;
    Ok(Module::load(path)?.bind(Device::cpu()?, Weights::random(1))?)
}

/// What a step takes with either model.
pub(super) fn interleaved(models: [&Model; 2], step: &Step) -> Result<[Timing; 2], Failure> {
    let [one, other] = models;
    let mut runs = [Repeated::new(one, step)?, Repeated::new(other, step)?];
    let start = Instant::now();
    for round in 0.. {
        runs[round % 2].round()?;
        runs[1 - round % 2].round()?;
        let (rounds, elapsed) = (round + 1, start.elapsed());
        if (rounds >= ROUNDS && elapsed >= LEAST) || (rounds >= FEWEST_ROUNDS && elapsed >= MOST) {
            break;
        }
    }
    Ok(runs.map(|mut run| {
        run.timing.steps.sort_unstable();
        run.timing
    }))
}

/// A session that takes the same step again and again.
struct Repeated {
    session: Session,
    /// What the session was before the step.
    mark: Checkpoint,
    /// The tokens of each sequence.
    tokens: Vec<Vec<u32>>,
    timing: Timing,
}

impl Repeated {
    /// After the step each sequence has the step's length.
    fn new(model: &Model, step: &Step) -> Result<Repeated, Failure> {
        let vocabulary = model.plan().vocab_size.max(1);
        let own = step.tokens / step.sequences;
        let sequence = |number: usize| -> Vec<u32> {
            (0..step.context).map(|token| ((token * 7 + number * 13) % vocabulary) as u32).collect()
        };
        let mut sequences: Vec<Vec<u32>> = (0..step.sequences).map(sequence).collect();
        let tokens: Vec<Vec<u32>> = sequences.iter_mut().map(|all| all.split_off(step.context - own)).collect();
        let mut session = model.batch(step.sequences)?;
        if step.context > own {
            session.step(&pieces(&sequences), Rows::None)?;
        }
        let mark = session.checkpoint()?;
        let timing = Timing { launches: Vec::new(), steps: Vec::new() };
        Ok(Repeated { session, mark, tokens, timing })
    }

    /// A step of which each launch is timed, and an ordinary one; a long step is both at once.
    fn round(&mut self) -> Result<(), Failure> {
        let pieces = pieces(&self.tokens);
        self.session.rollback(&self.mark)?;
        let start = Instant::now();
        let times = self.session.launch_times(&pieces)?;
        let mut whole = start.elapsed();
        if whole < LONG {
            self.session.rollback(&self.mark)?;
            let start = Instant::now();
            self.session.step(&pieces, Rows::Last)?;
            whole = start.elapsed();
        }
        self.timing.steps.push(whole);
        match self.timing.launches.is_empty() {
            true => self.timing.launches = times,
            false => self.timing.launches.iter_mut().zip(times).for_each(|(least, time)| *least = time.min(*least)),
        }
        Ok(())
    }
}

fn pieces(tokens: &[Vec<u32>]) -> Vec<Piece<'_>> {
    tokens.iter().map(|tokens| Piece::new(tokens)).collect()
}
