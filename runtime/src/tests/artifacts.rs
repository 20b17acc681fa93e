//! Artifacts: loading one for real, and what is said of files that are none.

use std::{fs, path::Path, process::Command};

use super::{empty_plan, input, matrix, per_row};
use crate::{
    Device, Error, Module, Weights,
    artifact::seal,
    cpu::test_kernels::VOCAB,
    plan::{Buffer, Launch, Layout, Output, Part, Plan, State, StateKind},
};

/// The logits of a token are its row of a table.
fn table_plan() -> Plan {
    Plan {
        params: vec![matrix("table", VOCAB, VOCAB, Layout::RowMajor)],
        outputs: vec![Output { name: "logits".into(), rows: per_row(1), columns: VOCAB }],
        kernels: vec!["look_up".into()],
        launches: vec![Launch {
            kernel: 0,
            buffers: vec![Buffer::Param(0), input("tokens"), input("rows"), Buffer::Output(0)],
            rows: per_row(1),
            chunk: 1,
            times: 1,
            item_ns: 1,
            token_ns: 0,
        }],
        ..empty_plan()
    }
}

const LOOK_UP: &str = "
void look_up(void *const *buffers, const long long *sizes, long long begin, long long end) {
  const float *table = buffers[0];
  const int *tokens = buffers[1], *rows = buffers[2];
  float *logits = buffers[3];
  for (long long row = begin; row < end; ++row)
    for (int column = 0; column < 7; ++column) logits[7 * row + column] = table[7 * tokens[rows[row]] + column];
}";

/// A sealed shared object with the plan given as JSON. Rust needs a C compiler to link, so there is one.
fn artifact(folder: &Path, plan: &str) -> Vec<u8> {
    compiled(folder, plan, LOOK_UP)
}

pub(super) fn compiled(folder: &Path, plan: &str, kernels: &str) -> Vec<u8> {
    let [source, object] = ["kernels.c", "kernels.so"].map(|name| folder.join(name));
    let plan: String = plan.bytes().map(|byte| format!("{byte},")).collect();
    fs::write(&source, format!("const char momc_plan[] = {{{plan} 0}};\n{kernels}")).unwrap();
    let status = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&object).arg(&source).status().unwrap();
    assert!(status.success());
    let mut bytes = fs::read(&object).unwrap();
    seal(&mut bytes);
    bytes
}

#[test]
fn an_artifact_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.so");
    fs::write(&path, artifact(folder.path(), &serde_json::to_string(&table_plan()).unwrap())).unwrap();
    assert_eq!(Module::inspect(&path).unwrap(), table_plan());
    let module = Module::load(&path).unwrap();
    let model = module.bind(Device::cpu().unwrap(), Weights::random(5)).unwrap();
    let table = Weights::random_values(5, "table", &[VOCAB, VOCAB]);
    assert_eq!(model.session().unwrap().prefill(&[0, 1, 2, 3, 4]).unwrap(), table[4 * VOCAB..5 * VOCAB]);
}

/// The system's loader knows libraries by their paths and would give the former one again.
#[test]
fn an_artifact_may_be_replaced_while_it_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.so");
    let load = |kernel: &str| {
        let mut plan = table_plan();
        plan.kernels[0] = kernel.into();
        let source = LOOK_UP.replace("look_up", kernel);
        let new = folder.path().join("new.so");
        fs::write(&new, compiled(folder.path(), &serde_json::to_string(&plan).unwrap(), &source)).unwrap();
        fs::rename(new, &path).unwrap();
        Module::load(&path)
    };
    let former = load("look_up").unwrap();
    let present = load("look_up_again").unwrap();
    assert_ne!(former.plan(), present.plan());
}

