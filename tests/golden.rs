//! The reference data: which cases a folder holds, and how a result is compared with it.
//!
//! The folder is `MOMC_GOLDEN`, or `tests/golden`. Its `index.json` lists the cases; nothing about a case is known
//! here. What momc cannot do yet is listed as ignored, so that it is seen and counted.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use libtest_mimic::Trial;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Outcome, cli, fusion, layers,
    machine::Executor,
    models, ops, rules,
    tensors::{Tensor, Tensors},
    tolerance, trial,
};

#[derive(Deserialize)]
struct Index {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    path: String,
    kind: String,
    #[serde(default)]
    rule: String,
}

/// One file of reference numbers.
#[derive(Clone)]
pub(crate) struct Case {
    root: PathBuf,
    /// The file's path within the folder, without its ending.
    pub(crate) name: String,
}

impl Case {
    pub(crate) fn tensors(&self) -> Outcome<Tensors> {
        Tensors::open(&self.file())
    }

    pub(crate) fn sidecar(&self) -> Outcome<Value> {
        read_json(&self.path(".json"))
    }

    /// The Hugging Face folder beside a model's numbers.
    pub(crate) fn folder(&self) -> PathBuf {
        self.path("")
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.path(".safetensors")
    }

    fn path(&self, ending: &str) -> PathBuf {
        self.root.join(format!("{}{ending}", self.name))
    }
}

pub(crate) fn folder() -> PathBuf {
    env::var_os("MOMC_GOLDEN").map_or_else(|| PathBuf::from("tests/golden"), PathBuf::from)
}

/// The folders of all models that momc reads.
pub(crate) fn model_folders() -> Vec<PathBuf> {
    cases()
        .unwrap_or_default()
        .into_iter()
        .filter(|(kind, _)| *kind == Kind::Model)
        .map(|(_, case)| case.folder())
        .collect()
}

#[derive(PartialEq)]
enum Kind {
    Layer,
    Model,
    /// An update rule alone.
    Operator,
    /// What a later version is for, and why.
    Later(&'static str),
}

fn cases() -> Outcome<Vec<(Kind, Case)>> {
    let root = folder();
    let index: Index = serde_json::from_value(read_json(&root.join("index.json"))?)?;
    let mut cases = Vec::new();
    for entry in index.entries.into_iter().filter(|entry| entry.kind != "model_folder") {
        let name = entry.path.strip_suffix(".safetensors").unwrap_or(&entry.path).to_owned();
        let case = Case { root: root.clone(), name };
        cases.push((kind(&entry, &case), case));
    }
    Ok(cases)
}

fn kind(entry: &Entry, case: &Case) -> Kind {
    match entry.kind.as_str() {
        _ if entry.path.contains("quirks/") => Kind::Later("training mode"),
        "layer" if entry.rule == "mom" => Kind::Layer,
        "model" => match later(&case.folder()) {
            None => Kind::Model,
            Some(reason) => Kind::Later(reason),
        },
        // The library that the data comes from computes another gradient there than that of its loss.
        "op" if entry.rule == "titans_ln" => Kind::Later("faulty reference"),
        "op" => Kind::Operator,
        _ => Kind::Later("another family"),
    }
}

/// Why a model is not read yet.
fn later(folder: &Path) -> Option<&'static str> {
    let config = read_json(&folder.join("config.json")).unwrap_or_default();
    match config["model_type"].as_str()? {
        "rwkv6" | "rwkv7" => Some("token shift, layer norms and channel mixing"),
        _ => None,
    }
}

pub(crate) fn trials() -> Vec<Trial> {
    let cases = match cases() {
        Ok(cases) => cases,
        Err(error) => {
            let message = format!("no golden data: {error}");
            return vec![trial("golden::index", move || Err(message.clone().into()))];
        }
    };
    let mut trials = Vec::new();
    for (kind, case) in cases {
        match kind {
            Kind::Layer => trials.extend(fusion::runs().into_iter().map(|(run, executor, selection)| {
                let case = case.clone();
                trial(format!("golden::{}::{run}", case.name), move || layers::check(&case, executor, &selection))
            })),
            Kind::Model => {
                trials.extend(models::trials(&case));
                trials.extend(cli::trials_of(&case));
            }
            Kind::Operator => {
                let name = format!("golden::{}::{}", case.name, Executor::Interpreter);
                trials.extend(rules::trials_of(&case));
                trials.push(trial(name, move || ops::check_interpreter(&case)));
            }
            Kind::Later(reason) => trials
                .push(trial(format!("golden::{}", case.name), || Ok(())).with_kind(reason).with_ignored_flag(true)),
        }
    }
    trials
}

