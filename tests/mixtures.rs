//! Every update rule that ships, as the memory of a mixture: prefill and decode against the interpreter.

use libtest_mimic::Trial;
use mom_dialect::rule::BUILTIN;

use crate::{
    Outcome,
    machine::{Machine, Model, Token, in_pieces},
    tolerance::{self, relative_error},
    trial,
};

pub(crate) fn trials() -> Vec<Trial> {
    let rules = BUILTIN.iter().map(|&(rule, _)| rule);
    rules.map(|rule| trial(format!("mixtures::{rule}"), move || in_a_mixture(rule))).collect()
}

/// Two sequences of different lengths, in one step and token by token, in both machines.
fn in_a_mixture(rule: &str) -> Outcome {
    let model = Model::parse(&format!(
        "[model]\nvocab_size = 32\nhidden_size = 32\nlayers = 2\n[memory]\nupdate_rule = \"{rule}\"\nheads = 2\n\
         head_dim = 8\nmemories = 4\ntop_k = 2\nshared_state = true\n[mlp]\nsize = 32\n"
    ))?;
    let params = model.random_params(1);
    let sequence = |seed: usize, length: usize| (0..length).map(move |at| Token::real(((at * 7 + seed) % 32) as u32));
    let batch: Vec<Vec<Token>> = vec![sequence(3, 12).collect(), sequence(5, 7).collect()];
    let lengths: Vec<usize> = [4].into_iter().chain([1; 8]).collect();
    let whole = model.interpreted(&params, 2, 0)?.step(&batch)?;
    let pieces = in_pieces(&mut model.interpreted(&params, 2, 0)?, &batch, &lengths)?;
    check("the interpreter in pieces", pieces.get("logits")?, whole.get("logits")?, 1e-9)?;
    let mut machine = model.compiled(&params, 2)?;
    check("prefill", machine.step(&batch)?.get("logits")?, whole.get("logits")?, tolerance::COMPILED)?;
    let pieces = in_pieces(&mut machine.fresh(2)?, &batch, &lengths)?;
    check("decode", pieces.get("logits")?, whole.get("logits")?, tolerance::COMPILED)
}

fn check(what: &str, actual: &[f64], expected: &[f64], limit: f64) -> Outcome {
    let error = relative_error(actual, expected);
    if error <= limit { Ok(()) } else { Err(format!("{what} differs by {error:.2e}, more than {limit:.1e}").into()) }
}
