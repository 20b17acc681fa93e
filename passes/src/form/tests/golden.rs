//! The forms and their gradients against the reference data of single update rules, in float64.
//!
//! `MOMC_GOLDEN` is its folder; without it there is nothing to do. Names and axes are those of the data's own sidecars.

use std::{
    collections::BTreeMap,
    env, fs,
    ops::Range,
    path::{Path, PathBuf},
};

use mom_dialect::{
    diagnostic::Source,
    graph::{Port, UpdateRule},
    rule::{self, File},
};
use safetensors::{Dtype, SafeTensors};
use serde_json::Value;

use super::super::{Heads, chunk::chunk, recurrent::recurrent};
use crate::{
    algebra,
    tile::{
        Gradient, Scan, Schedule,
        adjoint::gradient,
        evaluate::{Results, Segment},
    },
};

/// Outputs are stored in float64, gradients in float32.
const OUTPUT: f64 = 1e-10;
const GRADIENT: f64 = 1e-6;

#[test]
fn golden_gradients() {
    let schedule = Schedule { save: 16, ..Schedule::RECURRENT };
    check(|rule, heads| Some(recurrent(rule, heads, &schedule).unwrap()));
}

#[test]
fn golden_gradients_of_chunks() {
    let schedule = Schedule { chunk: 16, sub_block: 4, save: 2 };
    check(|rule, heads| Some(chunk(&algebra::chain(rule).ok()?, heads, &schedule).unwrap()));
}

/// Holds a form of each rule that has it against the data.
fn check(form: impl Fn(&UpdateRule, &Heads) -> Option<Scan>) {
    let Some(folder) = env::var_os("MOMC_GOLDEN").map(PathBuf::from) else { return };
    let (mut cases, mut errors) = (0, Vec::new());
    for (name, text) in rule::BUILTIN {
        let file = rule::parse(&Source::new(*name, *text)).unwrap();
        let Ok(entries) = fs::read_dir(folder.join("ops").join(name)) else { continue };
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "safetensors"));
        paths.sort();
        for path in paths {
            errors.extend(Case::read(&path).errors(&file, &form));
            cases += 1;
        }
    }
    assert!(cases > 0, "no cases in {}", folder.display());
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

struct Case {
    name: String,
    options: serde_json::Map<String, Value>,
    tensors: BTreeMap<String, Data>,
    tokens: usize,
}

/// A tensor and the names of its axes.
struct Data {
    axes: Vec<String>,
    shape: Vec<usize>,
    data: Vec<f64>,
}

impl Data {
    /// The number of heads, and its place among the axes; data without heads has one.
    fn heads(&self) -> (usize, usize) {
        let is_head = |axis: &String| ["H", "HV", "HK", "G"].contains(&&axis[..]);
        match self.axes.iter().position(is_head) {
            Some(at) => (self.shape[at], at),
            None => (1, self.axes.iter().position(|axis| axis.starts_with('d')).unwrap_or(self.shape.len())),
        }
    }

    /// For each element of one row's head, its place: rows are all axes before the heads, as one.
    fn places(&self, rows: Range<usize>, head: usize, of: usize) -> Vec<usize> {
        let (heads, at) = self.heads();
        let width: usize = self.shape[at..].iter().product::<usize>() / heads;
        let own = head * heads / of;
        rows.flat_map(|row| (0..width).map(move |element| (row * heads + own) * width + element)).collect()
    }
}

impl Case {
    fn read(path: &Path) -> Case {
        let sidecar: Value = serde_json::from_slice(&fs::read(path.with_extension("json")).unwrap()).unwrap();
        let bytes = fs::read(path).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let tensor = |name: String| {
            let view = file.tensor(&name).unwrap();
            let data = match view.dtype() {
                Dtype::F32 => numbers(view.data(), |bytes| f64::from(f32::from_le_bytes(bytes))),
                Dtype::F64 => numbers(view.data(), f64::from_le_bytes),
                _ => numbers(view.data(), |bytes| i64::from_le_bytes(bytes) as f64),
            };
            let axes = sidecar["tensors"][&name]["axes"].as_array().unwrap();
            let axes = axes.iter().map(|axis| axis.as_str().unwrap().to_owned()).collect();
            (name, Data { axes, shape: view.shape().to_vec(), data })
        };
        Case {
            name: format!("{}/{}", sidecar["rule"].as_str().unwrap(), sidecar["case"].as_str().unwrap()),
            options: sidecar["options"].as_object().unwrap().clone(),
            tokens: sidecar["dims"]["T"].as_u64().unwrap() as usize,
            tensors: file.names().into_iter().map(|name| tensor(name.to_owned())).collect(),
        }
    }