pub(crate) fn read_json(path: &Path) -> Outcome<Value> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?)
}

/// Compares results with a case's tensors and goes on after a difference, so that the first wrong stage shows.
pub(crate) struct Comparison {
    executor: Executor,
    /// The data's own error, by the tensor's name without its prefix `out.`.
    data_error: BTreeMap<String, f64>,
    /// Of tensors whose error nobody measured.
    reference_error: f64,
    differences: Vec<String>,
}

impl Comparison {
    pub(crate) fn new(executor: Executor, sidecar: &Value) -> Comparison {
        let errors = sidecar["checks"]["per_tensor_rel_err_vs_independent_float64"].as_object();
        let data_error =
            errors.into_iter().flatten().filter_map(|(name, error)| Some((name.clone(), error.as_f64()?))).collect();
        let ways = sidecar["checks"]["cached_vs_full_logits_rel_err"].as_f64();
        let reference_error = tolerance::TWO_WAYS_FACTOR * ways.filter(|_| errors.is_none()).unwrap_or(0.0);
        Comparison { executor, data_error, reference_error, differences: Vec::new() }
    }

    /// `name` is the tensor's name without its prefix `out.`.
    pub(crate) fn check(&mut self, name: &str, actual: &[f64], expected: &[f64]) {
        if actual.len() != expected.len() {
            let (actual, expected) = (actual.len(), expected.len());
            return self.differences.push(format!("{name} has {actual} elements, not {expected}"));
        }
        let limit = match self.executor {
            Executor::Compiled => tolerance::COMPILED,
            Executor::Interpreter => {
                let data = self.data_error.get(name).copied().unwrap_or(self.reference_error);
                tolerance::INTERPRETER.max(tolerance::DATA_ERROR_FACTOR * data)
            }
        };
        let error = tolerance::relative_error(actual, expected);
        if error > limit || error.is_nan() {
            self.differences.push(format!("{name} differs by {error:.2e}, more than {limit:.1e}"));
        }
    }

    /// The memories that `logits` choose are those of the reference, wherever its choice was not close.
    pub(crate) fn check_choices(&mut self, name: &str, logits: &[f64], reference: &Tensor, selected: &Tensor) {
        let (&memories, &top_k) = (reference.shape.last().unwrap_or(&1), selected.shape.last().unwrap_or(&1));
        let rows = logits.chunks(memories).zip(reference.data.chunks(memories)).zip(selected.data.chunks(top_k));
        for (row, ((logits, reference), selected)) in rows.enumerate() {
            if router_margin(reference, top_k) <= tolerance::ROUTER_MARGIN {
                continue;
            }
            let mut expected: Vec<usize> = selected.iter().map(|&memory| memory as usize).collect();
            let mut chosen = ranked(logits);
            chosen.truncate(top_k);
            chosen.sort_unstable();
            expected.sort_unstable();
            if chosen != expected {
                self.differences.push(format!("{name}: token {row} goes to {chosen:?}, not {expected:?}"));
            }
        }
    }

    pub(crate) fn check_tokens(&mut self, name: &str, actual: &[u32], expected: &[u32]) {
        if actual != expected {
            self.differences.push(format!("{name} are {actual:?}, not {expected:?}"));
        }
    }

    pub(crate) fn finish(self) -> Outcome {
        if self.differences.is_empty() { Ok(()) } else { Err(self.differences.join("\n").into()) }
    }
}

/// Indices of the logits, largest first.
fn ranked(logits: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..logits.len()).collect();
    order.sort_by(|&a, &b| logits[b].total_cmp(&logits[a]));
    order
}

/// Probability of the last memory chosen less that of the first one rejected; infinite if none is rejected.
pub(crate) fn router_margin(logits: &[f64], top_k: usize) -> f64 {
    let order = ranked(logits);
    let Some(&rejected) = order.get(top_k) else { return f64::INFINITY };
    let total: f64 = logits.iter().map(|logit| logit.exp()).sum();
    (logits[order[top_k - 1]].exp() - logits[rejected].exp()) / total
}
