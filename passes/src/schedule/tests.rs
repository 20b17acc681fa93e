//! Where weights and states lie, and what is refused because it could not lie there.

use mom_dialect::{
    graph::{Body, Function, Fused, Graph, OpKind, Source, ValueId},
    shape::{Axis, Extent, Type},
};
use mom_runtime::plan::{Buffer, Layout, Plan};

use super::schedule;
use crate::{ModelInfo, Options, Target};

/// A program of one test.
struct Program(Graph);

impl Program {
    fn new() -> Program {
        Program(Graph { name: "test".into(), update_rules: Vec::new(), body: Body::default() })
    }

    fn add(&mut self, kind: OpKind, operands: &[ValueId]) -> Vec<ValueId> {
        self.0.add(kind, operands, None).unwrap()
    }

    fn one(&mut self, kind: OpKind, operands: &[ValueId]) -> ValueId {
        self.add(kind, operands)[0]
    }

    fn input(&mut self, name: &str, axes: impl Into<Vec<Axis>>) -> ValueId {
        let ty = if name == "cu_seqlens" { Type::i32(axes) } else { Type::f32(axes) };
        self.one(OpKind::Input { name: name.into(), ty }, &[])
    }

    fn weight(&mut self, name: &str, axes: impl Into<Vec<Axis>>) -> ValueId {
        let ty = Type::f32(axes);
        let shape = ty.axes.iter().filter_map(Axis::size).collect();
        let source = Source { tensor: name.into(), shape, first_row: 0 };
        self.one(OpKind::Param { name: name.into(), ty, source }, &[])
    }

    fn state(&mut self, name: &str, axes: impl Into<Vec<Axis>>) -> ValueId {
        let axes = [vec![Axis::Rows(Extent::SEQUENCES)], axes.into()].concat();
        self.one(OpKind::State { name: name.into(), ty: Type::f32(axes) }, &[])
    }

    fn set(&mut self, name: &str, value: ValueId) {
        self.add(OpKind::SetState { name: name.into() }, &[value]);
    }

    fn output(&mut self, name: &str, value: ValueId) {
        self.add(OpKind::Output { name: name.into() }, &[value]);
    }

    /// A convolution of `x` along whole sequences; its output, and the window after the step.
    fn convolution(&mut self, x: ValueId, window: ValueId) -> Vec<ValueId> {
        let weight = self.weight("taps", [width(), tap()]);
        let segments = self.input("cu_seqlens", [Axis::Rows(Extent::SEQUENCES.plus(1))]);
        self.add(OpKind::ShortConv, &[x, weight, window, segments])
    }

    fn plan(&self) -> Result<Plan, String> {
        let info = ModelInfo {
            model: "test".into(),
            vocab_size: 0,
            layers: 1,
            eos_token: None,
            memories: 0,
            block_tokens: 16,
            ignored_tensors: Vec::new(),
        };
        let target = Target::from_name("x86-64-v3").map_err(|found| found.message)?;
        let plan = schedule(&self.0, &target, &info, &Options::default()).map_err(|found| found.message)?.plan;
        plan.validate().map(|()| plan)
    }
}

fn tokens() -> Axis {
    Axis::Rows(Extent::TOKENS)
}

fn width() -> Axis {
    Axis::named("width", 8)
}

fn tap() -> Axis {
    Axis::named("tap", 3)
}

/// The program is refused because of this.
#[track_caller]
fn refused(program: &Program, why: &str) {
    let found = program.plan().unwrap_err();
    assert!(found.contains(why), "{found}");
}

