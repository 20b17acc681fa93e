//! The edges of a program: inputs, parameters, states and outputs.
//!
//! `input`, `param` and `state` bring values in, `set_state` and `output` carry them out; none of them computes
//! anything. The integers among a step's inputs are four and have fixed types: `tokens` i32 `[T]`; `position` i32 `[T]`,
//! the token's number among the real tokens of its sequence or -1 for padding; `cu_seqlens` i32 `[B+1]`, where sequence
//! `b` has the tokens `cu_seqlens[b] .. cu_seqlens[b+1]`; and `rows` i32 `[L]`, the tokens whose logits are asked for.
//! Besides, a program may take f32 tensors of any name and any axes: an update rule alone takes its inputs so.

use super::{Operand, check};
use crate::{
    graph::Source,
    reference::{Step, Tensor},
    shape::{Axis, DType, Extent, Type},
};

/// The type of an input of this name, if it is one of integers.
pub(crate) fn input_type(name: &str) -> Option<Type> {
    match name {
        "tokens" | "position" => Some(check::index(Extent::TOKENS)),
        "cu_seqlens" => Some(check::boundaries(1)),
        "rows" => Some(check::index(Extent::ROWS)),
        _ => None,
    }
}

pub(super) fn input(name: &str, ty: &Type, operands: &[&Type]) -> Result<Vec<Type>, String> {
    check::exactly::<0>("input", operands)?;
    if ty.dtype == DType::F32 && input_type(name).is_none() {
        well_formed("input", name, ty)?;
        return Ok(vec![ty.clone()]);
    }
    let expected = input_type(name).ok_or_else(|| {
        format!(
            "a step has no input `{name}` of integers; it has `tokens`, `position`, `cu_seqlens` and `rows`, and f32 \
             tensors of other names"
        )
    })?;
    check::same("input", &format!("`{name}`"), ty, &expected)?;
    Ok(vec![expected])
}

/// A parameter is a run of whole rows of its tensor in the checkpoint.
pub(super) fn param(name: &str, ty: &Type, source: &Source, operands: &[&Type]) -> Result<Vec<Type>, String> {
    check::exactly::<0>("param", operands)?;
    well_formed("param", name, ty)?;
    check::stored("param", &format!("`{name}`"), ty)?;
    let (stored_rows, row) = match source.shape.split_first() {
        Some((rows, rest)) => (*rows, rest.iter().product::<usize>()),
        None => (1, 1),
    };
    let elements = ty.row_elements();
    if row == 0 || !elements.is_multiple_of(row) || source.first_row + elements / row > stored_rows {
        return Err(format!(
            "`param` `{name}` is {}, which are not whole rows of `{}` {:?} from row {} on",
            ty.describe(),
            source.tensor,
            source.shape,
            source.first_row
        ));
    }
    Ok(vec![ty.clone()])
}

pub(super) fn state(name: &str, ty: &Type, operands: &[&Type]) -> Result<Vec<Type>, String> {
    check::exactly::<0>("state", operands)?;
    well_formed("state", name, ty)?;
    of_sequences("state", name, ty)?;
    Ok(vec![ty.clone()])
}

pub(super) fn set_state(name: &str, operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [value] = check::exactly("set_state", operands)?;
    of_sequences("set_state", name, value)?;
    Ok(Vec::new())
}

pub(super) fn output(name: &str, operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [value] = check::exactly("output", operands)?;
    if value.dtype == DType::BF16 {
        return Err(format!("`output` `{name}` must be f32 or i32; found {}", value.describe()));
    }
    Ok(Vec::new())
}

/// A state belongs to the sequences of a step, so that they can come and go.
fn of_sequences(op: &str, name: &str, ty: &Type) -> Result<(), String> {
    check::float(op, &format!("`{name}`"), ty)?;
    let further = ty.axes.get(1..).unwrap_or_default();
    let further = if further.first() == Some(&Axis::Rows(Extent::CONTEXT)) { &further[1..] } else { further };
    if ty.rows() != Some(Extent::SEQUENCES) || further.iter().any(|axis| axis.size().is_none()) {
        return Err(format!(
            "`{op}` needs `{name}` with one entry per sequence, f32 [B, …] or [B, C, …]; found {}",
            ty.describe()
        ));
    }
    Ok(())
}

/// Every axis has a name of its own and at least one entry.
fn well_formed(op: &str, name: &str, ty: &Type) -> Result<(), String> {
    if let Some(axis) = ty.axes.iter().find(|axis| axis.size() == Some(0)) {
        return Err(format!("`{op}` `{name}` has an empty axis `{}`: {}", axis.name(), ty.describe()));
    }
    let repeated = ty.axes.iter().enumerate().find(|(at, axis)| ty.axes[..*at].iter().any(|a| a.name() == axis.name()));
    match repeated {
        Some((_, axis)) => Err(format!("`{op}` `{name}` has two axes `{}`: {}", axis.name(), ty.describe())),
        None => Ok(()),
    }
}

pub(super) fn evaluate_input(name: &str, ty: &Type, step: &Step<'_>) -> Result<Vec<Tensor>, String> {
    let inputs = step.inputs;
    if ty.dtype == DType::F32 {
        let value = inputs.tensors.get(name).ok_or_else(|| format!("there is no input `{name}`"))?;
        return shaped(name, value, &step.shape(ty));
    }
    let sizes = |values: &[usize]| values.iter().map(|&value| value as i64).collect::<Vec<_>>();
    let values = match name {
        "tokens" => inputs.tokens.clone(),
        "position" => inputs.position.clone(),
        "cu_seqlens" => sizes(&inputs.cu_seqlens),
        "rows" => sizes(&inputs.rows),
        _ => return Err(format!("a step has no input `{name}`")),
    };
    Ok(vec![Tensor::integers([values.len()], values)])
}

pub(super) fn evaluate_param(name: &str, ty: &Type, step: &Step<'_>) -> Result<Vec<Tensor>, String> {
    let value = step.params.get(name).ok_or_else(|| format!("there is no parameter `{name}`"))?;
    shaped(name, value, &step.shape(ty))
}

/// A state that the caller does not have starts as zeros.
pub(super) fn evaluate_state(name: &str, ty: &Type, step: &Step<'_>) -> Result<Vec<Tensor>, String> {
    let mut shape = step.shape(ty);
    let Some(value) = step.states.get(name) else { return Ok(vec![Tensor::zeros(shape)]) };
    // The capacity of a cache is whatever the caller has given it.
    for (axis, (size, found)) in ty.axes.iter().zip(shape.iter_mut().zip(&value.shape)) {
        if *axis == Axis::Rows(Extent::CONTEXT) {
            *size = *found;
        }
    }
    shaped(name, value, &shape)
}

fn shaped(name: &str, value: &Tensor, shape: &[usize]) -> Result<Vec<Tensor>, String> {
    if value.shape != shape || value.data.len() != shape.iter().product() {
        return Err(format!("`{name}` must be {shape:?}; found {:?} with {} elements", value.shape, value.data.len()));
    }
    Ok(vec![value.clone()])
}

pub(super) fn evaluate_set_state(name: &str, operands: &[Operand<'_>], step: &mut Step<'_>) -> Vec<Tensor> {
    step.next.insert(name.to_owned(), operands[0].value.clone());
    Vec::new()
}

pub(super) fn evaluate_output(name: &str, operands: &[Operand<'_>], step: &mut Step<'_>) -> Vec<Tensor> {
    step.outputs.insert(name.to_owned(), operands[0].value.clone());
    Vec::new()
}
