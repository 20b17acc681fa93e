//! Programs over tensors: a sum along each sequence, compiled by the system's C compiler.

use std::fs;

use super::{artifacts::compiled, empty_plan, input, per_sequence, per_token};
use crate::{
    Device, Kernels, Module, Weights,
    plan::{Buffer, DType, Input, Launch, Linear, Output, Part, Plan, State, StateKind},
};

/// `y` is the sum of the sequence's `x` so far, times `factor`; `sum` is where it starts.
fn sum_plan() -> Plan {
    let given = |name: &str, dtype, elements| Input { name: name.into(), dtype, elements };
    let one = Linear { constant: 1, ..Linear::default() };
    Plan {
        vocab_size: 0,
        inputs: vec![
            given("x", DType::F32, per_token(1)),
            given("factor", DType::F32, one),
            given("cu_seqlens", DType::I32, Linear { constant: 1, ..per_sequence(1) }),
        ],
        states: vec![State::whole("sum", vec![], StateKind::Fixed)],
        outputs: vec![Output { name: "y".into(), rows: per_token(1), columns: 1 }],
        kernels: vec!["sum".into()],
        launches: vec![Launch {
            kernel: 0,
            buffers: vec![input("x"), input("factor"), input("cu_seqlens"), Buffer::State(0), Buffer::Output(0)],
            rows: per_sequence(1),
            chunk: 1,
            times: 1,
            item_ns: 1,
            token_ns: 0,
        }],
        ..empty_plan()
    }
}

const SUM: &str = "
void sum(void *const *buffers, const long long *sizes, long long begin, long long end) {
  const float *x = buffers[0], *factor = buffers[1];
  const int *ends = buffers[2];
  float *sum = buffers[3], *y = buffers[4];
  for (long long row = begin; row < end; ++row)
    for (int token = ends[row]; token < ends[row + 1]; ++token) y[token] = (sum[row] += x[token]) * *factor;
}";

fn sums() -> Kernels {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sum.so");
    fs::write(&path, compiled(folder.path(), &serde_json::to_string(&sum_plan()).unwrap(), SUM)).unwrap();
    let module = Module::load(&path).unwrap();
    assert_eq!(module.bind(Device::cpu().unwrap(), Weights::random(1)).unwrap_err().code(), 608);
    module.kernels(Device::cpu_threads(1).unwrap()).unwrap()
}

#[test]
fn a_program_runs_on_tensors() {
    let kernels = sums();
    let x: &[f32] = &[1.0, 2.0, 3.0];
    let inputs = [("factor", &[10.0][..]), ("x", x)];
    let results = kernels.run(&[0, 2, 2, 3], &inputs, &[("sum", &[0.0, 7.0, 1.0])]).unwrap();
    assert_eq!(results.output("y").unwrap().data, [10.0, 30.0, 40.0]);
    assert_eq!(results.state("sum").unwrap().data, [3.0, 7.0, 4.0]);

    let mut run = kernels.prepare(&[0, 3], &inputs, &[]).unwrap();
    run.step();
    assert_eq!(run.results().state("sum").unwrap().data, [6.0]);
    run.step();
    assert_eq!(run.results().state("sum").unwrap().data, [12.0]);
}

/// The kernel knows one state; people give and read its parts.
#[test]
fn parts_of_a_state_are_given_and_read_apart() {
    let mut plan = sum_plan();
    let part = |name: &str, first| Part { name: name.into(), first, elements: 1, axes: vec![] };
    plan.states[0] = State { parts: vec![part("sum", 0), part("count", 1)], elements: 2, kind: StateKind::Fixed };
    let kernel = SUM.replace("(sum[row] += x[token])", "(++sum[2 * row + 1], sum[2 * row] += x[token])");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sum.so");
    fs::write(&path, compiled(folder.path(), &serde_json::to_string(&plan).unwrap(), &kernel)).unwrap();
    let kernels = Module::load(&path).unwrap().kernels(Device::cpu_threads(1).unwrap()).unwrap();
    let inputs: [(&str, &[f32]); 2] = [("factor", &[1.0]), ("x", &[1.0, 2.0, 3.0])];
    let results = kernels.run(&[0, 2, 3], &inputs, &[("count", &[10.0, 20.0]), ("sum", &[0.5, 0.0])]).unwrap();
    assert_eq!(results.state("sum").unwrap().data, [3.5, 3.0]);
    assert_eq!(results.state("count").unwrap().data, [12.0, 21.0]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let kernels = sums();
    let (x, factor): (&[f32], &[f32]) = (&[1.0, 2.0, 3.0, 4.0, 5.0], &[1.0]);
    type Given<'a> = &'a [(&'a str, &'a [f32])];
    let refused = |boundaries: &[usize], inputs: Given<'_>, states: Given<'_>, problem: &str| {
        let error = kernels.run(boundaries, inputs, states).unwrap_err();
        assert!(error.code() == 608 && error.message().contains(problem), "{error}");
    };
    let both: Given<'_> = &[("x", &x[..3]), ("factor", factor)];
    refused(&[], both, &[], "must be 0 and one more");
    refused(&[0], both, &[], "must be 0 and one more");
    refused(&[1, 3], both, &[], "must be 0 and one more");
    refused(&[0, 4, 3], both, &[], "must not fall");
    refused(&[0, 5], &[("x", x), ("factor", factor)], &[], "there are 5 tokens; a step takes at most 4");
    refused(&[0, 2], both, &[], "the input `x` has 3 elements, but the step needs 2");
    refused(&[0, 3], &both[..1], &[], "the input `factor` is missing");
    refused(&[0, 3], both, &[("sum", x)], "the state `sum` has 5 elements, but the step needs 1");
    refused(&[0, 3], both, &[("mean", x)], "the program has no state `mean`");
    refused(&[0, 3], &[("x", &x[..3]), ("factor", factor), ("z", x)], &[], "the program has no input `z`");
}
