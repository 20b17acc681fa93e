//! Small graphs for unit tests.

use crate::{
    graph::{Body, Function, Fused, Graph, OpKind, Port, Source, UpdateRule, ValueId},
    shape::{Axis, DType, Extent, Type},
};

pub(crate) fn input(graph: &mut Graph, name: &str) -> ValueId {
    let extent = match name {
        "cu_seqlens" => Extent::SEQUENCES.plus(1),
        "rows" => Extent::ROWS,
        _ => Extent::TOKENS,
    };
    let ty = Type::i32([Axis::Rows(extent)]);
    graph.add(OpKind::Input { name: name.into(), ty }, &[], None).unwrap()[0]
}

pub(crate) fn param(graph: &mut Graph, name: &str, axes: &[Axis]) -> ValueId {
    let shape = axes.iter().filter_map(Axis::size).collect();
    let source = Source { tensor: name.into(), shape, first_row: 0 };
    let ty = Type::new(DType::F32, axes);
    graph.add(OpKind::Param { name: name.into(), ty, source }, &[], None).unwrap()[0]
}

pub(crate) fn state(graph: &mut Graph, name: &str, axes: &[Axis]) -> ValueId {
    let ty = Type::f32([&[Axis::Rows(Extent::SEQUENCES)], axes].concat());
    graph.add(OpKind::State { name: name.into(), ty }, &[], None).unwrap()[0]
}

pub(crate) fn set_state(graph: &mut Graph, name: &str, value: ValueId) {
    graph.add(OpKind::SetState { name: name.into() }, &[value], None).unwrap();
}

pub(crate) fn output(graph: &mut Graph, name: &str, value: ValueId) {
    graph.add(OpKind::Output { name: name.into() }, &[value], None).unwrap();
}

/// `s' = s + x`, `y = s'`
pub(crate) fn running_sum_rule() -> UpdateRule {
    let ty = Type::f32([Axis::named("value", 2)]);
    let port = |name: &str| Port::new(name, ty.clone());
    let mut body = Body::default();
    let (x, s) = (body.argument(ty.clone()), body.argument(ty.clone()));
    let sum = body.add(OpKind::Elementwise(Function::Add), &[s, x], None).unwrap()[0];
    UpdateRule {
        name: "running_sum".into(),
        inputs: vec![port("x")],
        parameters: vec![],
        states: vec![port("s")],
        outputs: vec![port("y")],
        body,
        next: vec![sum],
        read: vec![sum],
    }
}

/// The running sum of the tokens' embeddings `table` [vocab 3, value 2], per sequence, in the state `sum` of two heads;
/// answers `y` [T, head 2, value 2].
pub(crate) fn running_sum() -> Graph {
    let mut graph = Graph { name: "test".into(), update_rules: vec![running_sum_rule()], body: Body::default() };
    let (head, value) = (Axis::named("head", 2), Axis::named("value", 2));
    let [tokens, position, segments] = ["tokens", "position", "cu_seqlens"].map(|name| input(&mut graph, name));
    let table = param(&mut graph, "table", &[Axis::named("vocab", 3), value.clone()]);
    let before = state(&mut graph, "sum", &[head, value]);
    let x = graph.add(OpKind::Embedding, &[tokens, table], None).unwrap()[0];
    let scan = OpKind::Scan { update_rule: "running_sum".into() };
    let results = graph.add(scan, &[x, before, segments, position], None).unwrap();
    output(&mut graph, "y", results[0]);
    set_state(&mut graph, "sum", results[1]);
    graph
}

pub(crate) fn add(graph: &mut Graph, kind: OpKind, operands: &[ValueId]) -> Vec<ValueId> {
    graph.add(kind, operands, None).unwrap()
}

/// An operation as the only one of a body whose arguments are its operands.
pub(crate) fn fused(graph: &mut Graph, kind: OpKind, operands: &[ValueId]) -> Vec<ValueId> {
    let mut inner = Body::default();
    let arguments: Vec<ValueId> = operands.iter().map(|&value| inner.argument(graph.body.ty(value).clone())).collect();
    let types: Vec<&Type> = operands.iter().map(|&value| graph.body.ty(value)).collect();
    let types = graph.result_types(&kind, &types).unwrap();
    let results = inner.add_typed(kind, arguments, types, None);
    add(graph, OpKind::Fused(Box::new(Fused { body: inner, results })), operands)
}
