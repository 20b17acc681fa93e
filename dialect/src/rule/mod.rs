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
pub const BUILTIN: &[(&str, &str)] = &[
    ("linear_attn", include_str!("../../rules/linear_attn.mom")),
    ("linear_attn_norm", include_str!("../../rules/linear_attn_norm.mom")),
    ("retention", include_str!("../../rules/retention.mom")),
    ("lightning_attn", include_str!("../../rules/lightning_attn.mom")),
    ("simple_gla", include_str!("../../rules/simple_gla.mom")),
    ("mamba2_ssd", include_str!("../../rules/mamba2_ssd.mom")),
    ("gla", include_str!("../../rules/gla.mom")),
    ("hgrn", include_str!("../../rules/hgrn.mom")),
    ("hgrn2", include_str!("../../rules/hgrn2.mom")),
    ("delta_rule", include_str!("../../rules/delta_rule.mom")),
    ("gated_delta_rule", include_str!("../../rules/gated_delta_rule.mom")),
    ("gdn2", include_str!("../../rules/gdn2.mom")),
    ("kda", include_str!("../../rules/kda.mom")),
    ("rwkv6", include_str!("../../rules/rwkv6.mom")),
    ("rwkv7", include_str!("../../rules/rwkv7.mom")),
    ("iplr_delta_rule", include_str!("../../rules/iplr_delta_rule.mom")),
    ("dplr_delta_rule", include_str!("../../rules/dplr_delta_rule.mom")),
    ("gsa", include_str!("../../rules/gsa.mom")),
    ("ttt_linear", include_str!("../../rules/ttt_linear.mom")),
    ("titans_l2", include_str!("../../rules/titans_l2.mom")),
    ("gated_delta_product", include_str!("../../rules/gated_delta_product.mom")),
    ("comba", include_str!("../../rules/comba.mom")),
    ("gated_oja_rule", include_str!("../../rules/gated_oja_rule.mom")),
    ("mesa_net", include_str!("../../rules/mesa_net.mom")),
];

/// A checked rule file.
#[derive(Clone, Debug)]
pub struct File {
    rule: syntax::Rule,
    variants: Vec<syntax::Variant>,
    /// The rule without variants.
    program: program::Program,
    /// How a layer makes the inputs, if the file says it.
    layer: Option<syntax::Layer>,
}

/// Reads and checks a rule file.
///
/// # Errors
/// Everything that is wrong with its text, names and axes; at least one.
pub fn parse(source: &Arc<Source>) -> Result<File, Diagnostics> {
    let syntax = parser::parse(source)?;
    let (program, mut diagnostics) = check::check(&syntax.rule, &[]);
    if diagnostics.is_empty() {
        diagnostics.extend(check_variants(&syntax, &program));
    }
    if let Some(layer) = &syntax.layer {
        diagnostics.extend(layer::check(layer, layer::Ports::of(&program, &program)).1);
    }
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    Ok(File { rule: syntax.rule, variants: syntax.variants, program, layer: syntax.layer })
}

/// Each variant alone, and their names.
fn check_variants(file: &syntax::File, program: &program::Program) -> Diagnostics {
    let mut diagnostics = Vec::new();
    for (at, variant) in file.variants.iter().enumerate() {
        let name = &variant.name;
        let other = file.variants[..at].iter().map(|other| &other.name);
        if let Some(first) =
            other.chain(program.options.iter().map(|(option, _)| option)).find(|other| other.text == name.text)
        {
            let message = format!("`{}` is two variants or options", name.text);
            let diagnostic = Diagnostic::error(codes::DUPLICATE_NAME, message).at(name.span.clone());
            diagnostics.push(diagnostic.related(first.span.clone(), "first here").help("choose another name"));
        }
        if variant.definitions.is_empty() && variant.further.is_empty() {
            let message = format!("the variant `{}` changes nothing", name.text);
            let help = "write `INPUT = …` in it, or an input with another type between its parentheses";
            diagnostics.push(Diagnostic::error(codes::VARIANT, message).at(name.span.clone()).help(help));
        }
        diagnostics.extend(check::check(&file.rule, &[variant]).1);
    }
    diagnostics
}

/// What goes into an update rule and comes out of it, by name, before sizes are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Interface {
    pub inputs: Vec<Value>,
    /// The same for all tokens.
    pub parameters: Vec<Value>,
    pub states: Vec<Value>,
    pub outputs: Vec<Value>,
}

/// One value of an [`Interface`], for one head.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub name: String,
    /// None for a scalar; a square matrix has one axis twice.
    pub axes: Vec<String>,
    /// What every element of a parameter is where nobody gives it; such a parameter may be absent.
    pub default: Option<f64>,
    /// What no element is above.
    pub at_most: Option<f64>,
}

impl File {
    pub fn name(&self) -> &str {
        &self.program.name.text
    }

    /// Where the file names its update rule.
    pub fn span(&self) -> &Span {
        &self.program.name.span
    }

