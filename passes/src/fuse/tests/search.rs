//! What is extracted: programs that compute what the program computed, with fewer and larger kernels.

use mom_dialect::{
    graph::{Body, Function, Graph, Op, OpKind},
    reference::{Inputs, Interpreter, Tensor, Tensors},
    shape::Axis,
    verify,
};

use super::{
    numeric::{self, Numbers},
    programs::{self, Mixture, Program},
    reading::{Form, Reading},
};
use crate::{
    Options, Rewriting, Target,
    fuse::{Fusion, Selection},
};

fn fused(graph: &Graph, selection: &Selection) -> Fusion {
    let target = Target::from_name("x86-64-v3").expect("a target");
    let rewriting = Rewriting { selection: selection.clone(), ..Rewriting::default() };
    crate::fuse(graph, &target, &Options::default(), &rewriting)
}

/// All operations, those of fused ones among them.
fn operations(graph: &Graph) -> Vec<&Op> {
    fn of<'g>(body: &'g Body, found: &mut Vec<&'g Op>) {
        for op in &body.ops {
            match &op.kind {
                OpKind::Fused(fused) => of(&fused.body, found),
                _ => found.push(op),
            }
        }
    }
    let mut found = Vec::new();
    of(&graph.body, &mut found);
    found
}

fn count(graph: &Graph, wanted: impl Fn(&OpKind) -> bool) -> usize {
    operations(graph).into_iter().filter(|op| wanted(&op.kind)).count()
}

/// Outputs and states after two steps, by the interpreter.
fn computed(graph: &Graph, inputs: &[Inputs]) -> Result<(Vec<Tensors>, Tensors), String> {
    let mut params = Tensors::new();
    for op in &graph.body.ops {
        if let OpKind::Param { name, ty, .. } = &op.kind {
            let shape: Vec<usize> = ty.axes.iter().filter_map(Axis::size).collect();
            let seed = name.bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
            let mut numbers = Numbers(seed);
            let data: Vec<f64> = (0..shape.iter().product()).map(|_| numbers.next()).collect();
            params.insert(name.clone(), Tensor::new(shape, data));
        }
    }
    let mut states = Tensors::new();
    let outputs = inputs.iter().map(|inputs| Interpreter::new(graph).step(inputs, &params, &mut states));
    Ok((outputs.collect::<Result<_, _>>()?, states))
}

fn apart(own: &Tensors, other: &Tensors) -> Option<String> {
    let names = |tensors: &Tensors| tensors.keys().cloned().collect::<Vec<_>>();
    if names(own) != names(other) {
        return Some(format!("{:?} and {:?}", names(own), names(other)));
    }
    let mut pairs = own.iter().zip(other.values());
    pairs.find_map(|((name, own), other)| Some(format!("{name}: {}", numeric::differ(own, other, None, 1e-10)?)))
}

#[test]
fn what_is_extracted_computes_the_same() {
    for (name, graph) in programs::all() {
        let fusion = fused(&graph, &Selection::default());
        assert_eq!(verify::verify(&fusion.graph), [], "{name}");
        let [batch, _] = numeric::batches();
        let inputs = [batch.clone(), batch];
        let (outputs, states) = computed(&graph, &inputs).expect("a program");
        let (fused_outputs, fused_states) = computed(&fusion.graph, &inputs).expect("a program");
        for (outputs, fused_outputs) in outputs.iter().zip(&fused_outputs) {
            assert_eq!(apart(outputs, fused_outputs), None, "{name}");
        }
        assert_eq!(apart(&states, &fused_states), None, "{name}");
        for region in &fusion.regions {
            assert_eq!(region.limit, None, "{name}");
            assert!(region.nodes < 700, "{name} has {} nodes", region.nodes);
        }
    }
}

