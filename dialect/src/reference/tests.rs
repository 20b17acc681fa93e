//! Programs whose results are known without an interpreter.

use super::test_graphs::{add, fused, input, output, param, running_sum, running_sum_rule, set_state, state};
use super::*;
use crate::graph::Function;

fn table() -> Tensors {
    Tensors::from([("table".into(), Tensor::new([3, 2], [1.0, 10.0, 2.0, 20.0, 4.0, 40.0]))])
}

fn packed(tokens: &[Vec<i64>], seen: &[usize]) -> Inputs {
    Inputs::packed(tokens, None, seen, LogitRows::All).unwrap()
}

#[test]
fn a_scan_in_two_steps_equals_one() {
    let graph = running_sum();
    let interpreter = Interpreter::new(&graph);
    let mut once = Tensors::new();
    let whole = interpreter.step(&packed(&[vec![0, 1, 2], vec![2, 0]], &[0, 0]), &table(), &mut once).unwrap();
    // Both heads read the one input: [1 10], [3 30], [7 70] and [4 40], [5 50].
    let column: Vec<f64> = whole["y"].data.iter().step_by(4).copied().collect();
    assert_eq!(column, [1.0, 3.0, 7.0, 4.0, 5.0]);
    assert_eq!(once["sum"], Tensor::new([2, 2, 2], [7.0, 70.0, 7.0, 70.0, 5.0, 50.0, 5.0, 50.0]));

    let mut twice = Tensors::new();
    let first = interpreter.step(&packed(&[vec![0], vec![2, 0]], &[0, 0]), &table(), &mut twice).unwrap();
    let second = interpreter.step(&packed(&[vec![1, 2], vec![]], &[1, 2]), &table(), &mut twice).unwrap();
    assert_eq!(twice, once);
    assert_eq!(first["y"].data[..4], whole["y"].data[..4]);
    assert_eq!(second["y"].data[..], whole["y"].data[4..12]);
}

#[test]
fn padding_advances_nothing() {
    let graph = running_sum();
    let interpreter = Interpreter::new(&graph);
    let mask = [vec![false, true, false, true]];
    let inputs = Inputs::packed(&[vec![2, 0, 2, 1]], Some(&mask), &[5], LogitRows::Last).unwrap();
    assert_eq!((&inputs.position[..], &inputs.rows[..]), (&[-1, 5, -1, 6][..], &[3][..]));
    let mut states = Tensors::new();
    let y = interpreter.step(&inputs, &table(), &mut states).unwrap().remove("y").unwrap();
    assert_eq!(y.data.iter().step_by(4).copied().collect::<Vec<_>>(), [0.0, 1.0, 0.0, 3.0]);
}

#[test]
fn a_failed_step_leaves_the_states() {
    let graph = running_sum();
    let mut states = Tensors::new();
    let error = Interpreter::new(&graph).step(&packed(&[vec![3]], &[0]), &table(), &mut states).unwrap_err();
    assert_eq!(error, "token 3 is not one of the vocabulary's 3 tokens");
    assert!(states.is_empty());
}

#[test]
fn an_update_rule_alone() {
    let inputs = [Tensor::new([2, 2], [1.0, 2.0, 3.0, 4.0])];
    let (outputs, states) =
        evaluate_update_rule(&running_sum_rule(), &inputs, &[Tensor::new([2], [10.0, 0.0])], 0).unwrap();
    assert_eq!(outputs, [Tensor::new([2, 2], [11.0, 2.0, 14.0, 6.0])]);
    assert_eq!(states, [Tensor::new([2], [14.0, 6.0])]);
    let error = evaluate_update_rule(&running_sum_rule(), &inputs, &[Tensor::zeros([3])], 0).unwrap_err();
    assert_eq!(error, "`s` of `running_sum` is [3], not [2]");
}

