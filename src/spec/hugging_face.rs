//! `config.json` of a Hugging Face folder: fla's `mom`, and the older public `mom_gated_deltanet`.
//!
//! A key that is absent means what the class of its family means by it; so does `null`, except that a switch set to
//! `null` is off. Keys that only training, caching or fused
//! kernels look at are accepted silently; other unknown keys are reported as warnings, since configurations collect
//! keys of all kinds. Whatever would change the results and is not computed is refused.

use std::{path::Path, sync::Arc};

use mom_dialect::{
    diagnostic::{Diagnostic, Diagnostics, Severity, Source, Span},
    shape::DType,
};

use super::{
    BLOCK_TOKENS, ModelSpec, Naming,
    checkpoint::Checkpoint,
    codes,
    draft::{AttentionDraft, Draft, MemoryDraft, ROPE_BASE, Width},
    findings::Findings,
    json, name_after,
    reader::{Field, HEADS, LAYERS, Language, MEMORIES, Reader, SIZE, TOP_K},
    value::{Kind, Table},
};

/// What a family of configurations means by the keys that its two versions name or default differently.
struct Family {
    naming: Naming,
    layers: usize,
    heads: usize,
    expand_v: f64,
    memories: usize,
    shared_mem: bool,
    output_gate: &'static str,
}

const MOM: Family = Family {
    naming: Naming::Mom,
    layers: 24,
    heads: 4,
    expand_v: 1.0,
    memories: 4,
    shared_mem: true,
    output_gate: "use_output_gate",
};

const MOM_GATED_DELTANET: Family = Family {
    naming: Naming::MomGatedDeltaNet,
    layers: 21,
    heads: 6,
    expand_v: 2.0,
    memories: 8,
    shared_mem: false,
    output_gate: "use_gate",
};

/// Keys of the two families that do not change what a model computes.
const WITHOUT_EFFECT: &[&str] = &[
    "attn_mode",
    "aux_loss_scale",
    "fuse_conv_l2",
    "fuse_cross_entropy",
    "fuse_linear_cross_entropy",
    "fuse_norm",
    "fuse_swiglu",
    "initializer_range",
    "max_position_embeddings",
    "use_cache",
    "use_l2warp",
    "use_layer_wise_balance",
];

/// Keys that transformers writes into any configuration.
const GENERIC: &[&str] = &[
    "_attn_implementation_autoset",
    "_name_or_path",
    "architectures",
    "auto_map",
    "chunk_size_feed_forward",
    "id2label",
    "is_decoder",
    "is_encoder_decoder",
    "label2id",
    "output_attentions",
    "output_hidden_states",
    "problem_type",
    "return_dict",
    "torchscript",
    "transformers_version",
    "use_bfloat16",
];

/// Reads a `config.json`. The checkpoint beside it, where there is one, tells which naming and element type its tensors
/// really have.
///
/// # Errors
/// Everything that is wrong with the configuration, E0102 to E0112. What it says in vain becomes a warning.
pub fn parse_config(source: &Arc<Source>, checkpoint: Option<&Checkpoint>) -> Result<ModelSpec, Diagnostics> {
    let document = json::parse(source).map_err(|error| vec![*error])?;
    let Kind::Table(root) = &document.kind else {
        let error =
            Diagnostic::error(codes::WRONG_TYPE, format!("a configuration is an object, not {}", document.kind.noun()));
        let error = error.help("write `{\"model_type\": …}`");
        return Err(vec![error.at(Span::new(source, document.range.clone()))]);
    };
    let mut findings = Findings::default();
    let top = Span::new(source, 0..0);
    let mut reader = Reader::new((source, Language::Json), "the configuration", (root, top), &mut findings);
    let Some(family) = family(&mut reader) else {
        return Err(findings.refusal());
    };
    let layers = reader.tables("attn");
    let mut draft = draft(reader, &family, checkpoint);
    draft.attention = layers.into_iter().map(|table| attention(source, table, &mut findings)).collect();
    draft.finish(Path::new(""), findings)
}

