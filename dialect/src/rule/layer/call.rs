//! The functions of a layer part: projections, convolutions, norms, and what works entry by entry.

use super::{
    super::{
        advice::wrong_count,
        codes,
        syntax::{self, ExpressionKind, Name},
        unknown,
    },
    Expression, GROUP, HEAD, HIDDEN, Kind, Role,
    check::{Checker, Found, Matrix, Place, list, not_here},
};
use crate::{
    diagnostic::{Diagnostic, Span},
    graph::Function,
};

/// The base of rotary embeddings.
const ROTARY_BASE: f64 = 10000.0;

impl Checker<'_> {
    pub(super) fn call(
        &mut self,
        function: &Name,
        arguments: &[syntax::Expression],
        place: Place<'_>,
        span: &Span,
    ) -> Option<Found> {
        let name = function.text.as_str();
        let counts = match (name, entrywise(name)) {
            ("short_conv", _) => 2..=3,
            ("project", _) => 1..=2,
            ("rms_norm", _) => 1..=3,
            ("l2_norm" | "rotary" | "gate" | "share_of_earlier" | "logsigmoid" | "tanh" | "relu", _) => 1..=1,
            (_, Some(function)) => function.arity()..=function.arity(),
            (_, None) => {
                let known = Function::ALL.iter().map(|f| f.name()).filter(|name| entrywise(name).is_some());
                let message = format!("there is no function `{name}`");
                let known = known.chain(["project", "short_conv", "l2_norm", "rms_norm", "rotary", "gate"]);
                let known = known.chain(["logsigmoid", "tanh", "relu", "share_of_earlier"]);
                self.report(unknown(codes::UNKNOWN_NAME, message, name, known).at(function.span.clone()));
                return None;
            }
        };
        if !counts.contains(&arguments.len()) {
            self.report(wrong_count(function, *counts.start(), arguments.len()).at(span.clone()));
            return None;
        }
        match (name, arguments) {
            ("project", [weight, of @ ..]) => self.project(weight, of.first(), place, span),
            ("short_conv", [value, filter, of @ ..]) => self.short_conv(value, filter, of.first(), place, span),
            ("l2_norm", [value]) => {
                let value = self.vector("l2_norm", value, place, span)?;
                Some(Found { kind: Kind::L2Norm(value.into()), axes: place.axes.to_vec(), reads_tokens: true })
            }
            ("rotary", [value]) => {
                let value = self.vector("rotary", value, place, span)?;
                let kind = Kind::Rotary { value: value.into(), base: ROTARY_BASE };
                Some(Found { kind, axes: place.axes.to_vec(), reads_tokens: true })
            }
            ("rms_norm", [value, weight @ ..]) => {
                let value = self.vector("rms_norm", value, place, span)?;
                let weight = match weight.first() {
                    Some(weight) => Some(self.norm_weight(weight, place)?),
                    None => None,
                };
                let eps = match arguments.get(2).map(|eps| (&eps.kind, &eps.span)) {
                    None => None,
                    Some((ExpressionKind::Name(name), _)) if self.is_number(name) => Some(name.clone()),
                    Some((_, span)) => {
                        let message = "`rms_norm` needs the name of a setting here";
                        let help = "declare it above: `option eps = 1e-5`";
                        self.report(Diagnostic::error(codes::ARGUMENTS, message).at(span.clone()).help(help));
                        return None;
                    }
                };
                let kind = Kind::RmsNorm { value: value.into(), weight, eps };
                Some(Found { kind, axes: place.axes.to_vec(), reads_tokens: true })
            }
            ("share_of_earlier", [weight]) => {
                let ExpressionKind::Name(name) = &weight.kind else {
                    self.report(not_a_name("share_of_earlier", "share_of_earlier(bounds)").at(weight.span.clone()));
                    return None;
                };
                self.matrix(name, Matrix::OfLayers { axes: place.axes.to_vec() }, span)?;
                let kind = Kind::ShareOfEarlier(name.clone());
                Some(Found { kind, axes: place.axes.to_vec(), reads_tokens: false })
            }
            ("logsigmoid" | "tanh" | "relu", [value]) => {
                let (value, axes, reads_tokens) = self.expression(value, place)?;
                Some(Found { kind: composed(name, value), axes, reads_tokens })
            }
            ("gate", [value]) => {
                if place.role != Role::Output {
                    self.report(not_here("`gate` outside of `output`").at(span.clone()));
                    return None;
                }
                let (value, axes, reads_tokens) = self.expression(value, place)?;
                Some(Found { kind: Kind::Gate(value.into()), axes, reads_tokens })
            }
            (_, operands) => {
                let operands: Vec<&syntax::Expression> = operands.iter().collect();
                self.elementwise(entrywise(name)?, &operands, place)
            }
        }
    }

    fn project(
        &mut self,
        weight: &syntax::Expression,
        of: Option<&syntax::Expression>,
        place: Place<'_>,
        span: &Span,
    ) -> Option<Found> {
        let (weight, per_memory) = match &weight.kind {
            ExpressionKind::Name(weight) => (weight.clone(), false),
            ExpressionKind::PerMemory(weight) => (weight.text.clone(), true),
            _ => {
                self.report(not_a_name("project", "project(k_proj)").at(weight.span.clone()));
                return None;
            }
        };
        if per_memory && place.role == Role::Output {
            self.report(not_here("`per memory` in `output`, which is made of the mix,").at(span.clone()));
            return None;
        }
        let of = match of.map(|of| (&of.kind, &of.span)) {
            None => HIDDEN.to_owned(),
            Some((ExpressionKind::Name(name), _)) => name.clone(),
            Some((_, span)) => {
                let help = "name it above with `let NAME: AXES = …`";
                let message = "`project` needs the name of a value here";
                self.report(Diagnostic::error(codes::ARGUMENTS, message).at(span.clone()).help(help));
                return None;
            }
        };
        let (value, reads_tokens) = self.value(&of, place, span)?;
        let from: Vec<String> = value.iter().filter(|axis| !place.axes.contains(axis)).cloned().collect();
        let to: Vec<String> = place.axes.iter().filter(|axis| !value.contains(axis)).cloned().collect();
        let kept = value.len() - from.len();
        if from.is_empty() || !reads_tokens || value[..kept] != place.axes[..place.axes.len() - to.len()] {
            let message = format!("no matrix maps {} to {}", list(&value), list(place.axes));
            self.report(Diagnostic::error(codes::AXES, message).at(span.clone()).help(
                "axes that the value and the result share stay as they are and come first; the others are mapped, and \
                 the value needs at least one: give it an axis of its own with `axis NAME = SIZE` and `let`",
            ));
            return None;
        }
        self.matrix(&weight, Matrix::Projection { to, from, per_memory }, span)?;
        Some(Found { kind: Kind::Project { weight, of, per_memory }, axes: place.axes.to_vec(), reads_tokens: true })
    }

    fn short_conv(
        &mut self,
        value: &syntax::Expression,
        filter: &syntax::Expression,
        function: Option<&syntax::Expression>,
        place: Place<'_>,
        span: &Span,
    ) -> Option<Found> {
        let ExpressionKind::Name(filter_name) = &filter.kind else {
            self.report(not_a_name("short_conv", "short_conv(…, k_conv1d)").at(filter.span.clone()));
            return None;
        };
        let function = match function.map(|function| (&function.kind, &function.span)) {
            None => None,
            Some((ExpressionKind::Name(name), _)) if entrywise(name).is_some_and(|f| f.arity() == 1) => entrywise(name),
            Some((_, span)) => {
                let message = "`short_conv` needs the name of a function here";
                let help = "write `short_conv(…, k_conv1d, silu)`";
                self.report(Diagnostic::error(codes::ARGUMENTS, message).at(span.clone()).help(help));
                return None;
            }
        };
        let (value, axes, reads_tokens) = self.expression(value, place)?;
        self.filters += 1;
        if self.filters > 1 || !reads_tokens || axes != place.axes || place.role == Role::Output {
            let message = "an input passes at most one short convolution, which follows a projection";
            self.report(Diagnostic::error(codes::NOT_HERE, message).at(span.clone()));
            return None;
        }
        self.matrix(filter_name, Matrix::Filter { axes: axes.clone() }, span)?;
        let kind = Kind::ShortConv { value: value.into(), filter: filter_name.clone(), function };
        Some(Found { kind, axes, reads_tokens })
    }

    /// An operand with all axes of its definition, of which the last is not `head`.
    fn vector(
        &mut self,
        function: &str,
        value: &syntax::Expression,
        place: Place<'_>,
        span: &Span,
    ) -> Option<Expression> {
        let (value, axes, reads_tokens) = self.expression(value, place)?;
        let is_vector = place.axes.last().is_some_and(|axis| ![HEAD, GROUP].contains(&axis.as_str()));
        if !is_vector || !reads_tokens || axes != place.axes {
            let message = format!("`{function}` needs a vector, made by a projection");
            self.report(Diagnostic::error(codes::ARGUMENTS, message).at(span.clone()));
            return None;
        }
        Some(value)
    }

    /// The declared weight of a norm, whose axes are the last of the definition.
    fn norm_weight(&mut self, weight: &syntax::Expression, place: Place<'_>) -> Option<String> {
        let name = match &weight.kind {
            ExpressionKind::Name(name) => name,
            _ => {
                self.report(not_a_name("rms_norm", "rms_norm(…, o_norm)").at(weight.span.clone()));
                return None;
            }
        };
        let found = self.name(name, place, &weight.span)?;
        if !matches!(found.kind, Kind::Weight(_)) || found.axes.is_empty() || !place.axes.ends_with(&found.axes) {
            let message = format!("`{name}` cannot be the weight of a norm over the last axes of {}", list(place.axes));
            let last = place.axes.last().map_or("value", String::as_str);
            let help = format!("declare it with the axes to normalise over, as in `weight {name}: {last}`");
            self.report(Diagnostic::error(codes::AXES, message).at(weight.span.clone()).help(help));
            return None;
        }
        Some(name.clone())
    }

    /// A projection or filter is one tensor, however often it is used.
    pub(super) fn matrix(&mut self, name: &str, matrix: Matrix, span: &Span) -> Option<()> {
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
}

