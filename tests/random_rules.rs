//! Random affine update rules: every form that momc derives equals the interpreter, and so do the gradients.
//!
//! Rules are the same in every run. `MOMC_PROPTEST_CASES` sets how many are tried in float64, `MOMC_COMPILED_CASES` how
//! many as native code, and `MOMC_PROPTEST_FIRST` the number of the first; the first hundred are small. A failing rule
//! is made as small as it can be and shown as a `.mom` file, with the number of the case, as soon as it is found.

mod data;
mod forms;
mod sketch;
mod writer;

use std::fmt;

use libtest_mimic::Trial;
use proptest::prelude::*;

use self::{
    data::{Sizes, Subject},
    sketch::Sketch,
};
use crate::{Outcome, numbered, trial};

/// Cases, if the environment does not say.
const FLOAT64_CASES: usize = 100;
const COMPILED_CASES: usize = 3;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("random_rules::float64", || {
            let count = numbered::count("MOMC_PROPTEST_CASES", FLOAT64_CASES);
            every_case(count, 300, any_case, forms::float64)
        }),
        trial("random_rules::compiled", || {
            let count = numbered::count("MOMC_COMPILED_CASES", COMPILED_CASES);
            every_case(count, 40, with_digits_in_float32, forms::compiled)
        }),
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

/// A vector of one entry that is normalised is 1 or -1: all that is left of its derivative is what `epsilon` adds, of
/// which float32 holds no digit. In float64 such rules are tried too.
fn with_digits_in_float32(quick: bool) -> impl Strategy<Value = Case> {
    any_case(quick).prop_map(|case| match case.sketch.normalises() {
        true => Case { sizes: case.sizes.of_two_at_least(), ..case },
        false => case,
    })
}

fn every_case<S: Strategy<Value = Case>>(
    count: usize,
    shrink: u32,
    any_case: fn(bool) -> S,
    check: fn(&Subject) -> Outcome,
) -> Outcome {
    let cases = |case: usize| any_case(case < FLOAT64_CASES);
    numbered::every_case(count, shrink, cases, |case| {
        let outcome = Subject::new(&case.sketch, &case.sizes).and_then(|subject| check(&subject));
        outcome.map_err(|error| TestCaseError::fail(error.to_string()))
    })
}
