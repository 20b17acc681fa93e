//! What goes into a step: tokens of several sequences, packed one after the other.

use super::Tensors;

/// The inputs of a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inputs {
    /// `[T]`
    pub tokens: Vec<i64>,
    /// `[T]`: the token's number among the real tokens of its sequence, -1 for padding.
    pub position: Vec<i64>,
    /// `[B+1]`: sequence `b` has the tokens from `cu_seqlens[b]` up to `cu_seqlens[b+1]`.
    pub cu_seqlens: Vec<usize>,
    /// `[L]`: the tokens whose logits are asked for.
    pub rows: Vec<usize>,
    /// What the program takes beside these, by name and with the axes of its type.
    pub tensors: Tensors,
}

/// Which tokens' logits are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogitRows {
    /// Every token, padding too.
    All,
    /// The last real token of every sequence that has one.
    Last,
}

impl Inputs {
    /// Packs a batch. `tokens[b]` are the step's tokens of sequence `b`, `mask[b]` says which of them are real (all,
    /// without a mask) and `seen[b]` how many real tokens the sequence had before the step.
    ///
    /// # Errors
    /// A mask or a `seen` that does not fit the tokens.
    pub fn packed(
        tokens: &[Vec<i64>],
        mask: Option<&[Vec<bool>]>,
        seen: &[usize],
        rows: LogitRows,
    ) -> Result<Inputs, String> {
        if seen.len() != tokens.len() {
            return Err(format!("{} sequences, but {} counts of tokens seen before", tokens.len(), seen.len()));
        }
        if mask.is_some_and(|mask| !mask.iter().map(Vec::len).eq(tokens.iter().map(Vec::len))) {
            return Err("the mask does not have an entry for every token".into());
        }
        let mut inputs = Inputs { cu_seqlens: vec![0], ..Inputs::default() };
        for (sequence, line) in tokens.iter().enumerate() {
            let mut next = seen[sequence] as i64;
            let mut last = None;
            for (at, &token) in line.iter().enumerate() {
                let real = mask.is_none_or(|mask| mask[sequence][at]);
                if real {
                    last = Some(inputs.tokens.len());
                }
                inputs.tokens.push(token);
                inputs.position.push(if real { next } else { -1 });
                next += i64::from(real);
            }
            inputs.cu_seqlens.push(inputs.tokens.len());
            if rows == LogitRows::Last {
                inputs.rows.extend(last);
            }
        }
        if rows == LogitRows::All {
            inputs.rows = (0..inputs.tokens.len()).collect();
        }
        Ok(inputs)
    }

    /// The inputs of a program that reads no token ids: the boundaries of its sequences, which rise from 0 to `T`, and
    /// tensors.
    pub fn of_tensors(cu_seqlens: Vec<usize>, tensors: Tensors) -> Inputs {
        let tokens = cu_seqlens.last().copied().unwrap_or(0);
        let position = cu_seqlens.windows(2).flat_map(|ends| 0..ends[1].saturating_sub(ends[0]) as i64).collect();
        Inputs { tokens: vec![0; tokens], position, cu_seqlens, rows: Vec::new(), tensors }
    }

    /// `B`
    pub fn sequences(&self) -> usize {
        self.cu_seqlens.len().saturating_sub(1)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let count = self.tokens.len();
        if self.position.len() != count {
            return Err(format!("{count} tokens, but {} positions", self.position.len()));
        }
        let ordered = self.cu_seqlens.is_sorted();
        if !ordered || self.cu_seqlens.first() != Some(&0) || self.cu_seqlens.last() != Some(&count) {
            return Err(format!("`cu_seqlens` must rise from 0 to {count}, found {:?}", self.cu_seqlens));
        }
        match self.rows.iter().find(|&&row| row >= count) {
            Some(row) => Err(format!("logits are asked for token {row}, but the step has {count} tokens")),
            None => Ok(()),
        }
    }
}
