//! Expressions: names, arithmetic, powers, entries.

use super::{Checker, Meaning, Value, too_large};
use crate::{
    diagnostic::{Diagnostic, Span},
    graph::Function,
    rule::{
        axes::{Shape, plain},
        codes,
        program::{self, Operation},
        syntax::{Expression, ExpressionKind, Index, Name, Operator},
        unknown,
    },
};

impl Checker<'_> {
    /// The value of an expression, or nothing if it was refused, which is then reported.
    pub(super) fn expression(&mut self, expression: &Expression) -> Option<Value> {
        let span = &expression.span;
        match &expression.kind {
            ExpressionKind::Number(number) => {
                if !number.is_finite() {
                    self.report(too_large(span));
                    return None;
                }
                Some(self.number(*number, span))
            }
            ExpressionKind::Name(name) => match self.lookup(name, span)? {
                Meaning::Value(value) => Some(value),
                Meaning::Option(number) => Some(self.step(Operation::Option(number), &[], Shape::default(), span)),
                Meaning::Head => Some(self.step(Operation::Head, &[], Shape::default(), span)),
                Meaning::Heads => {
                    Some(self.step(Operation::Size(program::HEADS.to_owned()), &[], Shape::default(), span))
                }
                Meaning::Turn(axis) => {
                    let message = format!("`{name}` is the number of the turn, which is no value");
                    let help = format!("take an entry of something over `{axis}`, as in `k[{name}]`");
                    self.report(Diagnostic::error(codes::INDEX, message).at(span.clone()).help(help));
                    None
                }
                Meaning::Refused => None,
            },
            ExpressionKind::Negate(operand) => {
                let value = self.expression(operand)?;
                self.stored(operand, &value)?;
                Some(self.apply(Function::Neg, &[&value], span))
            }
            ExpressionKind::Transpose(operand) => {
                let value = self.expression(operand)?;
                if value.shape.is_scalar() {
                    let message = format!("a scalar has no transpose, and `{}` is one", operand.quoted());
                    self.report(Diagnostic::error(codes::AXES, message).at(span.clone()).help("leave out the `^T`"));
                    return None;
                }
                Some(Value { shape: value.shape.transposed(), ..value })
            }
            ExpressionKind::Entry { value, index } => self.entry(value, index, span),
            ExpressionKind::Call { function, arguments } => self.call(function, arguments, span),
            ExpressionKind::Binary { operator, left, right } => self.binary(*operator, left, right, span),
            ExpressionKind::PerMemory(name) => {
                let message = "`per memory` has a meaning in the layer part only";
                self.report(
                    Diagnostic::error(codes::NOT_HERE, message).at(span.clone()).help(format!("write `{}`", name.text)),
                );
                None
            }
        }
    }

    fn binary(&mut self, operator: Operator, left: &Expression, right: &Expression, span: &Span) -> Option<Value> {
        let function = match operator {
            Operator::Add => Function::Add,
            Operator::Sub => Function::Sub,
            Operator::Mul => Function::Mul,
            Operator::Div => Function::Div,
            Operator::Power => return self.power(left, right, span),
            Operator::Product => {
                let values = (self.expression(left), self.expression(right));
                return self.product((left, &values.0?), (right, &values.1?), span);
            }
        };
        let (first, second) = (self.expression(left), self.expression(right));
        let (mut first, mut second) = (first?, second?);
        let matrix = |value: &Value| value.shape.diagonal || value.shape.is_square();
        if matrix(&first) && matrix(&second) {
            (first, second) = (self.dense(&first, span), self.dense(&second, span));
        }
        self.stored(left, &first)?;
        self.stored(right, &second)?;
        self.join(operator.symbol(), function, &(left, first), &(right, second), span)
    }

    /// `x^2`, `x^3`, `x^4` as products, and `NUMBER^x`.
    fn power(&mut self, base: &Expression, exponent: &Expression, span: &Span) -> Option<Value> {
        if let ExpressionKind::Number(number) = exponent.kind
            && [2.0, 3.0, 4.0].contains(&number)
        {
            let value = self.expression(base)?;
            self.stored(base, &value)?;
            let square = self.apply(Function::Mul, &[&value, &value], span);
            return Some(match number as u32 {
                2 => square,
                3 => self.apply(Function::Mul, &[&square, &value], span),
                _ => self.apply(Function::Mul, &[&square, &square], span),
            });
        }
        if let ExpressionKind::Number(number) = base.kind
            && number > 0.0
            && number.is_finite()
        {
            let value = self.expression(exponent)?;
            self.stored(exponent, &value)?;
            let log = self.number(number.ln(), span);
            let scaled = self.apply(Function::Mul, &[&log, &value], span);
            return Some(self.apply(Function::Exp, &[&scaled], span));
        }
        // What is wrong within is said first.
        let known = self.expression(base).is_some() && self.expression(exponent).is_some();
        if known {
            let is_number = |expression: &Expression| match &expression.kind {
                ExpressionKind::Negate(operand) => matches!(operand.kind, ExpressionKind::Number(_)),
                other => matches!(other, ExpressionKind::Number(_)),
            };
            let help = match (is_number(base), is_number(exponent)) {
                (true, false) => "the base of a power must be positive".to_owned(),
                (false, false) => format!("write `exp({} * log({}))`", exponent.quoted(), base.quoted()),
                _ => format!(
                    "write `1 / {0}` or `sqrt({0})`; a power of sizes and numbers belongs in an `option`",
                    base.quoted()
                ),
            };
            self.report(
                Diagnostic::error(
                    codes::NOT_HERE,
                    "only `x^2`, `x^3`, `x^4` and powers of a positive number are values",
                )
                .at(span.clone())
                .help(help),
            );
        }
        None
    }

    /// `value[index]`: one entry along the first axis.
    fn entry(&mut self, expression: &Expression, index: &Index, span: &Span) -> Option<Value> {
        let index = match index {
            Index::Number(number) => Some((program::Index::Number(*number), None)),
            Index::Turn(name) => self.turn(name).map(|axis| (program::Index::Turn, Some((name, axis)))),
        };
        let value = self.expression(expression);
        let ((index, turn), value) = (index?, value?);
        self.stored(expression, &value)?;
        let quoted = expression.quoted();
        let Some(rows) = value.shape.rows.clone() else {
            let message = format!("`{quoted}` is `{}`: it has no entries along a first axis", value.shape);
            self.report(Diagnostic::error(codes::INDEX, message).at(span.clone()));
            return None;
        };
        if let Some((variable, axis)) = turn
            && plain(&rows) != axis
        {
            let variable = &variable.text;
            let message = format!("`{variable}` counts `{axis}`, and `{quoted}` is `{}`", value.shape);
            let help = format!(
                "only a value over `{axis}`, or one with `{axis}` as its first axis, has an entry `{variable}`"
            );
            self.report(Diagnostic::error(codes::INDEX, message).at(span.clone()).help(help));
            return None;
        }
        let shape = Shape { rows: value.shape.columns.clone(), columns: None, diagonal: false };
        let entry = self.step(Operation::Entry(rows, index), &[&value], shape, span);
        Some(self.settled(entry, span))
    }

    /// The axis that a variable of a loop counts.
    fn turn(&mut self, name: &Name) -> Option<String> {
        match self.lookup(&name.text, &name.span)? {
            Meaning::Turn(axis) => Some(axis),
            Meaning::Refused => None,
            _ => {
                let turns = self.bindings.iter().filter(|binding| matches!(binding.meaning, Meaning::Turn(_)));
                let known: Vec<String> = turns.map(|binding| binding.name.text.clone()).collect();
                let message =
                    format!("an entry is taken by a number or by the variable of a loop, not by `{}`", name.text);
                let known = known.iter().map(String::as_str);
                let mut diagnostic = unknown(codes::INDEX, message, &name.text, known).at(name.span.clone());
                if diagnostic.help.is_none() {
                    diagnostic = diagnostic.help("write `k[0]`, or `k[j]` within `for j in AXIS { … }`");
                }
                self.report(diagnostic);
                None
            }
        }
    }

    pub(super) fn number(&mut self, number: f64, span: &Span) -> Value {
        self.step(Operation::Number(number), &[], Shape::default(), span)
    }

    /// Refuses what only a matrix product can take: `diag(v)`.
    pub(super) fn stored(&mut self, expression: &Expression, value: &Value) -> Option<()> {
        if !value.shape.diagonal {
            return Some(());
        }
        let message = format!("`{}` can only be a factor of a matrix product", expression.quoted());
        self.report(Diagnostic::error(codes::NOT_HERE, message).at(expression.span.clone()).help(
            "write `diag(v) m` to scale the rows of `m`, `m diag(v)` to scale its columns; it can be added to a square \
             matrix",
        ));
        None
    }
}
