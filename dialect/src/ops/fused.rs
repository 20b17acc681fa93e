//! `fused`: several operations in one launch. It means what its body means, operation after operation.

use super::Operand;
use crate::{
    graph::{Fused, ValueId},
    reference::{self, Step, Tensor},
    shape::Type,
};

pub(super) fn result_types(fused: &Fused, operands: &[&Type]) -> Result<Vec<Type>, String> {
    let body = &fused.body;
    let arguments = body.arguments();
    if arguments.len() != operands.len() {
        return Err(format!("`fused` has a body of {} arguments, found {} operands", arguments.len(), operands.len()));
    }
    for (number, (&argument, operand)) in arguments.iter().zip(operands).enumerate() {
        let expected = body.ty(argument);
        if *operand != expected {
            return Err(format!(
                "`fused` needs operand {number} as its body takes it, {}; found {}",
                expected.describe(),
                operand.describe()
            ));
        }
    }
    let ty = |result: &ValueId| (result.index() < body.value_count()).then(|| body.ty(*result).clone());
    let types: Option<Vec<Type>> = fused.results.iter().map(ty).collect();
    types.ok_or_else(|| "`fused` answers a value that its body does not make".into())
}

pub(super) fn evaluate(fused: &Fused, operands: &[Operand<'_>], step: &mut Step<'_>) -> Result<Vec<Tensor>, String> {
    let mut given = vec![Tensor::default(); fused.body.value_count()];
    for (argument, operand) in fused.body.arguments().into_iter().zip(operands) {
        given[argument.index()] = operand.value.clone();
    }
    let values = reference::evaluate_body(&fused.body, given, step)?;
    Ok(fused.results.iter().map(|result| values[result.index()].clone()).collect())
}
