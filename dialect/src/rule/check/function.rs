//! Functions of the update-rule language. Those that a graph lacks are made of those that it has.

use super::{Checker, Value, elementwise};
use crate::{
    diagnostic::{Diagnostic, Span},
    graph::Function,
    rule::{
        advice::{mismatch, wrong_count, wrong_range},
        axes::{Shape, plain},
        codes,
        program::Operation,
        syntax::{Expression, ExpressionKind, Name},
        unknown,
    },
};

/// What `l2_norm` adds to the sum of squares before it divides by the root.
const L2_NORM_EPS: f64 = 1e-6;

/// Functions beside those that work on single entries of one argument, with the fewest and the most arguments.
const FUNCTIONS: [(&str, usize, usize); 14] = [
    ("relu", 1, 1),
    ("tanh", 1, 1),
    ("logsigmoid", 1, 1),
    ("max", 2, 2),
    ("min", 2, 2),
    ("less", 2, 2),
    ("clamp", 3, 3),
    ("softmax", 1, 2),
    ("sum", 1, 2),
    ("mean", 1, 2),
    ("l2_norm", 1, 1),
    ("solve", 2, 2),
    ("outer", 2, 2),
    ("diag", 1, 1),
];

/// A checked argument.
type Argument<'e> = (&'e Expression, Value);

