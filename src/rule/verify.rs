//! Holds every form of an update rule against the interpreter, on random tensors.
//!
//! What a form may be off by is a fixed bound, or what the rule itself makes of moving every number by half a unit in
//! the last place of float32, whichever is larger: an update rule that amplifies its inputs' rounding cannot be computed
//! any better from float32.

use std::{cell::RefCell, collections::BTreeMap};

use mom_dialect::{
    graph::Graph,
    reference::{Tensor, Tensors},
    rule::{self, Interface, Value},
};
use mom_passes::{Form, Options};
use mom_runtime::Kernels;

use super::{File, Settings, Way, run};
use crate::failure::Failure;

/// Outputs and states in float32, and in float64.
const LIMITS: [f64; 2] = [1e-5, 1e-10];
/// Gradients in float32, and in float64, where finite differences are not more precise.
const GRADIENT_LIMITS: [f64; 2] = [5e-5, 1e-7];
/// How much further a form may be off than the rule is when its inputs move by half a unit in the last place.
const NUDGE_FACTOR: f64 = 8.0;
/// Half a unit in the last place of float32, relative to the number.
const NUDGE: f64 = 5.9e-8;

/// A form on a target, and the largest relative errors there: the norm of the difference over the norm of what the
/// interpreter says.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub form: Form,
    /// `float64`, or the target that the code was compiled for.
    pub target: &'static str,
    pub outputs: f64,
    pub states: f64,
    pub gradients: f64,
    /// Each tensor that is off by more than it may be.
    pub faults: Vec<String>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub rows: Vec<Row>,
    /// Why there is no chunk form, if there is none.
    pub no_chunk: Option<String>,
}

/// Makes native code of a program in a form.
pub type Compile<'a> = dyn Fn(&Graph, &Options) -> Result<Kernels, Failure> + 'a;

/// Runs every form there is. Settings may give the sizes of axes too.
///
/// # Errors
/// Those of [`run`].
pub fn verify(rule: &rule::File, settings: &Settings, compile: &Compile<'_>) -> Result<Report, Failure> {
    let (settings, mut sizes) = super::sizes_apart(rule, settings)?;
    let variants: Vec<&str> = rule.variants().filter(|name| settings.get(*name) == Some(&1.0)).collect();
    let interface = rule.interface(&variants)?;
    super::fill_sizes(rule, &interface, &mut sizes);
    let mut cases = Vec::new();
    for case in &CASES {
        let file = given(case, &interface, &sizes);
        let expected = expected(rule, &settings, case, &file)?;
        cases.push((case, file, expected));
    }

    let mut report = Report { rows: Vec::new(), no_chunk: None };
    for form in [Form::Recurrent, Form::Chunk] {
        let options = Options::form(form);
        // Cases have equal programs, whose code is made once.
        let known: RefCell<Vec<(Graph, Kernels)>> = RefCell::default();
        let compiled = |graph: &Graph| {
            if let Some((_, kernels)) = known.borrow().iter().find(|(program, _)| program == graph) {
                return Ok(kernels.clone());
            }
            let kernels = compile(graph, &options)?;
            known.borrow_mut().push((graph.clone(), kernels.clone()));
            Ok(kernels)
        };
        for (target, way) in [("float64", Way::Float64(options.clone())), ("native", Way::Compiled(&compiled))] {
            let double = usize::from(target == "float64");
            let mut row = Row { form, target, outputs: 0.0, states: 0.0, gradients: 0.0, faults: Vec::new() };
            let mut missing = None;
            for (case, file, expected) in &cases {
                match run(rule, &settings, file, &way, true) {
                    Ok(found) => row.take(case, &found, expected, double),
                    Err(Failure::Input(found)) if form == Form::Chunk && super::is_no_such_form(&found) => {
                        missing = found.into_iter().next().map(|diagnostic| diagnostic.message);
                        break;
                    }
                    Err(other) => return Err(other),
                }
            }
            match missing {
                Some(reason) => report.no_chunk = Some(reason),
                None => report.rows.push(row),
            }
        }
    }
    Ok(report)
}

/// What a case is about.
struct Case {
    name: &'static str,
    batch: usize,
    /// Boundaries of packed sequences, or T.
    ends: &'static [usize],
    /// Gates of exactly 0 and of nearly no memory, strengths of exactly 0 and 1.
    edge: bool,
    first_states: bool,
    /// Whether gradients are held against finite differences, which take long; otherwise against the recurrent form in
    /// float64, which was.
    differences: bool,
}

const CASES: [Case; 4] = [
    Case {
        name: "packed, gradients by differences",
        batch: 1,
        ends: &[0, 3, 3, 4, 8],
        edge: false,
        first_states: true,
        differences: true,
    },
    Case { name: "one token", batch: 1, ends: &[1], edge: false, first_states: true, differences: false },
    Case {
        name: "packed",
        batch: 1,
        ends: &[0, 0, 1, 1, 38, 103],
        edge: false,
        first_states: true,
        differences: false,
    },
    Case { name: "edges", batch: 2, ends: &[70], edge: true, first_states: false, differences: false },
];

const HEADS: usize = 2;

/// What should come out, and how much the rule makes of a rounding of its inputs.
struct Expected {
    results: Tensors,
    nudged: Tensors,
}

