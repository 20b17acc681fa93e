//! Work along one axis, inside update rules: `sum`, `softmax`, `solve`, `slice`, `place`, `relabel`, `head_index`,
//! `identity`.
//!
//! `sum`: `y = Σ_i x[i]`. `softmax`: `y[i] = exp(x[i]) / Σ_j exp(x[j])`. `solve`: `Σ_j a[i, j] x[j] = b[i]`, where `i`
//! is the axis that both operands have, so that the transposed system is written by an operand over the other axis.
//! `slice` takes one entry along an axis and `place` puts one into an axis of zeros, each the adjoint of the other.
//! `relabel` renames axes and moves nothing. `head_index` is the number of the head, from 0; `identity` the unit matrix
//! over two axes of one size.

use super::{Layout, check};
use crate::{
    graph::OpKind,
    shape::{Axis, Type},
};

pub(super) fn result_types(kind: &OpKind, operands: &[&Type]) -> Result<Vec<Type>, String> {
    let name = super::name(kind).trim_start_matches("mom.");
    for operand in operands {
        check::float(name, "its operands", operand)?;
    }
    let without = |x: &Type, axis: &str| {
        named(name, x, axis)?;
        Ok::<_, String>(Type::f32(x.axes.iter().filter(|own| own.name() != axis).cloned().collect::<Vec<_>>()))
    };
    let ty = match kind {
        OpKind::Sum { axis } => {
            let [x] = check::exactly(name, operands)?;
            without(x, axis)?
        }
        OpKind::Softmax { axis } => {
            let [x] = check::exactly(name, operands)?;
            named(name, x, axis)?;
            x.clone()
        }
        OpKind::Solve => {
            let [a, b] = check::exactly(name, operands)?;
            let found = || format!("found {} and {}", a.describe(), b.describe());
            match (&a.axes[..], &b.axes[..]) {
                ([i, j], [axis]) if i.size().is_some() && i.size() == j.size() && (axis == i || axis == j) => {
                    Type::f32([if axis == i { j.clone() } else { i.clone() }])
                }
                _ => {
                    return Err(format!(
                        "`solve` needs a square matrix and a vector over one of its axes; {}",
                        found()
                    ));
                }
            }
        }
        OpKind::Slice { axis, index } => {
            let [x] = check::exactly(name, operands)?;
            let size = named(name, x, axis)?;
            if *index >= size {
                return Err(format!("`slice` takes entry {index} of `{axis}`, which has {size}"));
            }
            without(x, axis)?
        }
        OpKind::Place { axis, size, index } => {
            let [x] = check::exactly(name, operands)?;
            if x.axis(axis).is_some() || index >= size {
                return Err(format!("`place` cannot make {} entry {index} of {size} along `{axis}`", x.describe()));
            }
            Type::f32([&x.axes[..], &[Axis::named(axis, *size)]].concat())
        }
        OpKind::Relabel { axes } => {
            let [x] = check::exactly(name, operands)?;
            for (old, _) in axes {
                named(name, x, old)?;
            }
            let renamed = x.axes.iter().map(|axis| match axes.iter().find(|(old, _)| *old == axis.name()) {
                Some((_, new)) => Axis::named(new, axis.size().unwrap_or_default()),
                None => axis.clone(),
            });
            let ty = Type::f32(renamed.collect::<Vec<_>>());
            if let Some(at) =
                (0..ty.axes.len()).find(|&at| ty.axes[..at].iter().any(|a| a.name() == ty.axes[at].name()))
            {
                return Err(format!("`relabel` would give {} the axis `{}` twice", x.describe(), ty.axes[at].name()));
            }
            ty
        }
        OpKind::Identity { axes: [i, j], size } => {
            check::exactly::<0>(name, operands)?;
            if i == j || *size == 0 {
                return Err(format!(
                    "`identity` needs two axes with names of their own; found `{i}` and `{j}` of size {size}"
                ));
            }
            Type::f32([Axis::named(i, *size), Axis::named(j, *size)])
        }
        _ => {
            check::exactly::<0>(name, operands)?;
            Type::scalar()
        }
    };
    Ok(vec![ty])
}

