//! Cuts what a step is given into blocks that the compiled step can take.
//!
//! Blocks are filled with the first sequence's tokens, then the next one's. The rows of the blocks, put one after the
//! other, are therefore the rows of the whole step, sequence by sequence.

use crate::{error::Error, plan::Sizes};

/// New tokens of one sequence; may be empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct Piece<'a> {
    /// Token numbers, each below the vocabulary's size.
    pub tokens: &'a [u32],
    /// False where a token is padding, which the sequence does not see; all are real without a mask.
    pub mask: Option<&'a [bool]>,
}

impl<'a> Piece<'a> {
    /// Real tokens.
    pub fn new(tokens: &'a [u32]) -> Piece<'a> {
        Piece { tokens, mask: None }
    }

    fn is_real(&self, index: usize) -> bool {
        self.mask.is_none_or(|mask| mask[index])
    }

    /// Number of real tokens.
    pub(crate) fn real(&self) -> usize {
        self.mask.map_or(self.tokens.len(), |mask| mask.iter().filter(|&&real| real).count())
    }

    fn last_real(&self) -> Option<usize> {
        (0..self.tokens.len()).rev().find(|&index| self.is_real(index))
    }

    fn check(&self, sequence: usize, vocab_size: usize) -> Result<(), Error> {
        if let Some((place, token)) = self.tokens.iter().enumerate().find(|(_, token)| **token as usize >= vocab_size) {
            return Err(Error::Step(format!(
                "token {token} at place {place} of sequence {sequence} is out of range; the vocabulary has {vocab_size} \
                 tokens, numbered from 0"
            )));
        }
        match self.mask {
            Some(mask) if mask.len() != self.tokens.len() => Err(Error::Step(format!(
                "the mask of sequence {sequence} covers {} tokens, but there are {}",
                mask.len(),
                self.tokens.len()
            ))),
            _ => Ok(()),
        }
    }
}

/// The rows whose logits a step computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// None.
    None,
    /// The last real token of each sequence; none for a sequence that gets no real token.
    Last,
    /// All tokens, padding included.
    All,
}

/// Checks all pieces of a step before any of them is run.
pub(crate) fn check(pieces: &[Piece<'_>], positions: &[usize], vocab_size: usize) -> Result<(), Error> {
    if pieces.len() != positions.len() {
        let (found, batch) = (pieces.len(), positions.len());
        return Err(Error::Step(format!(
            "there are {found} pieces for {batch} sequences; give one piece, which may be empty, for each sequence"
        )));
    }
    if pieces.iter().all(|piece| piece.tokens.is_empty()) {
        return Err(Error::Step("the prompt is empty; give at least one token".into()));
    }
    for (sequence, (piece, &position)) in pieces.iter().zip(positions).enumerate() {
        piece.check(sequence, vocab_size)?;
        if piece.real() > i32::MAX as usize - position {
            return Err(Error::Step(format!("sequence {sequence} would be longer than {} tokens", i32::MAX)));
        }
    }
    Ok(())
}

/// The inputs of one compiled step.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) tokens: Vec<i32>,
    pub(crate) position: Vec<i32>,
    pub(crate) cu_seqlens: Vec<i32>,
    pub(crate) rows: Vec<i32>,
}

impl Block {
    /// Makes room for a block of these sizes; false when there is no memory for it.
    pub(crate) fn reserve(&mut self, sizes: &Sizes) -> bool {
        let Sizes { tokens, sequences, rows, .. } = *sizes;
        let lists = [&mut self.tokens, &mut self.position, &mut self.cu_seqlens, &mut self.rows];
        lists.into_iter().zip([tokens, tokens, sequences + 1, rows]).all(|(list, len)| {
            list.clear();
            list.try_reserve_exact(len).is_ok()
        })
    }
}

/// Makes one block after the other.
pub(crate) struct Cutter<'a> {
    pieces: &'a [Piece<'a>],
    rows: Rows,
    /// The most tokens of a block.
    limit: usize,
    /// The next token: its sequence and its place in the piece.
    sequence: usize,
    place: usize,
}

impl<'a> Cutter<'a> {
    pub(crate) fn new(pieces: &'a [Piece<'a>], rows: Rows, limit: usize) -> Cutter<'a> {
        Cutter { pieces, rows, limit, sequence: 0, place: 0 }
    }

    /// Rows that all blocks together ask for.
    pub(crate) fn row_count(&self) -> usize {
        match self.rows {
            Rows::None => 0,
            Rows::Last => self.pieces.iter().filter(|piece| piece.last_real().is_some()).count(),
            Rows::All => self.pieces.iter().map(|piece| piece.tokens.len()).sum(),
        }
    }

    /// Fills the next block and counts its real tokens in `positions`. False when no token is left.
    pub(crate) fn next(&mut self, block: &mut Block, positions: &mut [usize]) -> bool {
        block.tokens.clear();
        block.position.clear();
        block.cu_seqlens.clear();
        block.rows.clear();
        block.cu_seqlens.resize(self.sequence + 1, 0);
        while let Some(piece) = self.pieces.get(self.sequence) {
            let count = (piece.tokens.len() - self.place).min(self.limit - block.tokens.len());
            let last = if self.rows == Rows::Last { piece.last_real() } else { None };
            for place in self.place..self.place + count {
                if self.rows == Rows::All || last == Some(place) {
                    block.rows.push(block.tokens.len() as i32);
                }
                block.tokens.push(piece.tokens[place] as i32);
                if piece.is_real(place) {
                    block.position.push(positions[self.sequence] as i32);
                    positions[self.sequence] += 1;
                } else {
                    block.position.push(-1);
                }
            }
            block.cu_seqlens.push(block.tokens.len() as i32);
            self.place += count;
            if self.place < piece.tokens.len() {
                break;
            }
            (self.sequence, self.place) = (self.sequence + 1, 0);
        }
        block.cu_seqlens.resize(self.pieces.len() + 1, block.tokens.len() as i32);
        !block.tokens.is_empty()
    }
}