/// Attention of one query head of width 2 over embeddings that are queries, keys and values at once.
fn attention_graph(window: Option<usize>) -> Graph {
    let mut graph = Graph { name: "test".into(), update_rules: vec![], body: Default::default() };
    let (head, width) = (Axis::named("head", 1), Axis::named("width", 2));
    let [tokens, position, cu_seqlens] = ["tokens", "position", "cu_seqlens"].map(|name| input(&mut graph, name));
    let table = param(&mut graph, "table", &[Axis::named("vocab", 3), head.clone(), width.clone()]);
    let before = state(&mut graph, "keys", &[Axis::Rows(Extent::CONTEXT), head, width]);
    let x = graph.add(OpKind::Embedding, &[tokens, table], None).unwrap()[0];
    let cache = graph.add(OpKind::AppendCache, &[x, before, position, cu_seqlens], None).unwrap()[0];
    let kind = OpKind::Attention { window, scale: 0.0 };
    let y = graph.add(kind, &[x, cache, cache, position, cu_seqlens], None).unwrap()[0];
    set_state(&mut graph, "keys", cache);
    output(&mut graph, "y", y);
    graph
}

/// With a scale of zero every visible token weighs the same, so that `y` is the mean of those in the window.
#[test]
fn attention_sees_its_window_across_steps() {
    let graph = attention_graph(Some(2));
    assert_eq!(crate::verify::verify(&graph), []);
    let params = Tensors::from([("table".into(), Tensor::new([3, 1, 2], [1.0, 0.0, 3.0, 0.0, 7.0, 0.0]))]);
    let mut states = Tensors::new();
    let mut step = |tokens: Vec<i64>, seen: usize| {
        let interpreter = Interpreter::new(&graph).with_capacity(3);
        let outputs = interpreter.step(&packed(&[tokens], &[seen]), &params, &mut states)?;
        Ok::<_, String>(outputs["y"].data.iter().step_by(2).copied().collect::<Vec<_>>())
    };
    assert_eq!(step(vec![0, 1], 0).unwrap(), [1.0, 2.0]);
    assert_eq!(step(vec![2, 0], 2).unwrap(), [5.0, 4.0]);
    let error = step(vec![0, 1, 2], 4).unwrap_err();
    assert!(error.starts_with("a query at position 4 sees position 3"), "{error}");
}

/// A mixture of two memories of which a token chooses one, and a shared state: as a scan of its own, or as one more
/// memory of the same scan, within a fused operation.
fn mixture(joined: bool) -> Graph {
    let mut graph = Graph { name: "test".into(), update_rules: vec![running_sum_rule()], body: Default::default() };
    let (head, value) = (Axis::named("head", 1), Axis::named("value", 2));
    let [tokens, position, cu_seqlens] = ["tokens", "position", "cu_seqlens"].map(|name| input(&mut graph, name));
    let table = param(&mut graph, "table", &[Axis::named("vocab", 3), value.clone()]);
    let gate = param(&mut graph, "gate", &[Axis::named("memory", 2), value.clone()]);
    let routed = state(&mut graph, "routed", &[Axis::named("memory", 2), head.clone(), value.clone()]);
    let shared = state(&mut graph, "shared", &[head, value]);
    let scan = || OpKind::Scan { update_rule: "running_sum".into() };
    let x = add(&mut graph, OpKind::Embedding, &[tokens, table])[0];
    let logits = add(&mut graph, OpKind::Linear, &[x, gate])[0];
    let choice = add(&mut graph, OpKind::Router { top_k: 1, shared_state: joined }, &[logits]);
    let sorted =
        add(&mut graph, OpKind::Sort { memories: if joined { 3 } else { 2 } }, &[choice[0], position, cu_seqlens]);
    let stream = add(&mut graph, OpKind::Dispatch, &[x, sorted[0], sorted[2]])[0];
    let (y, after) = if joined {
        let before = add(&mut graph, OpKind::JoinMemories, &[routed, shared])[0];
        let scanned = fused(&mut graph, scan(), &[stream, before, sorted[2]]);
        let y = add(&mut graph, OpKind::Combine, &[scanned[0], sorted[1], choice[1]])[0];
        (y, add(&mut graph, OpKind::SplitMemories, &[scanned[1]]))
    } else {
        let of_memories = add(&mut graph, scan(), &[stream, routed, sorted[2]]);
        let of_all = add(&mut graph, scan(), &[x, shared, cu_seqlens, position]);
        let mixed = add(&mut graph, OpKind::Combine, &[of_memories[0], sorted[1], choice[1]])[0];
        let y = add(&mut graph, OpKind::Elementwise(Function::Add), &[mixed, of_all[0]])[0];
        (y, vec![of_memories[1], of_all[1]])
    };
    output(&mut graph, "y", y);
    set_state(&mut graph, "routed", after[0]);
    set_state(&mut graph, "shared", after[1]);
    graph
}

