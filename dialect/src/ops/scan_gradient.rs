//! `scan_gradient`: how a weighted sum of what a `scan` answers changes with what it is given.
//!
//! With `ȳ` the cotangents of the outputs and `M̄` those of the states after the scan, the loss is the sum of all
//! `ȳ · y` and `M̄ · M`. Results are its derivatives by each input, parameter and state before the scan. Where heads
//! share an input or parameter, the derivative is given for each head of the scan, and that by a parameter for each
//! segment: the host adds them up.
//!
//! The interpreter knows no rule of differentiation: it computes the loss at four points on either side of each number
//! and takes the difference quotient that is exact for polynomials of degree four. So it is slow, and independent of
//! every adjoint that momc derives.

use super::{Operand, check, scan, segments};
use crate::{
    graph::{Port, UpdateRule},
    reference::{Recurrence, Tensor},
    shape::{Axis, Type},
};

/// Distance of the points, for numbers up to 1; beyond that relative to the number. The error of the quotient is of the
/// order of the distance to the fourth power, and rounding is amplified by its inverse: 1e-3 keeps both below 1e-12.
const DISTANCE: f64 = 1e-3;

/// The least distance, in the same measure: nearer, rounding would count for more than an edge that is this near.
const LEAST_DISTANCE: f64 = 1e-6;

/// How far two quotients are apart at most, relative to themselves or to the loss, if there is no edge between their
/// points. Smooth rules that bend more than this only cost more points.
const AGREEING: f64 = 1e-6;

/// The types of the results, which follow from the update rule.
///
/// # Errors
/// Which operand does not fit which port of the update rule.
pub fn result_types(rule: &UpdateRule, operands: &[&Type]) -> Result<Vec<Type>, String> {
    let ports = rule.arguments().count();
    let cotangents = rule.outputs.len() + rule.states.len();
    if operands.len() != ports + 1 + cotangents {
        return Err(format!(
            "`scan_gradient` of `{}` takes {} inputs, {} parameters, {} states, segments and the cotangents of {} outputs \
             and {} states; found {} operands",
            rule.name,
            rule.inputs.len(),
            rule.parameters.len(),
            rule.states.len(),
            rule.outputs.len(),
            rule.states.len(),
            operands.len()
        ));
    }
    let (operands, rest) = operands.split_at(ports);
    let frame = scan::frame("scan_gradient", rule, operands)?;
    check::same("scan_gradient", "segments", rest[0], &frame.segments())?;
    let outputs = rule.outputs.iter().map(|port| (port, frame.token_type(&port.ty)));
    let states = rule.states.iter().map(|port| (port, frame.state_type(&port.ty)));
    for ((port, expected), found) in outputs.chain(states).zip(&rest[1..]) {
        check::same("scan_gradient", &format!("the cotangent of `{}`", port.name), found, &expected)?;
    }
    let inputs = rule.inputs.iter().map(|port| frame.token_type(&port.ty));
    let fixed = rule.parameters.iter().chain(&rule.states).map(|port| frame.state_type(&port.ty));
    Ok(inputs.chain(fixed).collect())
}

