//! The phrases in which operations say that operands do not fit.
//!
//! Every phrase starts with the operation's short name and prints what was found with axis names and sizes.

use crate::shape::{Axis, DType, Extent, Type};

/// The operands of an operation that takes exactly `N`.
pub(super) fn exactly<'a, const N: usize>(op: &str, operands: &[&'a Type]) -> Result<[&'a Type; N], String> {
    operands.try_into().map_err(|_| {
        let plural = if N == 1 { "operand" } else { "operands" };
        format!("`{op}` takes {N} {plural}, found {}", operands.len())
    })
}

/// `what` must have exactly the type `expected`.
pub(super) fn same(op: &str, what: &str, found: &Type, expected: &Type) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("`{op}` needs {what} of type {}; found {}", expected.describe(), found.describe()))
}

/// `what` holds f32 values.
pub(super) fn float(op: &str, what: &str, found: &Type) -> Result<(), String> {
    if found.dtype == DType::F32 {
        return Ok(());
    }
    Err(format!("`{op}` needs {what} in f32; found {}", found.describe()))
}

/// `what` is a stored matrix: f32 or bf16, all axes named.
pub(super) fn stored(op: &str, what: &str, found: &Type) -> Result<(), String> {
    if found.dtype == DType::I32 || found.axes.iter().any(|axis| axis.size().is_none()) {
        return Err(format!("`{op}` needs {what} in f32 or bf16 with named axes only; found {}", found.describe()));
    }
    Ok(())
}

/// The extent and the further axes, all named, of an f32 operand that has one row per token.
pub(super) fn rows<'a>(op: &str, what: &str, found: &'a Type) -> Result<(Extent, &'a [Axis]), String> {
    float(op, what, found)?;
    match found.axes.split_first() {
        Some((Axis::Rows(extent), rest)) if rest.iter().all(|axis| axis.size().is_some()) => Ok((*extent, rest)),
        _ => Err(format!("`{op}` needs {what} with rows first and named axes after; found {}", found.describe())),
    }
}

/// As [`rows`], where the rows are the tokens of the step.
pub(super) fn token_rows<'a>(op: &str, what: &str, found: &'a Type) -> Result<&'a [Axis], String> {
    match rows(op, what, found)? {
        (Extent::TOKENS, rest) => Ok(rest),
        _ => Err(format!("`{op}` needs {what} with one row per token, [T, …]; found {}", found.describe())),
    }
}

/// One i32 per row.
pub(super) fn index(extent: Extent) -> Type {
    Type::i32([Axis::Rows(extent)])
}

/// One i32 per boundary of a step's segments, where every sequence has one segment in each of `memories` memories.
pub(super) fn boundaries(memories: usize) -> Type {
    index(Extent::SEQUENCES.times(memories).plus(1))
}

/// An f32 type of rows and further axes.
pub(super) fn with_rows(extent: Extent, rest: &[Axis]) -> Type {
    Type::f32([&[Axis::Rows(extent)], rest].concat())
}

/// Axis names and sizes of a part of a type: `[head 2, key 8]`.
pub(super) fn describe(axes: &[Axis]) -> String {
    let text = Type::f32(axes).describe();
    text.trim_start_matches("f32 ").to_owned()
}