#[test]
fn a_weight_is_there_in_each_layout_that_is_wanted() {
    let mut program = Program::new();
    let x = program.input("x", [tokens(), width()]);
    let weight = program.weight("w", [Axis::named("out", 20), width()]);
    let y = program.one(OpKind::Linear, &[x, weight]);
    let z = program.one(OpKind::Elementwise(Function::Mul), &[y, weight]);
    // Another product wants what the first one does.
    let again = program.one(OpKind::Linear, &[x, weight]);
    program.output("z", z);
    program.output("again", again);
    let plan = program.plan().unwrap();
    let layouts: Vec<Layout> = plan.params.iter().map(|param| param.layout).collect();
    assert_eq!(layouts, [Layout::Panels { width: 16 }, Layout::RowMajor]);
    let read = |name: &str| {
        let output = plan.outputs.iter().position(|output| output.name == name).unwrap();
        let launch = plan.launches.iter().find(|launch| launch.buffers.contains(&Buffer::Output(output)));
        launch.unwrap().buffers.iter().find(|buffer| matches!(buffer, Buffer::Param(_))).cloned()
    };
    assert_eq!([read("z"), read("again")], [Some(Buffer::Param(1)), Some(Buffer::Param(0))]);
    // Nothing of the workspace is for weights.
    assert!(plan.slots.iter().all(|slot| slot.constant == 0), "{:?}", plan.slots);
}

/// So it is the same in memory whatever products it is merged with.
#[test]
fn a_narrow_weight_beside_a_wide_one_has_narrow_panels() {
    let mut program = Program::new();
    let x = program.input("x", [tokens(), width()]);
    let wide = program.weight("wide", [Axis::named("out", 20), width()]);
    let narrow = program.weight("narrow", [Axis::named("head", 3), width()]);
    let both = program.add(OpKind::Linear, &[x, narrow, wide]);
    let alone = program.one(OpKind::Linear, &[x, narrow]);
    for (name, value) in [("narrow", both[0]), ("wide", both[1]), ("alone", alone)] {
        program.output(name, value);
    }
    let plan = program.plan().unwrap();
    let widths: Vec<(&str, Layout)> = plan.params.iter().map(|param| (param.name.as_str(), param.layout)).collect();
    assert_eq!(widths, [("wide", Layout::Panels { width: 16 }), ("narrow", Layout::Panels { width: 4 })]);
}

/// Nothing is joined here; a constant is part of the code that reads it.
#[test]
fn an_operation_is_a_launch() {
    let mut program = Program::new();
    let x = program.input("x", [tokens(), width()]);
    let half = program.one(OpKind::Constant { value: 0.5 }, &[]);
    let weight = program.weight("w", [width()]);
    let shifted = program.one(OpKind::Elementwise(Function::Sub), &[half, x]);
    let scaled = program.one(OpKind::Elementwise(Function::Mul), &[shifted, weight]);
    let y = program.one(OpKind::Elementwise(Function::Mul), &[scaled, scaled]);
    program.output("y", y);
    let plan = program.plan().unwrap();
    let buffers: Vec<&[Buffer]> = plan.launches.iter().map(|launch| &launch.buffers[..]).collect();
    let [first, second] = [0, 1].map(Buffer::Slot);
    let expected: [&[Buffer]; 3] = [
        &[Buffer::Input("x".into()), first.clone()],
        &[first, Buffer::Param(0), second.clone()],
        &[second.clone(), second, Buffer::Output(0)],
    ];
    assert_eq!(buffers, expected);
}

#[test]
fn constants_are_read_element_by_element() {
    let mut program = Program::new();
    let one = program.one(OpKind::Constant { value: 1.0 }, &[]);
    let window = program.state("window", [tap(), width()]);
    let weight = program.weight("taps", [width(), tap()]);
    let segments = program.input("cu_seqlens", [Axis::Rows(Extent::SEQUENCES.plus(1))]);
    let types = vec![Type::f32([tokens(), width()]), program.0.body.ty(window).clone()];
    let made = program.0.body.add_typed(OpKind::ShortConv, vec![one, weight, window, segments], types, None);
    program.set("window", made[1]);
    program.output("y", made[0]);
    refused(&program, "constants only element by element");
}

#[test]
fn a_computed_value_is_no_weight() {
    let mut program = Program::new();
    let x = program.input("x", [tokens(), width()]);
    let weight = program.weight("w", [Axis::named("out", 4), width()]);
    let negative = program.one(OpKind::Elementwise(Function::Neg), &[weight]);
    let y = program.one(OpKind::Linear, &[x, negative]);
    program.output("y", y);
    refused(&program, "must be a parameter of the program");
}

