//! `rotary`, `append_cache` and `attention`: causal softmax attention over a cache.
//!
//! `rotary` (arXiv 2104.09864, halves rotated): with `half = width/2` and `θ_i = position · base^(-2i/width)`,
//! `y[i] = x[i] cos θ_i - x[i+half] sin θ_i` and `y[i+half] = x[i+half] cos θ_i + x[i] sin θ_i`.
//!
//! `append_cache`: the row of the token at position `p` of sequence `b` becomes `cache[b, p mod C]`. Padding is not
//! stored. The capacity `C` must hold every position that a query of the step sees. A cache whose second axis is the
//! named axis `ring` has that capacity, whatever the length of the sequences: enough for a window and a step.
//!
//! `attention`: the query at position `p` sees the positions from `max(0, p-window+1)` to `p` of its own sequence:
//! `y = Σ_s softmax_s(scale · q·key_s) value_s`. Query head `j` reads the kv head `j / (heads / kv_heads)`. Padding
//! sees nothing and its `y` is zero. The cache already holds the keys and values of the step.

use super::{Operand, check, routing::softmax, segments::segment_rows};
use crate::{
    reference::Tensor,
    shape::{Axis, Extent, Type},
};

/// The type of a cache of rows with the axes `rest`: with the capacity `C`, or with a fixed one where `found` is a ring.
fn cache_type(found: &Type, rest: &[Axis]) -> Type {
    let capacity = match found.axes.get(1) {
        Some(ring) if ring.name() == "ring" => ring.clone(),
        _ => Axis::Rows(Extent::CONTEXT),
    };
    Type::f32([&[Axis::Rows(Extent::SEQUENCES), capacity], rest].concat())
}

pub(super) fn rotary(base: f64, operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [x, position] = check::exactly("rotary", operands)?;
    let (rows, rest) = check::rows("rotary", "an operand", x)?;
    check::same("rotary", "position", position, &check::index(rows))?;
    if !(base > 0.0 && base.is_finite()) {
        return Err(format!("`rotary` needs a base above zero, found {base}"));
    }
    match rest.last().and_then(Axis::size) {
        Some(width) if width % 2 == 0 => Ok(vec![x.clone()]),
        _ => Err(format!("`rotary` needs a last axis of even size; found {}", x.describe())),
    }
}

pub(super) fn append_cache(operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [x, cache, position, cu_seqlens] = check::exactly("append_cache", operands)?;
    let rest = check::token_rows("append_cache", "an operand", x)?;
    check::same("append_cache", "a cache", cache, &cache_type(cache, rest))?;
    check::same("append_cache", "position", position, &check::index(Extent::TOKENS))?;
    check::same("append_cache", "cu_seqlens", cu_seqlens, &check::boundaries(1))?;
    Ok(vec![cache.clone()])
}

pub(super) fn attention(window: Option<usize>, scale: f64, operands: &[&Type]) -> Result<Vec<Type>, String> {
    let [q, keys, values, position, cu_seqlens] = check::exactly("attention", operands)?;
    let [Axis::Named { size: heads, .. }, width] = check::token_rows("attention", "queries", q)? else {
        return Err(format!("`attention` needs queries [T, head, width]; found {}", q.describe()));
    };
    let [_, _, kv_head @ Axis::Named { size: kv_heads, .. }, _] = &keys.axes[..] else {
        return Err(format!("`attention` needs keys [B, C, kv_head, width]; found {}", keys.describe()));
    };
    let cache = cache_type(keys, &[kv_head.clone(), width.clone()]);
    check::same("attention", "keys", keys, &cache)?;
    check::same("attention", "values", values, &cache)?;
    check::same("attention", "position", position, &check::index(Extent::TOKENS))?;
    check::same("attention", "cu_seqlens", cu_seqlens, &check::boundaries(1))?;
    if *kv_heads == 0 || heads % kv_heads != 0 {
        return Err(format!("`attention` needs as many query heads for every kv head; found {heads} for {kv_heads}"));
    }
    if window == Some(0) || !scale.is_finite() {
        return Err("`attention` needs a window of at least 1 token and a finite scale".into());
    }
    Ok(vec![q.clone()])
}

pub(super) fn evaluate_rotary(base: f64, operands: &[Operand<'_>]) -> Vec<Tensor> {
    let [x, position] = [0, 1].map(|at| operands[at].value);
    let width = x.shape.last().copied().unwrap_or(2);
    let half = width / 2;
    let mut y = x.clone();
    for (token, position) in position.data.iter().enumerate() {
        for vector in y.row_mut(token).chunks_exact_mut(width) {
            for i in 0..half {
                let angle = position * base.powf(-2.0 * i as f64 / width as f64);
                let (first, second) = (vector[i], vector[i + half]);
                vector[i] = first * angle.cos() - second * angle.sin();
                vector[i + half] = second * angle.cos() + first * angle.sin();
            }
        }
    }
    vec![y]
}

pub(super) fn evaluate_append_cache(operands: &[Operand<'_>]) -> Result<Vec<Tensor>, String> {
    let [x, cache, position, cu_seqlens] = [0, 1, 2, 3].map(|at| operands[at].value);
    let capacity = cache.shape[1];
    let width = x.row_elements();
    let mut after = cache.clone();
    for (sequence, tokens) in segment_rows(cu_seqlens, Some(position)).iter().enumerate() {
        if capacity == 0 && !tokens.is_empty() {
            return Err("the attention cache has no room; give the interpreter a capacity".into());
        }
        for &token in tokens {
            let place = position.index(token).unwrap_or_default() % capacity;
            after.row_mut(sequence)[place * width..][..width].copy_from_slice(x.row(token));
        }
    }
    Ok(vec![after])
}

pub(super) fn evaluate_attention(
    window: Option<usize>,
    scale: f64,
    operands: &[Operand<'_>],
) -> Result<Vec<Tensor>, String> {
    let [q, keys, values, position, cu_seqlens] = [0, 1, 2, 3, 4].map(|at| operands[at].value);
    let (heads, width) = (q.shape[1], q.shape[2]);
    let (capacity, kv_heads) = (keys.shape[1], keys.shape[2]);
    let mut y = Tensor::zeros(q.shape.clone());
    for (sequence, tokens) in segment_rows(cu_seqlens, Some(position)).iter().enumerate() {
        let newest = tokens.iter().filter_map(|&token| position.index(token)).max().unwrap_or(0);
        for &token in tokens {
            let last = position.index(token).unwrap_or_default();
            let first = window.map_or(0, |window| (last + 1).saturating_sub(window));
            if first + capacity <= newest {
                return Err(format!(
                    "a query at position {last} sees position {first}, which a cache of {capacity} tokens has lost at position {newest}"
                ));
            }
            for head in 0..heads {
                let kv_head = head / (heads / kv_heads);
                let at = |position: usize| ((position % capacity) * kv_heads + kv_head) * width;
                let query = &q.row(token)[head * width..][..width];
                let score = |position: usize| {
                    let key = &keys.row(sequence)[at(position)..][..width];
                    scale * query.iter().zip(key).map(|(q, k)| q * k).sum::<f64>()
                };
                let p = softmax(&(first..=last).map(score).collect::<Vec<_>>());
                let y = &mut y.row_mut(token)[head * width..][..width];
                for (position, p) in (first..=last).zip(p) {
                    let value = &values.row(sequence)[at(position)..][..width];
                    y.iter_mut().zip(value).for_each(|(y, value)| *y += p * value);
                }
            }
        }
    }
    Ok(vec![y])
}
