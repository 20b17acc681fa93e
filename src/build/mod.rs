//! From a model description to its program: the stage `mom`.
//!
//! The description is complete and consistent, and the program says what it says and no more: nothing is merged,
//! reordered or left out here for the sake of speed. Every operation carries the place of the description that asked
//! for it. This file holds the model around the mixing layers, which are in `memory` and `attention`.

mod attention;
mod builder;
mod memory;
mod names;

use mom_dialect::{
    diagnostic::Diagnostics,
    graph::{Function, Graph, OpKind, ValueId},
    shape::{Axis, Extent, Type},
};

pub use names::ignored_tensors;

use self::{
    builder::Builder,
    memory::Memory,
    names::{Block, Mlp},
};
use crate::spec::ModelSpec;

/// The program of a whole model.
///
/// Inputs are `tokens` `[T]`, `position` `[T]`, `cu_seqlens` `[B+1]` and `rows` `[L]`; outputs `logits` `[L, vocab]`
/// and, for each memory layer, `router_logits.<layer>` `[T, memory]`.
///
/// # Errors
/// An update rule that is wrong in itself or cannot be the memory of a layer.
pub fn model(spec: &ModelSpec) -> Result<Graph, Diagnostics> {
    let memory = Memory::read(spec)?;
    let mut builder = Builder::new(spec, memory.update_rule())?;
    let rows = builder.input("rows", Extent::ROWS)?;
    let vocabulary = [Axis::named("vocab", spec.vocab_size)];
    let model = [builder.model_axis()];
    let embeddings = builder.matrix(spec.naming.embeddings, &vocabulary, &model)?;
    let mut hidden = builder.one(OpKind::Embedding, &[builder.tokens, embeddings])?;
    for layer in 0..spec.layers {
        let block = Block::new(spec, layer);
        let x = match &block.mixing_norm {
            Some(norm) => builder.rms_norm(hidden, norm)?,
            None => hidden,
        };
        let attention = spec.attention.iter().find(|attention| attention.layers.contains(&layer));
        let mixed = match attention {
            Some(attention) => attention::layer(&mut builder, attention, layer, &block.mixing, x)?,
            None => memory.layer(&mut builder, layer, &block.mixing, x)?,
        };
        hidden = builder.elementwise(Function::Add, &[hidden, mixed])?;
        if let Some(block) = &block.mlp {
            let x = builder.rms_norm(hidden, &block.norm)?;
            let made = mlp(&mut builder, block, x)?;
            hidden = builder.elementwise(Function::Add, &[hidden, made])?;
        }
    }
    let asked = builder.one(OpKind::SelectRows, &[hidden, rows])?;
    let asked = builder.rms_norm(asked, spec.naming.final_norm)?;
    let head = match spec.tie_embeddings {
        true => embeddings,
        false => builder.matrix(names::LM_HEAD, &vocabulary, &model)?,
    };
    let logits = builder.one(OpKind::Linear, &[asked, head])?;
    builder.output("logits", logits)?;
    Ok(builder.graph)
}

/// The program of one memory layer alone, without the norm before it and the residual around it.
///
/// Token `i` stands for row `i` of the parameter `inputs` `[vocab, model]`. The layer's parameters have their names
/// within a layer, `q_proj.weight`; its states are those of layer 0. Outputs are `y` `[T, model]` and
/// `router_logits.0`.
///
/// # Errors
/// As [`model`].
pub fn mixing_layer(spec: &ModelSpec) -> Result<Graph, Diagnostics> {
    let memory = Memory::read(spec)?;
    let mut builder = Builder::new(spec, memory.update_rule())?;
    let table = Type::f32([Axis::named("vocab", spec.vocab_size), builder.model_axis()]);
    let inputs = builder.param("inputs", table, &[spec.vocab_size, spec.hidden_size])?;
    let x = builder.one(OpKind::Embedding, &[builder.tokens, inputs])?;
    let y = memory.layer(&mut builder, 0, "", x)?;
    builder.output("y", y)?;
    Ok(builder.graph)
}

/// `down(silu(gate x) * up x)`, of the width that the description gives.
fn mlp(builder: &mut Builder<'_>, block: &Mlp, x: ValueId) -> Result<ValueId, Diagnostics> {
    let hidden = [Axis::named("hidden", block.width)];
    let model = [builder.model_axis()];
    let ty = Type::new(builder.spec.weights, [hidden.clone(), model.clone()].concat());
    let gate = builder.stored(&block.gate.0, ty.clone(), block.gate.1.clone())?;
    let up = builder.stored(&block.up.0, ty, block.up.1.clone())?;
    let down = builder.matrix(&block.down, &model, &hidden)?;
    let gate = builder.one(OpKind::Linear, &[x, gate])?;
    let gate = builder.elementwise(Function::Silu, &[gate])?;
    let up = builder.one(OpKind::Linear, &[x, up])?;
    let product = builder.elementwise(Function::Mul, &[gate, up])?;
    builder.one(OpKind::Linear, &[product, down])
}
