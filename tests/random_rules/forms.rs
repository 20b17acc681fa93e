//! The forms of a rule against the interpreter: in float64 to the last digits, as native code as far as float32 can be
//! trusted with the rule.

use mom_dialect::{
    alone,
    graph::Graph,
    reference::{Inputs, Tensor, Tensors},
};
use mom_passes::{Form, Options, Pinned, Target};
use mom_runtime::{Device, Kernels};
use momc::{
    failure::Failure,
    rule::{self, Way},
};

use super::data::{Random, Subject};
use crate::{
    Outcome,
    dialect::lines,
    machine::target_name,
    tolerance::{self, relative_error},
};

/// Every form, with the schedule that momc thinks best and with another; of quick cases one of each, and long chunks
/// seldom.
fn ways(subject: &Subject) -> Vec<(&'static str, Options)> {
    let (chunk, sub_block) = subject.chunk;
    let pinned = Pinned { chunk: Some(chunk), sub_block: Some(sub_block), save: Some(1 + chunk % 3) };
    let tokens = Pinned { chunk: Some(1), save: Some(5), ..Pinned::default() };
    let mut ways = vec![
        ("recurrent", Options::form(Form::Recurrent)),
        ("recurrent, pinned", Options { form: Form::Recurrent, pinned: tokens }),
        ("chunk", Options::form(Form::Chunk)),
        ("chunk, pinned", Options { form: Form::Chunk, pinned }),
    ];
    if let Some(part) = subject.part {
        ways.remove(if part.is_multiple_of(16) { 3 } else { 2 });
        ways.remove(part / 16 % 2);
    }
    if subject.too_long {
        ways.retain(|(_, options)| options.form == Form::Recurrent);
    }
    ways
}

/// Outputs, and states under the names of their cotangents.
fn forward(way: &Way<'_>, subject: &Subject, inputs: &Inputs, states: &Tensors) -> Outcome<Tensors> {
    let mut after = states.clone();
    let mut results = way.step(&subject.programs.forward, inputs, &mut after).map_err(described)?;
    results.extend(after.into_iter().map(|(name, state)| (format!("{name} after the last token"), state)));
    Ok(results)
}

fn gradient(way: &Way<'_>, subject: &Subject, inputs: &Inputs) -> Outcome<Tensors> {
    Ok(way.step(&subject.programs.gradient, inputs, &mut Tensors::new()).map_err(described)?)
}

fn described(failure: Failure) -> String {
    match failure {
        Failure::Input(found) | Failure::Fault { diagnostics: found, .. } => lines(&found),
        other => format!("{other:?}"),
    }
}

pub(super) fn float64(subject: &Subject) -> Outcome {
    let expected = forward(&Way::Reference, subject, &subject.inputs, &subject.states)?;
    let inputs = subject.gradient_inputs();
    let mut first = None;
    for (name, options) in ways(subject) {
        let wrong = |error| format!("{name} form in float64: {error}");
        let way = Way::Float64(options);
        let found = forward(&way, subject, &subject.inputs, &subject.states).map_err(wrong)?;
        near(&found, &expected, |_| tolerance::RANDOM_RULE_FLOAT64).map_err(wrong)?;
        let found = gradient(&way, subject, &inputs).map_err(|error| format!("gradient of the {}", wrong(error)))?;
        match &first {
            Some(expected) => near(&found, expected, |_| tolerance::RANDOM_RULE_FLOAT64)
                .map_err(|error| format!("gradient of the {}", wrong(error)))?,
            None => {
                difference_quotients(subject, &expected, &found)?;
                first = Some(found);
            }
        }
    }
    Ok(())
}

/// Every tensor near the one that is expected. What is next to nothing beside all tensors together, such as the
/// derivative by the length of a vector that is normalised, has no digits of its own.
fn near(actual: &Tensors, expected: &Tensors, limit: impl Fn(&str) -> f64) -> Outcome {
    let norm = |data: &[f64]| data.iter().map(|x| x * x).sum::<f64>().sqrt();
    let largest = expected.values().map(|tensor| norm(&tensor.data)).fold(0.0, f64::max);
    for (name, expected) in expected {
        let actual = actual.get(name).ok_or_else(|| format!("there is no {name}"))?;
        if actual.data.len() != expected.data.len() {
            return Err(format!("{name} has {} elements, not {}", actual.data.len(), expected.data.len()).into());
        }
        let size = norm(&expected.data).max(tolerance::LEAST_PART * largest);
        let difference: Vec<f64> = actual.data.iter().zip(&expected.data).map(|(a, b)| a - b).collect();
        let error = if size > 0.0 { norm(&difference) / size } else { norm(&difference) };
        let limit = limit(name);
        // Written so that a NaN is not near.
        if error.is_nan() || error > limit {
            return Err(format!("{name} differs by {error:.2e}, more than {limit:.2e}").into());
        }
    }
    Ok(())
}

