//! Matrix products, transposes and square matrices: how axes meet by name.
//!
//! A value keeps the order of its axes in the graph beside its type, because the two sides of a square matrix differ by
//! a name only. Where a product needs other names than its operands have, one of them is relabelled; a vector or a
//! matrix that is not square never is, unless it meets a square one or its own axis.

use super::{Checker, Value};
use crate::{
    diagnostic::{Diagnostic, Span},
    graph::Function,
    rule::{
        advice::no_product,
        axes::{Shape, plain, primed},
        codes,
        program::Operation,
        syntax::Expression,
    },
};

impl Checker<'_> {
    /// The matrix product: the columns of the left meet the rows of the right.
    pub(super) fn product(
        &mut self,
        left: (&Expression, &Value),
        right: (&Expression, &Value),
        span: &Span,
    ) -> Option<Value> {
        let (a, b) = (left.1.shape.on_paper(), right.1.shape.on_paper());
        if a.is_scalar() || b.is_scalar() || a.columns != b.rows || a.diagonal && b.diagonal {
            self.report(no_product((left.0, &a), (right.0, &b)).at(span.clone()));
            return None;
        }
        if a.diagonal || b.diagonal {
            let (vector, matrix) = if a.diagonal { (left.1, right.1) } else { (right.1, left.1) };
            let side = if a.diagonal { &matrix.shape.rows } else { &matrix.shape.columns };
            let names = vector.axes.first().cloned().zip(side.clone());
            let vector = self.relabelled(vector, &names.into_iter().collect::<Vec<_>>(), span);
            let shape = matrix.shape.clone();
            return Some(self.step(Operation::Elementwise(Function::Mul), &[&vector, matrix], shape, span));
        }
        let (left, right) = self.meet(left.1, right.1, span);
        let operation = match a.columns {
            Some(_) => Operation::Contract,
            None => Operation::Elementwise(Function::Mul),
        };
        let in_order = match (&a.rows, &b.columns) {
            (Some(rows), Some(columns)) => self.order.precedes(rows, columns),
            _ => true,
        };
        let shape = Shape { rows: left.shape.rows.clone(), columns: right.shape.columns.clone(), diagonal: false };
        let operands = if in_order { [&left, &right] } else { [&right, &left] };
        let product = self.step(operation, &operands, shape, span);
        Some(self.settled(product, span))
    }

    /// Two factors whose inner axes have one name and whose outer axes have names of their own. The one that is a
    /// matrix keeps its names, a square one before any other.
    fn meet(&mut self, left: &Value, right: &Value, span: &Span) -> (Value, Value) {
        let (a, b) = (&left.shape, &right.shape);
        let keep_left = a.is_square() || !b.is_square() && (a.is_matrix() || !b.is_matrix());
        let (kept, inner, own) = if keep_left { (a, &a.columns, &b.columns) } else { (b, &b.rows, &a.rows) };
        let taken = [&kept.rows, &kept.columns];
        let outer = own.clone().map(|mut name| {
            while taken.iter().any(|other| other.as_ref() == Some(&name)) {
                name = primed(&name);
            }
            name
        });
        let meets = if keep_left { &b.rows } else { &a.columns };
        let names: Vec<(String, String)> =
            [meets.clone().zip(inner.clone()), own.clone().zip(outer)].into_iter().flatten().collect();
        match keep_left {
            true => (left.clone(), self.relabelled(right, &names, span)),
            false => (self.relabelled(left, &names, span), right.clone()),
        }
    }

    /// The value with the names that values of its type have: primes only where a matrix is square.
    pub(super) fn settled(&mut self, value: Value, span: &Span) -> Value {
        let Shape { rows, columns, .. } = &value.shape;
        let names: Vec<(String, String)> = match (rows, columns) {
            (Some(rows), Some(columns)) if value.shape.is_square() => {
                let axis = plain(rows).to_owned();
                if *rows == axis {
                    vec![(columns.clone(), primed(&axis))]
                } else if *columns == axis {
                    vec![(rows.clone(), primed(&axis))]
                } else {
                    vec![(rows.clone(), axis.clone()), (columns.clone(), primed(&axis))]
                }
            }
            _ => [rows, columns].into_iter().flatten().map(|axis| (axis.clone(), plain(axis).to_owned())).collect(),
        };
        self.relabelled(&value, &names, span)
    }

    /// The value with other names of axes, all at once.
    fn relabelled(&mut self, value: &Value, names: &[(String, String)], span: &Span) -> Value {
        let names: Vec<(String, String)> = names.iter().filter(|(old, new)| old != new).cloned().collect();
        if names.is_empty() {
            return value.clone();
        }
        let renamed = |axis: &String| names.iter().find(|(old, _)| old == axis).map_or(axis, |(_, new)| new).clone();
        let Shape { rows, columns, diagonal } = &value.shape;
        let shape =
            Shape { rows: rows.as_ref().map(renamed), columns: columns.as_ref().map(renamed), diagonal: *diagonal };
        let axes = value.axes.iter().map(renamed).collect();
        let value = self.step(Operation::Relabel(names.clone()), &[value], shape, span);
        Value { axes, ..value }
    }

    /// The second of two square matrices with its sides named as those of the first.
    pub(super) fn aligned(&mut self, value: &Value, to: &Shape, span: &Span) -> Value {
        if !to.is_square() || value.shape.is_scalar() {
            return value.clone();
        }
        let names = |own: &Option<String>, other: &Option<String>| own.clone().zip(other.clone());
        let names: Vec<(String, String)> =
            [names(&value.shape.rows, &to.rows), names(&value.shape.columns, &to.columns)]
                .into_iter()
                .flatten()
                .collect();
        self.relabelled(value, &names, span)
    }

    /// The value as a port holds it: with the names and the order of axes of its type in a graph.
    pub(super) fn in_port(&mut self, value: Value, span: &Span) -> Value {
        let shape = value.shape.in_graph();
        let value = self.aligned(&value, &shape, span);
        let Some(axis) = shape.rows.clone().filter(|axis| value.axes.first() != Some(axis) && shape.is_square()) else {
            return value;
        };
        // No operation moves axes, but a sum has them in the order of its first operand.
        let identity = self.identity(&axis, span);
        let zero = self.number(0.0, span);
        let zeros = self.step(Operation::Elementwise(Function::Mul), &[&zero, &identity], shape.clone(), span);
        self.step(Operation::Elementwise(Function::Add), &[&zeros, &value], shape, span)
    }

    fn identity(&mut self, axis: &str, span: &Span) -> Value {
        let shape = Shape { rows: Some(axis.to_owned()), columns: Some(primed(axis)), diagonal: false };
        let value = self.step(Operation::Identity(axis.to_owned()), &[], shape, span);
        Value { axes: vec![axis.to_owned(), primed(axis)], ..value }
    }

    /// `diag(v)` as a matrix with all its entries; any other value as it is.
    pub(super) fn dense(&mut self, value: &Value, span: &Span) -> Value {
        let Some(axis) = value.shape.rows.clone().filter(|_| value.shape.diagonal) else { return value.clone() };
        let identity = self.identity(&axis, span);
        let shape = identity.shape.clone();
        self.step(Operation::Elementwise(Function::Mul), &[value, &identity], shape, span)
    }

    /// `solve(a, b)`: the x with a x = b.
    pub(super) fn solve(&mut self, a: (&Expression, &Value), b: (&Expression, &Value), span: &Span) -> Option<Value> {
        let (matrix, vector) = (a.1.shape.on_paper(), b.1.shape.on_paper());
        let refused = |message: String, at: &Expression| {
            Diagnostic::error(codes::ARGUMENTS, message)
                .at(at.span.clone())
                .help("`solve(a, b)` is the x with a x = b, for a square matrix `a` and a vector `b` over its axis")
        };
        if !a.1.shape.is_square() {
            self.report(refused(format!("`solve` needs a square matrix, and `{}` is `{matrix}`", a.0.quoted()), a.0));
            return None;
        }
        if !vector.is_column() || vector.rows != matrix.rows {
            let message = format!("`{}` is `{matrix}` and `{}` is `{vector}`", a.0.quoted(), b.0.quoted());
            self.report(refused(message, b.0));
            return None;
        }
        let names: Vec<(String, String)> = vector.rows.zip(a.1.shape.rows.clone()).into_iter().collect();
        let vector = self.relabelled(b.1, &names, span);
        let shape = Shape { rows: a.1.shape.columns.clone(), columns: None, diagonal: false };
        let solution = self.step(Operation::Solve, &[a.1, &vector], shape, span);
        Some(self.settled(solution, span))
    }
}