pub(super) fn evaluate(rule: &UpdateRule, operands: &[Operand<'_>]) -> Result<Vec<Tensor>, String> {
    let recurrence = Recurrence::new(rule)?;
    let (inputs, rest) = operands.split_at(rule.inputs.len());
    let (parameters, rest) = rest.split_at(rule.parameters.len());
    let (states, rest) = rest.split_at(rule.states.len());
    let segments = segments::segment_rows(rest[0].value, None);
    let (outputs_cotangents, states_cotangents) = rest[1..].split_at(rule.outputs.len());
    let heads = states[0].ty.axis("head").and_then(Axis::size).unwrap_or(1);

    let rows = inputs[0].value.shape[0];
    let zeros = |entries: usize, port: &Port| {
        let axes = port.ty.axes.iter().filter_map(Axis::size);
        Tensor::zeros([entries, heads].into_iter().chain(axes).collect::<Vec<_>>())
    };
    let per_row = rule.inputs.iter().map(|port| zeros(rows, port));
    let per_segment = rule.parameters.iter().chain(&rule.states).map(|port| zeros(segments.len(), port));
    let mut results: Vec<Tensor> = per_row.chain(per_segment).collect();

    for (segment, rows) in segments.iter().enumerate() {
        let entry = segments::state_entry(segment, segments.len(), states[0].value);
        for head in 0..heads {
            let of_entry = |ports: &[Port], tensors: &[Operand<'_>], entry: usize| -> Vec<Vec<f64>> {
                let ports = ports.iter().zip(tensors);
                ports.map(|(port, tensor)| tensor.value.data[scan::part(port, entry * heads + head)].to_vec()).collect()
            };
            let shared = |port: &Port, elements| scan::of_head(port, elements, head, heads).to_vec();
            let token = |&row: &usize| {
                let ports = rule.inputs.iter().zip(inputs);
                ports.map(|(port, input)| shared(port, input.value.row(row))).collect()
            };
            let fixed = rule.parameters.iter().zip(parameters);
            let mut walk = Walk {
                recurrence: &recurrence,
                head,
                tokens: rows.iter().map(token).collect(),
                parameters: fixed.map(|(port, parameter)| shared(port, &parameter.value.data)).collect(),
                outputs: rows.iter().map(|&row| of_entry(&rule.outputs, outputs_cotangents, row)).collect(),
                states: of_entry(&rule.states, states_cotangents, entry),
            };
            let mut before = of_entry(&rule.states, states, entry);
            let (of_inputs, of_fixed) = results.split_at_mut(rule.inputs.len());
            let (of_parameters, of_states) = of_fixed.split_at_mut(rule.parameters.len());
            for (number, (port, result)) in rule.parameters.iter().zip(of_parameters).enumerate() {
                result.data[scan::part(port, entry * heads + head)]
                    .copy_from_slice(&walk.by_parameter(number, &before));
            }
            for (number, (port, result)) in rule.states.iter().zip(of_states).enumerate() {
                result.data[scan::part(port, entry * heads + head)].copy_from_slice(&walk.by_state(number, &before));
            }
            for (place, &row) in rows.iter().enumerate() {
                for (number, (port, result)) in rule.inputs.iter().zip(of_inputs.iter_mut()).enumerate() {
                    let derivative = walk.by_input(place, number, &before);
                    result.data[scan::part(port, row * heads + head)].copy_from_slice(&derivative);
                }
                walk.token(place, &mut before);
            }
        }
    }
    Ok(results)
}

/// One head's walk along one segment, and what its results weigh in the loss.
struct Walk<'a> {
    recurrence: &'a Recurrence<'a>,
    head: usize,
    /// For each token its inputs.
    tokens: Vec<Vec<Vec<f64>>>,
    parameters: Vec<Vec<f64>>,
    /// For each token the cotangents of its outputs.
    outputs: Vec<Vec<Vec<f64>>>,
    /// The cotangents of the states at the end.
    states: Vec<Vec<f64>>,
}

impl Walk<'_> {
    fn token(&self, place: usize, states: &mut [Vec<f64>]) -> Vec<Vec<f64>> {
        let given = self.tokens[place].iter().chain(&self.parameters).map(Vec::as_slice);
        self.recurrence.token(given, states, self.head)
    }

    /// The part of the loss that the tokens from number `first` on have, with these states before them.
    fn loss(&self, first: usize, before: &[Vec<f64>]) -> f64 {
        let mut states = before.to_vec();
        let mut loss = 0.0;
        for (place, weights) in self.outputs.iter().enumerate().skip(first) {
            loss += weighted(weights, &self.token(place, &mut states));
        }
        loss + weighted(&self.states, &states)
    }

    fn by_input(&mut self, place: usize, number: usize, before: &[Vec<f64>]) -> Vec<f64> {
        derivatives(self.tokens[place][number].clone(), |values| {
            self.tokens[place][number].copy_from_slice(values);
            self.loss(place, before)
        })
    }

    fn by_parameter(&mut self, number: usize, before: &[Vec<f64>]) -> Vec<f64> {
        derivatives(self.parameters[number].clone(), |values| {
            self.parameters[number].copy_from_slice(values);
            self.loss(0, before)
        })
    }

    fn by_state(&self, number: usize, before: &[Vec<f64>]) -> Vec<f64> {
        let mut moved = before.to_vec();
        derivatives(before[number].clone(), |values| {
            moved[number].copy_from_slice(values);
            self.loss(0, &moved)
        })
    }
}

fn weighted(weights: &[Vec<f64>], values: &[Vec<f64>]) -> f64 {
    let pairs = weights.iter().flatten().zip(values.iter().flatten());
    pairs.map(|(weight, value)| weight * value).sum()
}

/// The derivative by each of the values. The last call of `loss` is with the values as they were.
///
/// Two quotients that do not agree have an edge between their points, as `relu` and `max` have one: then the points move
/// nearer, until it is outside.
fn derivatives(mut values: Vec<f64>, mut loss: impl FnMut(&[f64]) -> f64) -> Vec<f64> {
    let mut derivatives = Vec::with_capacity(values.len());
    for index in 0..values.len() {
        let middle = values[index];
        let measure = middle.abs().max(1.0);
        let mut distance = DISTANCE * measure;
        let derivative = loop {
            let mut at = |offset: f64| {
                values[index] = middle + offset * distance;
                loss(&values)
            };
            let [below, above] = [at(-1.0), at(1.0)];
            let (near, far) = ((above - below) / (2.0 * distance), (at(2.0) - at(-2.0)) / (4.0 * distance));
            let agreeing = AGREEING * near.abs().max(far.abs()).max(above.abs()).max(below.abs());
            let apart = (near - far).abs();
            if apart > agreeing && distance > LEAST_DISTANCE * measure {
                distance /= 8.0;
                continue;
            }
            break (4.0 * near - far) / 3.0;
        };
        derivatives.push(derivative);
        values[index] = middle;
    }
    loss(&values);
    derivatives
}