    /// The update rule for axes of these sizes (`key`, `value`, …; `heads` is the number of heads), with these values
    /// in place of the options' defaults. A variant is an option that is 0 (off, the default) or 1.
    ///
    /// # Errors
    /// An axis without a size, an option that the rule does not have, an option that is no finite number, an entry
    /// behind the end of its axis, variants that do not go together.
    pub fn update_rule(
        &self,
        sizes: &BTreeMap<String, usize>,
        options: &BTreeMap<String, f64>,
    ) -> Result<UpdateRule, Diagnostics> {
        let (on, options) = self.switches(options)?;
        self.with_variants(&on)?.instantiate(sizes, &options, &self.variants().collect::<Vec<_>>())
    }

    /// How a layer makes the inputs that the rule has with these options, if the file says it.
    ///
    /// # Errors
    /// A variant whose inputs the layer part does not make, variants that do not go together.
    pub fn layer(&self, options: &BTreeMap<String, f64>) -> Result<Option<layer::Layer>, Diagnostics> {
        let Some(layer) = &self.layer else { return Ok(None) };
        let (on, _) = self.switches(options)?;
        let program = self.with_variants(&on)?;
        let (layer, found) = layer::check(layer, layer::Ports::of(&program, &self.program));
        if found.is_empty() {
            return Ok(Some(layer));
        }
        // Without variants the layer part was found to be sound.
        let on = on.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
        let message = format!("the layer part of `{}` does not make what the rule takes with {on} on", self.name());
        let found = found.into_iter().filter_map(|found| Some((found.primary?.span, found.message)));
        let diagnostic = Diagnostic::error(codes::VARIANT, message).at(self.span().clone());
        let help = "leave the variant off, or write an update rule of your own whose layer part makes these inputs";
        Err(vec![found.fold(diagnostic.help(help), |all, (span, message)| all.related(span, message))])
    }

    /// The variants that are on, and the other options.
    fn switches<'a>(
        &self,
        options: &'a BTreeMap<String, f64>,
    ) -> Result<(Vec<&'a str>, BTreeMap<String, f64>), Diagnostics> {
        let is_variant = |name: &str| self.variants().any(|variant| variant == name);
        let (switches, options): (Vec<_>, Vec<_>) = options.iter().partition(|(name, _)| is_variant(name));
        if let Some((name, value)) = switches.iter().find(|(_, value)| ![0.0, 1.0].contains(*value)) {
            let message = format!("the variant `{name}` is 1 or 0, not {value}");
            return Err(vec![Diagnostic::error(codes::VARIANT, message).at(self.span().clone())]);
        }
        let on = switches.into_iter().filter(|(_, value)| **value == 1.0).map(|(name, _)| &name[..]).collect();
        Ok((on, options.into_iter().map(|(name, &value)| (name.clone(), value)).collect()))
    }

    /// What the rule takes and gives with these variants on.
    ///
    /// # Errors
    /// A variant that the rule does not have, variants that do not go together.
    pub fn interface(&self, variants: &[&str]) -> Result<Interface, Diagnostics> {
        let program = self.with_variants(variants)?;
        let value = |socket: &program::Socket| Value {
            name: socket.name.text.clone(),
            axes: socket.axes.iter().map(|axis| axes::plain(axis).to_owned()).collect(),
            default: socket.default,
            at_most: socket.at_most,
        };
        let values = |sockets: &[program::Socket]| sockets.iter().map(value).collect();
        Ok(Interface {
            inputs: values(&program.inputs),
            parameters: values(&program.parameters),
            states: values(&program.states),
            outputs: values(&program.outputs),
        })
    }

    /// The options, each with its default as it is written.
    pub fn options(&self) -> impl Iterator<Item = (&str, String)> {
        self.program.options.iter().map(|(name, default)| (&name.text[..], default.quoted()))
    }

    /// The axes whose size the file states, for whoever gives no other.
    pub fn axes(&self) -> impl Iterator<Item = (&str, usize)> {
        self.program.axes.iter().map(|(name, size)| (&name.text[..], *size))
    }

    pub fn variants(&self) -> impl Iterator<Item = &str> {
        self.variants.iter().map(|variant| &variant.name.text[..])
    }

    /// The rule with these variants on, in the order of the file.
    fn with_variants(&self, names: &[&str]) -> Result<program::Program, Diagnostics> {
        if let Some(name) = names.iter().find(|name| !self.variants().any(|known| known == **name)) {
            let message = format!("the update rule `{}` has no variant `{name}`", self.name());
            return Err(vec![unknown(codes::VARIANT, message, name, self.variants()).at(self.span().clone())]);
        }
        if names.is_empty() {
            return Ok(self.program.clone());
        }
        let on: Vec<&syntax::Variant> =
            self.variants.iter().filter(|variant| names.contains(&&variant.name.text[..])).collect();
        let (program, diagnostics) = check::check(&self.rule, &on);
        if diagnostics.is_empty() { Ok(program) } else { Err(diagnostics) }
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
