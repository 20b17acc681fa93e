//! The layer part of a rule file: what a layer does around its update rule, said over the hidden states of the tokens.
//!
//! It is a list of definitions. Each has a value with one row per token and, in each row, the axes of the definition:
//! those of an input of the rule behind the axis `head`, or the axes that `let` declares. Two definitions have names of
//! their own: `read` is what a token reads from one memory, made of the rule's output and anything else, before the
//! memories are mixed; `output` is what is projected back to the hidden states, made of the mixed `read`.
//! Whoever builds a layer evaluates definitions for each stream of tokens and knows what the file leaves open: where
//! the weights lie, how large the axes are, and which memory a row belongs to.

mod call;
mod check;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::{
    codes,
    program::{Sizes, evaluate},
    syntax,
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, Span},
    graph::Function,
};

pub(super) use check::{Ports, check};

/// What `l2_norm` adds to the sum of squares before it divides by the root.
pub const L2_NORM_EPS: f64 = 1e-6;

/// The axis of all heads.
pub const HEAD: &str = "head";
/// The axis of fewer heads, each of which serves as many neighbours among all heads.
pub const GROUP: &str = "group";
/// The axis of the hidden states.
pub const MODEL: &str = "model";
/// The name of the hidden states in an expression.
pub const HIDDEN: &str = "hidden";
/// Numbers that every layer part knows: the layer's number, from 0, and how many layers there are.
pub const LAYER_NUMBERS: [&str; 2] = ["layer_index", "layer_count"];

/// The layer part of a rule file.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Learned values that are neither projections nor filters.
    pub weights: Vec<Weight>,
    /// In the order of the file; each uses only names above it. Every input and parameter of the update rule has one.
    pub definitions: Vec<Definition>,
    /// `axis` and `option` lines.
    settings: Vec<Setting>,
}

/// `weight NAME: AXES`
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    pub name: String,
    /// A part of the axes of the definitions that use it.
    pub axes: Vec<String>,
    pub span: Span,
}

/// `NAME = EXPRESSION`
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    pub name: String,
    pub role: Role,
    /// For what the update rule takes, `head` or `group`, then the axes of the port.
    pub axes: Vec<String>,
    pub value: Expression,
    pub span: Span,
}

/// What a definition is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The update rule's input of this number.
    Input(usize),
    /// The update rule's parameter of this number: made of weights alone.
    Parameter(usize),
    /// Other definitions.
    Let,
    /// What a token reads from one memory.
    Read,
    /// What is projected back to the hidden states.
    Output,
}

/// `axis NAME = NUMBER` or `option NAME = NUMBER`
#[derive(Clone, Debug, PartialEq)]
struct Setting {
    name: syntax::Name,
    default: syntax::Expression,
    is_axis: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    pub kind: Kind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Number(f64),
    /// A setting, or one of [`LAYER_NUMBERS`].
    Setting(String),
    /// A declared weight.
    Weight(String),
    /// An earlier definition, the hidden states, or, in `read` and `output`, what the memories read.
    Name(String),
    /// A value, named by `of`, times a matrix. The matrix maps the axes of the value that the definition lacks to those
    /// of the definition that the value lacks. Each memory has a matrix of its own where `per_memory` says so.
    Project {
        weight: String,
        of: String,
        per_memory: bool,
    },
    /// A causal convolution along the tokens of the stream and a function of its result; the filter has the axes of the
    /// definition, then the taps. Just the value where the model has no short convolution.
    ShortConv {
        value: Box<Expression>,
        filter: String,
        function: Option<Function>,
    },
    /// x / sqrt(sum x² + [`L2_NORM_EPS`]) over the last axis.
    L2Norm(Box<Expression>),
    /// x / sqrt(mean x² + eps), times a declared weight; eps is a setting or else the model's. Over the axes of the weight, or over the
    /// last axis where there is none.
    RmsNorm {
        value: Box<Expression>,
        weight: Option<String>,
        eps: Option<String>,
    },
    /// Rotary embedding of the last axis by the token's position.
    Rotary {
        value: Box<Expression>,
        base: f64,
    },
    /// Of a tensor of the model with a row for each layer: the share that the layers after the first and up to this one
    /// have in a softmax over all layers, entry by entry.
    ShareOfEarlier(String),
    /// A factor that is 1 where the model has no output gate.
    Gate(Box<Expression>),
    Elementwise(Function, Vec<Expression>),
}

impl Layer {
    /// The definition with this role.
    pub fn definition(&self, role: Role) -> Option<&Definition> {
        self.definitions.iter().find(|definition| definition.role == role)
    }

    pub fn named(&self, name: &str) -> Option<&Definition> {
        self.definitions.iter().find(|definition| definition.name == name)
    }

    /// Whether an option or axis of this name can be set.
    pub fn has_setting(&self, name: &str) -> bool {
        self.settings.iter().any(|setting| setting.name.text == name)
    }

    /// Axes that the layer part gives a size.
    pub fn own_axes(&self) -> impl Iterator<Item = &str> {
        self.settings.iter().filter(|setting| setting.is_axis).map(|setting| setting.name.text.as_str())
    }

    /// The numbers of a layer: its settings with `set` in place of their defaults, and what is known of it besides.
    ///
    /// # Errors
    /// A setting that is no finite number, or an axis whose size is not a whole number from 1.
    pub fn numbers(
        &self,
        sizes: &BTreeMap<String, usize>,
        known: [f64; 2],
        set: &BTreeMap<String, f64>,
    ) -> Result<BTreeMap<String, f64>, Diagnostics> {
        let sizes = Sizes { given: sizes, defaults: &[] };
        let mut values: Vec<(&str, f64)> = LAYER_NUMBERS.into_iter().zip(known).collect();
        for Setting { name, default, is_axis } in &self.settings {
            let value = match set.get(&name.text) {
                Some(&value) => value,
                None => evaluate(default, &values, &sizes).map_err(|found| vec![*found])?,
            };
            let size = value.fract() == 0.0 && (1.0..=f64::from(i32::MAX)).contains(&value);
            if !value.is_finite() || *is_axis && !size {
                let expected = if *is_axis { "a whole number from 1" } else { "a finite number" };
                let message = format!("`{}` is {value}, which is not {expected}", name.text);
                return Err(vec![Diagnostic::error(codes::OPTION, message).at(default.span.clone())]);
            }
            values.push((&name.text, value));
        }
        Ok(values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }
}

impl Expression {
    /// This expression, then all within it.
    pub fn parts(&self) -> Vec<&Expression> {
        let within = match &self.kind {
            Kind::Number(_) | Kind::Setting(_) | Kind::Weight(_) | Kind::Name(_) => &[][..],
            Kind::Project { .. } | Kind::ShareOfEarlier(_) => &[][..],
            Kind::ShortConv { value, .. } | Kind::RmsNorm { value, .. } | Kind::Rotary { value, .. } => {
                std::slice::from_ref(&**value)
            }
            Kind::L2Norm(value) | Kind::Gate(value) => std::slice::from_ref(&**value),
            Kind::Elementwise(_, operands) => operands,
        };
        [self].into_iter().chain(within.iter().flat_map(Expression::parts)).collect()
    }
}
