//! `elementwise` and `constant`: arithmetic on single elements.
//!
//! `y[i] = f(a[i], b[i])` where `i` runs over the union of the operands' axes, matched by name; an operand without an
//! axis has the same element all along it. The union keeps the order of the operand with more axes (the first, where
//! both have as many) and appends the rest, except that rows always come first.

use super::{Layout, Operand, check};
use crate::{
    graph::Function,
    reference::Tensor,
    shape::{Axis, Type},
};

pub(super) fn constant(value: f64, operands: &[&Type]) -> Result<Vec<Type>, String> {
    check::exactly::<0>("constant", operands)?;
    if !value.is_finite() {
        return Err(format!("`constant` must be a finite number, found {value}"));
    }
    Ok(vec![Type::scalar()])
}

pub(super) fn result_types(function: Function, operands: &[&Type]) -> Result<Vec<Type>, String> {
    let op = function.name();
    for operand in operands {
        check::float(op, "its operands", operand)?;
    }
    let ty = match function.arity() {
        1 => {
            let [x] = check::exactly(op, operands)?;
            x.clone()
        }
        _ => {
            let [a, b] = check::exactly(op, operands)?;
            union(op, a, b)?
        }
    };
    Ok(vec![ty])
}

fn union(op: &str, a: &Type, b: &Type) -> Result<Type, String> {
    let (more, fewer) = if b.axes.len() > a.axes.len() { (b, a) } else { (a, b) };
    let mut axes = more.axes.clone();
    for axis in &fewer.axes {
        match more.axis(&axis.name()) {
            None => axes.push(axis.clone()),
            Some(same) if same == axis => {}
            Some(_) => {
                return Err(format!(
                    "`{op}` needs the axis `{}` to have one size; found {} and {}",
                    axis.name(),
                    a.describe(),
                    b.describe()
                ));
            }
        }
    }
    // A stable sort: rows to the front, the others as they are.
    axes.sort_by_key(|axis| axis.size().is_some());
    if axes.iter().filter(|axis| matches!(axis, Axis::Rows(_))).count() > 1 {
        return Err(format!(
            "`{op}` needs the same rows in both operands; found {} and {}",
            a.describe(),
            b.describe()
        ));
    }
    Ok(Type::f32(axes))
}

pub(super) fn evaluate(function: Function, operands: &[Operand<'_>], result: &Type) -> Vec<Tensor> {
    let layouts: Vec<Layout> = operands.iter().map(Layout::of_operand).collect();
    let size = |name: String| layouts.iter().flat_map(|layout| &layout.axes).find(|(own, _)| *own == name).cloned();
    let over = Layout { axes: result.axes.iter().filter_map(|axis| size(axis.name())).collect() };
    let offsets: Vec<Vec<usize>> = layouts.iter().map(|layout| layout.offsets(&over)).collect();
    let data: Vec<&[f64]> = operands.iter().map(|operand| &operand.value.data[..]).collect();
    vec![Tensor::new(over.shape(), apply(function, &data, &offsets))]
}

/// `offsets[n]` says for every element of the result which element of operand `n` it is made from.
pub(crate) fn apply(function: Function, operands: &[&[f64]], offsets: &[Vec<usize>]) -> Vec<f64> {
    let element = |operand: usize, at: usize| operands[operand][offsets[operand][at]];
    let unary = |f: fn(f64) -> f64| (0..offsets[0].len()).map(|at| f(element(0, at))).collect();
    let binary = |f: fn(f64, f64) -> f64| (0..offsets[0].len()).map(|at| f(element(0, at), element(1, at))).collect();
    match function {
        Function::Add => binary(|a, b| a + b),
        Function::Sub => binary(|a, b| a - b),
        Function::Mul => binary(|a, b| a * b),
        Function::Div => binary(|a, b| a / b),
        Function::Neg => unary(|x| -x),
        Function::Exp => unary(f64::exp),
        Function::Sigmoid => unary(sigmoid),
        Function::Silu => unary(|x| x * sigmoid(x)),
        // log(1 + exp(x)), written so that exp cannot overflow.
        Function::Softplus => unary(|x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
        Function::Sqrt => unary(f64::sqrt),
        Function::Log => unary(f64::ln),
        Function::Max => binary(f64::max),
        Function::Min => binary(f64::min),
        Function::Less => binary(|a, b| if a < b { 1.0 } else { 0.0 }),
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
