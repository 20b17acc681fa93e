//! Golden models: a Hugging Face folder read as a user would, and the logits, routing and text it must give.

use libtest_mimic::Trial;
use serde_json::Value;

use crate::{
    Outcome, fusion,
    golden::{Case, Comparison},
    machine::{Machine, Model, Outputs, Params, Token, in_pieces},
    tensors::{Tensor, Tensors},
    trial,
};

type Check = fn(&Golden, &mut dyn Machine, &mut Comparison) -> Outcome;

/// What is checked of every model: a name, the tensor with the batch it starts from, and the check.
const CHECKS: [(&str, &str, Check); 5] = [
    ("forward", "in.input_ids", forward),
    ("decode", "in.input_ids", decode),
    ("padded", "pad.input_ids", padded),
    ("greedy", "gen.prompt", greedy),
    ("greedy_padded", "gen_padded.prompt", greedy_padded),
];

pub(crate) fn trials(case: &Case) -> Vec<Trial> {
    let mut trials = Vec::new();
    let known = case.tensors().ok();
    let holds = |tensor: &str| known.as_ref().is_none_or(|tensors| tensors.find(tensor).is_some());
    for (run, executor, selection) in fusion::runs() {
        for (name, batch, check) in CHECKS.into_iter().filter(|(_, batch, _)| holds(batch)) {
            let (case, selection) = (case.clone(), selection.clone());
            let full_name = format!("golden::{}::{name}::{run}", case.name);
            trials.push(trial(full_name, move || {
                let golden = Golden::read(&case)?;
                let sequences = golden.tensors.get(batch)?.shape[0];
                let model = Model::read(&case.folder())?.rewritten(&selection)?;
                let mut machine = model.start(executor, &golden.params, sequences, golden.longest())?;
                let mut comparison = Comparison::new(executor, &golden.sidecar);
                check(&golden, machine.as_mut(), &mut comparison)?;
                comparison.finish()
            }));
        }
    }
    trials
}

struct Golden {
    tensors: Tensors,
    sidecar: Value,
    params: Params,
}

impl Golden {
    fn read(case: &Case) -> Outcome<Golden> {
        let params = Tensors::open(&case.folder().join("model.safetensors"))?;
        let params = params.with_prefix("").map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect();
        Ok(Golden { tensors: case.tensors()?, sidecar: case.sidecar()?, params })
    }

    /// No sequence of any check is longer.
    fn longest(&self) -> usize {
        ["in.input_ids", "pad.input_ids", "gen.prompt", "gen.tokens", "gen_padded.prompt", "gen_padded.tokens"]
            .iter()
            .filter_map(|name| self.tensors.find(name)?.shape.get(1))
            .sum()
    }
}

/// The tokens of an `[B, T]` tensor, all real unless a mask says otherwise.
fn tokens(ids: &Tensor, mask: Option<&Tensor>) -> Vec<Vec<Token>> {
    let length = ids.shape[1];
    let real = |row: usize, time: usize| mask.is_none_or(|mask| mask.at(&[row, time]) == [1.0]);
    let row =
        |(b, ids): (usize, &[u32])| ids.iter().enumerate().map(|(t, &id)| Token { id, real: real(b, t) }).collect();
    ids.ids().chunks(length).enumerate().map(row).collect()
}

fn forward(golden: &Golden, machine: &mut dyn Machine, comparison: &mut Comparison) -> Outcome {
    let batch = tokens(golden.tensors.get("in.input_ids")?, None);
    let outputs = machine.step(&batch)?;
    check_forward(golden, &outputs, comparison)
}

/// Prefills a third of every sequence and feeds the rest token by token.
fn decode(golden: &Golden, machine: &mut dyn Machine, comparison: &mut Comparison) -> Outcome {
    let batch = tokens(golden.tensors.get("in.input_ids")?, None);
    let length = batch[0].len();
    let lengths: Vec<usize> = std::iter::once(length / 3).chain(std::iter::repeat_n(1, length - length / 3)).collect();
    let outputs = in_pieces(machine, &batch, &lengths)?;
    check_forward(golden, &outputs, comparison)
}

fn check_forward(golden: &Golden, outputs: &Outputs, comparison: &mut Comparison) -> Outcome {
    comparison.check("logits", outputs.get("logits")?, &golden.tensors.get("out.logits")?.data);
    for (layer, expected) in golden.tensors.with_prefix("out.router.") {
        let logits = outputs.get(&format!("router_logits.{layer}"))?;
        comparison.check(&format!("router.{layer}"), logits, &expected.data);
        let selected = golden.tensors.get(&format!("out.selected.{layer}"))?;
        comparison.check_choices(&format!("selected.{layer}"), logits, expected, selected);
    }
    Ok(())
}

fn padded(golden: &Golden, machine: &mut dyn Machine, comparison: &mut Comparison) -> Outcome {
    let batch = tokens(golden.tensors.get("pad.input_ids")?, golden.tensors.find("pad.mask"));
    let outputs = machine.step(&batch)?;
    comparison.check("pad.logits", outputs.get("logits")?, &golden.tensors.get("pad.logits")?.data);
    Ok(())
}

fn greedy(golden: &Golden, machine: &mut dyn Machine, comparison: &mut Comparison) -> Outcome {
    let prompt = tokens(golden.tensors.get("gen.prompt")?, None);
    let expected = golden.tensors.get("gen.tokens")?;
    let (text, logits) = continuation(machine, &prompt, expected.shape[1])?;
    comparison.check_tokens("gen.tokens", &text, &expected.ids());
    comparison.check("gen.logits", &logits, &golden.tensors.get("gen.logits")?.data);
    Ok(())
}

fn greedy_padded(golden: &Golden, machine: &mut dyn Machine, comparison: &mut Comparison) -> Outcome {
    let prompt = tokens(golden.tensors.get("gen_padded.prompt")?, golden.tensors.find("gen_padded.mask"));
    let expected = golden.tensors.get("gen_padded.tokens")?;
    let (text, _) = continuation(machine, &prompt, expected.shape[1])?;
    comparison.check_tokens("gen_padded.tokens", &text, &expected.ids());
    Ok(())
}

/// The `count` tokens that greedily follow each prompt, `[B, n]`, and the logits they were chosen by, `[B, n, V]`.
fn continuation(machine: &mut dyn Machine, prompt: &[Vec<Token>], count: usize) -> Outcome<(Vec<u32>, Vec<f64>)> {
    let mut next = prompt.to_vec();
    let mut text = vec![Vec::new(); prompt.len()];
    let mut logits = vec![Vec::new(); prompt.len()];
    for _ in 0..count {
        let outputs = machine.step(&next)?;
        let all = outputs.get("logits")?;
        let vocabulary = all.len() / next.iter().map(Vec::len).sum::<usize>();
        let mut end = 0;
        for (b, piece) in next.iter_mut().enumerate() {
            end += piece.len() * vocabulary;
            let row = &all[end - vocabulary..end];
            let best = (0..vocabulary).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or_default() as u32;
            logits[b].extend_from_slice(row);
            text[b].push(best);
            *piece = vec![Token::real(best)];
        }
    }
    Ok((text.concat(), logits.concat()))
}
