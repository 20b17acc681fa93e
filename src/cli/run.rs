//! `momc run`: text from a prompt, token after token as they come.

use std::{
    num::NonZeroUsize,
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Args;
use mom_dialect::diagnostic::Diagnostic;
use mom_runtime::{Model, Session, show_bytes};
use momc::{
    failure::{Failure, LOGITS},
    generate::{Sampler, Sampling, TextStream},
    show::grouped,
};
use tokenizers::Tokenizer;

use super::{
    bind::{ModelArguments, rate},
    logits,
    prompt::{self, Prompt},
    ui,
};

/// Run a model: continue a prompt, or write the logits of given tokens
///
/// MODEL is compiled in memory unless it is an artifact. Text goes to standard output; speed and memory are reported on
/// standard error.
#[derive(Args)]
#[command(after_help = "Examples:
  momc run path/to/mom-1.3b --prompt 'The memory' --max-tokens 64
  momc run tiny.so --weights model.safetensors --tokenizer tokenizer.json --prompt-file question.txt
  momc run examples/01-tiny.toml --random-weights 1 --prompt-tokens 1,2,3
  momc run path/to/mom-1.3b --tokens tokens.safetensors --logits logits.safetensors")]
pub(crate) struct Run {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    prompt: Prompt,
    #[command(flatten, next_help_heading = "Generation")]
    generation: Generation,
    #[command(flatten, next_help_heading = "Logits")]
    logits: logits::LogitsArguments,
}

#[derive(Args)]
struct Generation {
    /// A tokenizer.json [default: the one in MODEL, if it is a folder]
    #[arg(long, value_name = "FILE")]
    tokenizer: Option<PathBuf>,
    /// The most tokens to generate
    #[arg(long, value_name = "N", default_value = "128")]
    max_tokens: NonZeroUsize,
    /// How much chance there is in the choice of tokens; 0 always takes the likeliest
    #[arg(long, value_name = "X", default_value = "0", value_parser = temperature, allow_negative_numbers = true)]
    temperature: f64,
    /// Draw from the likeliest tokens that together have this probability
    #[arg(long, value_name = "X", default_value = "1", value_parser = top_p, allow_negative_numbers = true)]
    top_p: f64,
    /// Start of the random numbers; the same seed gives the same text
    #[arg(long, value_name = "N", default_value = "0")]
    seed: u64,
    /// Go on after the token that ends a text
    #[arg(long)]
    ignore_eos: bool,
}

fn temperature(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number")?;
    if value.is_finite() && value >= 0.0 { Ok(value) } else { Err("a temperature is 0 or larger".to_owned()) }
}

fn top_p(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "not a number")?;
    if value > 0.0 && value <= 1.0 { Ok(value) } else { Err("it lies above 0 and is at most 1".to_owned()) }
}

impl Run {
    pub(crate) fn execute(self) -> Result<(), Failure> {
        self.model.check()?;
        if let Some(tokens) = self.prompt.batch() {
            return self.logits.execute(&self.model, tokens);
        }
        let tokenizer = self.tokenizer()?;
        let prompt = self.prompt.tokens(tokenizer.as_ref())?;
        let module = self.model.module()?;
        prompt::check_tokens(&prompt, module.plan().vocab_size)?;
        let model = self.model.bind(&module)?;
        self.generate(&model, tokenizer.as_ref(), &prompt)
    }

    /// The tokenizer; none where tokens are given as numbers.
    fn tokenizer(&self) -> Result<Option<Tokenizer>, Failure> {
        if !self.prompt.is_text() {
            return Ok(None);
        }
        let path = self.generation.tokenizer.clone().or_else(|| self.model.companion("tokenizer.json"));
        let path = path.ok_or_else(|| {
            let message = "a text needs a tokenizer: give one with `--tokenizer FILE`, \
                           or give the prompt as numbers with `--prompt-tokens 1,2,3`";
            Failure::Usage(message.to_owned())
        })?;
        prompt::open_tokenizer(&path).map(Some)
    }

    fn generate(&self, model: &Model, tokenizer: Option<&Tokenizer>, prompt: &[u32]) -> Result<(), Failure> {
        let mut session = model.session()?;
        let mut report = Report { prompt: prompt.len(), ..Report::default() };
        let bar = ui::progress("reading the prompt", prompt.len());
        let start = Instant::now();
        let mut logits = session.prefill_with(prompt, &mut |done, _| bar.set_position(done as u64))?;
        report.prefill = start.elapsed();
        bar.finish_and_clear();

        let mut writer = Writer::new(tokenizer, prompt)?;
        let mut sampler = Sampler::new(self.generation.sampling());
        let start = Instant::now();
        loop {
            let token = sampler.choose(&logits).ok_or_else(no_numbers)?;
            report.generated += 1;
            if Some(token) == model.plan().eos_token && !self.generation.ignore_eos {
                break;
            }
            writer.write(token)?;
            if report.generated == self.generation.max_tokens.get() {
                break;
            }
            logits = session.decode(token)?;
        }
        report.decode = start.elapsed();
        writer.finish()?;
        report.show();
        self.model.say_peak_memory();
        ui::say(format_args!("state    {}", show_bytes(state_bytes(&session))));
        Ok(())
    }
}

impl Generation {
    fn sampling(&self) -> Sampling {
        Sampling { temperature: self.temperature, top_p: self.top_p, seed: self.seed }
    }
}

fn no_numbers() -> Failure {
    Diagnostic::error(LOGITS, "the model's logits are not numbers")
        .help("look for infinite or undefined values among the weights")
        .into()
}

/// Bytes of the session's states, caches included.
fn state_bytes(session: &Session) -> u64 {
    let memory = session.model().memory();
    memory.state_bytes_per_sequence + memory.cache_bytes_per_token * session.largest_step().context as u64
}

/// Prints tokens as text, or as numbers where there is no tokenizer.
enum Writer<'a> {
    Text(TextStream<'a>),
    Numbers { separator: &'static str },
}

impl<'a> Writer<'a> {
    fn new(tokenizer: Option<&'a Tokenizer>, prompt: &[u32]) -> Result<Writer<'a>, Failure> {
        Ok(match tokenizer {
            Some(tokenizer) => {
                Writer::Text(TextStream::after(tokenizer, prompt).map_err(|error| prompt::refused(&error))?)
            }
            None => Writer::Numbers { separator: "" },
        })
    }

    fn write(&mut self, token: u32) -> Result<(), Failure> {
        match self {
            Writer::Text(stream) => ui::print(stream.push(token).map_err(|error| prompt::refused(&error))?),
            Writer::Numbers { separator } => {
                ui::print(format_args!("{separator}{token}"))?;
                *separator = ",";
                Ok(())
            }
        }
    }

    fn finish(self) -> Result<(), Failure> {
        match self {
            Writer::Text(stream) => ui::print(stream.finish().map_err(|error| prompt::refused(&error))? + "\n"),
            Writer::Numbers { .. } => ui::print("\n"),
        }
    }
}

/// What a run took.
#[derive(Default)]
struct Report {
    prompt: usize,
    generated: usize,
    prefill: Duration,
    decode: Duration,
}

impl Report {
    fn show(&self) {
        // The first token comes from the prompt's logits; each further one is a step of decoding.
        let steps = self.generated.saturating_sub(1);
        ui::say(format_args!("\nprompt   {} tokens, {}", grouped(self.prompt), rate(self.prompt, self.prefill)));
        ui::say(format_args!("decode   {} tokens, {}", grouped(self.generated), rate(steps, self.decode)));
    }
}
