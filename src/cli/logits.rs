//! `momc run --tokens F --logits OUT`: the logits of every token of a batch, for comparing and evaluating.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use mom_runtime::{Model, Piece, Rows, Session};
use momc::{failure::Failure, show::grouped};

use super::{
    batch::Batch,
    bind::{ModelArguments, rate},
    output::Place,
    tensors::{self, TensorFile},
    ui,
};

#[derive(Args)]
pub(crate) struct LogitsArguments {
    /// Safetensors file to write: `logits` f32 [B, T, V], also where the mask is 0
    // That it conflicts with each prompt is said too, since a conflict with `tokens` alone lifts the requirement.
    #[arg(long, value_name = "FILE", requires = "tokens", conflicts_with_all = ["prompt", "prompt_file", "prompt_tokens"])]
    logits: Option<PathBuf>,
    /// Write the router's logits too: `router_logits.<layer>` f32 [B, T, M]
    #[arg(long, requires = "logits")]
    router_logits: bool,
}

impl LogitsArguments {
    pub(crate) fn execute(&self, arguments: &ModelArguments, tokens: &Path) -> Result<(), Failure> {
        let Some(path) = &self.logits else {
            return Err(Failure::Usage("`--tokens` needs `--logits FILE`".to_owned()));
        };
        let place = tensors::place(path)?;
        let module = arguments.module()?;
        let batch = Batch::read(tokens, module.plan().vocab_size)?;
        let model = arguments.bind(&module)?;
        let session = model.batch(batch.rows)?;
        let mut file = self.create(&place, &model, &batch)?;
        let start = Instant::now();
        write_logits(session, &batch, &mut file)?;
        let count = batch.tokens.len();
        let speed = rate(count, start.elapsed());
        file.finish()?;
        ui::say(format_args!("prefill  {} tokens of {} sequences, {speed}", grouped(count), grouped(batch.rows)));
        arguments.say_peak_memory();
        Ok(())
    }

    fn create<'a>(&self, place: &'a Place, model: &Model, batch: &Batch) -> Result<TensorFile<'a>, Failure> {
        let outputs = model.plan().outputs.iter().filter(|output| self.router_logits || output.name == "logits");
        let tensors: Vec<_> =
            outputs.map(|output| (output.name.clone(), vec![batch.rows, batch.length, output.columns])).collect();
        TensorFile::create(place, &tensors)
    }
}

/// Runs the batch through the model, all sequences side by side and a few tokens of each at a time, so that no more
/// than one step's results are held.
fn write_logits(mut session: Session, batch: &Batch, file: &mut TensorFile<'_>) -> Result<(), Failure> {
    let bar = ui::progress("reading tokens", batch.tokens.len());
    let width = (session.model().plan().block_tokens / batch.rows).max(1);
    for start in (0..batch.length).step_by(width) {
        let count = width.min(batch.length - start);
        let places = (0..batch.rows).map(|row| row * batch.length + start).map(|place| place..place + count);
        let pieces: Vec<Piece> = places
            .map(|place| Piece {
                tokens: &batch.tokens[place.clone()],
                mask: batch.mask.as_ref().map(|mask| &mask[place]),
            })
            .collect();
        let outputs = session.step(&pieces, Rows::All)?;
        for (name, tensor) in outputs.iter() {
            let rows = tensor.data.chunks_exact(count * tensor.columns).enumerate();
            for (row, values) in rows {
                file.write(name, row * batch.length + start, values)?;
            }
        }
        bar.inc((batch.rows * count) as u64);
    }
    bar.finish_and_clear();
    Ok(())
}
