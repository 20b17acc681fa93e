//! The operations of the `mom` stage: one file for each, or for a few that belong together.
//!
//! An operation's file says what it means as an equation, which operands it takes ([`result_types`]) and what it
//! computes (`evaluate`, in float64). This file is the list of them all: whoever adds an operation finds, by the
//! matches without a wildcard arm here, every place that has to know it.

mod attention;
mod axis;
mod check;
mod contract;
mod elementwise;
mod embedding;
mod fused;
mod layout;
mod linear;
mod memories;
mod norm;
mod program;
mod routing;
mod scan;
mod scan_gradient;
mod scan_states;
mod segments;
mod short_conv;

pub use scan::result_types as scan_result_types;
pub use scan_gradient::result_types as scan_gradient_result_types;
pub use scan_states::{read_result_types as read_states_result_types, result_types as scan_states_result_types};

pub(crate) use axis::evaluate as evaluate_axis_op;
pub(crate) use contract::Contraction;
pub(crate) use elementwise::apply as apply_elementwise;
pub(crate) use layout::Layout;
pub(crate) use program::input_type;

use crate::{
    graph::OpKind,
    reference::{Step, Tensor},
    shape::Type,
};

/// The names of all operations.
pub const NAMES: [&str; 38] = [
    "mom.input",
    "mom.param",
    "mom.state",
    "mom.constant",
    "mom.embedding",
    "mom.select_rows",
    "mom.elementwise",
    "mom.contract",
    "mom.sum",
    "mom.softmax",
    "mom.solve",
    "mom.slice",
    "mom.place",
    "mom.relabel",
    "mom.head_index",
    "mom.identity",
    "mom.linear",
    "mom.grouped_linear",
    "mom.rms_norm",
    "mom.l2_norm",
    "mom.short_conv",
    "mom.router",
    "mom.sort",
    "mom.dispatch",
    "mom.scan",
    "mom.scan_gradient",
    "mom.scan_states",
    "mom.read_states",
    "mom.combine",
    "mom.append",
    "mom.join_memories",
    "mom.split_memories",
    "mom.rotary",
    "mom.append_cache",
    "mom.attention",
    "mom.fused",
    "mom.set_state",
    "mom.output",
];

/// The name of an operation in the text form. Elementwise operations are written by their function, `mom.add`, and
/// products with several weights as `mom.linears` and `mom.grouped_linears`.
pub fn name(kind: &OpKind) -> &'static str {
    match kind {
        OpKind::Input { .. } => "mom.input",
        OpKind::Param { .. } => "mom.param",
        OpKind::State { .. } => "mom.state",
        OpKind::Constant { .. } => "mom.constant",
        OpKind::Embedding => "mom.embedding",
        OpKind::SelectRows => "mom.select_rows",
        OpKind::Elementwise(_) => "mom.elementwise",
        OpKind::Contract => "mom.contract",
        OpKind::Sum { .. } => "mom.sum",
        OpKind::Softmax { .. } => "mom.softmax",
        OpKind::Solve => "mom.solve",
        OpKind::Slice { .. } => "mom.slice",
        OpKind::Place { .. } => "mom.place",
        OpKind::Relabel { .. } => "mom.relabel",
        OpKind::HeadIndex => "mom.head_index",
        OpKind::Identity { .. } => "mom.identity",
        OpKind::Linear => "mom.linear",
        OpKind::GroupedLinear => "mom.grouped_linear",
        OpKind::RmsNorm { .. } => "mom.rms_norm",
        OpKind::L2Norm { .. } => "mom.l2_norm",
        OpKind::ShortConv => "mom.short_conv",
        OpKind::Router { .. } => "mom.router",
        OpKind::Sort { .. } => "mom.sort",
        OpKind::Dispatch => "mom.dispatch",
        OpKind::Scan { .. } => "mom.scan",
        OpKind::ScanGradient { .. } => "mom.scan_gradient",
        OpKind::ScanStates { .. } => "mom.scan_states",
        OpKind::ReadStates { .. } => "mom.read_states",
        OpKind::Combine => "mom.combine",
        OpKind::Append => "mom.append",
        OpKind::JoinMemories => "mom.join_memories",
        OpKind::SplitMemories => "mom.split_memories",
        OpKind::Rotary { .. } => "mom.rotary",
        OpKind::AppendCache => "mom.append_cache",
        OpKind::Attention { .. } => "mom.attention",
        OpKind::Fused(_) => "mom.fused",
        OpKind::SetState { .. } => "mom.set_state",
        OpKind::Output { .. } => "mom.output",
    }
}