    /// The rule with the sizes, options and variants of this case.
    fn update_rule(&self, file: &File, heads: usize) -> UpdateRule {
        let is_on = |variant: &&str| self.options.get(*variant).is_some_and(|on| on == true);
        let variants: Vec<&str> = file.variants().filter(is_on).collect();
        let interface = file.interface(&variants).unwrap();
        let mut sizes = BTreeMap::from([("heads".to_owned(), heads)]);
        let inputs = interface.inputs.iter().map(|value| (format!("in.{}", value.name), value));
        let all = inputs.chain(interface.states.iter().map(|value| (format!("out.{}t", value.name), value)));
        for (name, value) in all {
            let shape = self.tensors.get(&name).map_or(&[][..], |data| &data.shape);
            for (axis, size) in value.axes.iter().rev().zip(shape.iter().rev()) {
                sizes.entry(axis.clone()).or_insert(*size);
            }
        }
        if let Some(steps) = self.options.get("num_householder").and_then(Value::as_u64) {
            sizes.insert("step".to_owned(), steps as usize);
        }
        let number = |value: &Value| value.as_f64().or(value.as_bool().map(|on| f64::from(u8::from(on))));
        let is_known = |name: &str| file.options().any(|(option, _)| option == name) || variants.contains(&name);
        let known = self.options.iter().filter(|(name, _)| is_known(name));
        let mut options: BTreeMap<String, f64> =
            known.filter_map(|(name, value)| Some((name.clone(), number(value)?))).collect();
        if let Some(limits) = self.options.get("dt_limit").and_then(Value::as_array) {
            let names = ["dt_min", "dt_max"].map(str::to_owned);
            options.extend(names.into_iter().zip(limits.iter().filter_map(number)));
        }
        file.update_rule(&sizes, &options).unwrap()
    }

    /// What is wrong with what a form computes.
    fn errors(&self, file: &File, form: &impl Fn(&UpdateRule, &Heads) -> Option<Scan>) -> Vec<String> {
        let heads = self.tensors["out.o"].heads().0;
        let rule = self.update_rule(file, heads);
        let Some(scan) = form(&rule, &Heads::equal(heads, &rule)) else { return Vec::new() };
        let gradient = gradient(scan);
        gradient.verify().unwrap();
        let mut found = BTreeMap::new();
        for (sequence, tokens) in self.sequences().into_iter().enumerate() {
            for head in 0..heads {
                self.run(&gradient, &rule, &Part { sequence, tokens: tokens.clone(), head, heads }, &mut found);
            }
        }
        let error = |(name, data): (&String, &Data)| {
            let limit = match &name[..] {
                _ if name.starts_with("grad.") => GRADIENT,
                _ if name.starts_with("out.") => OUTPUT,
                _ => return None,
            };
            let Some(found) = found.get(name) else { return Some(format!("{}: nothing computes {name}", self.name)) };
            let largest = data.data.iter().fold(1e-30_f64, |largest, x| largest.max(x.abs()));
            let distances = found.iter().zip(&data.data).map(|(a, b)| (a - b).abs() / largest);
            let error = distances.fold(0.0, |most: f64, x| if x > most || x.is_nan() { x } else { most });
            let is_close = error <= limit;
            (!is_close).then(|| format!("{}: {name} is off by {error:e}", self.name))
        };
        self.tensors.iter().filter_map(error).collect()
    }

