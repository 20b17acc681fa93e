//! Reads one table of a description: each key once, by type and range, and in the end the keys nobody asked for.
//!
//! A value that is refused is reported and replaced by its default, so that reading goes on; [`Findings`] knows which
//! places have been refused and stays silent about consequences.

use std::{
    ops::{Range, RangeInclusive},
    sync::Arc,
};

use mom_dialect::diagnostic::{Diagnostic, Severity, Source, Span};

use super::{
    codes,
    families::Setting,
    findings::Findings,
    value::{Entry, Kind, Table, Value},
};

/// The language of the description, for advice.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Toml,
    Json,
}

/// A value, the key it was read from, and where it stands. A default stands at the `null` it replaces, or at its table.
#[derive(Clone, Debug)]
pub(super) struct Field<T> {
    pub(super) value: T,
    pub(super) key: &'static str,
    pub(super) span: Span,
    pub(super) is_default: bool,
}

impl<T: std::fmt::Debug> Field<T> {
    /// `top_k` is 2. Very large and very small numbers have an exponent.
    pub(super) fn says(&self) -> String {
        let origin = if self.is_default { " by default" } else { "" };
        format!("`{}` is {:?}{origin}", self.key, self.value)
    }
}

/// fla's default.
pub(super) const NORM_EPS: f64 = 1e-6;

/// Sizes fit a 32-bit index, as tokens and rows do in compiled code.
pub(super) const SIZE: RangeInclusive<usize> = 1..=i32::MAX as usize;

// Limits far beyond any model that was trained. Memories, heads and layers multiply in parameters, work and code, so a
// digit too many is better refused here than after minutes of compiling.
pub(super) const LAYERS: RangeInclusive<usize> = 1..=1000;
pub(super) const HEADS: RangeInclusive<usize> = 1..=1024;
pub(super) const MEMORIES: RangeInclusive<usize> = 1..=1024;
/// Besides, a token chooses no memory twice.
pub(super) const TOP_K: RangeInclusive<usize> = 1..=64;

pub(super) struct Reader<'t, 'f> {
    source: &'t Arc<Source>,
    table: &'t Table,
    /// Where the table begins.
    place: Span,
    /// How messages call it.
    name: &'static str,
    language: Language,
    known: Vec<&'static str>,
    findings: &'f mut Findings,
}