/// The size of a named axis of `x`.
fn named(op: &str, x: &Type, axis: &str) -> Result<usize, String> {
    let size = x.axis(axis).and_then(Axis::size);
    size.ok_or_else(|| format!("`{op}` needs an operand with the axis `{axis}`; found {}", x.describe()))
}

/// The value of the result; `head` is the number of the head.
pub(crate) fn evaluate(kind: &OpKind, layouts: &[Layout], operands: &[&[f64]], head: usize) -> Vec<f64> {
    match kind {
        OpKind::Sum { axis } => lines(&layouts[0], axis).map(|line| line.map(|at| operands[0][at]).sum()).collect(),
        OpKind::Softmax { axis } => {
            let x = operands[0];
            let mut y = vec![0.0; x.len()];
            for line in lines(&layouts[0], axis) {
                let largest = line.clone().map(|at| x[at]).fold(f64::NEG_INFINITY, f64::max);
                let total: f64 = line.clone().map(|at| (x[at] - largest).exp()).sum();
                line.for_each(|at| y[at] = (x[at] - largest).exp() / total);
            }
            y
        }
        OpKind::Solve => {
            let transposed = layouts[0].axes[0].0 != layouts[1].axes[0].0;
            solve(operands[0], operands[1], transposed)
        }
        OpKind::Slice { axis, index } => {
            lines(&layouts[0], axis).filter_map(|mut line| line.nth(*index)).map(|at| operands[0][at]).collect()
        }
        OpKind::Place { size, index, .. } => {
            let spread = |&x: &f64| (0..*size).map(move |at| if at == *index { x } else { 0.0 });
            operands[0].iter().flat_map(spread).collect()
        }
        OpKind::HeadIndex => vec![head as f64],
        OpKind::Identity { size, .. } => {
            let entry = |at: usize| if at / size == at % size { 1.0 } else { 0.0 };
            (0..size * size).map(entry).collect()
        }
        _ => operands[0].to_vec(),
    }
}

/// The offsets along one axis, for every place of the other axes.
fn lines<'l>(
    layout: &'l Layout,
    axis: &str,
) -> impl Iterator<Item = impl Iterator<Item = usize> + Clone + use<>> + use<'l> {
    let at = layout.axes.iter().position(|(own, _)| own == axis).unwrap_or_default();
    let size = layout.axes[at].1;
    let stride: usize = layout.axes[at + 1..].iter().map(|(_, size)| size).product();
    let outer: usize = layout.axes[..at].iter().map(|(_, size)| size).product();
    (0..outer).flat_map(move |outer| {
        (0..stride).map(move |inner| (0..size).map(move |entry| (outer * size + entry) * stride + inner))
    })
}

/// Gaussian elimination with partial pivoting; NaN where the matrix is singular.
fn solve(a: &[f64], b: &[f64], transposed: bool) -> Vec<f64> {
    let n = b.len();
    let entry = |i: usize, j: usize| if transposed { a[j * n + i] } else { a[i * n + j] };
    let mut rows: Vec<Vec<f64>> =
        (0..n).map(|i| (0..n).map(|j| entry(i, j)).chain([b[i]]).collect::<Vec<f64>>()).collect();
    for column in 0..n {
        let pivot = (column..n).max_by(|&i, &j| rows[i][column].abs().total_cmp(&rows[j][column].abs()));
        rows.swap(column, pivot.unwrap_or(column));
        let (done, below) = rows.split_at_mut(column + 1);
        let pivot = &done[column];
        for row in below {
            let factor = row[column] / pivot[column];
            row.iter_mut().zip(pivot).skip(column).for_each(|(x, p)| *x -= factor * p);
        }
    }
    let mut x = vec![0.0; n];
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|j| rows[i][j] * x[j]).sum();
        x[i] = (rows[i][n] - known) / rows[i][i];
    }
    x
}
