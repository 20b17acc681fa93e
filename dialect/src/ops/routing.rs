//! `router`, `sort`, `dispatch`, `combine` and `append`: which tokens go to which memories, and back (arXiv 2502.13685).
//!
//! `router`: `p = softmax(logits)` over all memories; the `k` largest are selected, largest first, the lower memory
//! first where two are equal; their weights are renormalised, `w_j = p_j / Σ p_j`. With `shared_state` one more choice
//! follows, the same for all tokens: memory `M`, which is the shared state, with weight 1.
//!
//! `sort` groups the (token, choice) pairs into segments, one for each memory of each sequence, memory by memory:
//! segment `e·B + b` holds the tokens of sequence `b` that selected memory `e`, in the order of time. Row `r` of this
//! *routed stream* is token `permutation[r]`; token `t` finds its choice `j` in row `slot[t, j]`; segment `s` is the
//! rows `segments[s] .. segments[s+1]`. Padding is not routed: its slots are -1, and as many entries of `permutation`
//! at the end are -1.
//!
//! `dispatch`: `y[r] = x[permutation[r]]`, zero behind the last segment.
//! `combine`: `y[t] = Σ_j weight[t, j] · x[slot[t, j]]`, zero at padding.
//! `append`: `y[slot'[t, j]] = routed[slot[t, j]]` for `j < k` and `y[slot'[t, k]] = tokens[t]`, zero in rows that no
//! slot names: what a stream of `k` choices becomes when each token has one more.

use super::{Operand, check, embedding::picked, segments::segment_rows};
use crate::{
    reference::Tensor,
    shape::{Axis, Extent, Type},
};

/// `[T, choice]`: one entry for each choice of each token.
fn choices(top_k: usize) -> [Axis; 2] {
    [Axis::Rows(Extent::TOKENS), Axis::named("choice", top_k)]
}

/// How many choices a token has, read off `[T, choice]`.
fn choice_count(op: &str, found: &Type) -> Result<usize, String> {
    let size = found.axis("choice").and_then(Axis::size).filter(|&size| size > 0);
    size.ok_or_else(|| format!("`{op}` needs the choices of each token, [T, choice]; found {}", found.describe()))
}

pub(super) fn router(top_k: usize, shared_state: bool, operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [logits] = check::exactly("router", operands)?;
    let &[Axis::Named { size: memories, .. }] = check::token_rows("router", "logits", logits)? else {
        return Err(format!("`router` needs logits [T, memory]; found {}", logits.describe()));
    };
    if top_k == 0 || top_k > memories {
        return Err(format!("`router` selects between 1 and all {memories} memories, not {top_k}"));
    }
    let choices = choices(top_k + usize::from(shared_state));
    Ok(vec![Type::i32(choices.clone()), Type::f32(choices)])
}

pub(super) fn sort(memories: usize, operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [selected, position, cu_seqlens] = check::exactly("sort", operands)?;
    let top_k = choice_count("sort", selected)?;
    check::same("sort", "selected memories", selected, &Type::i32(choices(top_k)))?;
    check::same("sort", "position", position, &check::index(Extent::TOKENS))?;
    check::same("sort", "cu_seqlens", cu_seqlens, &check::boundaries(1))?;
    if top_k > memories {
        return Err(format!("`sort` has {memories} memories for {top_k} choices of a token"));
    }
    Ok(vec![check::index(Extent::TOKENS.times(top_k)), Type::i32(choices(top_k)), check::boundaries(memories)])
}

pub(super) fn dispatch(operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [x, permutation, segments] = check::exactly("dispatch", operands)?;
    // Positions are dispatched as well as values.
    let of_positions = *x == check::index(Extent::TOKENS);
    let rest = if of_positions { &[] } else { check::token_rows("dispatch", "an operand", x)? };
    let routed = Extent::TOKENS.times(permutation.rows().map_or(1, |rows| rows.tokens.max(1)));
    check::same("dispatch", "a permutation", permutation, &check::index(routed))?;
    let memories = segments.rows().map_or(1, |rows| rows.sequences.max(1));
    check::same("dispatch", "segments", segments, &check::boundaries(memories))?;
    Ok(vec![if of_positions { check::index(routed) } else { check::with_rows(routed, rest) }])
}

pub(super) fn combine(operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [x, slot, weight] = check::exactly("combine", operands)?;
    let top_k = choice_count("combine", slot)?;
    check::same("combine", "slots", slot, &Type::i32(choices(top_k)))?;
    check::same("combine", "weights", weight, &Type::f32(choices(top_k)))?;
    let (routed, rest) = check::rows("combine", "a routed stream", x)?;
    if routed != Extent::TOKENS.times(top_k) {
        return Err(format!("`combine` needs {} rows; found {}", Extent::TOKENS.times(top_k), x.describe()));
    }
    Ok(vec![check::with_rows(Extent::TOKENS, rest)])
}

