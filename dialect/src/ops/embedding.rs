//! `embedding` and `select_rows`: rows picked by number.
//!
//! `embedding`: `y[t] = table[tokens[t]]` for every token, padding too. `select_rows`: `y[l] = x[rows[l]]`.

use super::{Operand, check};
use crate::{
    reference::Tensor,
    shape::{Axis, Extent, Type},
};

pub(super) fn embedding(operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [tokens, table] = check::exactly("embedding", operands)?;
    check::same("embedding", "tokens", tokens, &check::index(Extent::TOKENS))?;
    check::stored("embedding", "a table", table)?;
    match table.axes.split_first() {
        Some((Axis::Named { .. }, rest)) => Ok(vec![check::with_rows(Extent::TOKENS, rest)]),
        _ => Err(format!("`embedding` needs a table [vocab, …]; found {}", table.describe())),
    }
}

pub(super) fn select_rows(operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [x, rows] = check::exactly("select_rows", operands)?;
    let rest = check::token_rows("select_rows", "an operand", x)?;
    check::same("select_rows", "rows", rows, &check::index(Extent::ROWS))?;
    Ok(vec![check::with_rows(Extent::ROWS, rest)])
}

pub(super) fn evaluate_embedding(operands: &[Operand<'_>]) -> Result<Vec<Tensor>, String> {
    let [tokens, table] = [operands[0].value, operands[1].value];
    let vocab = table.shape[0];
    match tokens.data.iter().find(|&&token| !(0.0..vocab as f64).contains(&token)) {
        Some(token) => Err(format!("token {token} is not one of the vocabulary's {vocab} tokens")),
        None => Ok(vec![picked(table, tokens)]),
    }
}

pub(super) fn evaluate_select_rows(operands: &[Operand<'_>]) -> Vec<Tensor> {
    vec![picked(operands[0].value, operands[1].value)]
}

/// `y[i] = x[numbers[i]]`, zero where the number is negative.
pub(super) fn picked(x: &Tensor, numbers: &Tensor) -> Tensor {
    let mut shape = x.shape.clone();
    shape[0] = numbers.data.len();
    let mut y = Tensor::zeros(shape);
    for row in 0..numbers.data.len() {
        if let Some(from) = numbers.index(row) {
            y.row_mut(row).copy_from_slice(x.row(from));
        }
    }
    y
}
