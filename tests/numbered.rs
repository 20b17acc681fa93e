//! Random cases that have numbers: the same number is the same case in every run.
//!
//! `MOMC_PROPTEST_FIRST` is the number of the first. A case that fails is made as small as it can be and shown with its
//! number as soon as it is found.

use std::{env, fmt::Debug};

use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};

use crate::Outcome;

/// How many cases to try: what the environment says, or as many as usual.
pub(crate) fn count(variable: &str, usual: usize) -> usize {
    env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}

/// Tries `count` cases and answers all failures; `cases` makes the case of a number, and a failing one is made smaller in
/// at most `shrink` steps.
pub(crate) fn every_case<S: Strategy<Value: Debug>>(
    count: usize,
    shrink: u32,
    cases: impl Fn(usize) -> S,
    check: impl Fn(S::Value) -> Result<(), TestCaseError>,
) -> Outcome {
    let first = self::count("MOMC_PROPTEST_FIRST", 0);
    let mut failures = Vec::new();
    for case in first..first + count {
        let config = Config { cases: 1, failure_persistence: None, max_shrink_iters: shrink, ..Config::default() };
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&(case as u64).to_le_bytes());
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
        match runner.run(&cases(case), &check) {
            Ok(()) => {}
            Err(TestError::Fail(why, smallest)) => {
                eprintln!("case {case}: {why}\n{smallest:?}");
                failures.push(format!("case {case}: {why}\n{smallest:?}"));
            }
            Err(other) => failures.push(format!("case {case}: {other}")),
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n\n").into()) }
}
