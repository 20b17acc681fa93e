//! A scan with what makes its inputs in one launch: whatever works within a head, one token after the other.
//!
//! The kernel is that of the scan alone, in the form that it would have alone, which reads some inputs from where a
//! prologue ([`prologue`](crate::kernel::scan::prologue)) puts them. Windows of short convolutions are states: operands
//! that are changed in place.

use std::collections::BTreeSet;

use mom_dialect::graph::{Fused, Op, OpKind, UpdateRule, ValueId};

use super::{Cx, said, symbol};
use crate::{
    kernel::{
        Kernel,
        scan::{
            prologue::{Prologue, Stream, buffer},
            wiring::{Source, Wiring},
        },
    },
    schedule,
};

#[cfg(test)]
mod tests;

/// # Errors
/// What cannot be made for one head of a scan, in words; results that are neither outputs nor states.
pub(super) fn scan<'a>(cx: Cx<'a>, fused: &'a Fused) -> Result<Kernel<'a>, String> {
    let body = &fused.body;
    let found = body.ops.iter().find_map(|op| match &op.kind {
        OpKind::Scan { update_rule } => Some((op, update_rule)),
        _ => None,
    });
    let (op, name) = found.ok_or("there is no scan")?;
    let rule = cx.graph.update_rule(name).ok_or_else(|| format!("there is no update rule `{name}`"))?;
    let heads = schedule::scan_heads(body, rule, op);
    let (memories, _) = schedule::stream(body, rule, op)?;
    let wiring = wiring(cx, fused, rule, op, heads.heads)?;
    let kernel = schedule::scan_kernel(cx.target, cx.options, rule, &heads, memories, wiring);
    let kernel = kernel.map_err(|found| found.message.clone())?;
    Ok(Kernel { symbol: symbol("scan", &said(fused)), ..kernel })
}

/// Which buffers of the launch are whose, and the prologue.
fn wiring(cx: Cx<'_>, fused: &Fused, rule: &UpdateRule, op: &Op, heads: usize) -> Result<Wiring, String> {
    let body = &fused.body;
    let (inputs, rest) = op.operands.split_at(rule.inputs.len());
    let (parameters, rest) = rest.split_at(rule.parameters.len());
    let (states, stream) = rest.split_at(rule.states.len());
    let (outputs, next) = op.results.split_at(rule.outputs.len());

    let windows = body.ops.iter().filter(|op| op.kind == OpKind::ShortConv).map(|op| op.operands[2]);
    let changed: Vec<ValueId> = states.iter().copied().chain(windows).collect();
    if changed.iter().collect::<BTreeSet<_>>().len() < changed.len() {
        return Err("two operations change one state in one launch".into());
    }
    let operand = |value: ValueId| match changed.contains(&value) {
        true => Err("a state that the launch changes is read by what makes the scan's inputs".to_string()),
        false => buffer(body, value),
    };

    let arguments = body.arguments();
    let mut made: Vec<ValueId> = Vec::new();
    let mut sources = Vec::new();
    for &input in inputs {
        sources.push(match made.iter().position(|&value| value == input) {
            Some(number) => Source::Prologue(number),
            None if arguments.contains(&input) => Source::Buffer(operand(input)?),
            None => {
                made.push(input);
                Source::Prologue(made.len() - 1)
            }
        });
    }
    let around = Stream { heads, operands: stream, changed: &changed };
    let (prologue, windows) = match made.is_empty() {
        true => (None, Vec::new()),
        false => Prologue::new(cx.target, body, &around, &made).map(|(made, windows)| (Some(made), windows))?,
    };
    check_results(fused, outputs, &[next, &windows].concat())?;

    let each = |values: &[ValueId], number: &dyn Fn(ValueId) -> Result<usize, String>| {
        values.iter().map(|&value| number(value)).collect::<Result<Vec<usize>, String>>()
    };
    let written: Vec<ValueId> = fused.results.iter().copied().filter(|result| outputs.contains(result)).collect();
    let place = |output: ValueId| written.iter().position(|&result| result == output);
    let output = |value: ValueId| Ok(arguments.len() + place(value).ok_or("an output of a scan is not written")?);
    Ok(Wiring {
        inputs: sources,
        parameters: each(parameters, &operand)?,
        states: each(states, &|state| buffer(body, state))?,
        segments: operand(stream[0])?,
        position: stream.get(1).map(|&position| operand(position)).transpose()?,
        outputs: each(outputs, &output)?,
        prologue,
    })
}

/// Whether the results are just what the launch makes: the scan's outputs, and the states after it.
fn check_results(fused: &Fused, outputs: &[ValueId], states: &[ValueId]) -> Result<(), String> {
    let made: BTreeSet<ValueId> = outputs.iter().chain(states).copied().collect();
    let results: BTreeSet<ValueId> = fused.results.iter().copied().collect();
    if results.len() < fused.results.len() {
        return Err("a fused scan has a result twice".into());
    }
    if let Some(&other) = results.difference(&made).next() {
        let other = fused.body.ty(other).describe();
        return Err(format!("{other} is made within a scan's launch and needed outside of it"));
    }
    if let Some(&missing) = made.difference(&results).next() {
        let missing = fused.body.ty(missing).describe();
        return Err(format!("{missing} is made by a scan's launch and not among its results"));
    }
    Ok(())
}
