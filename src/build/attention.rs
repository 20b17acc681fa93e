//! A layer of causal softmax attention in a hybrid model.
//!
//! Its states are the keys and values of the tokens so far. With a window only the last few are ever read, and they
//! are kept in a ring: a cache of fixed size that holds the window and the tokens of one step.

use mom_dialect::{
    diagnostic::Diagnostics,
    graph::{OpKind, ValueId},
    shape::{Axis, Extent},
};

use super::builder::Builder;
use crate::spec::AttentionSpec;

/// Appends the layer number `layer`, whose parameters' names start with `prefix`, for its input `x` `[T, model]`.
pub(super) fn layer(
    builder: &mut Builder<'_>,
    spec: &AttentionSpec,
    layer: usize,
    prefix: &str,
    x: ValueId,
) -> Result<ValueId, Diagnostics> {
    let outer = std::mem::replace(&mut builder.span, spec.span.clone());
    let model = [builder.model_axis()];
    let width = builder.spec.hidden_size / spec.heads;
    let heads = [Axis::named("head", spec.heads), Axis::named("width", width)];
    let kv_heads = [Axis::named("kv_head", spec.kv_heads), Axis::named("width", width)];
    let (position, cu_seqlens) = (builder.position, builder.cu_seqlens);

    let q_proj = builder.matrix(&format!("{prefix}q_proj.weight"), &heads, &model)?;
    let k_proj = builder.matrix(&format!("{prefix}k_proj.weight"), &kv_heads, &model)?;
    let v_proj = builder.matrix(&format!("{prefix}v_proj.weight"), &kv_heads, &model)?;
    let o_proj = builder.matrix(&format!("{prefix}o_proj.weight"), &model, &heads)?;
    let rotary = OpKind::Rotary { base: spec.rope_base };
    let q = builder.one(OpKind::Linear, &[x, q_proj])?;
    let q = builder.one(rotary.clone(), &[q, position])?;
    let k = builder.one(OpKind::Linear, &[x, k_proj])?;
    let k = builder.one(rotary, &[k, position])?;
    let v = builder.one(OpKind::Linear, &[x, v_proj])?;

    let capacity = match spec.window {
        None => Axis::Rows(Extent::CONTEXT),
        Some(window) => Axis::named("ring", window + builder.spec.block_tokens),
    };
    let cache = [&[capacity], &kv_heads[..]].concat();
    let mut append = |name: &str, new: ValueId| {
        let name = format!("layers.{layer}.{name}");
        let before = builder.state(&name, &cache)?;
        let after = builder.one(OpKind::AppendCache, &[new, before, position, cu_seqlens])?;
        builder.set_state(&name, after)?;
        Ok::<ValueId, Diagnostics>(after)
    };
    let (keys, values) = (append("keys", k)?, append("values", v)?);
    let scale = (width as f64).powf(-0.5);
    let attention = OpKind::Attention { window: spec.window, scale };
    let read = builder.one(attention, &[q, keys, values, position, cu_seqlens])?;
    let y = builder.one(OpKind::Linear, &[read, o_proj])?;
    builder.span = outer;
    Ok(y)
}
