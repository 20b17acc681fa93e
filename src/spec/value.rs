//! A parsed text in which every key and value knows its place: what TOML and JSON have in common.
//!
//! Both languages are read into this tree, so that one reader checks types, ranges and unknown keys of both.

use std::ops::Range;

/// A value and the bytes it was written in.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Null,
    Boolean(bool),
    /// Integers beyond 128 bits are kept at the nearest end, which no key allows.
    Integer(i128),
    Float(f64),
    String(String),
    Array(Vec<Value>),
    Table(Table),
    /// A date or time, which no key takes.
    Date,
}

impl Kind {
    /// What a message calls a value of this kind.
    pub(super) fn noun(&self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean(_) => "a boolean",
            Kind::Integer(_) => "an integer",
            Kind::Float(_) => "a number",
            Kind::String(_) => "a string",
            Kind::Array(_) => "a list",
            Kind::Table(_) => "a table",
            Kind::Date => "a date",
        }
    }
}

/// Keys and their values. Where a JSON object repeats a key, the last one counts, as in Python.
#[derive(Debug, Default)]
pub(super) struct Table(pub(super) Vec<Entry>);

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_range: Range<usize>,
    pub(super) value: Value,
}

impl Table {
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().rev().find(|entry| entry.key == key).map(|entry| &entry.value)
    }
}
