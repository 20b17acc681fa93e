//! Words, numbers and signs of a rule file; `//` starts a comment that ends with its line.
//!
//! Ends of lines mean almost nothing: a token only remembers whether it is the first of its line, because a matrix
//! product, which has no sign, must not reach into the next statement.

use std::{ops::Range, sync::Arc};

use super::codes;
use crate::diagnostic::{Diagnostic, Diagnostics, Source, Span};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum TokenKind {
    Word,
    Number(f64),
    Sign(char),
    End,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub range: Range<usize>,
    pub starts_line: bool,
}

/// All tokens of a text; the last is [`TokenKind::End`].
pub(super) fn tokens(source: &Arc<Source>) -> (Vec<Token>, Diagnostics) {
    let text = &source.text;
    let mut tokens = Vec::new();
    let mut diagnostics = Vec::new();
    let mut starts_line = true;
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = match first {
            '\n' => {
                starts_line = true;
                at += 1;
                continue;
            }
            // Some editors mark a file as UTF-8 by this at its beginning.
            '\u{feff}' if at == 0 => {
                at += first.len_utf8();
                continue;
            }
            _ if first.is_whitespace() => {
                at += first.len_utf8();
                continue;
            }
            '/' if rest.starts_with("//") => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                (TokenKind::Word, length_while(rest, |c| c.is_ascii_alphanumeric() || c == '_'))
            }
            '0'..='9' => number(rest),
            '{' | '}' | '(' | ')' | '[' | ']' | '<' | ':' | ',' | '=' | '+' | '-' | '*' | '/' | '^' => {
                (TokenKind::Sign(first), 1)
            }
            _ => {
                let span = Span::new(source, at..at + first.len_utf8());
                diagnostics.push(
                    Diagnostic::error(codes::SYNTAX, format!("`{first}` has no meaning in an update rule"))
                        .at(span)
                        .help("write names with the letters a to z, digits and `_`; the signs are + - * / ^ = <= : , ( ) [ ] { }"),
                );
                at += first.len_utf8();
                continue;
            }
        };
        tokens.push(Token { kind, range: at..at + length, starts_line });
        starts_line = false;
        at += length;
    }
    tokens.push(Token { kind: TokenKind::End, range: at..at, starts_line: true });
    (tokens, diagnostics)
}

fn length_while(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// Digits, perhaps a fraction, perhaps an exponent: `2`, `0.5`, `1e-6`.
fn number(text: &str) -> (TokenKind, usize) {
    let digits = |from: usize| length_while(&text[from..], |c| c.is_ascii_digit());
    let mut length = digits(0);
    if text[length..].starts_with('.') {
        length += 1 + digits(length + 1);
    }
    if text[length..].starts_with(['e', 'E']) {
        let sign = usize::from(text[length + 1..].starts_with(['+', '-']));
        let exponent = digits(length + 1 + sign);
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    // Such a text is always a number; one too large for f32, in which kernels compute, reads as infinity and is refused
    // where it is used.
    let number = text[..length].parse::<f64>().ok().filter(|&number| (number as f32).is_finite());
    (TokenKind::Number(number.unwrap_or(f64::INFINITY)), length)
}