/// How far the points of a difference quotient are apart; its error is of the order of the fourth power.
const DISTANCE: f64 = 1e-3;

/// The gradient against difference quotients of the interpreter: along a random direction of all numbers, and along two
/// that few numbers of each tensor have a part in.
fn difference_quotients(subject: &Subject, results: &Tensors, gradients: &Tensors) -> Outcome {
    let mut random = Random(1);
    let loss_of = |results: &Tensors| -> (f64, f64) {
        let outputs = subject.rule.outputs.iter().map(|p| (p.name.clone(), alone::cotangent_of_output(&p.name)));
        let states = subject.rule.states.iter();
        let states = states.map(|p| (format!("{} after the last token", p.name), alone::cotangent_of_state(&p.name)));
        let products = outputs.chain(states).flat_map(|(result, cotangent)| {
            let pairs = results[&result].data.iter().zip(&subject.cotangents[&cotangent].data);
            pairs.map(|(a, b)| a * b).collect::<Vec<f64>>()
        });
        products.fold((0.0, 0.0), |(sum, size), x| (sum + x, size + x.abs()))
    };
    let size = loss_of(results).1;
    for sparse in [true, true, false] {
        let mut direction = |tensor: &Tensor| {
            let mut data = vec![0.0; tensor.data.len()];
            if sparse && !data.is_empty() {
                for _ in 0..2 {
                    data[random.bits() as usize % tensor.data.len()] = random.number().signum();
                }
            } else {
                let part = (data.len() as f64).sqrt().max(1.0);
                data.iter_mut().for_each(|x| *x = random.number() / part);
            }
            Tensor::new(tensor.shape.clone(), data)
        };
        let of = |tensors: &Tensors, direction: &mut dyn FnMut(&Tensor) -> Tensor| -> Tensors {
            tensors.iter().map(|(name, tensor)| (name.clone(), direction(tensor))).collect()
        };
        let given = of(&subject.inputs.tensors, &mut direction);
        let states = of(&subject.states, &mut direction);
        let at = |distance: f64| -> Outcome<f64> {
            let moved = |tensors: &Tensors, by: &Tensors| -> Tensors {
                let one = |(name, tensor): (&String, &Tensor)| {
                    let data = tensor.data.iter().zip(&by[name].data).map(|(x, by)| x + distance * by);
                    (name.clone(), Tensor::new(tensor.shape.clone(), data.collect::<Vec<_>>()))
                };
                tensors.iter().map(one).collect()
            };
            let inputs = Inputs { tensors: moved(&subject.inputs.tensors, &given), ..subject.inputs.clone() };
            Ok(loss_of(&forward(&Way::Reference, subject, &inputs, &moved(&subject.states, &states))?).0)
        };
        let near = at(DISTANCE)? - at(-DISTANCE)?;
        let far = at(2.0 * DISTANCE)? - at(-2.0 * DISTANCE)?;
        let quotient = (8.0 * near - far) / (12.0 * DISTANCE);
        let (derivative, norm) = along(subject, gradients, &given, &states);
        let limit = tolerance::DIFFERENCE_QUOTIENT * (norm + 1e-3 * size);
        let error = (quotient - derivative).abs();
        if error.is_nan() || error > limit {
            let message = format!(
                "the gradient of the recurrent form in float64 gives {derivative:.12e} along a direction, the \
                 interpreter {quotient:.12e}: {error:.1e} apart, more than {limit:.1e}"
            );
            return Err(message.into());
        }
    }
    Ok(())
}

