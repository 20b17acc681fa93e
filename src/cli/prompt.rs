//! What a model is given to continue: text, or tokens as numbers.

use std::{
    fs, io,
    num::ParseIntError,
    path::{Path, PathBuf},
};

use clap::Args;
use mom_dialect::diagnostic::Diagnostic;
use momc::failure::{Failure, PROMPT};
use tokenizers::Tokenizer;

/// What is fed to the model; exactly one of these.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Prompt {
    /// Text to continue; `-` reads it from standard input
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    prompt: Option<String>,
    /// File with the text to continue
    #[arg(long, value_name = "FILE")]
    prompt_file: Option<PathBuf>,
    /// Token numbers to continue, which needs no tokenizer; prints token numbers
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', value_parser = token, allow_hyphen_values = true)]
    prompt_tokens: Option<Vec<u32>>,
    /// A .safetensors file with `input_ids` int64 [B, T] and, if wanted, `attention_mask` int64 [B, T]
    #[arg(long, value_name = "FILE", requires = "logits", conflicts_with = "Generation")]
    tokens: Option<PathBuf>,
}

fn token(text: &str) -> Result<u32, String> {
    match text.parse::<i64>() {
        Ok(..0) => Err("the numbers of tokens are not negative".to_owned()),
        _ => text.parse().map_err(|error: ParseIntError| error.to_string()),
    }
}

impl Prompt {
    pub(crate) fn is_text(&self) -> bool {
        self.prompt.is_some() || self.prompt_file.is_some()
    }

    /// The file of a batch whose logits are asked for.
    pub(crate) fn batch(&self) -> Option<&Path> {
        self.tokens.as_deref()
    }

    /// The tokens to continue, at least one.
    pub(crate) fn tokens(&self, tokenizer: Option<&Tokenizer>) -> Result<Vec<u32>, Failure> {
        let tokens = match (tokenizer, &self.prompt_tokens) {
            (Some(tokenizer), _) => {
                let encoding = tokenizer.encode_fast(self.text()?, true).map_err(|error| refused(&error))?;
                encoding.get_ids().to_vec()
            }
            (None, tokens) => tokens.clone().unwrap_or_default(),
        };
        match tokens.is_empty() {
            true => {
                Err(Diagnostic::error(PROMPT, "the prompt is empty").help("give at least one token to continue").into())
            }
            false => Ok(tokens),
        }
    }

    /// The text to continue. A file's final line break is not part of it.
    fn text(&self) -> Result<String, Failure> {
        let (name, read) = match (&self.prompt, &self.prompt_file) {
            (Some(text), _) if text == "-" => (Path::new("standard input"), io::read_to_string(io::stdin())),
            (Some(text), _) => return Ok(text.clone()),
            (None, Some(path)) => (path.as_path(), fs::read_to_string(path)),
            (None, None) => return Ok(String::new()),
        };
        let mut text = read.map_err(|error| Failure::cannot_read(name, &error))?;
        if text.ends_with('\n') {
            text.pop();
        }
        Ok(text)
    }
}

/// Reads a `tokenizer.json`.
pub(crate) fn open_tokenizer(path: &Path) -> Result<Tokenizer, Failure> {
    let text = fs::read(path).map_err(|error| Failure::cannot_read(path, &error))?;
    let mut tokenizer = Tokenizer::from_bytes(text).map_err(|error| {
        Diagnostic::error(PROMPT, format!("`{}` is not a tokenizer: {error}", path.display()))
            .help("give a file in the format of Hugging Face's `tokenizer.json`")
    })?;
    // Settings of the training run: a prompt is neither cut nor filled up.
    tokenizer.with_padding(None).with_truncation(None).map_err(|error| refused(&error))?;
    Ok(tokenizer)
}

/// Refuses a token that the model does not know.
pub(crate) fn check_tokens(prompt: &[u32], vocab_size: usize) -> Result<(), Failure> {
    let Some((place, token)) = prompt.iter().enumerate().find(|(_, token)| **token as usize >= vocab_size) else {
        return Ok(());
    };
    let message = format!("the token {token} at place {place} of the prompt is not in the model's vocabulary");
    let help = format!("the model's tokens are the numbers below {vocab_size}; use the tokenizer it was trained with");
    Err(Diagnostic::error(PROMPT, message).help(help).into())
}

/// What a tokenizer will not encode or decode.
pub(crate) fn refused(error: &tokenizers::Error) -> Failure {
    Diagnostic::error(PROMPT, format!("the tokenizer refuses this: {error}")).into()
}
