//! Attributes of an operation, taken one by one; what is left over in the end is not known to the operation.

use super::{
    super::tree::{Attribute, Operation},
    Checked, is_word, product, refuse,
};

/// The attributes of one operation that have not been read yet.
pub(super) struct Attributes<'a> {
    op: &'a str,
    left: Vec<&'a (String, Attribute)>,
}

impl<'a> Attributes<'a> {
    pub(super) fn of(op: &'a Operation) -> Self {
        Attributes { op: &op.name, left: op.attributes.iter().collect() }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.left.iter().any(|(found, _)| found == name)
    }

    fn take(&mut self, name: &str) -> Option<&'a Attribute> {
        let at = self.left.iter().position(|(found, _)| found == name)?;
        Some(&self.left.remove(at).1)
    }

    /// Passes over which of a definition's places are taken: that says no more than the operands and results do.
    pub(super) fn places(&mut self) {
        self.take("operandSegmentSizes");
        self.take("resultSegmentSizes");
    }

    fn wrong<T>(&self, name: &str, expected: &str) -> Checked<T> {
        refuse(format!("`{}` needs {expected} as its attribute `{name}`", self.op))
    }

    pub(super) fn text(&mut self, name: &str) -> Checked<String> {
        match self.take(name) {
            Some(Attribute::Text(text)) => Ok(text.clone()),
            _ => self.wrong(name, "a text"),
        }
    }

    pub(super) fn symbol(&mut self, name: &str) -> Checked<String> {
        match self.take(name) {
            Some(Attribute::Symbol(symbol)) => Ok(symbol.clone()),
            _ => self.wrong(name, "the name of an update rule, `@name`,"),
        }
    }

    pub(super) fn float(&mut self, name: &str) -> Checked<f64> {
        match self.take(name) {
            Some(Attribute::Float(value)) => Ok(*value),
            _ => self.wrong(name, "an f64"),
        }
    }

    pub(super) fn flag(&mut self, name: &str) -> Checked<bool> {
        match self.take(name) {
            Some(Attribute::Flag(flag)) => Ok(*flag),
            _ => self.wrong(name, "`true` or `false`"),
        }
    }

    pub(super) fn size(&mut self, name: &str) -> Checked<usize> {
        match self.take(name).and_then(size) {
            Some(size) => Ok(size),
            None => self.wrong(name, "an i64 of at least 0"),
        }
    }

    pub(super) fn sizes(&mut self, name: &str) -> Checked<Vec<usize>> {
        match self.take(name).and_then(|list| elements(list, size)) {
            Some(sizes) if product(sizes.iter()).is_some() => Ok(sizes),
            Some(_) => refuse(format!("`{}` has a `{name}` that is too large", self.op)),
            None => self.wrong(name, "a list of i64 of at least 0"),
        }
    }

    /// Names of ports, which name values in the text too.
    pub(super) fn names(&mut self, name: &str) -> Checked<Vec<String>> {
        let names = self.take(name).and_then(|list| elements(list, word));
        match names {
            Some(names) => Ok(names),
            None => self.wrong(name, "a list of words"),
        }
    }

    /// The old names of axes and their new ones.
    pub(super) fn renaming(&mut self, from: &str, to: &str) -> Checked<Vec<(String, String)>> {
        let old = self.take(from).and_then(|list| elements(list, text));
        let new = self.take(to).and_then(|list| elements(list, text));
        match (old, new) {
            (Some(old), Some(new)) if old.len() == new.len() => Ok(old.into_iter().zip(new).collect()),
            _ => self.wrong(from, &format!("as many texts as `{to}` has")),
        }
    }

    /// The names of two axes.
    pub(super) fn pair(&mut self, name: &str) -> Checked<[String; 2]> {
        let names = self.take(name).and_then(|list| elements(list, text));
        match names.and_then(|names| <[String; 2]>::try_from(names).ok()) {
            Some(pair) => Ok(pair),
            None => self.wrong(name, "two texts"),
        }
    }

    /// For each of `count` ports what its elements are not above; an empty text where nothing is known.
    pub(super) fn limits(&mut self, name: &str, count: usize) -> Checked<Vec<Option<f64>>> {
        let limit = |attribute: &Attribute| match text(attribute)?.as_str() {
            "" => Some(None),
            number => number.parse().ok().map(Some),
        };
        match self.take(name).and_then(|list| elements(list, limit)) {
            Some(limits) if limits.len() == count => Ok(limits),
            _ => self.wrong(name, &format!("{count} texts, each a number or empty,")),
        }
    }

    /// Says that no attributes are left.
    pub(super) fn end(self) -> Checked<()> {
        match self.left.first() {
            Some((name, _)) => refuse(format!("`{}` has no attribute `{name}`", self.op)),
            None => Ok(()),
        }
    }
}

fn size(attribute: &Attribute) -> Option<usize> {
    match attribute {
        Attribute::Integer(value) => usize::try_from(*value).ok(),
        _ => None,
    }
}

fn text(attribute: &Attribute) -> Option<String> {
    match attribute {
        Attribute::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn word(attribute: &Attribute) -> Option<String> {
    match attribute {
        Attribute::Text(text) if is_word(text) => Some(text.clone()),
        _ => None,
    }
}

fn elements<T>(attribute: &Attribute, element: impl Fn(&Attribute) -> Option<T>) -> Option<Vec<T>> {
    match attribute {
        Attribute::List(elements) => elements.iter().map(element).collect(),
        _ => None,
    }
}