/// None if the configuration is of no family that momc reads, which has been reported.
fn family(reader: &mut Reader) -> Option<Family> {
    let model_type = reader.required_string("model_type", "mom")?;
    match model_type.value.as_str() {
        "mom" => Some(MOM),
        "mom_gated_deltanet" => Some(MOM_GATED_DELTANET),
        other => {
            let message = format!("`{other}` is not a model that momc reads");
            let error = Diagnostic::error(codes::OTHER_MODEL, message).at(model_type.span);
            reader.push(error.help("momc reads `mom` and `mom_gated_deltanet`"));
            None
        }
    }
}

fn draft(mut reader: Reader, family: &Family, checkpoint: Option<&Checkpoint>) -> Draft {
    reader.ignore(WITHOUT_EFFECT);
    reader.ignore(GENERIC);
    refuse_unsupported(&mut reader, family);
    let older = family.naming == Naming::MomGatedDeltaNet;
    let norm_first = match older {
        true => reader.boolean("norm_first", false),
        false => reader.default("norm_first", false),
    };
    let vocab_size = reader.size("vocab_size", 32000, SIZE);
    let [bos_token, eos_token, pad_token] =
        [("bos_token_id", Some(1)), ("eos_token_id", Some(2)), ("pad_token_id", None)]
            .map(|(key, default)| token(&mut reader, key, default, vocab_size.value));
    let draft = Draft {
        name: name(&reader.place().source.name),
        hidden_size: reader.size("hidden_size", 2048, SIZE),
        layers: reader.size("num_hidden_layers", family.layers, LAYERS),
        norm_eps: reader.norm_eps(),
        tie_embeddings: reader.boolean("tie_word_embeddings", false).value,
        mlp: mlp(&mut reader),
        norm_first,
        weights: weights(&mut reader, checkpoint),
        naming: checkpoint.and_then(Checkpoint::naming).unwrap_or(family.naming),
        memory: memory(&mut reader, family),
        attention: Vec::new(),
        vocab_size,
        bos_token,
        eos_token,
        pad_token,
        block_tokens: BLOCK_TOKENS,
        span: reader.place(),
    };
    reader.finish(Severity::Warning);
    draft
}

/// The model is named after its folder.
fn name(path: &str) -> String {
    name_after(Path::new(path).parent().and_then(Path::file_name))
}

fn mlp(reader: &mut Reader) -> Width {
    let ratio = reader.positive("hidden_ratio", 4.0);
    match reader.optional_size("intermediate_size", 4096, SIZE) {
        Some(size) => Width::Exact(size),
        None => Width::Factor(ratio),
    }
}

fn memory(reader: &mut Reader, family: &Family) -> MemoryDraft {
    let [memories, single_kv_proj] = match family.naming {
        Naming::Mom => ["num_memories", "single_kv_proj"],
        // The first published configurations still spoke of experts.
        Naming::MomGatedDeltaNet => [("num_memories", "num_experts"), ("single_kv_proj", "single_expert")]
            .map(|(later, first)| if reader.mentions(first) && !reader.mentions(later) { first } else { later }),
    };
    let conv_size = reader.size("conv_size", 4, 1..=16);
    let short_conv = reader.boolean("use_short_conv", true);
    MemoryDraft {
        update_rule: reader.default("mom_backend", "gated_delta_rule".to_owned()),
        options: Default::default(),
        heads: reader.size("num_heads", family.heads, HEADS).value,
        head_dim: reader.size("head_dim", 256, SIZE),
        value: Width::Factor(reader.positive("expand_v", family.expand_v)),
        memories: reader.size(memories, family.memories, MEMORIES),
        top_k: reader.size("topk", 2, TOP_K),
        shared_state: reader.boolean("shared_mem", family.shared_mem).value,
        single_kv_proj: reader.boolean(single_kv_proj, false).value,
        output_gate: reader.boolean(family.output_gate, true).value,
        conv_size: if short_conv.value { conv_size } else { Field { value: 0, ..conv_size } },
        span: reader.place(),
    }
}