/// The shared state is one more memory of the scan, of the convolutions and of one product.
#[test]
fn a_mixture_has_one_scan() {
    let graph = Mixture::GATED_DELTA.program();
    let fusion = fused(&graph, &Selection::default());
    let scans = |graph: &Graph| count(graph, |kind| matches!(kind, OpKind::Scan { .. }));
    assert_eq!((scans(&graph), scans(&fusion.graph)), (2, 1));
    assert_eq!(count(&fusion.graph, |kind| *kind == OpKind::ShortConv), 3);
    assert_eq!(count(&fusion.graph, |kind| *kind == OpKind::GroupedLinear), 1);
    assert_eq!(count(&fusion.graph, |kind| matches!(kind, OpKind::Router { shared_state: true, .. })), 1);
    assert_eq!(count(&fusion.graph, |kind| matches!(kind, OpKind::Router { shared_state: false, .. })), 0);
    assert_eq!(count(&fusion.graph, |kind| *kind == OpKind::JoinMemories), 4);
    assert_eq!(count(&fusion.graph, |kind| *kind == OpKind::Append), 0);
    // The look-up; products of the norm, routing, grouped products of it, scan, output; gate and up, down.
    assert_eq!(fusion.regions.iter().map(|region| region.after.len()).collect::<Vec<_>>(), [1, 5, 2]);
    // What the shared state is projected from is in the grouped product alone.
    let products = operations(&fusion.graph).into_iter().filter(|op| op.kind == OpKind::Linear);
    assert_eq!(products.map(|op| op.results.len()).max(), Some(3), "router, query, gate");
}

/// A mixture of one memory needs no routing.
#[test]
fn one_memory_is_not_routed() {
    let graph = Mixture { memories: 1, top_k: 1, shared_state: false, ..Mixture::GATED_DELTA }.program();
    let fusion = fused(&graph, &Selection::default());
    let routing = |kind: &OpKind| {
        matches!(kind, OpKind::Router { .. } | OpKind::Sort { .. } | OpKind::Dispatch | OpKind::Combine)
    };
    assert_ne!(count(&graph, routing), 0);
    assert_eq!(count(&fusion.graph, routing), 0);
}

/// A program that mixes memories before it reads them is run as one that reads first, since no kernel stores the states of
/// each row.
#[test]
fn mixed_memories_are_read_before() {
    let of_states = |kind: &OpKind| matches!(kind, OpKind::ScanStates { .. } | OpKind::ReadStates { .. });
    for form in [Form::Split, Form::Mixed] {
        let graph = Reading::of("gated_delta_rule", form);
        let fusion = fused(&graph, &Selection::default());
        assert_eq!((count(&graph, of_states), count(&fusion.graph, of_states)), (2, 0));
        assert_eq!(count(&fusion.graph, |kind| matches!(kind, OpKind::Scan { .. })), 1);
    }
}

/// Without any rewrite, what nobody reads is gone and what was there twice is there once.
#[test]
fn dead_and_double_work_vanish() {
    let mut program = Program::new(Vec::new());
    let x = program.hidden();
    let weight = program.param("weight", &["hidden", "model"]);
    let [first, second, unused] = [0, 1, 2].map(|number| {
        let product = program.one(OpKind::Linear, &[x, weight]);
        if number == 2 { program.function(Function::Exp, &[product]) } else { product }
    });
    let sum = program.function(Function::Add, &[first, second]);
    let _ = unused;
    program.output("y", sum);
    let products = |graph: &Graph| count(graph, |kind| *kind == OpKind::Linear);
    let exponentials = |graph: &Graph| count(graph, |kind| *kind == OpKind::Elementwise(Function::Exp));
    let fusion = fused(&program.graph, &Selection::none());
    assert_eq!((products(&program.graph), products(&fusion.graph)), (3, 1));
    assert_eq!((exponentials(&program.graph), exponentials(&fusion.graph)), (1, 0));
}

/// What a kernel of several operations computes with is in it, and nowhere else.
#[test]
fn constants_are_where_they_are_read() {
    let mut program = Program::new(Vec::new());
    let x = program.hidden();
    let two = program.constant(2.0);
    let power = program.function(Function::Exp, &[x]);
    let y = program.function(Function::Mul, &[power, two]);
    program.output("y", y);
    let constants = |graph: &Graph| {
        let outer = graph.body.ops.iter().filter(|op| matches!(op.kind, OpKind::Constant { .. })).count();
        (outer, count(graph, |kind| matches!(kind, OpKind::Constant { .. })))
    };
    let fused = |selection: &Selection| {
        let fusion = fused(&program.graph, selection);
        assert_eq!(fusion.kernels.len(), fusion.graph.body.ops.len());
        constants(&fusion.graph)
    };
    assert_eq!((fused(&Selection::none()), fused(&Selection::default())), ((1, 1), (0, 1)));
}