/// The types of an operation's results.
///
/// # Errors
/// What is wrong with the operands, in words of axes and sizes. A scan is always refused here, because its results
/// follow from its update rule: see [`scan_result_types`] and [`crate::graph::Graph::add`].
pub fn result_types(kind: &OpKind, operands: &[&Type]) -> Result<Vec<Type>, String> {
    match kind {
        OpKind::Input { name, ty } => program::input(name, ty, operands),
        OpKind::Param { name, ty, source } => program::param(name, ty, source, operands),
        OpKind::State { name, ty } => program::state(name, ty, operands),
        OpKind::Constant { value } => elementwise::constant(*value, operands),
        OpKind::Embedding => embedding::embedding(operands),
        OpKind::SelectRows => embedding::select_rows(operands),
        OpKind::Elementwise(function) => elementwise::result_types(*function, operands),
        OpKind::Contract => contract::result_types(operands),
        OpKind::Sum { .. }
        | OpKind::Softmax { .. }
        | OpKind::Solve
        | OpKind::Slice { .. }
        | OpKind::Place { .. }
        | OpKind::Relabel { .. }
        | OpKind::HeadIndex
        | OpKind::Identity { .. } => axis::result_types(kind, operands),
        OpKind::Linear => linear::result_types(operands),
        OpKind::GroupedLinear => linear::grouped_result_types(operands),
        OpKind::RmsNorm { eps } => norm::rms_norm(*eps, operands),
        OpKind::L2Norm { eps } => norm::l2_norm(*eps, operands),
        OpKind::ShortConv => short_conv::result_types(operands),
        OpKind::Router { top_k, shared_state } => routing::router(*top_k, *shared_state, operands),
        OpKind::Sort { memories } => routing::sort(*memories, operands),
        OpKind::Dispatch => routing::dispatch(operands),
        OpKind::Scan { update_rule }
        | OpKind::ScanGradient { update_rule }
        | OpKind::ScanStates { update_rule }
        | OpKind::ReadStates { update_rule } => Err(format!(
            "a scan takes its types from the update rule `{update_rule}`, which only the whole graph knows"
        )),
        OpKind::Combine => routing::combine(operands),
        OpKind::Append => routing::append(operands),
        OpKind::JoinMemories => memories::join(operands),
        OpKind::SplitMemories => memories::split(operands),
        OpKind::Rotary { base } => attention::rotary(*base, operands),
        OpKind::AppendCache => attention::append_cache(operands),
        OpKind::Attention { window, scale } => attention::attention(*window, *scale, operands),
        OpKind::Fused(fused) => fused::result_types(fused, operands),
        OpKind::SetState { name } => program::set_state(name, operands),
        OpKind::Output { name } => program::output(name, operands),
    }
}

/// Whether an operation belongs into the body of an update rule.
pub fn in_update_rules(kind: &OpKind) -> bool {
    matches!(kind, OpKind::Constant { .. } | OpKind::Elementwise(_)) || only_in_update_rules(kind)
}

/// Whether an operation belongs into the body of an update rule and nowhere else.
pub fn only_in_update_rules(kind: &OpKind) -> bool {
    matches!(
        kind,
        OpKind::Contract
            | OpKind::Sum { .. }
            | OpKind::Softmax { .. }
            | OpKind::Solve
            | OpKind::Slice { .. }
            | OpKind::Place { .. }
            | OpKind::Relabel { .. }
            | OpKind::HeadIndex
            | OpKind::Identity { .. }
    )
}

