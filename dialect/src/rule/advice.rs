//! Errors about operands that do not fit, each with what to write for what was probably meant.

use super::{
    axes::Shape,
    codes,
    syntax::{Expression, Name},
};
use crate::diagnostic::Diagnostic;

/// `NAME(…)` with too few or too many arguments.
pub(super) fn wrong_count(function: &Name, expected: usize, found: usize) -> Diagnostic {
    let arguments = if expected == 1 { "argument" } else { "arguments" };
    Diagnostic::error(codes::ARGUMENTS, format!("`{}` takes {expected} {arguments}, found {found}", function.text))
}

/// `NAME(…)` with a number of arguments that is not between two others.
pub(super) fn wrong_range(function: &Name, least: usize, most: usize, found: usize) -> Diagnostic {
    let message = format!("`{}` takes {least} or {most} arguments, found {found}", function.text);
    Diagnostic::error(codes::ARGUMENTS, message)
}

/// Why two values cannot be joined element by element, and what to write for what was probably meant.
pub(super) fn mismatch(sign: &str, left: (&Expression, &Shape), right: (&Expression, &Shape)) -> Diagnostic {
    let (a, b) = (left.0.quoted(), right.0.quoted());
    let b_transpose = right.0.quoted_transpose();
    let sides = if sign.len() == 1 { " on both sides" } else { "" };
    let message = format!("`{sign}` needs equal axes{sides}: `{a}` is `{}`, `{b}` is `{}`", left.1, right.1);
    let diagnostic = Diagnostic::error(codes::AXES, message);
    if left.1.transposed() == *right.1 {
        return diagnostic.help(match sides {
            "" => format!("write `{b_transpose}`"),
            _ => format!("write `{a} {sign} {b_transpose}`"),
        });
    }
    if sign != "*" {
        return diagnostic;
    }
    let (vector, matrix, shapes) = match (left.1.is_column(), right.1.is_column()) {
        (true, true) => return diagnostic.help(format!("write `{a} {b_transpose}` for the outer product")),
        (true, false) if right.1.is_matrix() => (&a, &b, (left.1, right.1)),
        (false, true) if left.1.is_matrix() => (&b, &a, (right.1, left.1)),
        _ => return diagnostic,
    };
    let axis = &shapes.0.rows;
    match axis {
        Some(name) if *axis == shapes.1.rows => diagnostic.help(format!(
            "write `diag({vector}) {matrix}` to scale along `{name}`, `{matrix}^T {vector}` to sum over it"
        )),
        Some(name) if *axis == shapes.1.columns => diagnostic.help(format!(
            "write `{matrix} diag({vector})` to scale along `{name}`, `{matrix} {vector}` to sum over it"
        )),
        _ => diagnostic,
    }
}

/// Why two neighbours have no matrix product, and what to write for what was probably meant.
pub(super) fn no_product(left: (&Expression, &Shape), right: (&Expression, &Shape)) -> Diagnostic {
    let (a, b) = (left.0.quoted(), right.0.quoted());
    let (a_transpose, b_transpose) = (left.0.quoted_transpose(), right.0.quoted_transpose());
    let (first, second) = (left.1, right.1);
    let message = format!("`{a}` is `{first}` and `{b}` is `{second}`: they have no matrix product");
    let diagnostic = Diagnostic::error(codes::AXES, message);
    if first.is_scalar() || second.is_scalar() {
        return diagnostic.help(format!("write `{a} * {b}`"));
    }
    if first.is_column() && second.is_column() {
        let outer = format!("`{a} {b_transpose}` for the outer product");
        return diagnostic.help(match first == second {
            true => {
                format!("write `{a} * {b}` for the product of each entry, `{a_transpose} {b}` for the inner product")
            }
            false => format!("write {outer}"),
        });
    }
    if first.transposed().columns == second.rows {
        return diagnostic.help(format!("write `{a_transpose} {b}`"));
    }
    if first.columns == second.transposed().rows {
        return diagnostic.help(format!("write `{a} {b_transpose}`"));
    }
    diagnostic.help("the last axis of the left side must be the first axis of the right side")
}
