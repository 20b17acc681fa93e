//! Programs whose results are known without an interpreter.

use super::test_graphs::{input, output, param, running_sum, running_sum_rule, set_state, state};
use super::*;

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
