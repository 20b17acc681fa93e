//! Random affine update rules: every form that momc derives equals the interpreter, and so do the gradients.
//!
//! Rules are the same in every run. `MOMC_PROPTEST_CASES` sets how many are tried in float64, `MOMC_COMPILED_CASES` how
//! many as native code, and `MOMC_PROPTEST_FIRST` the number of the first; the first hundred are small. A failing rule
//! is made as small as it can be and shown as a `.mom` file, with the number of the case, as soon as it is found.

mod data;
mod forms;
mod sketch;
mod writer;

use std::{env, fmt};

use libtest_mimic::Trial;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner},
};

use self::{
    data::{Sizes, Subject},
    sketch::Sketch,
};
use crate::{Outcome, trial};

/// Cases, if the environment does not say.
const FLOAT64_CASES: usize = 100;
const COMPILED_CASES: usize = 3;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("random_rules::float64", || every_case("MOMC_PROPTEST_CASES", FLOAT64_CASES, 300, forms::float64)),
        trial("random_rules::compiled", || every_case("MOMC_COMPILED_CASES", COMPILED_CASES, 40, forms::compiled)),
    ]
}

/// A rule to be, and what it is tried on.
#[derive(Clone)]
struct Case {
    sketch: Sketch,
    sizes: Sizes,
}

impl fmt::Debug for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}// {:?}", self.sketch.text(), self.sizes)
    }
}

fn any_case(quick: bool) -> impl Strategy<Value = Case> {
    (sketch::sketch(), data::sizes(quick)).prop_map(|(sketch, sizes)| Case { sketch, sizes })
}

/// Tries as many cases as the environment says, and answers all failures.
fn every_case(variable: &str, usual: usize, shrink: u32, check: fn(&Subject) -> Outcome) -> Outcome {
    let number = |variable: &str, usual| env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(usual);
    let first: usize = number("MOMC_PROPTEST_FIRST", 0);
    let mut failures = Vec::new();
    for case in first..first + number(variable, usual) {
        let config = Config { cases: 1, failure_persistence: None, max_shrink_iters: shrink, ..Config::default() };
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&(case as u64).to_le_bytes());
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
        let result = runner.run(&any_case(case < FLOAT64_CASES), |case| {
            let outcome = Subject::new(&case.sketch, &case.sizes).and_then(|subject| check(&subject));
            outcome.map_err(|error| TestCaseError::fail(error.to_string()))
        });
        match result {
            Ok(()) => {}
            Err(TestError::Fail(why, smallest)) => {
                eprintln!("case {case}: {why}\n{smallest:?}");
                failures.push(format!("case {case}: {why}\n{smallest:?}"))
            }
            Err(other) => failures.push(format!("case {case}: {other}")),
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n\n").into()) }
}
