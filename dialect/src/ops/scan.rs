//! `scan`: an update rule applied along every segment, for every head.
//!
//! For each head of segment `s`, with `M` the states of memory `s / B` of sequence `s mod B`, row after row:
//! `(M, y_r) = update_rule(x_r, M)`. States without a memory axis have one segment per sequence. An input that has no
//! head axis is the same for all heads. Rows behind the last segment give zero. With `position`, rows whose position
//! is -1 are not there: they advance nothing and give zero.
//!
//! Inputs and parameters may have fewer heads than the states, if their number divides that of the states: head `h` of
//! `H` uses head `h · G / H` of `G`, rounded down.
//!
//! Operands are the update rule's inputs, its parameters, its states, `segments` and, where padding may occur,
//! `position`; results are its outputs, then its states.

use std::ops::Range;

use super::{Operand, check, segments};
use crate::{
    graph::{Port, UpdateRule},
    reference::{Recurrence, Tensor},
    shape::{Axis, Extent, Type},
};

/// What comes before an update rule's own axes in the operands of a scan.
pub(super) struct Frame {
    pub(super) rows: Extent,
    pub(super) memory: Option<Axis>,
    head: Axis,
}

/// The types of a scan's results, which follow from its update rule.
///
/// # Errors
/// Which operand does not fit which input or state of the update rule.
pub fn result_types(rule: &UpdateRule, operands: &[&Type]) -> Result<Vec<Type>, String> {
    types("scan", rule, operands)
}

/// As [`result_types`], for the operation `op`.
pub(super) fn types(op: &str, rule: &UpdateRule, operands: &[&Type]) -> Result<Vec<Type>, String> {
    let ports = rule.arguments().count();
    if operands.len() != ports + 1 && operands.len() != ports + 2 {
        return Err(format!(
            "`{op}` of `{}` takes {} inputs, {} parameters, {} states, segments and perhaps position; found {} operands",
            rule.name,
            rule.inputs.len(),
            rule.parameters.len(),
            rule.states.len(),
            operands.len()
        ));
    }
    let (operands, rest) = operands.split_at(ports);
    let frame = frame(op, rule, operands)?;
    check::same(op, "segments", rest[0], &frame.segments())?;
    if let Some(position) = rest.get(1) {
        check::same(op, "position", position, &check::index(frame.rows))?;
    }
    let states = &operands[ports - rule.states.len()..];
    let outputs = rule.outputs.iter().map(|port| frame.token_type(&port.ty));
    Ok(outputs.chain(states.iter().map(|&state| state.clone())).collect())
}

/// Reads the rows off the first input and the memories and heads off the first state, and checks that all inputs,
/// parameters and states fit them.
pub(super) fn frame(op: &str, rule: &UpdateRule, operands: &[&Type]) -> Result<Frame, String> {
    let (inputs, rest) = operands.split_at(rule.inputs.len());
    let (parameters, states) = rest.split_at(rule.parameters.len());
    let (Some(input), Some(state)) = (inputs.first(), states.first()) else {
        return Err(format!("`{op}` needs an update rule with an input and a state; `{}` has not both", rule.name));
    };
    let (rows, _) = check::rows(op, &format!("the input `{}`", rule.inputs[0].name), input)?;
    let frame = Frame::new(op, &rule.states[0], state, rows)?;
    frame.check_given(op, rule, inputs, parameters)?;
    for (port, found) in rule.states.iter().zip(states) {
        let expected = frame.state_type(&port.ty);
        if **found != expected {
            return Err(misfit(op, rule, "state", &port.name, found, &expected));
        }
    }
    Ok(frame)
}

impl Frame {
    /// Reads the memories and heads off a state.
    pub(super) fn new(op: &str, port: &Port, state: &Type, rows: Extent) -> Result<Frame, String> {
        let head = state.axis("head").cloned().ok_or_else(|| {
            format!("`{op}` needs the state `{}` with an axis `head`; found {}", port.name, state.describe())
        })?;
        Ok(Frame { rows, memory: state.axis("memory").cloned(), head })
    }

    /// Checks that inputs and parameters fit.
    pub(super) fn check_given(
        &self,
        op: &str,
        rule: &UpdateRule,
        inputs: &[&Type],
        parameters: &[&Type],
    ) -> Result<(), String> {
        for (port, found) in rule.inputs.iter().zip(inputs) {
            let expected = |head: Option<&Axis>| self.row_type(head, &port.ty);
            if **found != expected(self.head_of(found).as_ref()) {
                return Err(misfit(op, rule, "input", &port.name, found, &expected(Some(&self.head))));
            }
        }
        for (port, found) in rule.parameters.iter().zip(parameters) {
            let expected =
                |head: Option<Axis>| Type::f32(head.into_iter().chain(port.ty.axes.clone()).collect::<Vec<_>>());
            if **found != expected(self.head_of(found)) {
                return Err(misfit(op, rule, "parameter", &port.name, found, &expected(Some(self.head.clone()))));
            }
        }
        Ok(())
    }

