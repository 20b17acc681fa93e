//! Every update rule that ships or is in `cases/rules` with a layer part, as the memory of a mixture: prefill and decode
//! against the interpreter, and with padding.

use std::path::PathBuf;

use libtest_mimic::Trial;
use mom_dialect::rule::BUILTIN;
use mom_passes::fuse::Selection;

use crate::{
    Outcome,
    machine::{Machine, Model, Token, in_pieces},
    rules,
    tolerance::{self, relative_error},
    trial,
};

/// Variants with other inputs, which the layer parts make too.
const VARIANTS: [(&str, &str); 3] = [("delta_rule", "beta_vec"), ("gated_delta_product", "no_gate"), ("gsa", "tied_s")];

pub(crate) fn trials() -> Vec<Trial> {
    let shipped = BUILTIN.iter().map(|&(rule, _)| (rule.to_owned(), rule.to_owned()));
    let files = std::fs::read_dir(rules::CASES).into_iter().flatten().flatten().map(|entry| entry.path());
    let has_layer = |path: &PathBuf| std::fs::read_to_string(path).is_ok_and(|text| text.contains("\nlayer {"));
    let files = files.filter(has_layer).map(|path| {
        let name = path.file_stem().unwrap_or_default().display().to_string();
        (format!("cases::{name}"), path.display().to_string())
    });
    let rules = shipped.chain(files);
    let rules = rules.map(|(name, rule)| trial(format!("mixtures::{name}"), move || in_a_mixture(&rule, "")));
    let variants = VARIANTS.map(|(rule, variant)| {
        let options = format!("[memory.options]\n{variant} = 1\n");
        trial(format!("mixtures::{rule}::{variant}"), move || in_a_mixture(rule, &options))
    });
    rules.chain(variants).collect()
}

/// Two sequences of different lengths, in one step and token by token, in both machines.
fn in_a_mixture(rule: &str, options: &str) -> Outcome {
    let model = Model::parse(&format!(
        "[model]\nvocab_size = 32\nhidden_size = 32\nlayers = 2\n[memory]\nupdate_rule = \"{rule}\"\nheads = 2\n\
         head_dim = 8\nmemories = 4\ntop_k = 2\nshared_state = true\n{options}[mlp]\nsize = 32\n"
    ))?;
    let params = model.random_params(1);
    let sequence = |seed: usize, length: usize| (0..length).map(move |at| Token::real(((at * 7 + seed) % 32) as u32));
    let batch: Vec<Vec<Token>> = vec![sequence(3, 12).collect(), sequence(5, 7).collect()];
    let lengths: Vec<usize> = [4].into_iter().chain([1; 8]).collect();
    let whole = model.interpreted(&params, 2, 0)?.step(&batch)?;
    let pieces = in_pieces(&mut model.interpreted(&params, 2, 0)?, &batch, &lengths)?;
    check("the interpreter in pieces", pieces.get("logits")?, whole.get("logits")?, 1e-9)?;
    let mut machine = model.rewritten(&Selection::default())?.compiled(&params, 2)?;
    check("prefill", machine.step(&batch)?.get("logits")?, whole.get("logits")?, tolerance::COMPILED)?;
    // Tokens of padding change nothing for the others.
    let padded = [&[Token { id: 0, real: false }; 3], &batch[0][..]].concat();
    let padded = machine.fresh(2)?.step(&[padded, batch[1].clone()])?;
    let whole_rows = whole.get("logits")?;
    let width = whole_rows.len() / (batch[0].len() + batch[1].len());
    check("padded", &padded.get("logits")?[3 * width..], whole_rows, tolerance::COMPILED)?;
    let pieces = in_pieces(&mut machine.fresh(2)?, &batch, &lengths)?;
    check("decode", pieces.get("logits")?, whole.get("logits")?, tolerance::COMPILED)
}

fn check(what: &str, actual: &[f64], expected: &[f64], limit: f64) -> Outcome {
    let error = relative_error(actual, expected);
    if error <= limit { Ok(()) } else { Err(format!("{what} differs by {error:.2e}, more than {limit:.1e}").into()) }
}
