//! `rms_norm` and `l2_norm`: rows scaled to one size, over the last axes.
//!
//! `rms_norm`: `y = x / sqrt(mean(x²) + eps) · weight` (arXiv 1910.07467, without the mean subtracted), over the axes of
//! the weight, which are the last of `x`.
//! `l2_norm`: `y = x / sqrt(sum(x²) + eps)`, over the last axis.

use super::{Operand, check};
use crate::{
    reference::Tensor,
    shape::{Axis, Type},
};

pub(super) fn rms_norm(eps: f64, operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [x, weight] = check::exactly("rms_norm", operands)?;
    let last = normalised("rms_norm", eps, x)?;
    let several = !weight.axes.is_empty() && x.axes.ends_with(&weight.axes) && weight.rows().is_none();
    if !several {
        check::same("rms_norm", "a weight over the operand's last axis,", weight, &Type::f32([last.clone()]))?;
    }
    check::float("rms_norm", "a weight", weight)?;
    Ok(vec![x.clone()])
}

pub(super) fn l2_norm(eps: f64, operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [x] = check::exactly("l2_norm", operands)?;
    normalised("l2_norm", eps, x)?;
    Ok(vec![x.clone()])
}

/// The axis over which `x` is normalised: its last.
fn normalised<'a>(op: &str, eps: f64, x: &'a Type) -> Result<&'a Axis, String> {
    check::float(op, "its operand", x)?;
    if !(eps >= 0.0 && eps.is_finite()) {
        return Err(format!("`{op}` needs an eps that is not negative, found {eps}"));
    }
    match x.axes.last() {
        Some(axis @ Axis::Named { .. }) => Ok(axis),
        _ => Err(format!("`{op}` needs a named axis to normalise over; found {}", x.describe())),
    }
}

pub(super) fn evaluate_rms_norm(eps: f64, operands: &[Operand<'_>]) -> Vec<Tensor> {
    let weight = &operands[1].value.data;
    let scaled = |x: &[f64]| {
        let mean = x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64;
        let scale = (mean + eps).sqrt().recip();
        x.iter().zip(weight).map(|(x, weight)| x * scale * weight).collect()
    };
    along_last_axis(operands[0].value, weight.len(), scaled)
}

pub(super) fn evaluate_l2_norm(eps: f64, operands: &[Operand<'_>]) -> Vec<Tensor> {
    let x = operands[0].value;
    let scaled = |x: &[f64]| {
        let scale = (x.iter().map(|x| x * x).sum::<f64>() + eps).sqrt().recip();
        x.iter().map(|x| x * scale).collect()
    };
    along_last_axis(x, x.shape.last().copied().unwrap_or(1), scaled)
}

fn along_last_axis(x: &Tensor, width: usize, scaled: impl Fn(&[f64]) -> Vec<f64>) -> Vec<Tensor> {
    let data: Vec<f64> = x.data.chunks(width).flat_map(scaled).collect();
    vec![Tensor::new(x.shape.clone(), data)]
}