impl<'t, 'f> Reader<'t, 'f> {
    pub(super) fn new(
        (source, language): (&'t Arc<Source>, Language),
        name: &'static str,
        (table, place): (&'t Table, Span),
        findings: &'f mut Findings,
    ) -> Self {
        Self { source, table, place, name, language, known: Vec::new(), findings }
    }

    pub(super) fn place(&self) -> Span {
        self.place.clone()
    }

    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.findings.push(diagnostic);
    }

    /// The value of a key; `null` counts as none.
    fn take(&mut self, key: &'static str) -> Option<&'t Value> {
        self.known.push(key);
        self.table.get(key).filter(|value| !matches!(value.kind, Kind::Null))
    }

    /// Whether the key stands there, be it with `null`.
    pub(super) fn mentions(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    /// Whether the key stands there with 0.
    pub(super) fn is_zero(&mut self, key: &'static str) -> bool {
        let zero = self.table.get(key).is_some_and(|value| matches!(value.kind, Kind::Integer(0)));
        self.known.extend(zero.then_some(key));
        zero
    }

    /// Whether a key, or what it is when left out, has one of these settings; and where that is said.
    pub(super) fn is_one_of(&mut self, key: &'static str, default: Setting, settings: &[Setting]) -> (bool, Span) {
        self.known.push(key);
        let Some(value) = self.table.get(key) else {
            return (settings.contains(&default), self.place());
        };
        let is = |setting: &Setting| match (&value.kind, setting) {
            (Kind::Null, Setting::Null)
            | (Kind::Boolean(true), Setting::True)
            | (Kind::Boolean(false), Setting::False) => true,
            (Kind::Integer(number), Setting::Number(expected)) => *number as f64 == *expected,
            (Kind::Float(number), Setting::Number(expected)) => number == expected,
            (Kind::String(text), Setting::Text(expected)) => text == expected,
            _ => false,
        };
        (settings.iter().any(is), self.span(value))
    }

    /// A number; `true` stands for `on`, and `false` and `null` for nothing.
    pub(super) fn number_or_switch(&mut self, key: &'static str, on: f64) -> Option<f64> {
        let value = self.take(key)?;
        match value.kind {
            Kind::Boolean(switch) => switch.then_some(on),
            _ => self.number(key, value, on),
        }
    }

    /// The least and the greatest of a range, as far as they are finite.
    pub(super) fn range(&mut self, key: &'static str) -> [Option<f64>; 2] {
        let example = "[0.0, 0.1]";
        let Some(value) = self.take(key) else { return [None, None] };
        let Kind::Array(entries) = &value.kind else {
            self.wrong_type(key, value, "a list of two numbers", example);
            return [None, None];
        };
        let [least, most] = &entries[..] else {
            self.findings.push(self.out_of_range(key, value, "two numbers", example));
            return [None, None];
        };
        let mut finite = |entry: &Value, none: f64| match entry.kind {
            Kind::Float(number) if number == none => None,
            _ => self.number(key, entry, 0.1),
        };
        let found = [finite(least, f64::NEG_INFINITY), finite(most, f64::INFINITY)];
        if let [Some(least), Some(most)] = found
            && least > most
        {
            self.findings.push(self.out_of_range(key, value, "the least number, then the greatest", example));
        }
        found
    }

    /// Keys that are read elsewhere or have no effect.
    pub(super) fn ignore(&mut self, keys: &[&'static str]) {
        self.known.extend(keys);
    }

    fn span(&self, value: &Value) -> Span {
        Span::new(self.source, value.range.clone())
    }

    fn field<T>(&self, key: &'static str, value: &Value, content: T) -> Field<T> {
        Field { value: content, key, span: self.span(value), is_default: false }
    }

    pub(super) fn default<T>(&self, key: &'static str, value: T) -> Field<T> {
        Field { value, key, span: self.place_of(key), is_default: true }
    }

    /// Where a key is that has no value: at its `null`, or at its table.
    fn place_of(&self, key: &str) -> Span {
        self.table.get(key).map_or_else(|| self.place(), |value| self.span(value))
    }

    /// `heads = 4` or `"heads": 4`.
    fn assignment(&self, key: &str, value: &str) -> String {
        match self.language {
            Language::Toml => format!("`{key} = {value}`"),
            Language::Json => format!("`\"{key}\": {value}`"),
        }
    }

    /// A value as it was written.
    fn written(&self, value: &Value) -> &'t str {
        &self.source.text[value.range.clone()]
    }

    /// What a message says was found instead of a value of another type. `1e30` and `nan` say more than any noun.
    fn found(&self, value: &Value) -> &'t str {
        match value.kind {
            Kind::Float(_) => self.written(value),
            _ => value.kind.noun(),
        }
    }

    fn wrong_type(&mut self, key: &str, value: &Value, wanted: &str, example: &str) {
        let message = format!("`{key}` must be {wanted}, not {}", self.found(value));
        let help = format!("write for example {}", self.assignment(key, example));
        self.findings.push(Diagnostic::error(codes::WRONG_TYPE, message).at(self.span(value)).help(help));
    }

    fn out_of_range(&self, key: &str, value: &Value, allowed: &str, example: &str) -> Diagnostic {
        let message = format!("`{key}` must be {allowed}, but is {}", self.written(value));
        let help = format!("write for example {}", self.assignment(key, example));
        Diagnostic::error(codes::OUT_OF_RANGE, message).at(self.span(value)).help(help)
    }

    /// The value of a key without which there is no model; if there is none, that has been reported.
    fn required(&mut self, key: &'static str, example: &str) -> Option<&'t Value> {
        let value = self.take(key);
        if value.is_none() {
            let message = format!("{} has no `{key}`", self.name);
            let help = format!("write for example {}", self.assignment(key, example));
            self.findings.push(Diagnostic::error(codes::MISSING_KEY, message).at(self.place_of(key)).help(help));
        }
        value
    }

    /// Reads an integer and checks its range; `example` is shown where it is none.
    fn integer_in(
        &mut self,
        key: &'static str,
        value: &Value,
        range: &RangeInclusive<usize>,
        example: usize,
    ) -> Option<usize> {
        let Kind::Integer(number) = value.kind else {
            self.wrong_type(key, value, "an integer", &example.to_string());
            return None;
        };
        if let Some(number) = usize::try_from(number).ok().filter(|number| range.contains(number)) {
            return Some(number);
        }
        let limit = match number < *range.start() as i128 {
            true => format!("at least {}", range.start()),
            false => format!("at most {}", range.end()),
        };
        self.findings.push(self.out_of_range(key, value, &limit, &example.to_string()));
        None
    }

    pub(super) fn size(&mut self, key: &'static str, default: usize, range: RangeInclusive<usize>) -> Field<usize> {
        let Some(value) = self.take(key) else {
            return self.default(key, default);
        };
        let size = self.integer_in(key, value, &range, default).unwrap_or(default);
        self.field(key, value, size)
    }

    /// A size without which there is no model.
    pub(super) fn required_size(
        &mut self,
        key: &'static str,
        example: usize,
        range: RangeInclusive<usize>,
    ) -> Field<usize> {
        self.required(key, &example.to_string());
        self.size(key, example, range)
    }

    pub(super) fn optional_size(
        &mut self,
        key: &'static str,
        example: usize,
        range: RangeInclusive<usize>,
    ) -> Option<Field<usize>> {
        let value = self.take(key)?;
        let size = self.integer_in(key, value, &range, example)?;
        Some(self.field(key, value, size))
    }

    /// A token, or the first of a list of tokens; that the others do not count is a warning.
    pub(super) fn first_token(
        &mut self,
        key: &'static str,
        example: usize,
        range: RangeInclusive<usize>,
    ) -> Option<Field<usize>> {
        let written = self.take(key)?;
        let (value, others) = match &written.kind {
            Kind::Array(values) => values.split_first()?,
            _ => (written, [].as_slice()),
        };
        if let Some(last) = others.last() {
            let message = format!("`{key}` lists {} tokens, and momc takes the first only", others.len() + 1);
            let span = Span::new(self.source, others[0].range.start..last.range.end);
            let help = format!("write the one that counts, as in {}", self.assignment(key, self.written(value)));
            self.findings.push(Diagnostic::warning(codes::WITHOUT_EFFECT, message).at(span).help(help));
        }
        let size = self.integer_in(key, value, &range, example)?;
        Some(self.field(key, value, size))
    }

    /// A number above zero.
    pub(super) fn positive(&mut self, key: &'static str, default: f64) -> Field<f64> {
        self.optional_positive(key, default).unwrap_or_else(|| self.default(key, default))
    }

    /// A number above zero; where it is refused, the field holds the example.
    pub(super) fn optional_positive(&mut self, key: &'static str, example: f64) -> Option<Field<f64>> {
        self.optional_number(key, example, |number| (number <= 0.0).then_some("above zero"))
    }

    /// As [`Reader::optional_positive`], for a key that must be there.
    pub(super) fn required_positive(&mut self, key: &'static str, example: f64) -> f64 {
        if self.required(key, &format!("{example:?}")).is_none() {
            return example;
        }
        self.positive(key, example).value
    }

    /// What is added to a mean square before its root is taken. As much as the mean square itself, about 1, would make
    /// nonsense of the norm.
    pub(super) fn norm_eps(&mut self, default: f64) -> f64 {
        let refused = |number| match number {
            ..=0.0 => Some("above zero"),
            1.0.. => Some("below 1"),
            _ => None,
        };
        self.optional_number("norm_eps", default, refused).map_or(default, |field| field.value)
    }

    /// A number for which `refused` does not say what it should be instead; else the field holds the example.
    fn optional_number(
        &mut self,
        key: &'static str,
        example: f64,
        refused: impl Fn(f64) -> Option<&'static str>,
    ) -> Option<Field<f64>> {
        let value = self.take(key)?;
        let number = self.number(key, value, example)?;
        let Some(allowed) = refused(number) else {
            return Some(self.field(key, value, number));
        };
        self.findings.push(self.out_of_range(key, value, allowed, &format!("{example:?}")));
        Some(self.field(key, value, example))
    }

    /// A number that compiled code can compute with: one that is neither infinite nor less than precise in f32.
    fn number(&mut self, key: &str, value: &Value, example: f64) -> Option<f64> {
        let example = format!("{example:?}");
        let number = match value.kind {
            Kind::Integer(number) => number as f64,
            Kind::Float(number) => number,
            _ => {
                self.wrong_type(key, value, "a number", &example);
                return None;
            }
        };
        if number == 0.0 || (number as f32).is_normal() {
            return Some(number);
        }
        let error = self.out_of_range(key, value, "a number that f32 can hold", &example);
        let note = format!("f32 holds numbers from {:?} to {:?}, of either sign, and 0", f32::MIN_POSITIVE, f32::MAX);
        self.findings.push(error.note(note));
        None
    }

    /// `null` is false, as Python's `None` is where fla asks for a truth value.
    pub(super) fn boolean(&mut self, key: &'static str, default: bool) -> Field<bool> {
        self.known.push(key);
        let Some(value) = self.table.get(key) else {
            return self.default(key, default);
        };
        let content = match value.kind {
            Kind::Boolean(content) => content,
            Kind::Null => false,
            _ => {
                self.wrong_type(key, value, "`true` or `false`", &default.to_string());
                default
            }
        };
        self.field(key, value, content)
    }

    /// A string without which there is no model; if there is none, that has been reported.
    pub(super) fn required_string(&mut self, key: &'static str, example: &str) -> Option<Field<String>> {
        self.required(key, &format!("\"{example}\""))?;
        self.string(key, example)
    }

    pub(super) fn string(&mut self, key: &'static str, example: &str) -> Option<Field<String>> {
        let value = self.take(key)?;
        let Kind::String(text) = &value.kind else {
            self.wrong_type(key, value, "a string", &format!("\"{example}\""));
            return None;
        };
        Some(self.field(key, value, text.clone()))
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, default: T, words: &[(&str, T)]) -> Field<T> {
        let example = words.first().map_or("", |(word, _)| word);
        let Some(word) = self.string(key, example) else {
            return self.default(key, default);
        };
        let chosen = words.iter().find(|(name, _)| *name == word.value).map(|(_, content)| *content);
        if chosen.is_none() {
            let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
            let message = format!("`{key}` must be {}, but is \"{}\"", alternatives(&names), word.value);
            self.findings.push(Diagnostic::error(codes::OUT_OF_RANGE, message).at(word.span.clone()));
        }
        Field { value: chosen.unwrap_or(default), key, span: word.span, is_default: false }
    }

    /// A list of integers from zero.
    pub(super) fn integers(&mut self, key: &'static str) -> Field<Vec<Field<usize>>> {
        let example = "[3, 7]";
        let Some(value) = self.required(key, example) else {
            return self.default(key, Vec::new());
        };
        let Kind::Array(entries) = &value.kind else {
            self.wrong_type(key, value, "a list of layer numbers", example);
            return self.field(key, value, Vec::new());
        };
        let mut numbers = Vec::new();
        for entry in entries {
            if let Some(number) = self.integer_in(key, entry, &(0..=i32::MAX as usize), 3) {
                numbers.push(self.field(key, entry, number));
            }
        }
        self.field(key, value, numbers)
    }

    /// All entries of this table, as numbers under names of the user's choice.
    pub(super) fn numbers(mut self) -> Vec<(String, f64)> {
        let table = self.table;
        let numbers =
            table.0.iter().filter_map(|entry| Some((entry.key.clone(), self.number(&entry.key, &entry.value, 1.0)?)));
        numbers.collect()
    }

    /// A table under a key, and where it begins.
    pub(super) fn table(&mut self, key: &'static str) -> Option<(&'t Table, Span)> {
        let value = self.take(key)?;
        let Kind::Table(table) = &value.kind else {
            self.wrong_type(key, value, "a table", "{}");
            return None;
        };
        Some((table, self.head(value)))
    }

    /// Where a table begins: its head in TOML, the opening brace in JSON.
    fn head(&self, value: &Value) -> Span {
        let Range { start, end } = value.range;
        let end = if self.language == Language::Json { end.min(start + 1) } else { end };
        Span::new(self.source, start..end)
    }

    /// The tables of a list; JSON may write a single one without the list.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<(&'t Table, Span)> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let single = std::slice::from_ref(value);
        let values = match &value.kind {
            Kind::Array(values) => values,
            Kind::Table(_) if self.language == Language::Json => single,
            _ => {
                let message = format!("`{key}` must be a list of tables, not {}", self.found(value));
                let help = match self.language {
                    Language::Toml => format!("write its head as `[[{key}]]`"),
                    Language::Json => format!("write `\"{key}\": {{…}}` or `null`"),
                };
                self.findings.push(Diagnostic::error(codes::WRONG_TYPE, message).at(self.span(value)).help(help));
                return Vec::new();
            }
        };
        let mut tables = Vec::new();
        for value in values {
            match &value.kind {
                Kind::Table(table) => tables.push((table, self.head(value))),
                _ => self.wrong_type(key, value, "a list of tables", "[]"),
            }
        }
        tables
    }

    /// Reports the keys nobody asked for.
    pub(super) fn finish(self, severity: Severity) {
        for Entry { key, key_range, .. } in &self.table.0 {
            if self.known.contains(&key.as_str()) {
                continue;
            }
            let message = format!("unknown key `{key}` in {}", self.name);
            let names: Vec<String> = self.known.iter().map(|name| format!("`{name}`")).collect();
            let takes = (severity != Severity::Warning).then(|| format!("{} takes {}", self.name, names.join(", ")));
            let found = Diagnostic {
                severity,
                help: did_you_mean(key, &self.known).or(takes),
                ..Diagnostic::error(codes::UNKNOWN_KEY, message)
            };
            self.findings.push(found.at(Span::new(self.source, key_range.clone())));
        }
    }
}

/// The known word that was probably meant.
pub(super) fn did_you_mean(written: &str, known: &[&str]) -> Option<String> {
    let similarity = |word: &&&str| strsim::jaro_winkler(&written.to_lowercase(), &word.to_lowercase());
    let best = known.iter().max_by(|one, other| similarity(one).total_cmp(&similarity(other)))?;
    (similarity(&best) > 0.8).then(|| format!("did you mean `{best}`?"))
}

/// "a", "b" or "c"
pub(super) fn alternatives(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