#[test]
fn a_state_is_changed_in_place() {
    let mut program = Program::new();
    let x = program.input("x", [tokens(), width()]);
    let window = program.state("window", [tap(), width()]);
    let made = program.convolution(x, window);
    program.set("window", made[1]);
    program.output("y", made[0]);
    let plan = program.plan().unwrap();
    let [launch] = &plan.launches[..] else { panic!() };
    assert_eq!(launch.buffers[2..], [Buffer::State(0), Buffer::Input("cu_seqlens".into()), Buffer::Output(0)]);
}

/// What is refused would otherwise be a state that keeps its old value, or one that changes too early.
#[test]
fn states_that_are_not_changed_in_place_are_refused() {
    let with = |finish: fn(&mut Program, ValueId, &[ValueId])| {
        let mut program = Program::new();
        let x = program.input("x", [tokens(), width()]);
        let window = program.state("window", [tap(), width()]);
        let made = program.convolution(x, window);
        program.output("y", made[0]);
        finish(&mut program, window, &made);
        program
    };
    let copied = with(|program, _, made| {
        let copy = program.one(OpKind::Elementwise(Function::Neg), &[made[1]]);
        program.set("window", copy);
    });
    refused(&copied, "`window` is set to what is computed elsewhere");
    let read_before = with(|program, window, made| {
        let before = program.one(OpKind::Elementwise(Function::Neg), &[window]);
        program.set("window", made[1]);
        program.output("before", before);
    });
    refused(&read_before, "is read by more than one operation");
    let answered = with(|program, _, made| {
        program.set("window", made[1]);
        program.output("after", made[1]);
    });
    refused(&answered, "the output `after` is an input, a parameter, a state or another output");
    let swapped = with(|program, _, made| {
        let other = program.state("other", [tap(), width()]);
        program.set("other", made[1]);
        program.set("window", other);
    });
    refused(&swapped, "`other` is set to what is computed elsewhere");
}

/// Two windows side by side, of three memories and of one; `finish` takes the joined window after the step.
fn joined(finish: fn(&mut Program, ValueId)) -> Program {
    let mut program = Program::new();
    let x = program.input("x", [Axis::Rows(Extent::TOKENS.times(2)), width()]);
    let several = program.state("several", [Axis::named("memory", 3), tap(), width()]);
    let one = program.state("one", [tap(), width()]);
    let window = program.one(OpKind::JoinMemories, &[several, one]);
    let selected = [tokens(), Axis::named("choice", 2)];
    let logits = program.input("logits", [tokens(), Axis::named("memory", 4)]);
    let routed = program.add(OpKind::Router { top_k: 2, shared_state: false }, &[logits]);
    assert_eq!(program.0.body.ty(routed[0]).axes, selected);
    let position = program.one(OpKind::Input { name: "position".into(), ty: Type::i32([tokens()]) }, &[]);
    let cu_seqlens = program.input("cu_seqlens", [Axis::Rows(Extent::SEQUENCES.plus(1))]);
    let sorted = program.add(OpKind::Sort { memories: 4 }, &[routed[0], position, cu_seqlens]);
    let weight = program.weight("taps", [width(), tap()]);
    let made = program.add(OpKind::ShortConv, &[x, weight, window, sorted[2]]);
    let y = program.one(OpKind::Combine, &[made[0], sorted[1], routed[1]]);
    program.output("y", y);
    finish(&mut program, made[1]);
    program
}