#[test]
fn a_shared_state_is_one_more_memory() {
    let mut params = table();
    params.insert("gate".into(), Tensor::new([2, 2], [1.0, 0.0, 0.0, 0.2]));
    let mask = [vec![true, false, true], vec![true, true, true]];
    let inputs = Inputs::packed(&[vec![2, 0, 1], vec![0, 2, 1]], Some(&mask), &[0, 0], LogitRows::All).unwrap();
    let [apart, joined] = [false, true].map(|joined| {
        let graph = mixture(joined);
        assert_eq!(crate::verify::verify(&graph), []);
        let mut states = Tensors::new();
        let first = Interpreter::new(&graph).step(&inputs, &params, &mut states).unwrap();
        let second = Interpreter::new(&graph).step(&inputs, &params, &mut states).unwrap();
        (first, second, states)
    });
    assert_eq!(apart, joined);
    // The first token reads its memory and the shared state, which both hold the token alone.
    assert_eq!(joined.0["y"].data[..4], [8.0, 80.0, 0.0, 0.0]);
}

#[test]
fn an_operation_alone() {
    let graph = mixture(true);
    let body = &graph.body;
    let op = body.ops.iter().find(|op| matches!(op.kind, OpKind::Fused(_))).unwrap();
    let types: Vec<&Type> = op.operands.iter().map(|&value| body.ty(value)).collect();
    let results: Vec<Type> = op.results.iter().map(|&value| body.ty(value).clone()).collect();
    let stream = Tensor::new([2, 2], [1.0, 2.0, 3.0, 4.0]);
    let before = Tensor::new([1, 3, 1, 2], [0.0, 0.0, 10.0, 10.0, 0.0, 0.0]);
    let segments = Tensor::new([4], [0.0, 0.0, 2.0, 2.0]);
    let values = [&stream, &before, &segments];
    let operands: Vec<(&Type, &Tensor)> = types.iter().copied().zip(values).collect();
    let found = evaluate_op(&op.kind, &operands, &results, &graph).unwrap();
    assert_eq!(found[0].data, [11.0, 12.0, 14.0, 16.0]);
    assert_eq!(found[1].data, [0.0, 0.0, 14.0, 16.0, 0.0, 0.0]);

    let refused = |kind: &OpKind, operands: &[(&Type, &Tensor)], results: &[Type]| {
        evaluate_op(kind, operands, results, &graph).unwrap_err()
    };
    assert_eq!(refused(&op.kind, &operands, &results[..1]), "`fused` makes other results than those asked for");
    assert_eq!(refused(&op.kind, &operands[..2], &results), "`fused` has a body of 3 arguments, found 2 operands");
    let narrow = Tensor::new([2, 1], [1.0, 2.0]);
    let misfits = [(types[0], &narrow), operands[1], operands[2]];
    assert_eq!(refused(&op.kind, &misfits, &results), "`fused` takes f32 [2T, value 2], found [2, 1]");
    let edge = OpKind::Output { name: "y".into() };
    assert_eq!(refused(&edge, &operands[..1], &[]), "`output` means something in a step only");
}
