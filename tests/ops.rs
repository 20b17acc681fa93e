//! The reference data of single update rules: how its tensors are those of a shipped rule, and the interpreter against
//! it.
//!
//! A case's sidecar names the axes of each tensor and the options of the rule. [`Operator`] makes of them what any way
//! to run the rule needs: the options to set, the sizes of axes, and each head's part of each tensor.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use mom_dialect::{
    diagnostic::Source,
    graph::{Port, UpdateRule},
    reference::{self, evaluate_update_rule},
    rule::{self, BUILTIN, File, Interface},
};
use serde_json::Value;

use crate::{
    Outcome, dialect,
    golden::Case,
    tensors::{Tensor, Tensors},
    tolerance,
};

/// Axes of the data along which heads lie; those with fewer entries are shared by groups of heads.
const HEAD_AXES: [&str; 4] = ["H", "HV", "HK", "G"];

/// A case of one update rule.
pub(crate) struct Operator {
    tensors: Tensors,
    sidecar: Value,
    pub(crate) interface: Interface,
    pub(crate) rule: UpdateRule,
    pub(crate) heads: usize,
    /// The row and the tokens of each sequence.
    pub(crate) sequences: Vec<(usize, Range<usize>)>,
}

impl Operator {
    pub(crate) fn read(case: &Case) -> Outcome<Operator> {
        let (tensors, sidecar) = (case.tensors()?, case.sidecar()?);
        let name = sidecar["rule"].as_str().unwrap_or_default();
        let (_, text) = BUILTIN.iter().find(|(shipped, _)| *shipped == name).ok_or("no such update rule ships")?;
        let file = rule::parse(&Source::new(format!("{name}.mom"), *text)).map_err(|found| dialect::lines(&found))?;
        let options = options(&file, &sidecar["options"]);
        let on: Vec<&str> = file.variants().filter(|variant| options.contains_key(*variant)).collect();
        let interface = file.interface(&on).map_err(|found| dialect::lines(&found))?;
        let mut sizes = BTreeMap::new();
        let mut heads = 1;
        let states = interface.states.iter().map(|state| (format!("out.{}t", state.name), &state.axes));
        let given = interface.inputs.iter().chain(&interface.parameters);
        for (tensor, axes) in given.map(|value| (format!("in.{}", value.name), &value.axes)).chain(states) {
            let Some(found) = tensors.find(&tensor) else { continue };
            let layout = Layout::of(&tensor, found, &sidecar)?;
            heads = heads.max(layout.heads.unwrap_or(1));
            sizes.extend(axes.iter().cloned().zip(layout.axes));
        }
        sizes.insert("heads".to_owned(), heads);
        let rule = file.update_rule(&sizes, &options).map_err(|found| dialect::lines(&found))?;
        let output = tensors.get("out.o")?;
        let sequences = match tensors.find("in.cu_seqlens") {
            Some(ends) => ends.data.windows(2).map(|pair| (0, pair[0] as usize..pair[1] as usize)).collect(),
            None => (0..output.shape[0]).map(|row| (row, 0..output.shape[1])).collect(),
        };
        Ok(Operator { tensors, sidecar, interface, rule, heads, sequences })
    }

    /// One head's tokens of `in.<input>` or `out.<output>`.
    fn tokens(
        &self,
        prefix: &str,
        port: &Port,
        (row, tokens): &(usize, Range<usize>),
        head: usize,
    ) -> Outcome<reference::Tensor> {
        let name = format!("{prefix}.{}", port.name);
        let tensor = self.tensors.get(&name)?;
        let layout = Layout::of(&name, tensor, &self.sidecar)?;
        let steps = tokens.start * layout.steps..tokens.end * layout.steps;
        let head = layout.heads.map(|own| head * own / self.heads);
        let place = |step: usize| [*row, step].into_iter().chain(head).collect::<Vec<usize>>();
        let data: Vec<f64> = steps.flat_map(|step| tensor.at(&place(step)).iter().copied()).collect();
        Ok(reference::Tensor::new([&[tokens.len()], &sizes(port)[..]].concat(), data))
    }

    /// One head's parameter, or its default.
    fn parameter(&self, port: &Port, head: usize) -> Outcome<reference::Tensor> {
        let declared = self.interface.parameters.iter().find(|parameter| parameter.name == port.name);
        let name = format!("in.{}", port.name);
        let shape = sizes(port);
        let data = match (self.tensors.find(&name), declared.and_then(|parameter| parameter.default)) {
            (Some(tensor), _) => tensor.at(&[head * tensor.shape[0] / self.heads]).to_vec(),
            (None, Some(default)) => vec![default; shape.iter().product()],
            (None, None) => return Err(format!("the file has no tensor {name}").into()),
        };
        Ok(reference::Tensor::new(shape, data))
    }

    /// One head's part of a state: `in.<state>0` or `out.<state>t`.
    fn state(&self, tensor: &str, port: &Port, sequence: usize, head: usize) -> Outcome<Option<reference::Tensor>> {
        let Some(found) = self.tensors.find(tensor) else { return Ok(None) };
        let own = Layout::of(tensor, found, &self.sidecar)?.heads;
        let place: Vec<usize> = [sequence].into_iter().chain(own.map(|own| head * own / self.heads)).collect();
        Ok(Some(reference::Tensor::new(sizes(port), found.at(&place).to_vec())))
    }
}