/// Functions of the language that work entry by entry and have a name rather than a sign.
fn entrywise(name: &str) -> Option<Function> {
    let signs = [Function::Add, Function::Sub, Function::Mul, Function::Div, Function::Neg, Function::Less];
    Function::ALL.into_iter().find(|function| function.name() == name && !signs.contains(function))
}

/// A function made of others: `logsigmoid` is -softplus(-x), `tanh` is 2 sigmoid(2 x) - 1, `relu` is max(x, 0).
fn composed(name: &str, value: Expression) -> Kind {
    let span = value.span.clone();
    let of = |kind: Kind| Expression { kind, span: span.clone() };
    let number = |number: f64| of(Kind::Number(number));
    let apply = |function: Function, operands: Vec<Expression>| of(Kind::Elementwise(function, operands));
    let whole = match name {
        "logsigmoid" => {
            let softplus = apply(Function::Softplus, vec![apply(Function::Neg, vec![value])]);
            apply(Function::Neg, vec![softplus])
        }
        "tanh" => {
            let sigmoid = apply(Function::Sigmoid, vec![apply(Function::Mul, vec![number(2.0), value])]);
            apply(Function::Sub, vec![apply(Function::Mul, vec![number(2.0), sigmoid]), number(1.0)])
        }
        _ => apply(Function::Max, vec![value, number(0.0)]),
    };
    whole.kind
}

fn not_a_name(function: &str, example: &str) -> Diagnostic {
    let message = format!("`{function}` needs the name of a weight here");
    Diagnostic::error(codes::ARGUMENTS, message).help(format!("write `{example}`"))
}
