//! A host program that needs the runtime alone: several texts continue one prompt, token by token, in one batch.
//!
//! ```text
//! cargo run --release -p mom-runtime --example serve -- model.so model.safetensors 1 17 42
//! ```
//!
//! The arguments are an artifact, its weights (or `random`) and the prompt's tokens.

use std::{env, error::Error, process::ExitCode, time::Instant};

use mom_runtime::{Device, Module, Piece, Rows, Weights, show_bytes};

/// Texts that continue the prompt; each begins with another of the most likely tokens.
const TEXTS: usize = 4;
/// Tokens of each text.
const LENGTH: usize = 16;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [artifact, weights, prompt @ ..] = arguments.as_slice() else {
        return Err("usage: serve ARTIFACT WEIGHTS TOKEN…".into());
    };
    let prompt = prompt.iter().map(|token| token.parse()).collect::<Result<Vec<u32>, _>>()?;

    let module = Module::load(artifact)?;
    let weights = if weights == "random" { Weights::random(0) } else { Weights::open(weights)? };
    let model = module.bind(Device::cpu()?, weights)?;

    // The prompt is read once; every text starts from the state after it.
    let mut session = model.session()?;
    let logits = session.prefill(&prompt)?;
    let mark = session.checkpoint()?;
    let mut texts: Vec<Vec<u32>> = most_likely(&logits, TEXTS).into_iter().map(|token| vec![token]).collect();
    for text in &mut texts {
        session.rollback(&mark)?;
        while text.len() < LENGTH {
            let logits = session.decode(text[text.len() - 1])?;
            text.extend(most_likely(&logits, 1));
        }
    }

    // The same texts again, all in one batch: the same tokens, sooner.
    let mut batch = model.batch(texts.len())?;
    batch.step(&vec![Piece::new(&prompt); texts.len()], Rows::None)?;
    let mut again: Vec<Vec<u32>> = texts.iter().map(|text| vec![text[0]]).collect();
    let start = Instant::now();
    for position in 1..LENGTH {
        let pieces: Vec<Piece> = again.iter().map(|text| Piece::new(&text[position - 1..])).collect();
        let outputs = batch.step(&pieces, Rows::Last)?;
        let logits = outputs.get("logits").ok_or("the model computes no logits")?;
        for (text, logits) in again.iter_mut().zip(logits.data.chunks(logits.columns)) {
            text.extend(most_likely(logits, 1));
        }
    }
    let rate = (texts.len() * (LENGTH - 1)) as f64 / start.elapsed().as_secs_f64();
    if again != texts {
        return Err("the batch disagrees with its sequences alone".into());
    }
    for text in &texts {
        show(&format!("{text:?}"));
    }
    show(&format!("{rate:.0} tokens/s in {}", show_bytes(batch.allocated_bytes())));
    Ok(())
}

/// The `count` tokens with the largest logits, largest first.
fn most_likely(logits: &[f32], count: usize) -> Vec<u32> {
    let mut tokens: Vec<u32> = (0..logits.len() as u32).collect();
    tokens.sort_by(|&a, &b| logits[b as usize].total_cmp(&logits[a as usize]));
    tokens.truncate(count);
    tokens
}

#[expect(clippy::print_stdout, reason = "a program that people run")]
fn show(line: &str) {
    println!("{line}");
}
