//! The canonical `model.toml` of a model: the text of the stage `spec`, and what `momc import` writes.

use std::fmt::{self, Write};

use mom_dialect::shape::DType;

use super::{AttentionSpec, MemorySpec, ModelSpec, fp_name};

/// Writes every setting, defaults included, in one fixed order. The text reads back as the same model, apart from
/// places; an update rule in a file is named as the model named it, so its path holds in the same folder only.
pub fn to_toml(spec: &ModelSpec) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, spec);
    text
}

fn write(out: &mut String, spec: &ModelSpec) -> fmt::Result {
    let weights = if spec.weights == DType::BF16 { "bf16" } else { "f32" };
    writeln!(out, "[model]")?;
    writeln!(out, "name = {}", quoted(&spec.name))?;
    writeln!(out, "vocab_size = {}", spec.vocab_size)?;
    writeln!(out, "hidden_size = {}", spec.hidden_size)?;
    writeln!(out, "layers = {}", spec.layers)?;
    writeln!(out, "norm_eps = {:?}", spec.norm_eps)?;
    writeln!(out, "tie_embeddings = {}", spec.tie_embeddings)?;
    writeln!(out, "weights = \"{weights}\" # element type in which matrices are kept in memory")?;
    writeln!(out, "block_tokens = {} # the most tokens a step takes", spec.block_tokens)?;
    writeln!(out, "fp = \"{}\" # how far programs may be rewritten", fp_name(spec.fp))?;
    for (key, token) in [("bos_token", spec.bos_token), ("eos_token", spec.eos_token), ("pad_token", spec.pad_token)] {
        if let Some(token) = token {
            writeln!(out, "{key} = {token}")?;
        }
    }
    memory(out, &spec.memory)?;
    writeln!(out, "\n[mlp]\nsize = {}", spec.mlp_size.unwrap_or(0))?;
    for layers in &spec.attention {
        attention(out, layers)?;
    }
    writeln!(out, "\n[checkpoint]")?;
    writeln!(out, "naming = \"{}\" # how the checkpoint names its tensors", spec.naming.name)?;
    if spec.naming.joined_mlp {
        writeln!(out, "norm_first = {}", spec.norm_first)?;
    }
    Ok(())
}

fn memory(out: &mut String, memory: &MemorySpec) -> fmt::Result {
    writeln!(out, "\n[memory]")?;
    writeln!(out, "update_rule = {}", quoted(&memory.update_rule))?;
    writeln!(out, "heads = {}", memory.heads)?;
    if memory.head_groups != memory.heads {
        writeln!(out, "head_groups = {} # heads of grouped inputs", memory.head_groups)?;
    }
    writeln!(out, "head_dim = {} # key width of a head", memory.head_dim)?;
    writeln!(out, "value_dim = {} # value width of a head", memory.value_dim)?;
    match memory.routing {
        Some(routing) => {
            writeln!(out, "memories = {}", routing.memories)?;
            writeln!(out, "top_k = {} # memories that a token goes to", routing.top_k)?;
            writeln!(out, "shared_state = {} # one more memory, for every token", routing.shared_state)?;
            writeln!(out, "single_kv_proj = {}", routing.single_kv_proj)?;
        }
        None => writeln!(out, "routed = false # one memory, for every token")?,
    }
    writeln!(out, "output_gate = {}", memory.output_gate)?;
    writeln!(out, "conv_size = {} # taps of the short convolution, 0 without it", memory.conv_size.unwrap_or(0))?;
    if !memory.options.is_empty() {
        writeln!(out, "\n[memory.options]")?;
        for (name, value) in &memory.options {
            writeln!(out, "{} = {value:?}", quoted(name))?;
        }
    }
    Ok(())
}

fn attention(out: &mut String, attention: &AttentionSpec) -> fmt::Result {
    writeln!(out, "\n[[attention]]")?;
    writeln!(out, "layers = {:?}", attention.layers)?;
    writeln!(out, "heads = {}", attention.heads)?;
    writeln!(out, "kv_heads = {}", attention.kv_heads)?;
    if let Some(window) = attention.window {
        writeln!(out, "window = {window} # tokens that a token sees, itself included")?;
    }
    writeln!(out, "rope_base = {:?}", attention.rope_base)
}

fn quoted(text: &str) -> String {
    ::toml::Value::from(text).to_string()
}