#[test]
fn other_files_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.so");
    let whole = artifact(folder.path(), &serde_json::to_string(&table_plan()).unwrap());
    let load = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        Module::load(&path).unwrap_err()
    };
    assert_eq!(Module::load(folder.path().join("absent.so")).unwrap_err().code(), 601);
    let mut damaged = whole.clone();
    damaged[1000] ^= 1;
    let longer = [b"more".as_slice(), &whole].concat();
    for (bytes, problem) in [
        (b"# no artifact".as_slice(), "is not an artifact of momc; make one with"),
        (b"", "is not an artifact of momc"),
        (&whole[..whole.len() - 1], "is incomplete: its end, which momc writes last, is missing"),
        (&whole[..whole.len() - 48], "is incomplete"),
        (&damaged, "is damaged: its content is not what momc wrote"),
        (&longer, "is damaged"),
    ] {
        let error = load(bytes);
        assert_eq!(error.code(), 602);
        assert!(error.to_string().contains(problem), "{error}");
    }
    let mut text = b"sealed, but no shared object".to_vec();
    seal(&mut text);
    assert_eq!(load(&text).code(), 605);
}

/// A state of two parts of two elements, changed.
fn halves(change: fn(&mut Vec<Part>)) -> State {
    let part = |name: &str, first| Part { name: name.into(), first, elements: 2, axes: vec![("width".into(), 2)] };
    let mut state = State { parts: vec![part("a", 0), part("b", 2)], elements: 4, kind: StateKind::Fixed };
    change(&mut state.parts);
    state
}

#[test]
fn plans_that_cannot_be_run_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.so");
    let load = |plan: &Plan| -> Error {
        fs::write(&path, artifact(folder.path(), &serde_json::to_string(plan).unwrap())).unwrap();
        Module::load(&path).unwrap_err()
    };
    let changed = |change: fn(&mut Plan)| {
        let mut plan = table_plan();
        change(&mut plan);
        load(&plan)
    };
    type Case = (fn(&mut Plan), u16, &'static str);
    let cases: [Case; 18] = [
        (|plan| plan.target.arch = "vax".into(), 604, "not vax; compile it for this machine with `--target native`"),
        (|plan| plan.target.features = vec!["warp".into()], 604, "this processor lacks warp"),
        (|plan| plan.launches[0].buffers[0] = Buffer::Param(3), 605, "launch 0 uses parameter 3 of 1"),
        (|plan| plan.params[0].first = usize::MAX, 605, "parameter `table` lies outside its tensor"),
        (|plan| plan.params[0].columns *= 2, 605, "parameter `table` lies outside its tensor"),
        (|plan| plan.launches[0].chunk = 0, 605, "launch 0 has no items"),
        (|plan| plan.launches[0].times = usize::MAX, 605, "launch 0 has more items than kernels can count"),
        (|plan| plan.slots.push(per_row(usize::MAX / 2)), 605, "slot 0 is too large"),
        (|plan| plan.inputs[0].elements = per_row(1), 605, "input `tokens` is none that a step can be given"),
        (|plan| plan.inputs[1].name = "tokens".into(), 605, "input `tokens` occurs twice"),
        (|plan| plan.kernels[0] = "absent".into(), 605, "kernel `absent` is missing"),
        (|plan| plan.params.push(plan.params[0].clone()), 605, "parameter `table` occurs twice"),
        (|plan| plan.states.push(halves(|parts| parts.clear())), 605, "a state has no parts"),
        (
            |plan| plan.states.push(halves(|parts| parts[1].first = 0)),
            605,
            "state `b` begins at element 0, the one before",
        ),
        (|plan| plan.states.push(halves(|parts| parts[0].elements = 3)), 605, "state `a` has 3 elements, its axes say"),
        (|plan| plan.states.push(halves(|parts| parts.truncate(1))), 605, "the parts of state `a` have 2 of its 4"),
        (|plan| plan.states.push(halves(|parts| parts[1].name = "a".into())), 605, "state `a` occurs twice"),
        (|plan| plan.launches[0].buffers[1] = input("time"), 605, "launch 0 reads the unknown input `time`"),
    ];
    for (change, code, problem) in cases {
        let error = changed(change);
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(problem), "{error}");
    }

    // A later format may hold anything besides its number.
    fs::write(&path, artifact(folder.path(), r#"{"format": 9, "momc": "7.1.0", "graphs": []}"#)).unwrap();
    let error = Module::inspect(&path).unwrap_err();
    assert_eq!(error.code(), 603);
    assert!(error.message().ends_with(
        "was compiled by momc 7.1.0, whose plan format is 9; this runtime reads 5; compile the model again"
    ));
}
