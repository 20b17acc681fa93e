//! Runs the forms of an update rule in float64, so that what a form computes can be told from how it is rounded.
//!
//! Programs are those of [`mom_dialect::alone`]: one scan, or the gradient of one, and inputs, states and outputs around
//! it. The call is that of [`mom_dialect::reference::Interpreter`], against which the results are held.

use std::collections::BTreeMap;

use mom_dialect::{
    diagnostic::Diagnostic,
    graph::{Graph, Op, OpKind, Port, UpdateRule, ValueId},
    reference::{Inputs, Tensor, Tensors},
    shape::{Axis, Type},
};

use crate::{
    options::Options,
    schedule::{self, unsupported},
    tile::{
        adjoint,
        evaluate::{Results, Segment},
    },
};

/// Runs a program over the sequences of `inputs`; `states` become those after the last token.
///
/// # Errors
/// E04 where the form that `options` ask for does not exist, a missing tensor or one of another size.
pub fn run(
    graph: &Graph,
    options: &Options,
    inputs: &Inputs,
    states: &mut Tensors,
) -> Result<Tensors, Box<Diagnostic>> {
    let fault = |message: String| unsupported(message, None);
    let (mut values, mut outputs, mut next) = (BTreeMap::<ValueId, Tensor>::new(), Tensors::new(), Tensors::new());
    for op in &graph.body.ops {
        match &op.kind {
            OpKind::Input { name, ty } if ty.rows().is_none_or(|rows| rows.constant == 0) => {
                let value = inputs.tensors.get(name).ok_or_else(|| fault(format!("there is no input `{name}`")))?;
                values.insert(op.results[0], value.clone());
            }
            OpKind::Input { .. } => {}
            OpKind::State { name, ty } => {
                let sizes = ty.axes.iter().map(|axis| axis.size().unwrap_or(inputs.sequences()));
                let value = states.get(name).cloned().unwrap_or_else(|| Tensor::zeros(sizes.collect::<Vec<_>>()));
                values.insert(op.results[0], value);
            }
            OpKind::Scan { update_rule } | OpKind::ScanGradient { update_rule } => {
                let rule = graph.update_rule(update_rule);
                let rule = rule.ok_or_else(|| fault(format!("there is no update rule `{update_rule}`")))?;
                let heads = schedule::scan_heads(&graph.body, rule, op);
                let scan = schedule::form(rule, &heads, options)?;
                let whole =
                    Whole { graph, rule, op, values: &values, heads: heads.heads, boundaries: &inputs.cu_seqlens };
                let results = match op.kind {
                    OpKind::Scan { .. } => whole.forward(&scan),
                    _ => whole.backward(scan),
                };
                values.extend(op.results.iter().copied().zip(results.map_err(fault)?));
            }
            OpKind::Output { name } => outputs.extend([(name.clone(), values[&op.operands[0]].clone())]),
            OpKind::SetState { name } => next.extend([(name.clone(), values[&op.operands[0]].clone())]),
            other => {
                let name = mom_dialect::ops::name(other);
                return Err(fault(format!("`{name}` is no part of an update rule alone")));
            }
        }
    }
    states.extend(next);
    Ok(outputs)
}

/// A scan or its gradient with all its operands.
struct Whole<'a> {
    graph: &'a Graph,
    rule: &'a UpdateRule,
    op: &'a Op,
    values: &'a BTreeMap<ValueId, Tensor>,
    heads: usize,
    boundaries: &'a [usize],
}

impl Whole<'_> {
    fn forward(&self, scan: &crate::tile::Scan) -> Result<Vec<Tensor>, String> {
        self.each_segment(|segment, _| {
            let Results { mut outputs, states } = scan.evaluate(segment);
            outputs.extend(states);
            outputs
        })
    }

    fn backward(&self, scan: crate::tile::Scan) -> Result<Vec<Tensor>, String> {
        let gradient = adjoint::gradient(scan);
        self.each_segment(|segment, cotangents| {
            let made = gradient.evaluate(segment, cotangents);
            [made.inputs, made.parameters, made.states].concat()
        })
    }

    /// What `work` makes of each sequence and head, given the cotangents too if there are any, as tensors of the
    /// operation's results.
    fn each_segment(&self, work: impl Fn(&Segment<'_>, &Results) -> Vec<Vec<f64>>) -> Result<Vec<Tensor>, String> {
        let rule = self.rule;
        let counts = [rule.inputs.len(), rule.parameters.len(), rule.states.len(), 1, rule.outputs.len()];
        let mut rest = &self.op.operands[..];
        let [inputs, parameters, states, _, outputs] = counts.map(|count| {
            let (these, others) = rest.split_at(count.min(rest.len()));
            rest = others;
            these
        });
        let cotangents = rest;
        let sequences = self.boundaries.len().saturating_sub(1);
        let tokens = self.boundaries.last().copied().unwrap_or(0);
        let mut results: Vec<Tensor> = self
            .op
            .results
            .iter()
            .map(|&result| {
                let rows =
                    |axis: &Axis| axis.size().unwrap_or(if self.is_per_token(result) { tokens } else { sequences });
                Tensor::zeros(self.ty(result).axes.iter().map(rows).collect::<Vec<_>>())
            })
            .collect();
        for (sequence, ends) in self.boundaries.windows(2).enumerate() {
            for head in 0..self.heads {
                let rows = |ports: &[Port], values: &[ValueId]| self.gather(ports, values, ends[0]..ends[1], head);
                let one = |ports: &[Port], values: &[ValueId]| self.gather(ports, values, sequence..sequence + 1, head);
                let segment = Segment {
                    tokens: ends[1] - ends[0],
                    inputs: &rows(&rule.inputs, inputs)?,
                    parameters: &self.gather(&rule.parameters, parameters, 0..1, head)?,
                    states: &one(&rule.states, states)?,
                    real: None,
                    head,
                };
                let cotangents =
                    Results { outputs: rows(&rule.outputs, outputs)?, states: one(&rule.states, cotangents)? };
                let made = work(&segment, &cotangents);
                for ((&value, result), made) in self.op.results.iter().zip(&mut results).zip(made) {
                    let first = if self.is_per_token(value) { ends[0] } else { sequence };
                    let width = self.ty(value).row_elements() / self.heads;
                    for (row, elements) in made.chunks(width.max(1)).enumerate() {
                        let at = (first + row) * self.heads + head;
                        result.data[at * width..][..width].copy_from_slice(elements);
                    }
                }
            }
        }
        Ok(results)
    }

    fn ty(&self, value: ValueId) -> &Type {
        self.graph.body.ty(value)
    }

    fn is_per_token(&self, value: ValueId) -> bool {
        self.ty(value).rows().is_some_and(|rows| rows.tokens > 0)
    }

    /// The rows of one head of each tensor, one row after the other.
    fn gather(
        &self,
        ports: &[Port],
        values: &[ValueId],
        rows: std::ops::Range<usize>,
        head: usize,
    ) -> Result<Vec<Vec<f64>>, String> {
        let one = |(port, value): (&Port, &ValueId)| {
            let width = port.ty.row_elements();
            let groups = self.ty(*value).axis("head").and_then(Axis::size).unwrap_or(1);
            let group = head * groups / self.heads;
            let mut elements = Vec::with_capacity(rows.len() * width);
            for row in rows.clone() {
                let start = (row * groups + group) * width;
                let part = self.values.get(value).and_then(|tensor| tensor.data.get(start..start + width));
                elements.extend(part.ok_or_else(|| format!("`{}` has too few elements", port.name))?);
            }
            Ok(elements)
        };
        ports.iter().zip(values).map(one).collect()
    }
}
