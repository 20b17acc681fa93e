//! Programs with fused operations against the interpreter: `tests/cases/fused` holds one for each thing that a kernel of
//! several operations may be.
//!
//! A case is a program of the stage `mom` or `fused`, whose parameters are made up. It may say what it is tried on in
//! lines of the form `//! name: value`:
//!
//! - `sequences: 11 -2 4, 0, 1`: for each sequence its runs of real tokens and, negative, of padding;
//! - `pieces: 3 1 5`: how many tokens of each sequence are fed at a time when it is cut;
//! - `block_tokens: 16`: the most tokens of a step;
//! - `seed: 1`: of the parameters and tokens;
//! - `schedule: chunk=16`: of the update rules' kernels; a chunk begins where a piece does, so pieces must be whole ones;
//! - `meaning: other.mlir`: the case beside it that this one was made from; without it a program means what it says.

use std::{fs, path::Path};

use libtest_mimic::Trial;
use mom_dialect::{diagnostic::Source, graph::Graph, mlir, verify};
use mom_passes::{Options, Pinned};

use crate::{
    Outcome,
    dialect::lines,
    laws::{Data, LAWS, Subject, Verdict, means_the_same},
    machine::{Model, Token},
    tidy::files,
    trial,
};

const CASES: &str = "tests/cases/fused";

pub(crate) fn trials() -> Vec<Trial> {
    let cases = files(Path::new(CASES), "mlir").into_iter();
    cases.map(|case| trial(format!("fused::{}", case.display()), move || holds(&case))).collect()
}

fn holds(case: &Path) -> Outcome {
    let text = fs::read_to_string(case)?;
    let settings = Settings::of(&text)?;
    let options = Options { pinned: settings.schedule.clone(), ..Options::default() };
    let model = Model::of_graph(parse(&text)?, settings.block_tokens).with(options);
    let Some(meaning) = &settings.meaning else {
        let data = settings.data(model.vocab_size());
        return obeys(&data, &Subject::new(model, data.seed)?);
    };
    let meaning = parse(&fs::read_to_string(case.with_file_name(meaning))?)?;
    rewritten(&model, Model::of_graph(meaning, settings.block_tokens), &settings)
}

/// A program that rewrites made is as good as the one that they made it from.
pub(crate) fn rewritten(model: &Model, meaning: Model, settings: &Settings) -> Outcome {
    let data = settings.data(meaning.vocab_size());
    means_the_same(&data, model, &meaning)?;
    obeys(&data, &Subject::rewritten(model, meaning, data.seed)?)
}

/// A program from its text.
pub(crate) fn parse(text: &str) -> Outcome<Graph> {
    let graph = mlir::parse(&Source::new("program.mlir", text)).map_err(|found| lines(&found))?;
    let found = verify::verify(&graph);
    if found.is_empty() { Ok(graph) } else { Err(lines(&found).into()) }
}

/// Fails with all laws that do not hold.
pub(crate) fn obeys(data: &Data, subject: &Subject) -> Outcome {
    let broken = LAWS.iter().filter_map(|(what, law)| match law(data, subject) {
        Ok(Verdict::Holds) => None,
        Ok(Verdict::TooClose) => Some(format!("{what}: a routing decision is too close; take another seed")),
        Err(error) => Some(format!("{what}: {error}")),
    });
    let broken: Vec<String> = broken.collect();
    if broken.is_empty() { Ok(()) } else { Err(broken.join("\n").into()) }
}

/// What a case says of the data that it is tried on.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Runs of real tokens and, negative, of padding.
    pub(crate) sequences: Vec<Vec<i64>>,
    pub(crate) pieces: Vec<usize>,
    pub(crate) block_tokens: usize,
    pub(crate) seed: u64,
    pub(crate) schedule: Pinned,
    /// The file that says what the program means.
    pub(crate) meaning: Option<String>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            sequences: vec![vec![11, -2, 4], vec![], vec![1], vec![-1, 7, -1]],
            pieces: vec![3, 1, 5],
            block_tokens: 16,
            seed: 1,
            schedule: Pinned::default(),
            meaning: None,
        }
    }
}

impl Settings {
    fn of(text: &str) -> Outcome<Settings> {
        let mut settings = Settings::default();
        for line in text.lines().filter_map(|line| line.strip_prefix("//! ")) {
            let (name, value) = line.split_once(": ").ok_or_else(|| format!("`{line}` is not `name: value`"))?;
            match name {
                "sequences" => {
                    let sequences = value.split(',').map(numbers).collect::<Outcome<Vec<Vec<i64>>>>()?;
                    settings.sequences = sequences;
                }
                "pieces" => settings.pieces = numbers(value)?,
                "block_tokens" => settings.block_tokens = value.trim().parse()?,
                "seed" => settings.seed = value.trim().parse()?,
                "schedule" => settings.schedule = value.trim().parse()?,
                "meaning" => settings.meaning = Some(value.trim().to_owned()),
                _ => return Err(format!("a case has no `{name}`").into()),
            }
        }
        Ok(settings)
    }

    /// Made-up tokens below `vocab_size`.
    pub(crate) fn data(&self, vocab_size: usize) -> Data {
        let mut state = self.seed;
        let mut token = |real: bool| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Token { id: ((state >> 33) % vocab_size.max(1) as u64) as u32, real }
        };
        let mut sequence = |runs: &Vec<i64>| {
            let reals = runs.iter().flat_map(|&run| (0..run.abs()).map(move |_| run > 0));
            reals.map(&mut token).collect::<Vec<Token>>()
        };
        let sequences = self.sequences.iter().map(&mut sequence).collect();
        Data { seed: self.seed, sequences, pieces: self.pieces.clone() }
    }
}

fn numbers<T: std::str::FromStr<Err: Into<Box<dyn std::error::Error + Send + Sync>>>>(text: &str) -> Outcome<Vec<T>> {
    text.split_whitespace().map(|number| number.parse().map_err(Into::into)).collect()
}
