//! `linear` and `grouped_linear`: a matrix product without bias.
//!
//! `linear`: `y[i, o] = Σ_s x[i, s] · weight[o, s]`, where `s` runs over the axes that both have. They are the last
//! axes of both, in one order, so that the product is that of a matrix of rows with a transposed matrix.
//!
//! `grouped_linear`: the rows of a routed stream lie memory by memory, and each memory has a weight of its own:
//! `y[r, o] = Σ_s x[r, s] · weight_e[o, s]` for the rows `r` of memory `e`, which are those from `segments[e·B]` up to
//! `segments[(e+1)·B]`. Rows from `segments[M·B]` on belong to nobody and are zero.

use super::{Operand, check, contract::shared_axes};
use crate::{
    reference::Tensor,
    shape::{Axis, Type},
};

pub(super) fn result_types(operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [x, weight] = check::exactly("linear", operands)?;
    product("linear", x, weight).map(|ty| vec![ty])
}

pub(super) fn grouped_result_types(operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [x, segments, weights @ ..] = operands else {
        return Err(format!(
            "`grouped_linear` takes rows, segments and one weight per memory, found {} operands",
            operands.len()
        ));
    };
    let Some((first, others)) = weights.split_first() else {
        return Err("`grouped_linear` needs one weight per memory, found none".into());
    };
    check::rows("grouped_linear", "a routed stream", x)?;
    check::same("grouped_linear", "segments", segments, &check::boundaries(weights.len()))?;
    for other in others {
        check::same("grouped_linear", "every weight", other, first)?;
    }
    product("grouped_linear", x, first).map(|ty| vec![ty])
}

fn product(op: &str, x: &Type, weight: &Type) -> Result<Type, String> {
    check::float(op, "its first operand", x)?;
    check::stored(op, "a weight", weight)?;
    let shared = shared_axes(op, x, weight)?;
    let (Some(kept), Some(new)) = (x.axes.strip_suffix(&shared[..]), weight.axes.strip_suffix(&shared[..])) else {
        return Err(format!(
            "`{op}` needs the axes {} last, in one order, in both operands; found {} and {}",
            check::describe(&shared),
            x.describe(),
            weight.describe()
        ));
    };
    Ok(Type::f32([kept, new].concat()))
}

pub(super) fn evaluate(operands: &[Operand<'_>]) -> Vec<Tensor> {
    let (x, weight) = (&operands[0], &operands[1]);
    let depth = depth(x, weight);
    let mut y = Tensor::zeros(product_shape(x, weight));
    multiply(&x.value.data, &weight.value.data, depth, &mut y.data);
    vec![y]
}

pub(super) fn evaluate_grouped(operands: &[Operand<'_>]) -> Vec<Tensor> {
    let (x, segments, weights) = (&operands[0], operands[1].value, &operands[2..]);
    let depth = depth(x, &weights[0]);
    let sequences = (segments.data.len() - 1) / weights.len();
    let boundary = |memory: usize| segments.data[memory * sequences] as usize;
    let mut y = Tensor::zeros(product_shape(x, &weights[0]));
    let (x_row, y_row) = (x.value.row_elements(), y.row_elements());
    for (memory, weight) in weights.iter().enumerate() {
        let (start, end) = (boundary(memory), boundary(memory + 1));
        let rows = &x.value.data[start * x_row..end * x_row];
        multiply(rows, &weight.value.data, depth, &mut y.data[start * y_row..end * y_row]);
    }
    vec![y]
}

/// The number of terms of each sum: the product of the axes that both have.
fn depth(x: &Operand<'_>, weight: &Operand<'_>) -> usize {
    x.ty.axes.iter().filter(|axis| weight.ty.has(axis)).filter_map(Axis::size).product()
}

fn product_shape(x: &Operand<'_>, weight: &Operand<'_>) -> Vec<usize> {
    let others = |own: &Operand<'_>, other: &Operand<'_>| {
        let kept = own.ty.axes.iter().zip(&own.value.shape).filter(|(axis, _)| !other.ty.has(axis));
        kept.map(|(_, size)| *size).collect::<Vec<_>>()
    };
    [others(x, weight), others(weight, x)].concat()
}

/// `y[i, o] = Σ_s x[i, s] · weight[o, s]` with `depth` terms in each sum.
fn multiply(x: &[f64], weight: &[f64], depth: usize, y: &mut [f64]) {
    let width = weight.len() / depth;
    for (x_row, y_row) in x.chunks_exact(depth).zip(y.chunks_exact_mut(width)) {
        for (weight_row, y) in weight.chunks_exact(depth).zip(y_row) {
            *y = x_row.iter().zip(weight_row).map(|(x, weight)| x * weight).sum();
        }
    }
}
