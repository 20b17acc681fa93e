//! Places in the text that MLIR reads: from its lines and columns to spans.

#![deny(unsafe_code)]

use std::{ops::Range, sync::Arc};

use crate::diagnostic::{Source, Span};

/// How deep a text may nest brackets. A program has less than ten levels; MLIR's parser overflows the stack at some
/// ten thousand.
const DEPTH: usize = 100;

/// A source and where its lines start.
pub(super) struct Text {
    pub(super) source: Arc<Source>,
    lines: Vec<usize>,
}

impl Text {
    pub(super) fn new(source: &Arc<Source>) -> Self {
        let starts = source.text.match_indices('\n').map(|(end, _)| end + 1);
        Text { source: source.clone(), lines: [0].into_iter().chain(starts).collect() }
    }

    /// What starts at a line and a column, both counted from one, columns in bytes; `None` outside of the text.
    pub(super) fn span(&self, line: usize, column: usize) -> Option<Span> {
        let start = *self.lines.get(line.checked_sub(1)?)?;
        let end = self.lines.get(line).map_or(self.source.text.len(), |next| next - 1);
        Some(self.span_at((start + column.checked_sub(1)?).min(end)))
    }

    pub(super) fn span_at(&self, offset: usize) -> Span {
        Span::new(&self.source, token(&self.source.text, offset))
    }

    /// The first place where more than [`DEPTH`] brackets are open.
    pub(super) fn too_deep(&self) -> Option<Span> {
        let mut depth = 0_usize;
        let mut previous = b' ';
        for (offset, &byte) in self.source.text.as_bytes().iter().enumerate() {
            match byte {
                b'(' | b'[' | b'{' | b'<' => depth += 1,
                b'>' if previous == b'-' => {}
                b')' | b']' | b'}' | b'>' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEPTH {
                return Some(self.span_at(offset));
            }
            previous = byte;
        }
        None
    }
}

/// The word, string or single character that starts at an offset, or around it where it is within a character.
fn token(text: &str, offset: usize) -> Range<usize> {
    let start = (0..=offset.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    let rest = &text[start..];
    let in_word = |c: char| c.is_alphanumeric() || "%@!#^_.$".contains(c);
    let length = match rest.chars().next() {
        None | Some('\n') => 0,
        Some('"') => rest[1..].find(['"', '\n']).map_or(1, |end| end + 2),
        Some(first) => rest.find(|c| !in_word(c)).unwrap_or(rest.len()).max(first.len_utf8()),
    };
    start..start + length
}
