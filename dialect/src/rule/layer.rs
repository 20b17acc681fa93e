//! The layer part of a rule file: how a layer makes the inputs of its update rule from its hidden states `x`.
//!
//! Every input has one definition. Its value has one row per token and, in each row, the axis `head` before the axes
//! of the input; a projection makes all of them from `x`. Whoever builds a layer walks these expressions once for each
//! stream of tokens, and knows what the file leaves open: where the weights lie and which memory a row belongs to.

use super::{
    advice::wrong_count,
    check::elementwise,
    codes,
    program::Socket,
    syntax::{self, ExpressionKind, Name, Operator},
    unknown,
};
use crate::{
    diagnostic::{Diagnostic, Diagnostics, Span},
    graph::Function,
};

/// What `l2_norm` adds to the sum of squares before it divides by the root.
pub const L2_NORM_EPS: f64 = 1e-6;

/// The layer part of a rule file.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Learned values that are neither projections nor filters.
    pub weights: Vec<Weight>,
    /// One for each input of the update rule, in its order.
    pub inputs: Vec<Input>,
}

/// `weight NAME: AXIS`
#[derive(Clone, Debug, PartialEq)]
pub struct Weight {
    pub name: String,
    /// A part of the axes of the inputs that use it.
    pub axes: Vec<String>,
    pub span: Span,
}

/// `INPUT = EXPRESSION`
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    pub name: String,
    /// `head`, then the axes of the input.
    pub axes: Vec<String>,
    pub value: Expression,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    pub kind: Kind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Number(f64),
    /// A declared weight.
    Weight(String),
    /// `x` times a matrix, to the axes of the input. Each memory has a matrix of its own where `per_memory` says so.
    Project {
        weight: String,
        per_memory: bool,
    },
    /// A causal convolution along the tokens of the stream; the filter has the axes of the input, then the taps.
    ShortConv {
        value: Box<Expression>,
        filter: String,
    },
    /// x / sqrt(sum x² + [`L2_NORM_EPS`]) over the last axis.
    L2Norm(Box<Expression>),
    Elementwise(Function, Vec<Expression>),
}

/// Checks a layer part against the inputs of its update rule.
pub(super) fn check(layer: &syntax::Layer, inputs: &[Socket]) -> (Layer, Diagnostics) {
    let mut checker = Checker { weights: Vec::new(), matrices: Vec::new(), filters: 0, diagnostics: Vec::new() };
    for weight in &layer.weights {
        checker.declare(weight);
    }
    let mut checked = Vec::new();
    for input in inputs {
        let mut definitions = layer.definitions.iter().filter(|(name, _)| name.text == input.name.text);
        match definitions.next() {
            Some((name, expression)) => checked.extend(checker.input(name, expression, &input.axes)),
            None => checker.report(
                Diagnostic::error(
                    codes::LAYER_INPUTS,
                    format!("the layer does not make the input `{}`", input.name.text),
                )
                .at(layer.span.clone())
                .related(input.name.span.clone(), "declared here")
                .help(format!("write `{} = project(…)`", input.name.text)),
            ),
        }
        for (second, _) in definitions {
            let message = format!("`{}` is defined twice", second.text);
            checker.report(Diagnostic::error(codes::DUPLICATE_NAME, message).at(second.span.clone()));
        }
    }
    let names = || inputs.iter().map(|input| input.name.text.as_str());
    for (name, _) in layer.definitions.iter().filter(|(name, _)| !names().any(|input| input == name.text)) {
        let message = format!("the update rule has no input `{}`", name.text);
        checker.report(unknown(codes::LAYER_INPUTS, message, &name.text, names()).at(name.span.clone()));
    }
    if checker.diagnostics.is_empty() {
        for (weight, _) in checker.weights.iter().filter(|(_, used)| !used) {
            checker.diagnostics.push(
                Diagnostic::error(codes::NEVER_USED, format!("the weight `{}` is never used", weight.name))
                    .at(weight.span.clone())
                    .help("use it or take it out"),
            );
        }
    }
    let weights = checker.weights.into_iter().map(|(weight, _)| weight).collect();
    (Layer { weights, inputs: checked }, checker.diagnostics)
}

struct Checker {
    /// Declared weights, and whether something uses them.
    weights: Vec<(Weight, bool)>,
    /// Projections and filters by name, with what they are: the axes of a checkpoint's tensor follow from it.
    matrices: Vec<(String, Matrix)>,
    /// Short convolutions of the input at hand.
    filters: usize,
    diagnostics: Diagnostics,
}

