//! `linear` and `grouped_linear`: matrix products without bias, one for each of several weights.
//!
//! `linear`: `y[i, o] = Σ_s x[i, s] · weight[o, s]`, where `s` runs over the axes that both have. They are the last
//! axes of both, in one order, so that the product is that of a matrix of rows with a transposed matrix. Several weights
//! share the axes `s` and each has its own `o` and its own result.
//!
//! `grouped_linear`: the rows of a routed stream lie memory by memory, and each memory has a weight of its own:
//! `y[r, o] = Σ_s x[r, s] · weight_e[o, s]` for the rows `r` of memory `e`, which are those from `segments[e·B]` up to
//! `segments[(e+1)·B]`. Rows from `segments[M·B]` on belong to nobody and are zero. The `M` weights of one result lie
//! together, after those of the results before it.

use super::{Operand, check, contract::shared_axes};
use crate::{
    reference::Tensor,
    shape::{Axis, Type},
};

pub(super) fn result_types(operands: &[&Type]) -> Result<Vec<Type>, String> {
    match operands {
        [x, weights @ ..] if !weights.is_empty() => products("linear", x, weights),
        _ => Err(format!("`linear` takes rows and at least one weight, found {}", counted(operands.len(), "operand"))),
    }
}

pub(super) fn grouped_result_types(operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [x, segments, weights @ ..] = operands else {
        return Err(format!(
            "`grouped_linear` takes rows, segments and one weight per memory, found {}",
            counted(operands.len(), "operand")
        ));
    };
    check::rows("grouped_linear", "a routed stream", x)?;
    let memories = memories(segments).max(1);
    check::same("grouped_linear", "segments", segments, &check::boundaries(memories))?;
    if weights.is_empty() || !weights.len().is_multiple_of(memories) {
        return Err(format!(
            "`grouped_linear` needs one weight for each of {} in every product, found {}",
            if memories == 1 { "1 memory".into() } else { format!("{memories} memories") },
            counted(weights.len(), "weight")
        ));
    }
    let mut firsts = Vec::new();
    for weights in weights.chunks_exact(memories) {
        for other in weights {
            check::same("grouped_linear", "every weight of a product", other, weights[0])?;
        }
        firsts.push(weights[0]);
    }
    products("grouped_linear", x, &firsts)
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// How many memories a stream has, read off its segments `[MB+1]`.
fn memories(segments: &Type) -> usize {
    segments.rows().map_or(0, |rows| rows.sequences)
}

/// The types of the products of `x` with each of the weights, which sum over the same axes.
fn products(op: &str, x: &Type, weights: &[&Type]) -> Result<Vec<Type>, String> {
    let mut types = Vec::new();
    for weight in weights {
        let (ty, shared) = product(op, x, weight)?;
        let first = weights[0];
        if weight.dtype != first.dtype || shared != shared_axes(op, x, first)? {
            return Err(format!(
                "`{op}` needs weights of one element type that sum over the same axes; found {} and {}",
                first.describe(),
                weight.describe()
            ));
        }
        types.push(ty);
    }
    Ok(types)
}

/// The type of one product, and the axes it sums over.
fn product(op: &str, x: &Type, weight: &Type) -> Result<(Type, Vec<Axis>), String> {
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
    Ok((Type::f32([kept, new].concat()), shared))
}

pub(super) fn evaluate(operands: &[Operand<'_>]) -> Vec<Tensor> {
    let (x, weights) = (&operands[0], &operands[1..]);
    let product = |weight: &Operand<'_>| {
        let mut y = Tensor::zeros(product_shape(x, weight));
        multiply(&x.value.data, &weight.value.data, depth(x, weight), &mut y.data);
        y
    };
    weights.iter().map(product).collect()
}

pub(super) fn evaluate_grouped(operands: &[Operand<'_>]) -> Vec<Tensor> {
    let (x, segments, weights) = (&operands[0], &operands[1], &operands[2..]);
    let memories = memories(segments.ty);
    let sequences = (segments.value.data.len() - 1) / memories;
    let boundary = |memory: usize| segments.value.data[memory * sequences] as usize;
    let product = |weights: &[Operand<'_>]| {
        let mut y = Tensor::zeros(product_shape(x, &weights[0]));
        let (x_row, y_row) = (x.value.row_elements(), y.row_elements());
        for (memory, weight) in weights.iter().enumerate() {
            let (start, end) = (boundary(memory), boundary(memory + 1));
            let rows = &x.value.data[start * x_row..end * x_row];
            multiply(rows, &weight.value.data, depth(x, weight), &mut y.data[start * y_row..end * y_row]);
        }
        y
    };
    weights.chunks_exact(memories).map(product).collect()
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