impl Checker<'_> {
    pub(super) fn call(&mut self, function: &Name, arguments: &[Expression], span: &Span) -> Option<Value> {
        let name = function.text.as_str();
        let range = FUNCTIONS.iter().find(|(known, ..)| *known == name).map(|&(_, least, most)| (least, most));
        let Some((least, most)) = range.or_else(|| elementwise(name).map(|_| (1, 1))) else {
            self.report(self.no_function(name).at(function.span.clone()));
            return None;
        };
        let along = matches!(name, "softmax" | "sum" | "mean");
        // The name of an axis has no value.
        let evaluated = if along { &arguments[..arguments.len().min(1)] } else { arguments };
        let values: Vec<Option<Value>> = evaluated.iter().map(|argument| self.expression(argument)).collect();
        if !(least..=most).contains(&arguments.len()) {
            let diagnostic = match least == most {
                true => wrong_count(function, least, arguments.len()),
                false => wrong_range(function, least, most, arguments.len()),
            };
            self.report(diagnostic.at(span.clone()));
            return None;
        }
        let values: Vec<Value> = values.into_iter().collect::<Option<_>>()?;
        if name == "diag" {
            return self.diagonal(&arguments[0], &values[0]);
        }
        for (argument, value) in arguments.iter().zip(&values) {
            self.stored(argument, value)?;
        }
        let checked: Vec<Argument<'_>> = arguments.iter().zip(values).collect();
        match (name, &checked[..]) {
            ("outer", [(first, left), (second, right)]) => {
                self.column(first, left, "outer")?;
                self.column(second, right, "outer")?;
                let transposed = Value { shape: right.shape.transposed(), ..right.clone() };
                self.product((first, left), (second, &transposed), span)
            }
            ("solve", [(a, matrix), (b, vector)]) => self.solve((a, matrix), (b, vector), span),
            ("max", [a, b]) => self.join("max", Function::Max, a, b, span),
            ("min", [a, b]) => self.join("min", Function::Min, a, b, span),
            ("less", [a, b]) => self.join("less", Function::Less, a, b, span),
            ("clamp", [x, low, high]) => {
                let above = self.join("clamp", Function::Max, x, low, span)?;
                self.join("clamp", Function::Min, &(x.0, above), high, span)
            }
            ("relu", [(_, x)]) => {
                let zero = self.number(0.0, span);
                Some(self.apply(Function::Max, &[x, &zero], span))
            }
            ("logsigmoid", [(_, x)]) => {
                let opposite = self.apply(Function::Neg, &[x], span);
                let softplus = self.apply(Function::Softplus, &[&opposite], span);
                Some(self.apply(Function::Neg, &[&softplus], span))
            }
            ("tanh", [(_, x)]) => {
                // tanh(x) = 2 sigmoid(2 x) - 1
                let (one, two) = (self.number(1.0, span), self.number(2.0, span));
                let doubled = self.apply(Function::Mul, &[&two, x], span);
                let sigmoid = self.apply(Function::Sigmoid, &[&doubled], span);
                let sigmoid = self.apply(Function::Mul, &[&two, &sigmoid], span);
                Some(self.apply(Function::Sub, &[&sigmoid, &one], span))
            }
            ("l2_norm", [(argument, x)]) => {
                self.column(argument, x, "l2_norm")?;
                let squares = self.apply(Function::Mul, &[x, x], span);
                let axis = x.axes.first()?.clone();
                let sum = self.step(Operation::Sum(axis), &[&squares], Shape::default(), span);
                let eps = self.number(L2_NORM_EPS, span);
                let sum = self.apply(Function::Add, &[&sum, &eps], span);
                let root = self.apply(Function::Sqrt, &[&sum], span);
                Some(self.apply(Function::Div, &[x, &root], span))
            }
            (_, [(argument, x), ..]) if along => self.along(function, (argument, x), arguments.get(1), span),
            (_, [(_, x)]) => Some(self.apply(elementwise(name)?, &[x], span)),
            _ => None,
        }
    }

    fn no_function(&self, name: &str) -> Diagnostic {
        let known = Function::ALL.iter().map(|f| f.name()).filter(|f| elementwise(f).is_some());
        let known = known.chain(FUNCTIONS.iter().map(|(known, ..)| *known));
        let diagnostic = unknown(codes::UNKNOWN_NAME, format!("there is no function `{name}`"), name, known);
        match self.bindings.iter().any(|binding| binding.name.text == name) {
            true => diagnostic.help(format!("write `{name} * …` for a multiple, `({name}) (…)` for a matrix product")),
            false => diagnostic,
        }
    }

    /// One function of entries: the type of the result is that of the operand that is no scalar.
    pub(super) fn apply(&mut self, function: Function, operands: &[&Value], span: &Span) -> Value {
        let largest = operands.iter().find(|operand| !operand.shape.is_scalar()).or(operands.first());
        let shape = largest.map_or(Shape::default(), |operand| operand.shape.clone());
        self.step(Operation::Elementwise(function), operands, shape, span)
    }

    /// Two values entry by entry: of one type, or one of them a scalar.
    pub(super) fn join(
        &mut self,
        sign: &str,
        function: Function,
        left: &Argument<'_>,
        right: &Argument<'_>,
        span: &Span,
    ) -> Option<Value> {
        let (a, b) = (left.1.shape.on_paper(), right.1.shape.on_paper());
        if a != b && !a.is_scalar() && !b.is_scalar() {
            self.report(mismatch(sign, (left.0, &a), (right.0, &b)).at(span.clone()));
            return None;
        }
        let right = self.aligned(&right.1, &left.1.shape, span);
        Some(self.apply(function, &[&left.1, &right], span))
    }

    /// `sum`, `mean` and `softmax`, over the axis of a vector or a named axis of a matrix.
    fn along(
        &mut self,
        function: &Name,
        (argument, x): (&Expression, &Value),
        named: Option<&Expression>,
        span: &Span,
    ) -> Option<Value> {
        let name = &function.text;
        let (shown, quoted) = (x.shape.on_paper(), argument.quoted());
        let wrong = |message: String| Diagnostic::error(codes::ARGUMENTS, message).at(span.clone());
        let axis = match named.map(|axis| &axis.kind) {
            _ if shown.is_scalar() => {
                self.report(wrong(format!("`{name}` needs a vector or a matrix, and `{quoted}` is `scalar`")));
                return None;
            }
            None if x.shape.is_matrix() => {
                let axis = shown.columns.clone().unwrap_or_default();
                let help = format!("name it: `{name}({quoted}, {axis})`");
                let message = format!("`{quoted}` is `{shown}`: `{name}` goes along one axis");
                self.report(wrong(message).help(help));
                return None;
            }
            None => x.axes.first()?.clone(),
            Some(_) if x.shape.is_square() => {
                let axis = shown.rows.clone().unwrap_or_default();
                let message = format!("`{quoted}` is `{shown}`: `{axis}` may be its rows or its columns");
                let help = "take the rows or columns one by one, or use a product";
                self.report(wrong(message).help(help));
                return None;
            }
            Some(ExpressionKind::Name(axis)) if x.axes.contains(axis) => axis.clone(),
            Some(_) => {
                let known = x.axes.iter().map(|axis| format!("`{axis}`")).collect::<Vec<_>>().join(" or ");
                let message = format!("the second argument of `{name}` is an axis of `{quoted}`: {known}");
                self.report(wrong(message));
                return None;
            }
        };
        if name == "softmax" {
            return Some(self.step(Operation::Softmax(axis), &[x], x.shape.clone(), span));
        }
        let left = x.axes.iter().find(|other| **other != axis).cloned();
        let shape = Shape { rows: left, columns: None, diagonal: false };
        let sum = self.step(Operation::Sum(axis.clone()), &[x], shape, span);
        if name == "sum" {
            return Some(sum);
        }
        let size = self.step(Operation::Size(plain(&axis).to_owned()), &[], Shape::default(), span);
        Some(self.apply(Function::Div, &[&sum, &size], span))
    }

    fn diagonal(&mut self, argument: &Expression, value: &Value) -> Option<Value> {
        self.column(argument, value, "diag")?;
        let rows = value.shape.rows.clone();
        Some(Value { shape: Shape { columns: rows.clone(), rows, diagonal: true }, ..value.clone() })
    }

    fn column(&mut self, expression: &Expression, value: &Value, function: &str) -> Option<()> {
        if value.shape.is_column() {
            return Some(());
        }
        let message = format!("`{function}` takes vectors, and `{}` is `{}`", expression.quoted(), value.shape);
        self.report(Diagnostic::error(codes::ARGUMENTS, message).at(expression.span.clone()));
        None
    }
}
