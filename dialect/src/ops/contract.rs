//! `contract`: the sum of products over shared axes, inside update rules.
//!
//! `y[i, j] = Σ_s a[i, s] · b[s, j]`, where `s` runs over every axis that both operands have, `i` over the others of
//! `a` and `j` over the others of `b`, in that order. With nothing left on either side it is an inner product; a
//! product without a sum is [`elementwise`](super::elementwise) multiplication.

use super::{Layout, Operand, check};
use crate::{
    reference::Tensor,
    shape::{Axis, Type},
};

pub(super) fn result_types(operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [a, b] = check::exactly("contract", operands)?;
    check::float("contract", "its operands", a)?;
    check::float("contract", "its operands", b)?;
    let shared = shared_axes("contract", a, b)?;
    let rest = a.axes.iter().chain(&b.axes).filter(|axis| !shared.contains(axis)).cloned();
    Ok(vec![Type::f32(rest.collect::<Vec<_>>())])
}

/// The named axes that both operands have, in the order of `a`; at least one.
pub(super) fn shared_axes(op: &str, a: &Type, b: &Type) -> Result<Vec<Axis>, String> {
    let found = || format!("found {} and {}", a.describe(), b.describe());
    let mut shared = Vec::new();
    for axis in &a.axes {
        match b.axis(&axis.name()) {
            None => {}
            Some(other) if other == axis && axis.size().is_some() => shared.push(axis.clone()),
            Some(_) if axis.size().is_none() => return Err(format!("`{op}` cannot sum over rows; {}", found())),
            Some(_) => return Err(format!("`{op}` needs the axis `{}` to have one size; {}", axis.name(), found())),
        }
    }
    if shared.is_empty() {
        return Err(format!("`{op}` needs an axis that both operands have; {}", found()));
    }
    Ok(shared)
}

/// A contraction whose index arithmetic is done.
pub(crate) struct Contraction {
    shape: Vec<usize>,
    /// Where the sum for each element of the result starts, in `a` and in `b`.
    starts: [Vec<usize>; 2],
    /// Where each of its terms lies from there.
    terms: [Vec<usize>; 2],
}

impl Contraction {
    pub(crate) fn new(a: &Layout, b: &Layout) -> Contraction {
        let (shared, kept): (Vec<_>, Vec<_>) = a.axes.iter().cloned().partition(|axis| b.axes.contains(axis));
        let others = b.axes.iter().filter(|axis| !a.axes.contains(axis)).cloned();
        let result = Layout { axes: kept.into_iter().chain(others).collect() };
        let shared = Layout { axes: shared };
        Contraction {
            shape: result.shape(),
            starts: [a.offsets(&result), b.offsets(&result)],
            terms: [a.offsets(&shared), b.offsets(&shared)],
        }
    }

    pub(crate) fn apply(&self, a: &[f64], b: &[f64]) -> Vec<f64> {
        let [a_terms, b_terms] = &self.terms;
        let sum = |(a_start, b_start): (&usize, &usize)| {
            let products = a_terms.iter().zip(b_terms).map(|(i, j)| a[a_start + i] * b[b_start + j]);
            products.sum::<f64>()
        };
        self.starts[0].iter().zip(&self.starts[1]).map(sum).collect()
    }
}

pub(super) fn evaluate(operands: &[Operand<'_>]) -> Vec<Tensor> {
    let contraction = Contraction::new(&Layout::of_operand(&operands[0]), &Layout::of_operand(&operands[1]));
    let data = contraction.apply(&operands[0].value.data, &operands[1].value.data);
    vec![Tensor::new(contraction.shape, data)]
}