#[derive(Clone, Debug, PartialEq)]
enum Matrix {
    Projection { axes: Vec<String>, per_memory: bool },
    Filter { axes: Vec<String> },
}

impl Checker {
    fn declare(&mut self, declaration: &syntax::Declaration) {
        let name = &declaration.name;
        if self.weights.iter().any(|(weight, _)| weight.name == name.text) {
            let message = format!("the weight `{}` is declared twice", name.text);
            return self.report(Diagnostic::error(codes::DUPLICATE_NAME, message).at(name.span.clone()));
        }
        let axes = declaration.axes.iter().map(|axis| axis.text.clone()).collect();
        self.weights.push((Weight { name: name.text.clone(), axes, span: name.span.clone() }, false));
    }

    fn input(&mut self, name: &Name, expression: &syntax::Expression, port: &[String]) -> Option<Input> {
        let axes: Vec<String> = [&["head".to_owned()], port].concat();
        self.filters = 0;
        let value = self.expression(expression, &axes)?;
        if !value.reads_tokens() {
            self.report(
                Diagnostic::error(codes::LAYER_INPUTS, format!("`{}` is the same for all tokens", name.text))
                    .at(expression.span.clone())
                    .help("make it from the hidden states with `project(…)`"),
            );
            return None;
        }
        Some(Input { name: name.text.clone(), axes, value, span: name.span.clone() })
    }

    /// A checked expression within the definition of an input with these axes; nothing if it was refused.
    fn expression(&mut self, expression: &syntax::Expression, axes: &[String]) -> Option<Expression> {
        let span = expression.span.clone();
        let kind = match &expression.kind {
            ExpressionKind::Number(number) if number.is_finite() => Kind::Number(*number),
            ExpressionKind::Number(_) => {
                self.report(Diagnostic::error(codes::SYNTAX, "this number is too large").at(span));
                return None;
            }
            ExpressionKind::Name(name) => self.weight(name, axes, &span)?,
            ExpressionKind::Negate(operand) => Kind::Elementwise(Function::Neg, vec![self.expression(operand, axes)?]),
            ExpressionKind::Call { function, arguments } => self.call(function, arguments, axes, &span)?,
            ExpressionKind::Binary { operator, left, right } => {
                let function = match operator {
                    Operator::Add => Function::Add,
                    Operator::Sub => Function::Sub,
                    Operator::Mul => Function::Mul,
                    Operator::Div => Function::Div,
                    Operator::Product | Operator::Power => {
                        let help = format!("write `{} * {}`", left.quoted(), right.quoted());
                        self.report(not_here("a matrix product or a power").at(span).help(help));
                        return None;
                    }
                };
                let (left, right) = (self.expression(left, axes), self.expression(right, axes));
                Kind::Elementwise(function, vec![left?, right?])
            }
            ExpressionKind::Transpose(_) => {
                self.report(not_here("a transpose").at(span));
                return None;
            }
            ExpressionKind::PerMemory(name) => {
                let help = format!("write `project({} per memory)`", name.text);
                self.report(not_here("`per memory` outside of `project(…)`").at(span).help(help));
                return None;
            }
        };
        Some(Expression { kind, span })
    }

    fn weight(&mut self, name: &str, axes: &[String], span: &Span) -> Option<Kind> {
        let Some((weight, used)) = self.weights.iter_mut().find(|(weight, _)| weight.name == name) else {
            let known = self.weights.iter().map(|(weight, _)| weight.name.as_str());
            let mut diagnostic = unknown(codes::UNKNOWN_NAME, format!("no weight is called `{name}`"), name, known);
            if diagnostic.help.is_none() {
                diagnostic =
                    diagnostic.help(format!("declare it, as in `weight {name}: head`, or write `project({name})`"));
            }
            self.report(diagnostic.at(span.clone()));
            return None;
        };
        *used = true;
        if let Some(axis) = weight.axes.iter().find(|axis| !axes.contains(axis)) {
            let message = format!("the weight `{name}` has the axis `{axis}`, and this input has only {}", list(axes));
            let declared = weight.span.clone();
            self.report(Diagnostic::error(codes::AXES, message).at(span.clone()).related(declared, "declared here"));
            return None;
        }
        Some(Kind::Weight(name.to_owned()))
    }

