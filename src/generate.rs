//! From logits to tokens, and from tokens to text.
//!
//! The same seed and the same logits give the same tokens on every machine: the generator of random numbers is part of
//! this file, and probabilities are summed in a fixed order.

use tokenizers::Tokenizer;

/// How the next token is chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Logits are divided by it; 0 always takes the likeliest token.
    pub temperature: f64,
    /// Only the likeliest tokens that together have this probability are drawn from; in (0, 1].
    pub top_p: f64,
    pub seed: u64,
}

/// Chooses one token after the other.
#[derive(Clone, Debug)]
pub struct Sampler {
    sampling: Sampling,
    random: SplitMix64,
}

impl Sampler {
    pub fn new(sampling: Sampling) -> Self {
        Self { sampling, random: SplitMix64(sampling.seed) }
    }

    /// The next token, from logits `[V]`. A logit that is not a number is never chosen; among equals the first is.
    ///
    /// None if no logit is a number.
    pub fn choose(&mut self, logits: &[f32]) -> Option<u32> {
        let likeliest = likeliest(logits)?;
        if self.sampling.temperature == 0.0 {
            return Some(likeliest as u32);
        }
        let mut candidates = self.weights(logits, logits[likeliest]);
        if self.sampling.top_p < 1.0 {
            keep_nucleus(&mut candidates, self.sampling.top_p);
        }
        let mut left = self.random.unit() * total(&candidates);
        for &(token, weight) in &candidates {
            left -= weight;
            if left < 0.0 {
                return Some(token);
            }
        }
        // Rounding may leave a crumb after the last candidate.
        Some(likeliest as u32)
    }

    /// Probabilities before they are normalised. The largest logit gets exactly 1, even where it is infinite.
    fn weights(&self, logits: &[f32], largest: f32) -> Vec<(u32, f64)> {
        let weight = |logit: f32| match logit == largest {
            true => 1.0,
            false => ((f64::from(logit) - f64::from(largest)) / self.sampling.temperature).exp(),
        };
        (0..).zip(logits).filter(|(_, logit)| !logit.is_nan()).map(|(token, &logit)| (token, weight(logit))).collect()
    }
}

fn likeliest(logits: &[f32]) -> Option<usize> {
    let numbers = logits.iter().enumerate().filter(|(_, logit)| !logit.is_nan());
    numbers.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(token, _)| token)
}

/// Keeps the fewest of the heaviest candidates whose share is at least `top_p`.
fn keep_nucleus(candidates: &mut Vec<(u32, f64)>, top_p: f64) {
    candidates.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let enough = top_p * total(candidates);
    let mut sum = 0.0;
    let kept = candidates.iter().take_while(|(_, weight)| {
        let wanted = sum < enough;
        sum += weight;
        wanted
    });
    let kept = kept.count().max(1);
    candidates.truncate(kept);
}

fn total(candidates: &[(u32, f64)]) -> f64 {
    candidates.iter().map(|(_, weight)| weight).sum()
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
#[derive(Clone, Debug)]
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Uniform in [0, 1), a multiple of 2⁻⁵³.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// What a tokenizer writes for bytes that are not, or not yet, a character.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// Text of a growing list of tokens, given out as soon as it cannot change any more.
///
/// A character may be spread over several tokens, so up to three trailing replacement characters, all that a
/// character's missing bytes can leave, are held back. Decoders also treat the first token of a text in their own way;
/// therefore tokens are decoded together with those before them.
pub struct TextStream<'a> {
    tokenizer: &'a Tokenizer,
    tokens: Vec<u32>,
    /// Tokens before this one no longer matter.
    window: usize,
    /// Tokens before this one have all their text given out.
    settled: usize,
    /// Bytes of the window's text that are given out.
    given: usize,
}

impl<'a> TextStream<'a> {
    /// A text that goes on after `prompt`, which is not part of it.
    ///
    /// # Errors
    /// What the tokenizer says of the prompt's tokens.
    pub fn after(tokenizer: &'a Tokenizer, prompt: &[u32]) -> tokenizers::Result<Self> {
        let tokens = prompt[prompt.len().saturating_sub(4)..].to_vec();
        let given = tokenizer.decode(&tokens, true)?.len();
        Ok(Self { tokenizer, settled: tokens.len(), tokens, window: 0, given })
    }

    /// Adds a token; the text that is now certain.
    ///
    /// # Errors
    /// What the tokenizer says of the token.
    pub fn push(&mut self, token: u32) -> tokenizers::Result<String> {
        self.tokens.push(token);
        let text = self.window_text()?;
        let certain = certain_length(&text);
        let new = self.take(&text[..certain]);
        if certain == text.len() {
            self.window = self.settled;
            self.settled = self.tokens.len();
            self.given = self.window_text()?.len();
        }
        Ok(new)
    }

    /// The text that was held back and will not be completed.
    ///
    /// # Errors
    /// What the tokenizer says of the tokens.
    pub fn finish(mut self) -> tokenizers::Result<String> {
        let text = self.window_text()?;
        Ok(self.take(&text))
    }

    fn window_text(&self) -> tokenizers::Result<String> {
        self.tokenizer.decode(&self.tokens[self.window..], true)
    }

    fn take(&mut self, text: &str) -> String {
        let new = text.get(self.given..).unwrap_or_default().to_owned();
        self.given = self.given.max(text.len());
        new
    }
}

/// Length of `text` without at most three trailing replacement characters.
fn certain_length(text: &str) -> usize {
    let held_back = text.chars().rev().take(3).take_while(|&character| character == REPLACEMENT).count();
    text.len() - held_back * REPLACEMENT.len_utf8()
}