    /// Adds what one head of one sequence contributes to the tensors that it computes.
    fn run(&self, gradient: &Gradient, rule: &UpdateRule, part: &Part, found: &mut BTreeMap<String, Vec<f64>>) {
        let inputs = self.slots(&rule.inputs, part, |name| (format!("in.{name}"), true));
        let parameters = self.slots(&rule.parameters, part, |name| (format!("in.{name}"), false));
        let states = self.slots(&rule.states, part, |name| (format!("out.{name}t"), false));
        let outputs = self.slots(&rule.outputs, part, |name| (format!("out.{name}"), true));
        let tokens = part.tokens.len();
        let segment = Segment {
            tokens,
            inputs: &self.take(&inputs, "in.", ""),
            parameters: &self.take(&parameters, "in.", ""),
            states: &self.take(&states, "in.", "0"),
            real: None,
            head: part.head,
        };
        let results = gradient.scan.evaluate(&segment);
        let mut cotangents =
            Results { outputs: self.take(&outputs, "cot.", ""), states: self.take(&states, "cot.", "t") };
        scale(&states, &mut cotangents.states);
        let made = gradient.evaluate(&segment, &cotangents);
        let mut last = results.states;
        scale(&states, &mut last);
        let all = [
            (&inputs, "grad.", "", &made.inputs),
            (&parameters, "grad.", "", &made.parameters),
            (&states, "grad.", "0", &made.states),
            (&states, "out.", "t", &last),
            (&outputs, "out.", "", &results.outputs),
        ];
        for (slots, prefix, ending, values) in all {
            for (slot, values) in slots.iter().zip(values) {
                let name = format!("{prefix}{}{ending}", slot.name);
                if let Some(data) = self.tensors.get(&name) {
                    let total = found.entry(name).or_insert_with(|| vec![0.0; data.data.len()]);
                    slot.places.iter().zip(values).for_each(|(&place, value)| total[place] += value);
                }
            }
        }
    }

    /// Where the numbers of ports lie; `like` names a tensor of the same layout and says whether it has tokens.
    fn slots(&self, ports: &[Port], part: &Part, like: impl Fn(&str) -> (String, bool)) -> Vec<Slot> {
        let slot = |port: &Port| {
            let (name, has_tokens) = like(&port.name);
            let count = port.ty.row_elements() * if has_tokens { part.tokens.len() } else { 1 };
            let Some(data) = self.tensors.get(&name) else {
                return Slot { name: port.name.clone(), places: Vec::new(), count, share: 1.0 };
            };
            let rows = match (has_tokens, &data.axes[0][..]) {
                (true, _) => {
                    let steps = data.shape[1] / self.tokens;
                    part.tokens.start * steps..part.tokens.end * steps
                }
                (false, "N") => part.sequence..part.sequence + 1,
                (false, _) => 0..1,
            };
            let share = data.heads().0 as f64 / part.heads as f64;
            Slot { name: port.name.clone(), places: data.places(rows, part.head, part.heads), count, share }
        };
        ports.iter().map(slot).collect()
    }

    /// The numbers of slots; zeros where the data has none.
    fn take(&self, slots: &[Slot], prefix: &str, ending: &str) -> Vec<Vec<f64>> {
        let one = |slot: &Slot| match self.tensors.get(&format!("{prefix}{}{ending}", slot.name)) {
            Some(data) => slot.places.iter().map(|&place| data.data[place]).collect(),
            None => vec![0.0; slot.count],
        };
        slots.iter().map(one).collect()
    }

    /// The tokens of each sequence, counted through all of them.
    fn sequences(&self) -> Vec<Range<usize>> {
        match self.tensors.get("in.cu_seqlens") {
            Some(bounds) => bounds.data.windows(2).map(|pair| pair[0] as usize..pair[1] as usize).collect(),
            None => (0..self.tensors["out.o"].shape[0]).map(|row| row * self.tokens..(row + 1) * self.tokens).collect(),
        }
    }
}

/// One head of one sequence.
struct Part {
    sequence: usize,
    /// Counted through all sequences.
    tokens: Range<usize>,
    head: usize,
    heads: usize,
}

/// Where a port's numbers lie in each tensor of a layout.
struct Slot {
    name: String,
    places: Vec<usize>,
    count: usize,
    /// 1, or less where several heads have one state: each stands for its part of that.
    share: f64,
}

fn scale(slots: &[Slot], values: &mut [Vec<f64>]) {
    for (slot, values) in slots.iter().zip(values) {
        values.iter_mut().for_each(|x| *x *= slot.share);
    }
}

fn numbers<const BYTES: usize>(data: &[u8], number: impl Fn([u8; BYTES]) -> f64) -> Vec<f64> {
    data.chunks_exact(BYTES).map(|bytes| number(bytes.try_into().unwrap())).collect()
}