/// The derivative along a direction, and the norm of the gradient. Heads that share an input have a gradient each, and
/// sequences one of each parameter.
fn along(subject: &Subject, gradients: &Tensors, given: &Tensors, states: &Tensors) -> (f64, f64) {
    let inputs = subject.rule.inputs.iter().map(|port| (port, &given[&port.name], true));
    let parameters = subject.rule.parameters.iter().map(|port| (port, &given[&port.name], false));
    let (mut sum, mut squares) = (0.0, 0.0);
    for (port, direction, per_token) in inputs.chain(parameters) {
        let gradient = &gradients[&alone::gradient_of_input(&port.name)];
        let width = port.ty.row_elements();
        let heads = direction.shape[usize::from(per_token)];
        let scan = gradient.shape[1];
        for (place, elements) in gradient.data.chunks(width.max(1)).enumerate() {
            let (row, head) = (if per_token { place / scan } else { 0 }, place % scan * heads / scan);
            let by = &direction.data[(row * heads + head) * width..][..width];
            sum += elements.iter().zip(by).map(|(a, b)| a * b).sum::<f64>();
            squares += elements.iter().map(|a| a * a).sum::<f64>();
        }
    }
    for port in &subject.rule.states {
        let gradient = &gradients[&alone::gradient_of_state(&port.name)].data;
        sum += gradient.iter().zip(&states[&port.name].data).map(|(a, b)| a * b).sum::<f64>();
        squares += gradient.iter().map(|a| a * a).sum::<f64>();
    }
    (sum, squares.sqrt())
}

pub(super) fn compiled(subject: &Subject) -> Outcome {
    let native = |options: Options| {
        move |graph: &Graph| -> Result<Kernels, Failure> {
            let folder = tempfile::tempdir().map_err(|error| Failure::no_temporary_folder(&error))?;
            let target = Target::from_name(&target_name())?;
            let module = rule::compile(graph, &target, &options, &folder.path().join("rule.so"))?;
            Ok(module.kernels(Device::cpu()?)?)
        }
    };
    let inputs = subject.gradient_inputs();
    let double = Way::Float64(Options::form(Form::Recurrent));
    let expected = forward(&Way::Reference, subject, &subject.inputs, &subject.states)?;
    let slopes = gradient(&double, subject, &inputs)?;
    let mut moved = Vec::new();
    for seed in 1..=tolerance::NUDGES {
        let nudged = nudged(subject, seed);
        let results = forward(&Way::Reference, subject, &nudged.inputs, &nudged.states)?;
        moved.push((results, gradient(&double, subject, &nudged.gradient_inputs())?));
    }
    for (name, options) in ways(subject) {
        let kernels = native(options);
        let way = Way::Compiled(&kernels);
        let wrong = |error| format!("{name} form as native code: {error}");
        let found = forward(&way, subject, &subject.inputs, &subject.states).map_err(wrong)?;
        let condition = |result: &str| {
            let moves = moved.iter().map(|(results, _)| relative_error(&results[result].data, &expected[result].data));
            tolerance::COMPILED.max(tolerance::NUDGE_FACTOR * moves.fold(0.0, f64::max))
        };
        near(&found, &expected, condition).map_err(wrong)?;
        let wrong = |error| format!("gradient of the {}", wrong(error));
        let found = gradient(&way, subject, &inputs).map_err(wrong)?;
        let condition = |result: &str| {
            let moves = moved.iter().map(|(_, nudged)| relative_error(&nudged[result].data, &slopes[result].data));
            tolerance::COMPILED_GRADIENT.max(tolerance::NUDGE_FACTOR * moves.fold(0.0, f64::max))
        };
        near(&found, &slopes, condition).map_err(wrong)?;
    }
    Ok(())
}

/// The subject with every number moved up or down by half a unit in the last place of a float32.
fn nudged(subject: &Subject, seed: u64) -> Subject {
    let mut random = Random(seed);
    let mut moved = |tensors: &Tensors| -> Tensors {
        let mut tensors = tensors.clone();
        for value in tensors.values_mut().flat_map(|tensor| &mut tensor.data) {
            let half = f64::from(f32::EPSILON) / 2.0;
            *value *= if random.bits() & 1 == 0 { 1.0 - half } else { 1.0 + half };
        }
        tensors
    };
    Subject {
        inputs: Inputs { tensors: moved(&subject.inputs.tensors), ..subject.inputs.clone() },
        states: moved(&subject.states),
        cotangents: moved(&subject.cotangents),
        rule: subject.rule.clone(),
        programs: rule::Programs {
            forward: subject.programs.forward.clone(),
            gradient: subject.programs.gradient.clone(),
        },
        chunk: subject.chunk,
        part: subject.part,
        too_long: subject.too_long,
    }
}
