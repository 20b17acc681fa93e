//! Fused operations: several operations of a program in one launch.
//!
//! [`fused`] says whether there is a kernel for a fused operation, and which. It is the one place that decides: what it
//! refuses is never fused. Each family of kernels has an *anchor*, the operation that says how work is cut into items,
//! and takes what it can before and after it: a product rows that are made on the spot ([`product`]), a scan what works
//! within a head, a router the sort of its choices ([`routing`]). A body without an anchor makes row after row ([`rows`]).
//!
//! Buffers are the fused operation's operands in order, then its results; a state that is changed in place appears once,
//! as the operand.

use std::{collections::BTreeMap, fmt::Debug};

use mom_dialect::{
    graph::{Body, Fused, Graph, Op, OpKind, ValueId},
    ops,
};

use super::Kernel;
use crate::{
    emit::{Emit, V},
    options::Options,
    target::Target,
};

mod epilogue;
pub(crate) mod product;
mod routing;
pub(crate) mod row_wise;
pub(crate) mod rows;
mod scan;
#[cfg(test)]
mod tests;

/// What kernels of fused operations are made for.
#[derive(Clone, Copy)]
pub(crate) struct Cx<'a> {
    pub(crate) target: &'a Target,
    /// The program; scans find their update rules here.
    pub(crate) graph: &'a Graph,
    pub(crate) options: &'a Options,
}

/// The kernel of a fused operation. What it emits is written only when the kernel's text is asked for.
///
/// # Errors
/// Why there is none, in words.
pub(crate) fn fused<'a>(cx: Cx<'a>, fused: &'a Fused) -> Result<Kernel<'a>, String> {
    let anchors: Vec<&Op> = fused.body.ops.iter().filter(|op| is_anchor(&op.kind)).collect();
    match anchors[..] {
        [] => rows::rows(cx.target, fused),
        [Op { kind: OpKind::Scan { .. }, .. }] => scan::scan(cx, fused),
        [anchor @ Op { kind: OpKind::Linear | OpKind::GroupedLinear, .. }] => {
            product::product(cx.target, fused, anchor)
        }
        [Op { kind: OpKind::Router { .. } | OpKind::Sort { .. }, .. }, ..] => routing::routing(fused),
        _ => {
            let names: Vec<&str> = anchors.iter().map(|op| ops::name(&op.kind).trim_start_matches("mom.")).collect();
            Err(format!("no kernel computes {} in one launch", names.join(", ")))
        }
    }
}

/// The kernel of one operation of a row-wise body or of one product, by itself. Operands that are a `constant` are part of
/// its code, and no buffers.
///
/// # Errors
/// As [`fused`].
pub(crate) fn single<'a>(
    target: &Target,
    body: &Body,
    op: &Op,
    constant: impl Fn(ValueId) -> Option<f64>,
) -> Result<Kernel<'a>, String> {
    let mut own = Body::default();
    let given = |&operand: &ValueId| {
        let ty = body.ty(operand).clone();
        match constant(operand) {
            Some(value) => own.add_typed(OpKind::Constant { value }, Vec::new(), vec![ty], None)[0],
            None => own.argument(ty),
        }
    };
    let operands = op.operands.iter().map(given).collect();
    let types = op.results.iter().map(|&result| body.ty(result).clone()).collect();
    let results = own.add_typed(op.kind.clone(), operands, types, None);
    let fused = Fused { body: own, results };
    match &fused.body.ops[..] {
        [anchor @ Op { kind: OpKind::Linear | OpKind::GroupedLinear, .. }] => product::product(target, &fused, anchor),
        _ => rows::rows(target, &fused),
    }
}

/// Whether native code has a kernel for an operation by itself, or needs none: rows are never appended to a routed stream
/// in memory, nor are the states of each row stored.
pub(crate) fn stands_alone(kind: &OpKind) -> bool {
    !matches!(kind, OpKind::Append | OpKind::ScanStates { .. } | OpKind::ReadStates { .. })
}

/// Whether an operation says how the work of a launch is cut.
fn is_anchor(kind: &OpKind) -> bool {
    matches!(
        kind,
        OpKind::Scan { .. } | OpKind::Linear | OpKind::GroupedLinear | OpKind::Router { .. } | OpKind::Sort { .. }
    )
}

/// Where each argument of a body lies among the launch's buffers.
fn arguments(body: &Body) -> BTreeMap<ValueId, usize> {
    body.arguments().into_iter().enumerate().map(|(number, value)| (value, number)).collect()
}

/// The addresses of the buffers of those values that are arguments.
fn buffers(
    emit: &mut Emit,
    arguments: &BTreeMap<ValueId, usize>,
    values: impl Iterator<Item = ValueId>,
) -> BTreeMap<ValueId, V> {
    values.filter_map(|value| Some((value, emit.buffer(*arguments.get(&value)?)))).collect()
}

/// The operations of a body, for the name of a kernel: at most so many, and constants are left out.
const MOST_NAMES: usize = 6;

fn names(body: &Body) -> String {
    let names: Vec<&str> = (body.ops.iter())
        .filter_map(|op| match op.kind {
            OpKind::Constant { .. } => None,
            OpKind::Elementwise(function) => Some(function.name()),
            _ => Some(ops::name(&op.kind).trim_start_matches("mom.")),
        })
        .collect();
    match names.len().checked_sub(MOST_NAMES) {
        None | Some(0) => names.join("_"),
        Some(more) => format!("{}_and_{more}_more", names[..MOST_NAMES].join("_")),
    }
}

/// A name for a kernel: `prefix`, and a number that differs wherever `parts` do, which are all that its code depends on.
fn symbol(prefix: &str, parts: &impl Debug) -> String {
    format!("momc_{prefix}_{:016x}", fnv1a(format!("{parts:?}").as_bytes()))
}

/// All that a fused operation says, but for the places in a description that asked for it.
fn said(fused: &Fused) -> impl Debug {
    let Fused { body, results } = fused;
    let ops: Vec<_> = body.ops.iter().map(|op| (&op.kind, &op.operands, &op.results)).collect();
    let types: Vec<_> = (0..body.value_count() as u32).map(|value| body.ty(ValueId(value))).collect();
    (ops, types, results)
}

/// The hash FNV-1a of 64 bits.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
