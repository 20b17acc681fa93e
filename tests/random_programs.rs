//! Random programs: what rewriting makes of them means what they mean, in float64 and in native code.
//!
//! Programs are the same in every run. `MOMC_PROPTEST_CASES` sets how many are tried in float64, `MOMC_COMPILED_CASES` how
//! many as native code, and `MOMC_PROPTEST_FIRST` the number of the first. A failing program is made as small as it can be
//! and shown as a `.mlir` file, with the number of the case, as soon as it is found.

mod writer;

use std::fmt;

use libtest_mimic::Trial;
use mom_dialect::{print::print, verify};
use mom_passes::fuse::Selection;
use proptest::{collection::vec, prelude::*};

use self::writer::{Sketch, VOCABULARY, sketch};
use crate::{
    Outcome,
    dialect::lines,
    fused::parse,
    laws::{Data, LAWS, Subject, Verdict, means_the_same, well_posed},
    machine::{Model, Token},
    numbered, trial,
};

/// Cases, if the environment does not say.
const FLOAT64_CASES: usize = 50;
const COMPILED_CASES: usize = 4;

/// Steps to make a failing case smaller.
const SHRINK: u32 = 60;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("random_programs::float64", || every_case("MOMC_PROPTEST_CASES", FLOAT64_CASES, float64)),
        trial("random_programs::compiled", || every_case("MOMC_COMPILED_CASES", COMPILED_CASES, compiled)),
    ]
}

#[derive(Clone)]
struct Case {
    sketch: Sketch,
    block_tokens: usize,
    data: Data,
}

impl fmt::Debug for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.sketch.program().map_or_else(|error| error, |graph| print(&graph));
        write!(formatter, "{text}# steps of {} tokens\n{:?}", self.block_tokens, self.data)
    }
}

impl Case {
    fn model(&self) -> Outcome<Model> {
        let graph = self.sketch.program()?;
        let found = verify::verify(&graph);
        if !found.is_empty() {
            return Err(format!("the program is wrong: {}", lines(&found)).into());
        }
        Ok(Model::of_graph(graph, self.block_tokens))
    }
}

fn any_case() -> impl Strategy<Value = Case> {
    let token = (0..VOCABULARY as u32, prop::bool::weighted(0.85)).prop_map(|(id, real)| Token { id, real });
    let sequences = vec(vec(token, 0..=9), 1..=3);
    (sketch(), 1..=12usize, any::<u64>(), sequences, vec(1..=5usize, 3)).prop_map(
        |(sketch, block_tokens, seed, mut sequences, pieces)| {
            // There is something to compute.
            sequences[0].insert(0, Token::real(0));
            Case { sketch, block_tokens, data: Data { seed, sequences, pieces } }
        },
    )
}

/// The rewritten program, which must be a program, and be read back from its text.
fn rewritten(model: &Model) -> Outcome<Model> {
    let graph = model.fusion(&Selection::default())?.graph;
    let found = verify::verify(&graph);
    if !found.is_empty() {
        return Err(format!("the rewritten program is wrong: {}", lines(&found)).into());
    }
    let text = print(&graph);
    if print(&parse(&text)?) != text {
        return Err("the rewritten program is not read back".into());
    }
    Ok(model.with_graph(graph))
}

fn float64(case: &Case) -> Outcome<Verdict> {
    let model = case.model()?;
    if well_posed(&case.data, &model)? == Verdict::TooClose {
        return Ok(Verdict::TooClose);
    }
    means_the_same(&case.data, &rewritten(&model)?, &model)?;
    Ok(Verdict::Holds)
}

/// Native code of the program as it was written and as it was rewritten.
fn compiled(case: &Case) -> Outcome<Verdict> {
    let model = case.model()?;
    if well_posed(&case.data, &model)? == Verdict::TooClose {
        return Ok(Verdict::TooClose);
    }
    // What native code cannot do, rewriting need not make it do.
    if model.program().is_err() {
        return Ok(Verdict::TooClose);
    }
    let rewritten = Subject::rewritten(&rewritten(&model)?, case.model()?, case.data.seed)?;
    let plain = Subject::new(model, case.data.seed)?;
    for (which, subject) in [("as it was", &plain), ("rewritten", &rewritten)] {
        for (what, law) in LAWS {
            let verdict = law(&case.data, subject).map_err(|error| format!("{which}: {what}: {error}"))?;
            if verdict == Verdict::TooClose {
                return Ok(verdict);
            }
        }
    }
    Ok(Verdict::Holds)
}

/// As many cases as the environment says.
fn every_case(variable: &str, usual: usize, check: fn(&Case) -> Outcome<Verdict>) -> Outcome {
    numbered::every_case(
        numbered::count(variable, usual),
        SHRINK,
        |_| any_case(),
        |case| match check(&case) {
            Ok(Verdict::Holds) => Ok(()),
            Ok(Verdict::TooClose) => Err(TestCaseError::reject("a close decision, or no native code")),
            Err(error) => Err(TestCaseError::fail(error.to_string())),
        },
    )
}