/// What the axes of a tensor are.
struct Layout {
    heads: Option<usize>,
    /// Micro-steps of one token, which lie along its axis of tokens.
    steps: usize,
    /// The sizes of the value's own axes.
    axes: Vec<usize>,
}

impl Layout {
    fn of(name: &str, tensor: &Tensor, sidecar: &Value) -> Outcome<Layout> {
        let names = sidecar["tensors"][name]["axes"].as_array().ok_or("a tensor without axes")?;
        let mut layout = Layout { heads: None, steps: 1, axes: Vec::new() };
        for (axis, &size) in names.iter().zip(&tensor.shape) {
            match axis.as_str().unwrap_or_default() {
                "B" | "N" | "T" | "1" => {}
                "T*n" => {
                    layout.steps = sidecar["options"]["num_householder"].as_u64().unwrap_or(1) as usize;
                    layout.axes.push(layout.steps);
                }
                head if HEAD_AXES.contains(&head) => layout.heads = Some(size),
                _ => layout.axes.push(size),
            }
        }
        Ok(layout)
    }
}

/// The options of a case as the rule has them: numbers, and 1 for each variant that is on. The rest of what a sidecar
/// says follows from the shapes of the tensors.
pub(crate) fn options(file: &File, sidecar: &Value) -> BTreeMap<String, f64> {
    let known: BTreeSet<&str> = file.options().map(|(name, _)| name).chain(file.variants()).collect();
    let mut options = BTreeMap::new();
    for (name, value) in sidecar.as_object().into_iter().flatten() {
        let values = match value {
            Value::Bool(false) if name == "gate" => vec![("no_gate", 1.0)],
            Value::Bool(on) => vec![(&name[..], if *on { 1.0 } else { 0.0 })],
            Value::Number(number) => vec![(&name[..], number.as_f64().unwrap_or(f64::NAN))],
            Value::Array(limits) if name == "dt_limit" => {
                ["dt_min", "dt_max"].into_iter().zip(limits.iter().filter_map(Value::as_f64)).collect()
            }
            _ => Vec::new(),
        };
        options.extend(
            values.into_iter().filter(|(name, _)| known.contains(name)).map(|(n, value)| (n.to_owned(), value)),
        );
    }
    options.retain(|name, value| *value == 1.0 || !file.variants().any(|variant| variant == name));
    options
}

fn sizes(port: &Port) -> Vec<usize> {
    port.ty.axes.iter().filter_map(mom_dialect::shape::Axis::size).collect()
}

/// The interpreter, head by head and sequence by sequence, against a case's outputs and final states.
pub(crate) fn check_interpreter(case: &Case) -> Outcome {
    let operator = Operator::read(case)?;
    let rule = &operator.rule;
    let mut found: BTreeMap<String, [Vec<f64>; 2]> = BTreeMap::new();
    let mut compare = |name: String, actual: &[f64], expected: &[f64]| {
        let [a, b] = found.entry(name).or_default();
        a.extend(actual);
        b.extend(expected);
    };
    for (sequence, place) in operator.sequences.iter().enumerate() {
        for head in 0..operator.heads {
            let inputs = rule.inputs.iter().map(|port| operator.tokens("in", port, place, head));
            let given = inputs.chain(rule.parameters.iter().map(|port| operator.parameter(port, head)));
            let given = given.collect::<Outcome<Vec<_>>>()?;
            let first = rule.states.iter().map(|port| {
                let given = operator.state(&format!("in.{}0", port.name), port, sequence, head)?;
                Ok(given.unwrap_or_else(|| reference::Tensor::zeros(sizes(port))))
            });
            let (outputs, last) = evaluate_update_rule(rule, &given, &first.collect::<Outcome<Vec<_>>>()?, head)?;
            for (port, output) in rule.outputs.iter().zip(&outputs) {
                compare(port.name.clone(), &output.data, &operator.tokens("out", port, place, head)?.data);
            }
            for (port, state) in rule.states.iter().zip(&last) {
                let name = format!("{}t", port.name);
                if let Some(expected) = operator.state(&format!("out.{name}"), port, sequence, head)? {
                    compare(name, &state.data, &expected.data);
                }
            }
        }
    }
    let limit = tolerance::OPERATOR_INTERPRETER;
    let wrong = found.iter().filter_map(|(name, [actual, expected])| {
        let error = tolerance::relative_error(actual, expected);
        (error.is_nan() || error > limit).then(|| format!("{name} differs by {error:.2e}, more than {limit:.1e}"))
    });
    let wrong: Vec<String> = wrong.collect();
    let missing = operator.tensors.with_prefix("out.").find(|(name, _)| !found.contains_key(*name));
    match (wrong.is_empty(), missing) {
        (true, None) => Ok(()),
        (true, Some((name, _))) => Err(format!("nothing was compared with out.{name}").into()),
        _ => Err(wrong.join("\n").into()),
    }
}