/// The element type of the checkpoint decides, then the configuration.
fn weights(reader: &mut Reader, checkpoint: Option<&Checkpoint>) -> DType {
    let known = [("float32", DType::F32), ("bfloat16", DType::BF16), ("float16", DType::F32)];
    // transformers renamed `torch_dtype` to `dtype`.
    let [earlier, later] = ["torch_dtype", "dtype"].map(|key| {
        let field = reader.choice(key, DType::F32, &known);
        (!field.is_default).then_some(field.value)
    });
    let written = later.or(earlier);
    checkpoint.and_then(Checkpoint::weights).or(written).unwrap_or(DType::F32)
}

/// A token that an absent key defaults to counts only if the vocabulary has it.
fn token(reader: &mut Reader, key: &'static str, default: Option<usize>, vocab_size: usize) -> Option<Field<usize>> {
    if !reader.mentions(key) {
        reader.ignore(&[key]);
        return default.filter(|&token| token < vocab_size).map(|token| reader.default(key, token));
    }
    reader.first_token(key, 2, 0..=*SIZE.end())
}

fn refuse_unsupported(reader: &mut Reader, family: &Family) {
    let refuse = |reader: &mut Reader, span: Span, message: String, help: &str| {
        reader.push(Diagnostic::error(codes::UNSUPPORTED, message).at(span).help(help.to_owned()));
    };
    if let Some(act) = reader.string("hidden_act", "swish")
        && !["swish", "silu"].contains(&act.value.as_str())
    {
        let message = format!("the MLP's activation is `{}`, and momc computes `swish` only", act.value);
        refuse(reader, act.span, message, "`swish` and `silu` are the same function; fla's MoM models use no other");
    }
    if family.naming == Naming::MomGatedDeltaNet {
        let capacity = reader.positive("capacity", 1.0);
        if capacity.value != 1.0 {
            let message = format!("a capacity of {} drops tokens from memories, which momc does not", capacity.value);
            refuse(
                reader,
                capacity.span,
                message,
                "with `\"capacity\": 1.0` every token reaches the memories it chose",
            );
        }
        return;
    }
    reader.ignore(&["capacity"]);
    if let Some(backend) = reader.string("mom_backend", "gated_deltanet")
        && backend.value != "gated_deltanet"
    {
        let message = format!("the memories are updated by `{}`, and fla has `gated_deltanet` only", backend.value);
        refuse(reader, backend.span, message, "describe a model with another update rule in a model.toml");
    }
    if let Some(block) = reader.optional_size("attnres_block_size", 1, SIZE) {
        let message = "residual streams with attention (`attnres_block_size`) are not computed".to_owned();
        refuse(reader, block.span, message, "momc reads models in which `attnres_block_size` is null");
    }
}

/// One entry of `attn`. fla's MoM block builds its attention without `qkv_bias` and `rope_theta`, whatever they say.
fn attention(source: &Arc<Source>, table: (&Table, Span), findings: &mut Findings) -> AttentionDraft {
    let mut reader = Reader::new((source, Language::Json), "`attn`", table, findings);
    let draft = AttentionDraft::read(&mut reader, ["num_heads", "num_kv_heads", "window_size"]);
    let ineffective = |reader: &mut Reader, span: Span, message: String| {
        let help = "momc follows fla, where this setting does not reach the attention of a MoM model";
        reader.push(Diagnostic::warning(codes::WITHOUT_EFFECT, message).at(span).help(help));
    };
    let bias = reader.boolean("qkv_bias", false);
    if bias.value {
        ineffective(&mut reader, bias.span, "`qkv_bias` has no effect: the projections have no bias".to_owned());
    }
    let theta = reader.positive("rope_theta", ROPE_BASE);
    if theta.value != ROPE_BASE {
        let message = format!("`rope_theta` has no effect: the base of the rotary embeddings is {ROPE_BASE}");
        ineffective(&mut reader, theta.span, message);
    }
    reader.finish(Severity::Warning);
    draft
}