    /// The head axis of an input or parameter: none where all heads share it, and the scan's own where it does not fit.
    fn head_of(&self, found: &Type) -> Option<Axis> {
        let own = found.axis("head")?;
        let (heads, groups) = (self.head.size().unwrap_or(1), own.size().unwrap_or(1).max(1));
        Some(if heads.is_multiple_of(groups) { own.clone() } else { self.head.clone() })
    }

    /// The type of the segments' boundaries.
    pub(super) fn segments(&self) -> Type {
        check::boundaries(self.memory.as_ref().and_then(Axis::size).unwrap_or(1))
    }

    /// The type of one value for each row and head.
    pub(super) fn token_type(&self, port: &Type) -> Type {
        self.row_type(Some(&self.head), port)
    }

    fn row_type(&self, head: Option<&Axis>, port: &Type) -> Type {
        let axes = [Axis::Rows(self.rows)].into_iter().chain(head.cloned()).chain(port.axes.iter().cloned());
        Type::f32(axes.collect::<Vec<_>>())
    }

    /// The type of one value for each segment and head.
    pub(super) fn state_type(&self, port: &Type) -> Type {
        let frame = [Axis::Rows(Extent::SEQUENCES)].into_iter().chain(self.memory.clone()).chain([self.head.clone()]);
        Type::f32(frame.chain(port.axes.iter().cloned()).collect::<Vec<_>>())
    }
}

fn misfit(op: &str, rule: &UpdateRule, role: &str, name: &str, found: &Type, expected: &Type) -> String {
    format!(
        "`{op}` needs the {role} `{name}` of `{}` of type {}; found {}",
        rule.name,
        expected.describe(),
        found.describe()
    )
}

pub(super) fn evaluate(rule: &UpdateRule, operands: &[Operand<'_>]) -> Result<Vec<Tensor>, String> {
    let recurrence = Recurrence::new(rule)?;
    let (inputs, rest) = operands.split_at(rule.inputs.len());
    let (parameters, rest) = rest.split_at(rule.parameters.len());
    let (states, rest) = rest.split_at(rule.states.len());
    let segments = segments::segment_rows(rest[0].value, rest.get(1).map(|position| position.value));
    let heads = states[0].ty.axis("head").and_then(Axis::size).unwrap_or(1);

    let rows = inputs[0].value.shape[0];
    let output_shape = |port: &Port| {
        let axes = port.ty.axes.iter().filter_map(Axis::size);
        [rows, heads].into_iter().chain(axes).collect::<Vec<_>>()
    };
    let mut outputs: Vec<Tensor> = rule.outputs.iter().map(|port| Tensor::zeros(output_shape(port))).collect();
    let mut after: Vec<Tensor> = states.iter().map(|state| state.value.clone()).collect();

    for (segment, rows) in segments.iter().enumerate() {
        let entry = segments::state_entry(segment, segments.len(), states[0].value);
        for head in 0..heads {
            let entry = entry * heads + head;
            let ports = rule.states.iter().zip(&after);
            let mut current: Vec<Vec<f64>> =
                ports.map(|(port, state)| state.data[part(port, entry)].to_vec()).collect();
            for &row in rows {
                let ports = rule.inputs.iter().zip(inputs);
                let token = ports.map(|(port, input)| of_head(port, input.value.row(row), head, heads));
                let ports = rule.parameters.iter().zip(parameters);
                let fixed = ports.map(|(port, parameter)| of_head(port, &parameter.value.data, head, heads));
                let read = recurrence.token(token.chain(fixed), &mut current, head);
                for ((port, output), values) in rule.outputs.iter().zip(&mut outputs).zip(read) {
                    output.data[part(port, row * heads + head)].copy_from_slice(&values);
                }
            }
            for ((port, state), values) in rule.states.iter().zip(&mut after).zip(current) {
                state.data[part(port, entry)].copy_from_slice(&values);
            }
        }
    }
    Ok(outputs.into_iter().chain(after).collect())
}

/// Where the elements of one of many values of a port lie.
pub(super) fn part(port: &Port, entry: usize) -> Range<usize> {
    let size = port.ty.row_elements();
    entry * size..(entry + 1) * size
}

/// The elements for one head of `heads` in the elements for all heads there are: all, fewer, or one that they share.
pub(super) fn of_head<'v>(port: &Port, elements: &'v [f64], head: usize, heads: usize) -> &'v [f64] {
    let groups = elements.len() / port.ty.row_elements().max(1);
    &elements[part(port, head * groups / heads)]
}
