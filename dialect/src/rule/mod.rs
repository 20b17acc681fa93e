//! The update-rule language: a recurrence as on paper, and how a layer makes its inputs.
//!
//! A file becomes a [`File`] in three steps that share nothing but their data: tokens (`lexer`), statements
//! (`parser`, which states the grammar) and a program whose names and axes fit (`check`). All of that knows axes
//! by name only; sizes come last, when [`File::update_rule`] makes the graph's form of the rule. The language has no
//! list of update rules: those that ship are files like any other.

mod advice;
mod axes;
mod check;
pub mod codes;
pub mod layer;
mod lexer;
mod parser;
mod program;
mod syntax;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    diagnostic::{Code, Diagnostic, Diagnostics, Source, Span},
    graph::UpdateRule,
};

/// The update rules that ship with momc: name and text.
pub const BUILTIN: &[(&str, &str)] = &[("gated_delta_rule", include_str!("../../rules/gated_delta_rule.mom"))];

/// A checked rule file.
#[derive(Clone, Debug)]
pub struct File {
    program: program::Program,
    /// How a layer makes the inputs, if the file says it.
    pub layer: Option<layer::Layer>,
}

/// Reads and checks a rule file.
///
/// # Errors
/// Everything that is wrong with its text, names and axes; at least one.
pub fn parse(source: &Arc<Source>) -> Result<File, Diagnostics> {
    let syntax = parser::parse(source)?;
    let (program, mut diagnostics) = check::check(&syntax.rule);
    let layer = syntax.layer.as_ref().map(|layer| {
        let (layer, found) = layer::check(layer, &program.inputs);
        diagnostics.extend(found);
        layer
    });
    if diagnostics.is_empty() { Ok(File { program, layer }) } else { Err(diagnostics) }
}

impl File {
    pub fn name(&self) -> &str {
        &self.program.name.text
    }

    /// Where the file names its update rule.
    pub fn span(&self) -> &Span {
        &self.program.name.span
    }

    /// The update rule for axes of these sizes (`key`, `value`, …), with these values in place of the options'
    /// defaults.
    ///
    /// # Errors
    /// An axis without a size, an option that the rule does not have, an option that is no finite number.
    pub fn update_rule(
        &self,
        sizes: &BTreeMap<String, usize>,
        options: &BTreeMap<String, f64>,
    ) -> Result<UpdateRule, Diagnostics> {
        self.program.instantiate(sizes, options)
    }
}

/// An error about a name, with the known name that looks most like it.
fn unknown<'a>(code: Code, message: String, name: &str, known: impl IntoIterator<Item = &'a str>) -> Diagnostic {
    let diagnostic = Diagnostic::error(code, message);
    let known: Vec<&str> = known.into_iter().collect();
    let distance = |other: &str| strsim::damerau_levenshtein(name, other);
    let nearest = known.iter().min_by_key(|other| distance(other));
    match nearest {
        Some(other) if distance(other) <= name.len().max(other.len()) / 3 => {
            diagnostic.help(format!("did you mean `{other}`?"))
        }
        _ if known.is_empty() => diagnostic,
        _ => {
            let known: Vec<String> = known.iter().map(|other| format!("`{other}`")).collect();
            diagnostic.help(format!("known here: {}", known.join(", ")))
        }
    }
}