    fn call(
        &mut self,
        function: &Name,
        arguments: &[syntax::Expression],
        axes: &[String],
        span: &Span,
    ) -> Option<Kind> {
        let name = function.text.as_str();
        let expected = match (name, elementwise(name)) {
            ("short_conv", _) => 2,
            ("project" | "l2_norm", _) | (_, Some(_)) => 1,
            _ => {
                let known = Function::ALL.iter().map(|f| f.name()).filter(|f| elementwise(f).is_some());
                let message = format!("there is no function `{name}`");
                let known = known.chain(["project", "short_conv", "l2_norm"]);
                self.report(unknown(codes::UNKNOWN_NAME, message, name, known).at(function.span.clone()));
                return None;
            }
        };
        if arguments.len() != expected {
            self.report(wrong_count(function, expected, arguments.len()).at(span.clone()));
            return None;
        }
        match (name, arguments) {
            ("project", [weight]) => {
                let (weight, per_memory) = match &weight.kind {
                    ExpressionKind::Name(weight) => (weight.clone(), false),
                    ExpressionKind::PerMemory(weight) => (weight.text.clone(), true),
                    _ => {
                        self.report(not_a_name("project", "project(k_proj)").at(weight.span.clone()));
                        return None;
                    }
                };
                self.matrix(&weight, Matrix::Projection { axes: axes.to_vec(), per_memory }, span)?;
                Some(Kind::Project { weight, per_memory })
            }
            ("short_conv", [value, filter]) => {
                let ExpressionKind::Name(filter_name) = &filter.kind else {
                    self.report(not_a_name("short_conv", "short_conv(…, k_conv1d)").at(filter.span.clone()));
                    return None;
                };
                let value = self.expression(value, axes)?;
                self.filters += 1;
                if self.filters > 1 || !value.reads_tokens() {
                    let message = "an input passes at most one short convolution, which follows a projection";
                    self.report(Diagnostic::error(codes::NOT_HERE, message).at(span.clone()));
                    return None;
                }
                self.matrix(filter_name, Matrix::Filter { axes: axes.to_vec() }, span)?;
                Some(Kind::ShortConv { value: Box::new(value), filter: filter_name.clone() })
            }
            ("l2_norm", [value]) => {
                let value = self.expression(value, axes)?;
                if axes.len() == 1 || !value.reads_tokens() {
                    let message = "`l2_norm` needs a vector, made by a projection";
                    self.report(Diagnostic::error(codes::ARGUMENTS, message).at(span.clone()));
                    return None;
                }
                Some(Kind::L2Norm(Box::new(value)))
            }
            (_, [value]) => Some(Kind::Elementwise(elementwise(name)?, vec![self.expression(value, axes)?])),
            _ => None,
        }
    }

    /// A projection or filter is one tensor, however often it is used.
    fn matrix(&mut self, name: &str, matrix: Matrix, span: &Span) -> Option<()> {
        let declared = self.weights.iter().any(|(weight, _)| weight.name == name);
        let other = self.matrices.iter().find(|(other, _)| other == name);
        if declared || other.is_some_and(|(_, other)| *other != matrix) {
            let message = format!("`{name}` is used as two different weights");
            self.report(
                Diagnostic::error(codes::DUPLICATE_NAME, message)
                    .at(span.clone())
                    .help("a weight has one set of axes, and is either one for all memories or one per memory"),
            );
            return None;
        }
        if other.is_none() {
            self.matrices.push((name.to_owned(), matrix));
        }
        Some(())
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

impl Expression {
    /// This expression, then all within it.
    pub fn parts(&self) -> Vec<&Expression> {
        let within = match &self.kind {
            Kind::Number(_) | Kind::Weight(_) | Kind::Project { .. } => &[][..],
            Kind::ShortConv { value, .. } | Kind::L2Norm(value) => std::slice::from_ref(&**value),
            Kind::Elementwise(_, operands) => operands,
        };
        [self].into_iter().chain(within.iter().flat_map(Expression::parts)).collect()
    }

    /// Whether the value differs from token to token.
    fn reads_tokens(&self) -> bool {
        self.parts().iter().any(|part| matches!(part.kind, Kind::Project { .. }))
    }
}

fn not_here(what: &str) -> Diagnostic {
    Diagnostic::error(codes::NOT_HERE, format!("{what} has no meaning in the layer part"))
}

fn not_a_name(function: &str, example: &str) -> Diagnostic {
    let message = format!("`{function}` needs the name of a weight here");
    Diagnostic::error(codes::ARGUMENTS, message).help(format!("write `{example}`"))
}

fn list(axes: &[String]) -> String {
    axes.iter().map(|axis| format!("`{axis}`")).collect::<Vec<_>>().join(", ")
}
