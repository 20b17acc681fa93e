//! JSON with places: `config.json` as a [`Value`] tree.
//!
//! Errors in a configuration have to point at the guilty key, so the text is read here and not through serde, which
//! forgets where values stood. Numbers are read a little more leniently than the standard asks.

use std::{ops::Range, sync::Arc};

use mom_dialect::diagnostic::{Diagnostic, Source, Span};

use super::{
    codes,
    value::{Entry, Kind, Table, Value},
};

/// Nesting beyond this is refused, so that no input exhausts the stack.
const MAX_DEPTH: usize = 64;

const BYTE_ORDER_MARK: char = '\u{feff}';

type Parsed<T> = Result<T, Box<Diagnostic>>;

pub(super) fn parse(source: &Arc<Source>) -> Parsed<Value> {
    // Some editors begin a text with a byte order mark, which is no part of it.
    let start = if source.text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
    let mut parser = Parser { source, at: start, depth: 0 };
    let value = parser.value()?;
    match parser.peek() {
        None => Ok(value),
        Some(_) => Err(parser.error("there is text after the end of the configuration", "end the file here")),
    }
}

struct Parser<'a> {
    source: &'a Arc<Source>,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        self.source.text.get(self.at..).unwrap_or_default()
    }

    /// Skips white space and looks at the next character.
    fn peek(&mut self) -> Option<char> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.rest().chars().next()
    }

    fn accept(&mut self, symbol: char) -> bool {
        let found = self.peek() == Some(symbol);
        if found {
            self.at += symbol.len_utf8();
        }
        found
    }

    /// An error about the next character.
    fn error(&mut self, message: &str, help: &str) -> Box<Diagnostic> {
        let width = self.peek().map_or(0, char::len_utf8);
        self.error_at(self.at..self.at + width, message, help)
    }

    fn error_at(&self, range: Range<usize>, message: &str, help: &str) -> Box<Diagnostic> {
        Box::new(Diagnostic::error(codes::SYNTAX, message).at(Span::new(self.source, range)).help(help))
    }

    fn value(&mut self) -> Parsed<Value> {
        let first = self.peek();
        let start = self.at;
        let kind = match first {
            Some('{') => Kind::Table(Table(self.list('}', Self::entry)?)),
            Some('[') => Kind::Array(self.list(']', Self::value)?),
            Some('"') => Kind::String(self.string()?),
            Some(_) => self.word()?,
            None => return Err(self.error("the text ends where a value should stand", "write the value")),
        };
        Ok(Value { kind, range: start..self.at })
    }

    /// What stands between an opening bracket and `close`, separated by commas.
    fn list<T>(&mut self, close: char, read: fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        if self.depth == MAX_DEPTH {
            return Err(self.error("values are nested too deeply", "a configuration nests three levels at most"));
        }
        self.depth += 1;
        self.at += 1;
        let mut items = Vec::new();
        while !self.accept(close) {
            if !items.is_empty() && !self.accept(',') {
                let message = format!("a `,` or `{close}` should stand here");
                return Err(self.error(&message, "entries are separated by `,`"));
            }
            items.push(read(self)?);
        }
        self.depth -= 1;
        Ok(items)
    }

    fn entry(&mut self) -> Parsed<Entry> {
        if self.peek() != Some('"') {
            return Err(self.error("a key should stand here", "write a name in double quotes"));
        }
        let start = self.at;
        let key = self.string()?;
        let key_range = start..self.at;
        if !self.accept(':') {
            return Err(self.error("a `:` should follow the key", "write `\"key\": value`"));
        }
        Ok(Entry { key, key_range, value: self.value()? })
    }

    /// Finds the closing quote; what stands between the quotes is decoded by serde_json.
    fn string(&mut self) -> Parsed<String> {
        let start = self.at;
        let mut escaped = false;
        let end = self.rest().char_indices().skip(1).find(|&(_, symbol)| {
            let closes = symbol == '"' && !escaped;
            escaped = symbol == '\\' && !escaped;
            closes
        });
        let Some((length, _)) = end else {
            return Err(self.error_at(
                start..start + 1,
                "the string that begins here never ends",
                "close it with `\"`",
            ));
        };
        self.at += length + 1;
        let range = start..self.at;
        serde_json::from_str(&self.source.text[range.clone()]).map_err(|_| {
            let help = "escapes are `\\n`, `\\t`, `\\\"`, `\\\\` and `\\u` with four digits";
            self.error_at(range, "this string has an escape or a character that JSON does not allow", help)
        })
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Parsed<Kind> {
        let rest = self.rest();
        let length =
            rest.find(|symbol: char| !symbol.is_ascii_alphanumeric() && !"+-._".contains(symbol)).unwrap_or(rest.len());
        let word = &rest[..length];
        let kind = match word {
            "null" => Some(Kind::Null),
            "true" => Some(Kind::Boolean(true)),
            "false" => Some(Kind::Boolean(false)),
            // Python writes these into configurations, and no key of a model takes them.
            "NaN" | "Infinity" | "-Infinity" => word.parse().ok().map(Kind::Float),
            _ if !word.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) => None,
            _ if word.contains(['.', 'e', 'E']) => word.parse().ok().map(Kind::Float),
            _ => integer(word, 10).map(Kind::Integer),
        };
        let range = self.at..self.at + length.max(self.peek().map_or(0, char::len_utf8));
        self.at += length;
        kind.ok_or_else(|| {
            let help = "write a number, a string in double quotes, `true`, `false`, `null`, a list or an object";
            self.error_at(range, "this is not a JSON value", help)
        })
    }
}

/// Reads digits of a base; numbers too large for 128 bits become the largest or smallest number.
pub(super) fn integer(digits: &str, base: u32) -> Option<i128> {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    match i128::from_str_radix(digits, base) {
        Ok(number) => Some(number),
        Err(error) if *error.kind() == PosOverflow => Some(i128::MAX),
        Err(error) if *error.kind() == NegOverflow => Some(i128::MIN),
        Err(_) => None,
    }
}
