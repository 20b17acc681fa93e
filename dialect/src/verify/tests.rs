//! What the verifier says about graphs that are wrong in one place.

use super::*;
use crate::{
    graph::{Function, Fused},
    shape::{Axis, Extent},
};

/// A program whose state counts, per sequence, the tokens' embeddings.
fn running_sum() -> Graph {
    crate::reference::test_graphs::running_sum()
}

fn messages(graph: &Graph) -> Vec<String> {
    verify(graph).iter().map(ToString::to_string).collect()
}

fn op(graph: &mut Graph, wanted: &str) -> usize {
    graph.body.ops.iter().position(|op| ops::name(&op.kind) == wanted).unwrap()
}

#[test]
fn a_graph_that_was_added_is_accepted() {
    assert_eq!(messages(&running_sum()), [""; 0]);
}

#[test]
fn an_operation_before_its_operands() {
    let mut graph = running_sum();
    let scan = op(&mut graph, "mom.scan");
    graph.body.ops.swap(scan - 1, scan);
    assert_eq!(messages(&graph), ["error[E0202]: `scan` uses a value that is only made after it, or never"]);
}

#[test]
fn results_of_another_type() {
    let mut graph = running_sum();
    let rows = Axis::Rows(Extent::TOKENS);
    let tokens = graph.body.ops[0].results[0];
    graph.body.add_typed(OpKind::SelectRows, vec![tokens], vec![Type::f32([rows])], None);
    assert_eq!(messages(&graph), ["error[E0201]: `select_rows` takes 2 operands, found 1"]);

    let mut graph = running_sum();
    graph.body.add_typed(OpKind::Constant { value: 1.0 }, vec![], vec![Type::f32([rows_named()])], None);
    assert_eq!(messages(&graph), ["error[E0201]: `constant` makes f32 []; found f32 [value 2]"]);
}

fn rows_named() -> Axis {
    Axis::named("value", 2)
}

#[test]
fn a_state_is_set_once() {
    let mut graph = running_sum();
    let set = op(&mut graph, "mom.set_state");
    let again = graph.body.ops[set].clone();
    graph.body.ops.push(again);
    assert_eq!(messages(&graph), ["error[E0203]: the state `sum` is set twice"]);
    graph.body.ops.pop();
    graph.body.ops.remove(set);
    assert_eq!(messages(&graph), ["error[E0203]: the state `sum` is read but never set"]);
}

#[test]
fn a_scan_of_an_unknown_update_rule() {
    let mut graph = running_sum();
    graph.update_rules[0].name = "other".into();
    let expected = "error[E0201]: `scan` refers to `running_sum`, but there is no such update rule";
    assert_eq!(messages(&graph), [expected]);
}

#[test]
fn an_update_rule_with_a_foreign_operation() {
    let mut graph = running_sum();
    let rule = &mut graph.update_rules[0];
    let x = rule.body.arguments()[0];
    rule.read[0] = rule.body.add(OpKind::L2Norm { eps: 0.0 }, &[x], None).unwrap()[0];
    assert_eq!(messages(&graph), ["error[E0207]: `l2_norm` cannot stand in the update rule `running_sum`"]);
}

#[test]
fn a_program_without_output() {
    let mut graph = running_sum();
    let output = op(&mut graph, "mom.output");
    graph.body.ops.remove(output);
    assert_eq!(messages(&graph), ["error[E0206]: `test` has no output, so it computes nothing"]);
}

/// The same program with its scan fused.
fn fused_sum(change: impl FnOnce(&mut Fused)) -> Graph {
    let mut graph = running_sum();
    let scan = op(&mut graph, "mom.scan");
    let Op { kind, operands, results, span } = graph.body.ops[scan].clone();
    let mut body = Body::default();
    let arguments = operands.iter().map(|&value| body.argument(graph.body.ty(value).clone())).collect();
    let types = results.iter().map(|&value| graph.body.ty(value).clone()).collect();
    let inner = body.add_typed(kind, arguments, types, None);
    let mut fused = Fused { body, results: inner };
    change(&mut fused);
    graph.body.ops[scan] = Op { kind: OpKind::Fused(Box::new(fused)), operands, results, span };
    graph
}

#[test]
fn a_fused_operation_is_its_body() {
    assert_eq!(messages(&fused_sum(|_| {})), [""; 0]);
    let swapped = fused_sum(|fused| fused.results.swap(0, 1));
    let expected = "error[E0201]: `fused` makes f32 [B, head 2, value 2], f32 [T, head 2, value 2]; found f32 [T, head 2, \
                    value 2], f32 [B, head 2, value 2]";
    assert_eq!(messages(&swapped), [expected]);
    let unknown = fused_sum(|fused| fused.results[0] = ValueId(99));
    assert_eq!(messages(&unknown), ["error[E0201]: `fused` answers a value that its body does not make"]);
}

#[test]
fn the_body_of_a_fused_operation_is_checked() {
    let mut renamed = fused_sum(|_| {});
    renamed.update_rules[0].name = "other".into();
    let expected = "error[E0201]: `scan` refers to `running_sum`, but there is no such update rule";
    assert_eq!(messages(&renamed), [expected]);

    let early = fused_sum(|fused| {
        let y = fused.results[0];
        let mut sum = fused.body.add(OpKind::Elementwise(Function::Neg), &[y], None).unwrap();
        fused.body.ops.swap(0, 1);
        fused.results[0] = sum.remove(0);
    });
    assert_eq!(messages(&early), ["error[E0202]: `elementwise` uses a value that is only made after it, or never"]);

    let state = fused_sum(|fused| {
        fused.body.add(OpKind::SetState { name: "sum".into() }, &[fused.results[1]], None).unwrap();
    });
    assert_eq!(messages(&state), ["error[E0207]: `set_state` `sum` cannot stand in a fused operation"]);
}
