//! `join_memories` and `split_memories`: the states of several memories beside that of one more.
//!
//! `join_memories`: `y[b, e] = a[b, e]` for the memories `e < M` of `a`, and `y[b, M] = b[b]`. `split_memories` is its
//! inverse. The shared state of a mixture so becomes one more memory of a scan.

use super::{Operand, check};
use crate::{
    reference::Tensor,
    shape::{Axis, Extent, Type},
};

/// `[B, memory M, …]`
fn of_memories(memories: usize, rest: &[Axis]) -> Type {
    check::with_rows(Extent::SEQUENCES, &[&[Axis::named("memory", memories)], rest].concat())
}

/// The number of memories, and the axes after theirs.
fn memories<'a>(op: &str, found: &'a Type) -> Result<(usize, &'a [Axis]), String> {
    match check::rows(op, "states", found)? {
        (Extent::SEQUENCES, [Axis::Named { name, size }, rest @ ..]) if name == "memory" => Ok((*size, rest)),
        _ => Err(format!("`{op}` needs states [B, memory, …]; found {}", found.describe())),
    }
}

pub(super) fn join(operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [several, one] = check::exactly("join_memories", operands)?;
    let (count, rest) = memories("join_memories", several)?;
    check::same("join_memories", "the state of one memory", one, &check::with_rows(Extent::SEQUENCES, rest))?;
    Ok(vec![of_memories(count + 1, rest)])
}

pub(super) fn split(operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [joined] = check::exactly("split_memories", operands)?;
    let (count, rest) = memories("split_memories", joined)?;
    if count < 2 {
        return Err(format!("`split_memories` needs at least two memories; found {}", joined.describe()));
    }
    Ok(vec![of_memories(count - 1, rest), check::with_rows(Extent::SEQUENCES, rest)])
}

pub(super) fn evaluate_join(operands: &[Operand<'_>]) -> Vec<Tensor> {
    let [several, one] = [0, 1].map(|at| operands[at].value);
    let mut shape = several.shape.clone();
    shape[1] += 1;
    let rows = (0..shape[0]).flat_map(|sequence| [several.row(sequence), one.row(sequence)]);
    let data = rows.collect::<Vec<_>>().concat();
    vec![Tensor::new(shape, data)]
}

pub(super) fn evaluate_split(operands: &[Operand<'_>]) -> Vec<Tensor> {
    let joined = operands[0].value;
    let (sequences, memories, rest) = (joined.shape[0], joined.shape[1], &joined.shape[2..]);
    let own: usize = rest.iter().product();
    let parts = (0..sequences).map(|sequence| joined.row(sequence).split_at((memories - 1) * own));
    let (several, one): (Vec<&[f64]>, Vec<&[f64]>) = parts.unzip();
    vec![
        Tensor::new([&[sequences, memories - 1], rest].concat(), several.concat()),
        Tensor::new([&[sequences], rest].concat(), one.concat()),
    ]
}