pub(super) fn append(operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [routed, slot, tokens, next_slot] = check::exactly("append", operands)?;
    let top_k = choice_count("append", slot)?;
    check::same("append", "slots", slot, &Type::i32(choices(top_k)))?;
    check::same("append", "slots of the result", next_slot, &Type::i32(choices(top_k + 1)))?;
    let (rows, rest) = check::rows("append", "a routed stream", routed)?;
    if rows != Extent::TOKENS.times(top_k) {
        return Err(format!("`append` needs {} rows; found {}", Extent::TOKENS.times(top_k), routed.describe()));
    }
    check::same("append", "tokens", tokens, &check::with_rows(Extent::TOKENS, rest))?;
    Ok(vec![check::with_rows(Extent::TOKENS.times(top_k + 1), rest)])
}

pub(super) fn evaluate_router(top_k: usize, shared_state: bool, operands: &[Operand<'_>]) -> Vec<Tensor> {
    let logits = operands[0].value;
    let (tokens, memories) = (logits.shape[0], logits.shape[1]);
    let (mut selected, mut weights) = (Vec::new(), Vec::new());
    for token in 0..tokens {
        let p = softmax(logits.row(token));
        let mut order: Vec<usize> = (0..memories).collect();
        // A stable sort, so that the lower memory stays first among equals.
        order.sort_by(|&a, &b| p[b].total_cmp(&p[a]));
        order.truncate(top_k);
        let total: f64 = order.iter().map(|&memory| p[memory]).sum();
        weights.extend(order.iter().map(|&memory| p[memory] / total));
        selected.extend(order.into_iter().map(|memory| memory as i64));
        if shared_state {
            weights.push(1.0);
            selected.push(memories as i64);
        }
    }
    let shape = [tokens, top_k + usize::from(shared_state)];
    vec![Tensor::integers(shape, selected), Tensor::new(shape, weights)]
}

/// `exp(x_i) / Σ exp(x)`, computed relative to the largest entry so that exp cannot overflow.
pub(super) fn softmax(x: &[f64]) -> Vec<f64> {
    let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = x.iter().map(|x| (x - largest).exp()).collect();
    let total: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / total).collect()
}

pub(super) fn evaluate_sort(memories: usize, operands: &[Operand<'_>]) -> Vec<Tensor> {
    let [selected, position, cu_seqlens] = [0, 1, 2].map(|at| operands[at].value);
    let top_k = selected.shape[1];
    let mut permutation = Vec::new();
    let mut slot = vec![-1; selected.data.len()];
    let mut segments = vec![0];
    let sequences = segment_rows(cu_seqlens, Some(position));
    for memory in 0..memories {
        for sequence in &sequences {
            for &token in sequence {
                for choice in 0..top_k {
                    let pair = token * top_k + choice;
                    if selected.index(pair) == Some(memory) {
                        slot[pair] = permutation.len() as i64;
                        permutation.push(token as i64);
                    }
                }
            }
            segments.push(permutation.len() as i64);
        }
    }
    permutation.resize(slot.len(), -1);
    vec![
        Tensor::integers([permutation.len()], permutation),
        Tensor::integers(selected.shape.clone(), slot),
        Tensor::integers([segments.len()], segments),
    ]
}

pub(super) fn evaluate_dispatch(operands: &[Operand<'_>]) -> Vec<Tensor> {
    vec![picked(operands[0].value, operands[1].value)]
}

pub(super) fn evaluate_combine(operands: &[Operand<'_>]) -> Vec<Tensor> {
    let [x, slot, weight] = [0, 1, 2].map(|at| operands[at].value);
    let (tokens, top_k) = (slot.shape[0], slot.shape[1]);
    let mut shape = x.shape.clone();
    shape[0] = tokens;
    let mut y = Tensor::zeros(shape);
    for token in 0..tokens {
        for choice in 0..top_k {
            let Some(row) = slot.index(token * top_k + choice) else { continue };
            let weight = weight.row(token)[choice];
            for (y, x) in y.row_mut(token).iter_mut().zip(x.row(row)) {
                *y += weight * x;
            }
        }
    }
    vec![y]
}

pub(super) fn evaluate_append(operands: &[Operand<'_>]) -> Vec<Tensor> {
    let [routed, slot, tokens, next_slot] = [0, 1, 2, 3].map(|at| operands[at].value);
    let top_k = slot.shape[1];
    let mut shape = tokens.shape.clone();
    shape[0] *= top_k + 1;
    let mut y = Tensor::zeros(shape);
    for token in 0..tokens.shape[0] {
        for choice in 0..=top_k {
            let Some(to) = next_slot.index(token * (top_k + 1) + choice) else { continue };
            if choice == top_k {
                y.row_mut(to).copy_from_slice(tokens.row(token));
            } else if let Some(from) = slot.index(token * top_k + choice) {
                y.row_mut(to).copy_from_slice(routed.row(from));
            }
        }
    }
    vec![y]
}