#[test]
fn joined_states_lie_side_by_side() {
    let program = joined(|program, after| {
        let halves = program.add(OpKind::SplitMemories, &[after]);
        program.set("several", halves[0]);
        program.set("one", halves[1]);
    });
    let plan = program.plan().unwrap();
    let [state] = &plan.states[..] else { panic!() };
    let parts: Vec<(&str, usize, usize)> =
        state.parts.iter().map(|part| (part.name.as_str(), part.first, part.elements)).collect();
    assert_eq!(parts, [("several", 0, 72), ("one", 72, 24)]);
    assert_eq!(state.parts[1].axes, [("tap".to_owned(), 3), ("width".to_owned(), 8)]);
    let launches = plan.launches.iter().filter(|launch| launch.buffers.contains(&Buffer::State(0)));
    assert_eq!((launches.count(), plan.launches.len()), (1, 4));
}

#[test]
fn states_that_are_joined_otherwise_are_refused() {
    let crossed = joined(|program, after| {
        let halves = program.add(OpKind::SplitMemories, &[after]);
        let again = program.one(OpKind::JoinMemories, &[halves[0], halves[1]]);
        let halves = program.add(OpKind::SplitMemories, &[again]);
        program.set("several", halves[0]);
        program.set("one", halves[1]);
    });
    refused(&crossed, "joins only states of the program");
    let mut whole = Program::new();
    let state = whole.state("state", [Axis::named("memory", 3), width()]);
    let halves = whole.add(OpKind::SplitMemories, &[state]);
    whole.set("state", halves[0]);
    refused(&whole, "splits only states that were joined");
}

/// Kernels run one after the other and share what a thread works in.
#[test]
fn a_thread_has_room_for_the_most_demanding_kernel() {
    let bytes = |sizes: &[usize]| {
        let mut program = Program::new();
        for (number, &size) in sizes.iter().enumerate() {
            let axis = Axis::named(format!("width{number}"), size);
            let x = program.input(&format!("x{number}"), [tokens(), axis.clone()]);
            let norm = program.weight(&format!("norm{number}"), [axis.clone()]);
            let weight = program.weight(&format!("w{number}"), [Axis::named("out", 16), axis]);
            let mut body = Body::default();
            let operands = [x, norm, weight];
            let [x, norm, weight] = operands.map(|operand| body.argument(program.0.body.ty(operand).clone()));
            let rows = body.add(OpKind::RmsNorm { eps: 1e-6 }, &[x, norm], None).unwrap();
            let results = body.add(OpKind::Linear, &[rows[0], weight], None).unwrap();
            let y = program.one(OpKind::Fused(Box::new(Fused { body, results })), &operands);
            program.output(&format!("y{number}"), y);
        }
        program.plan().unwrap().thread_bytes
    };
    let [none, narrow, wide] = [bytes(&[]), bytes(&[64]), bytes(&[2048])];
    assert_eq!(none, 0);
    // A chunk of rows is made at a time.
    assert!(narrow >= 4 * 64 && wide > narrow, "{narrow} {wide}");
    assert_eq!(bytes(&[64, 2048, 64]), wide);
}

/// A state that is changed within a fused operation is the operand that the body's argument stands for.
#[test]
fn a_fused_operation_changes_states_in_place() {
    let mut program = Program::new();
    let mut body = Body::default();
    let operands: Vec<ValueId> = {
        let window = program.state("window", [tap(), width()]);
        let weight = program.weight("taps", [width(), tap()]);
        let segments = program.input("cu_seqlens", [Axis::Rows(Extent::SEQUENCES.plus(1))]);
        let x = program.input("x", [tokens(), width()]);
        vec![window, weight, segments, x]
    };
    let arguments: Vec<ValueId> =
        operands.iter().map(|&operand| body.argument(program.0.body.ty(operand).clone())).collect();
    let [window, weight, segments, x] = arguments[..] else { panic!() };
    let made = body.add(OpKind::ShortConv, &[x, weight, window, segments], None).unwrap();
    let y = body.add(OpKind::Elementwise(Function::Silu), &[made[0]], None).unwrap();
    let fused = Fused { body, results: vec![made[1], y[0]] };
    let results = program.add(OpKind::Fused(Box::new(fused)), &operands);
    let op = program.0.body.ops.last().unwrap();
    assert_eq!(super::states::changed_states(&program.0, op), [(0, 0)]);
    program.set("window", results[0]);
    program.output("y", results[1]);
}