/// Whether an operation belongs into a fused operation: it computes something, by a program's means alone.
pub fn in_fused(kind: &OpKind) -> bool {
    !only_in_update_rules(kind) && !at_the_edge(kind) && !matches!(kind, OpKind::ScanGradient { .. } | OpKind::Fused(_))
}

/// Whether an operation brings values into a step or carries them out.
pub(crate) fn at_the_edge(kind: &OpKind) -> bool {
    matches!(
        kind,
        OpKind::Input { .. }
            | OpKind::Param { .. }
            | OpKind::State { .. }
            | OpKind::SetState { .. }
            | OpKind::Output { .. }
    )
}

/// A value that an operation reads, and its type.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'a> {
    pub(crate) ty: &'a Type,
    pub(crate) value: &'a Tensor,
}

/// The values of an operation's results, in float64.
///
/// # Errors
/// What cannot be known before a step runs: a token outside the vocabulary, a missing parameter, a full cache.
pub(crate) fn evaluate(
    kind: &OpKind,
    operands: &[Operand<'_>],
    results: &[&Type],
    step: &mut Step<'_>,
) -> Result<Vec<Tensor>, String> {
    let graph = step.graph;
    let rule = |name: &str| graph.update_rule(name).ok_or_else(|| format!("there is no update rule `{name}`"));
    Ok(match kind {
        OpKind::Input { name, .. } => program::evaluate_input(name, results[0], step)?,
        OpKind::Param { name, ty, .. } => program::evaluate_param(name, ty, step)?,
        OpKind::State { name, ty } => program::evaluate_state(name, ty, step)?,
        OpKind::Constant { value } => vec![Tensor::scalar(*value)],
        OpKind::Embedding => embedding::evaluate_embedding(operands)?,
        OpKind::SelectRows => embedding::evaluate_select_rows(operands),
        OpKind::Elementwise(function) => elementwise::evaluate(*function, operands, results[0]),
        OpKind::Contract => contract::evaluate(operands),
        OpKind::Sum { .. }
        | OpKind::Softmax { .. }
        | OpKind::Solve
        | OpKind::Slice { .. }
        | OpKind::Place { .. }
        | OpKind::Relabel { .. }
        | OpKind::HeadIndex
        | OpKind::Identity { .. } => return Err(format!("`{}` stands outside an update rule", name(kind))),
        OpKind::Linear => linear::evaluate(operands),
        OpKind::GroupedLinear => linear::evaluate_grouped(operands),
        OpKind::RmsNorm { eps } => norm::evaluate_rms_norm(*eps, operands),
        OpKind::L2Norm { eps } => norm::evaluate_l2_norm(*eps, operands),
        OpKind::ShortConv => short_conv::evaluate(operands),
        OpKind::Router { top_k, shared_state } => routing::evaluate_router(*top_k, *shared_state, operands),
        OpKind::Sort { memories } => routing::evaluate_sort(*memories, operands),
        OpKind::Dispatch => routing::evaluate_dispatch(operands),
        OpKind::Scan { update_rule } => scan::evaluate(rule(update_rule)?, operands)?,
        OpKind::ScanGradient { update_rule } => scan_gradient::evaluate(rule(update_rule)?, operands)?,
        OpKind::ScanStates { update_rule } => scan_states::evaluate(rule(update_rule)?, operands)?,
        OpKind::ReadStates { update_rule } => scan_states::evaluate_read(rule(update_rule)?, operands)?,
        OpKind::Combine => routing::evaluate_combine(operands),
        OpKind::Append => routing::evaluate_append(operands),
        OpKind::JoinMemories => memories::evaluate_join(operands),
        OpKind::SplitMemories => memories::evaluate_split(operands),
        OpKind::Rotary { base } => attention::evaluate_rotary(*base, operands),
        OpKind::AppendCache => attention::evaluate_append_cache(operands)?,
        OpKind::Attention { window, scale } => attention::evaluate_attention(*window, *scale, operands)?,
        OpKind::Fused(fused) => fused::evaluate(fused, operands, step)?,
        OpKind::SetState { name } => program::evaluate_set_state(name, operands, step),
        OpKind::Output { name } => program::evaluate_output(name, operands, step),
    })
}

#[cfg(test)]
mod tests;