fn expected(rule: &rule::File, settings: &Settings, case: &Case, file: &File) -> Result<Expected, Failure> {
    let recurrent = Way::Float64(Options::form(Form::Recurrent));
    let results = |file: &File| -> Result<Tensors, Failure> {
        let mut results = run(rule, settings, file, &recurrent, true)?;
        results.extend(run(rule, settings, file, &Way::Reference, false)?);
        Ok(results)
    };
    let mut truth = results(file)?;
    if case.differences {
        truth = run(rule, settings, file, &Way::Reference, true)?;
    }
    let mut random = Random(7);
    let mut nudged = file.clone();
    for (_, tensor) in nudged.tensors.iter_mut().filter(|(name, _)| *name != "in.cu_seqlens") {
        for value in &mut tensor.data {
            *value *= 1.0 + if random.uniform() < 0.5 { NUDGE } else { -NUDGE };
        }
    }
    Ok(Expected { results: truth, nudged: results(&nudged)? })
}

impl Row {
    fn take(&mut self, case: &Case, found: &Tensors, expected: &Expected, double: usize) {
        for (name, truth) in &expected.results {
            let far =
                |tensors: &Tensors| tensors.get(name).map_or(f64::NAN, |it| relative_error(&it.data, &truth.data));
            let (error, nudged) = (far(found), far(&expected.nudged));
            let is_gradient = name.starts_with("grad.");
            let fixed = if is_gradient { GRADIENT_LIMITS[double] } else { LIMITS[double] };
            let limit = if double == 1 { fixed } else { fixed.max(NUDGE_FACTOR * nudged) };
            let worst = match name.ends_with('t') && !is_gradient {
                _ if is_gradient => &mut self.gradients,
                true => &mut self.states,
                false => &mut self.outputs,
            };
            // NaN is worst.
            if error.is_nan() || error > *worst {
                *worst = error;
            }
            if error.is_nan() || error > limit {
                self.faults.push(format!("{}: `{name}` differs by {error:.1e}, more than {limit:.1e}", case.name));
            }
        }
    }
}

fn relative_error(found: &[f64], expected: &[f64]) -> f64 {
    if found.len() != expected.len() {
        return f64::NAN;
    }
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>();
    let difference = square(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    if difference == 0.0 { 0.0 } else { (difference / square(&mut expected.iter().copied())).sqrt() }
}

/// Random tensors for a rule, as a file would hold them.
fn given(case: &Case, interface: &Interface, sizes: &BTreeMap<String, usize>) -> File {
    let packed = case.ends.len() > 1;
    let tokens = case.ends[case.ends.len() - 1];
    let sequences = if packed { case.ends.len() - 1 } else { case.batch };
    let mut random = Random(case.name.len() as u64);
    let mut tensors = Tensors::new();
    let shape = |frame: &[usize], value: &Value| -> Vec<usize> {
        frame.iter().copied().chain([HEADS]).chain(value.axes.iter().map(|axis| sizes[axis])).collect()
    };
    let mut add = |name: String, shape: Vec<usize>, of: &mut dyn FnMut(&mut Random) -> f64| {
        let count = shape.iter().product();
        let data: Vec<f64> = (0..count).map(|_| f64::from(of(&mut random) as f32)).collect();
        tensors.insert(name, Tensor::new(shape, data));
    };
    for value in &interface.inputs {
        let of = |random: &mut Random| random.element(value, sizes, case.edge);
        add(format!("in.{}", value.name), shape(&[case.batch, tokens], value), &mut { of });
    }
    for value in &interface.parameters {
        let of = |random: &mut Random| value.default.unwrap_or(0.5) + 0.4 * (random.uniform() - 0.5);
        add(format!("in.{}", value.name), shape(&[], value), &mut { of });
    }
    let size = if case.first_states { 0.2 } else { 0.0 };
    for value in &interface.states {
        // Also where they are zeros: a state that nothing with heads changes would have one head otherwise.
        add(format!("in.{}0", value.name), shape(&[sequences], value), &mut |random| size * (random.uniform() - 0.5));
    }
    let outputs =
        interface.outputs.iter().map(|value| (format!("cot.{}", value.name), shape(&[case.batch, tokens], value)));
    let states = interface.states.iter().map(|value| (format!("cot.{}t", value.name), shape(&[sequences], value)));
    for (name, shape) in outputs.chain(states) {
        add(name, shape, &mut |random| 2.0 * random.uniform() - 1.0);
    }
    if packed {
        let ends: Vec<f64> = case.ends.iter().map(|&end| end as f64).collect();
        tensors.insert("in.cu_seqlens".to_owned(), Tensor::new([ends.len()], ends));
    }
    File { name: format!("random tensors ({})", case.name), tensors }
}

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
struct Random(u64);

impl Random {
    /// From 0 up to 1.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// An element of an input: what has a bound up to it, other numbers in (0, 1), vectors of length 1 or so.
    fn element(&mut self, value: &Value, sizes: &BTreeMap<String, usize>, edge: bool) -> f64 {
        let x = self.uniform();
        let at_edge = edge && self.uniform() < 0.5;
        match value.at_most {
            Some(limit) if limit <= 0.0 && at_edge => limit - [0.0, 60.0, 1e-3][(3.0 * x) as usize],
            Some(limit) if limit <= 0.0 => limit - 2.0 * x * x,
            None if !value.axes.is_empty() => {
                let size: usize = value.axes.iter().map(|axis| sizes[axis]).product();
                (2.0 * x - 1.0) * (3.0 / size as f64).sqrt()
            }
            limit if at_edge => {
                if x < 0.5 {
                    0.0
                } else {
                    limit.unwrap_or(1.0).min(1.0)
                }
            }
            limit => x * limit.unwrap_or(1.0).min(1.0),
        }
    }
}
