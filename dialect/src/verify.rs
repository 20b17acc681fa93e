//! Checks a graph that did not come from [`crate::graph::Graph::add`]: one that was parsed, or rewritten.
//!
//! A graph that passes is well typed, in order, sets every state it reads exactly once, and names things once. The
//! interpreter and every later stage rely on that and check it no more.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics},
    graph::{Body, Graph, Op, OpKind, Port, UpdateRule, ValueId},
    ops,
    shape::{DType, Type},
};

/// An operation's operands or results have other types than it needs.
pub const TYPES: Code = Code(201);
/// A value is used before it is made, or made twice.
pub const ORDER: Code = Code(202);
/// A state is not read once and set once.
pub const STATES: Code = Code(203);
/// Two things of one kind have one name.
pub const NAMES: Code = Code(204);
/// An update rule's body does not fit its inputs, states and outputs.
pub const UPDATE_RULE: Code = Code(205);
/// The program has no result.
pub const NO_OUTPUT: Code = Code(206);
/// An operation stands where it has no meaning.
pub const MISPLACED: Code = Code(207);

/// Everything that is wrong with a graph; empty for a graph that later stages may rely on.
pub fn verify(graph: &Graph) -> Diagnostics {
    let mut found = Diagnostics::new();
    for rule in &graph.update_rules {
        update_rule(rule, &mut found);
    }
    let infer = |op: &Op, operands: &[&Type]| graph.result_types(&op.kind, operands);
    body(&graph.body, BTreeSet::new(), infer, &mut found);
    for op in &graph.body.ops {
        let OpKind::Fused(fused) = &op.kind else { continue };
        body(&fused.body, fused.body.arguments().into_iter().collect(), infer, &mut found);
        for op in fused.body.ops.iter().filter(|op| !ops::in_fused(&op.kind)) {
            report(&mut found, MISPLACED, op, format!("{} cannot stand in a fused operation", title(op)));
        }
    }
    placement(graph, &mut found);
    states(graph, &mut found);
    names(graph, &mut found);
    found
}

fn report(found: &mut Diagnostics, code: Code, op: &Op, message: String) {
    let diagnostic = Diagnostic::error(code, message);
    found.push(match &op.span {
        Some(span) => diagnostic.at(span.clone()),
        None => diagnostic,
    });
}

/// The name without the prefix of the dialect, and the name that the model gave, if it gave one.
fn title(op: &Op) -> String {
    let short = ops::name(&op.kind).trim_start_matches("mom.");
    match &op.kind {
        OpKind::Input { name, .. }
        | OpKind::Param { name, .. }
        | OpKind::State { name, .. }
        | OpKind::SetState { name }
        | OpKind::Output { name } => format!("`{short}` `{name}`"),
        _ => format!("`{short}`"),
    }
}

/// Checks that values are made before they are used, and with the types that their operations make.
fn body(
    body: &Body,
    mut made: BTreeSet<ValueId>,
    infer: impl Fn(&Op, &[&Type]) -> Result<Vec<Type>, String>,
    found: &mut Diagnostics,
) {
    for op in &body.ops {
        if !op.operands.iter().all(|operand| made.contains(operand)) {
            report(found, ORDER, op, format!("{} uses a value that is only made after it, or never", title(op)));
        }
        if !op.results.iter().all(|&result| result.index() < body.value_count() && made.insert(result)) {
            report(found, ORDER, op, format!("{} makes a value that is there already", title(op)));
        }
        let known = |values: &[ValueId]| values.iter().all(|value| value.index() < body.value_count());
        if !known(&op.operands) || !known(&op.results) {
            continue;
        }
        let operands: Vec<&Type> = op.operands.iter().map(|&operand| body.ty(operand)).collect();
        let results: Vec<&Type> = op.results.iter().map(|&result| body.ty(result)).collect();
        match infer(op, &operands) {
            Err(message) => report(found, TYPES, op, message),
            Ok(types) if types.iter().eq(results.iter().copied()) => {}
            Ok(types) => {
                let message = format!("{} makes {}; found {}", title(op), list(&types), list(results));
                report(found, TYPES, op, message);
            }
        }
    }
}

fn list<'t>(types: impl IntoIterator<Item = &'t Type>) -> String {
    let types: Vec<String> = types.into_iter().map(Type::describe).collect();
    if types.is_empty() { "nothing".into() } else { types.join(", ") }
}

fn placement(graph: &Graph, found: &mut Diagnostics) {
    for op in &graph.body.ops {
        if ops::only_in_update_rules(&op.kind) {
            let instead = if op.kind == OpKind::Contract { "; use `linear`" } else { "" };
            report(found, MISPLACED, op, format!("{} stands outside an update rule{instead}", title(op)));
        }
    }
    if !graph.body.ops.iter().any(|op| matches!(op.kind, OpKind::Output { .. })) {
        found.push(Diagnostic::error(NO_OUTPUT, format!("`{}` has no output, so it computes nothing", graph.name)));
    }
}

fn states(graph: &Graph, found: &mut Diagnostics) {
    let ops = &graph.body.ops;
    let mut setters: BTreeMap<&String, &Op> = BTreeMap::new();
    for op in ops {
        let OpKind::SetState { name } = &op.kind else { continue };
        if !ops.iter().any(|op| matches!(&op.kind, OpKind::State { name: read, .. } if read == name)) {
            report(found, STATES, op, format!("`{name}` is set, but there is no such state"));
        }
        if setters.insert(name, op).is_some() {
            report(found, STATES, op, format!("the state `{name}` is set twice"));
        }
    }
    for op in ops {
        let OpKind::State { name, ty } = &op.kind else { continue };
        match setters.get(name) {
            Some(setter) => check_set(&graph.body, name, ty, setter, found),
            None => report(found, STATES, op, format!("the state `{name}` is read but never set")),
        }
    }
}

fn check_set(body: &Body, name: &str, ty: &Type, setter: &Op, found: &mut Diagnostics) {
    let value = setter.operands.first().filter(|value| value.index() < body.value_count());
    let Some(value) = value.map(|&value| body.ty(value)) else { return };
    if value != ty {
        let message = format!("the state `{name}` is {}, but it is set to {}", ty.describe(), value.describe());
        report(found, STATES, setter, message);
    }
}

fn names(graph: &Graph, found: &mut Diagnostics) {
    let mut seen = BTreeSet::new();
    for op in &graph.body.ops {
        let (kind, name) = match &op.kind {
            OpKind::Input { name, .. } => ("input", name),
            OpKind::Param { name, .. } => ("param", name),
            OpKind::State { name, .. } => ("state", name),
            OpKind::Output { name } => ("output", name),
            _ => continue,
        };
        if !seen.insert((kind, name)) {
            report(found, NAMES, op, format!("there are two of `{kind}` `{name}`"));
        }
    }
    if let Some(name) = repeated(graph.update_rules.iter().map(|rule| &rule.name)) {
        found.push(Diagnostic::error(NAMES, format!("there are two update rules `{name}`")));
    }
}

fn repeated<'n>(names: impl IntoIterator<Item = &'n String>) -> Option<&'n String> {
    let mut seen = BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

fn update_rule(rule: &UpdateRule, found: &mut Diagnostics) {
    let mut fault = |code: Code, what: String| {
        found.push(Diagnostic::error(code, format!("in the update rule `{}`, {what}", rule.name)));
    };
    if let Some(name) = repeated(rule.arguments().map(|port| &port.name)) {
        fault(NAMES, format!("two inputs or states are called `{name}`"));
    }
    if let Some(name) = repeated(rule.outputs.iter().map(|port| &port.name)) {
        fault(NAMES, format!("two outputs are called `{name}`"));
    }
    for port in rule.arguments().chain(&rule.outputs) {
        if port.ty.dtype != DType::F32 || port.ty.axes.iter().any(|axis| axis.size().is_none()) {
            fault(UPDATE_RULE, format!("`{}` must be f32 with named axes; it is {}", port.name, port.ty.describe()));
        }
    }
    let arguments = rule.body.arguments();
    let given: Vec<&Port> = rule.arguments().collect();
    for (what, ports, values) in [
        ("the body takes", &given[..], &arguments),
        ("the next states are", &rule.states.iter().collect::<Vec<_>>()[..], &rule.next),
        ("the outputs read are", &rule.outputs.iter().collect::<Vec<_>>()[..], &rule.read),
    ] {
        let known = values.iter().filter(|value| value.index() < rule.body.value_count());
        let types: Vec<&Type> = known.map(|&value| rule.body.ty(value)).collect();
        let expected: Vec<&Type> = ports.iter().map(|port| &port.ty).collect();
        if types != expected {
            fault(UPDATE_RULE, format!("{what} {}, not {}", list(types), list(expected)));
        }
    }
    for op in &rule.body.ops {
        if !ops::in_update_rules(&op.kind) {
            let message = format!("{} cannot stand in the update rule `{}`", title(op), rule.name);
            report(found, MISPLACED, op, message);
        }
    }
    let infer = |op: &Op, operands: &[&Type]| ops::result_types(&op.kind, operands);
    body(&rule.body, arguments.into_iter().collect(), infer, found);
}

#[cfg(test)]
mod tests;
