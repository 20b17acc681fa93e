//! `config.json` of a Hugging Face folder, for the families that `families` lists.
//!
//! A key that is absent means what the class of its family means by it; so does `null`, except that a switch set to
//! `null` is off. Keys that only training, caching or fused
//! kernels look at are accepted silently; other unknown keys are reported as warnings, since configurations collect
//! keys of all kinds. Whatever would change the results and is not computed is refused.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use mom_dialect::{
    diagnostic::{Diagnostic, Diagnostics, Severity, Source, Span},
    shape::DType,
};

use super::{
    BLOCK_TOKENS, FP, ModelSpec, Naming,
    checkpoint::Checkpoint,
    codes,
    draft::{AttentionDraft, Draft, MemoryDraft, ROPE_BASE, RoutingDraft, Width},
    families::{FAMILIES, Family, Groups, Routing, Setting, Switch, Widths},
    findings::Findings,
    json, name_after, naming,
    reader::{Field, HEADS, LAYERS, Language, MEMORIES, Reader, SIZE, TOP_K, did_you_mean},
    value::{Kind, Table},
};

/// Keys of all families that do not change what a model computes.
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
    let mut draft = draft(reader, family, checkpoint);
    draft.attention = layers.into_iter().map(|table| attention(source, table, &mut findings)).collect();
    draft.finish(Path::new(""), findings)
}

/// None if the configuration is of no family that momc reads, which has been reported.
fn family(reader: &mut Reader) -> Option<&'static Family> {
    let model_type = reader.required_string("model_type", "mom")?;
    let family = FAMILIES.into_iter().find(|family| family.model_type == model_type.value);
    if family.is_none() {
        let known: Vec<&str> = FAMILIES.iter().map(|family| family.model_type).collect();
        let message = format!("`{}` is not a model that momc reads", model_type.value);
        let error = Diagnostic::error(codes::OTHER_MODEL, message).at(model_type.span);
        let help = did_you_mean(&model_type.value, &known).unwrap_or_else(|| format!("momc reads {}", list(&known)));
        reader.push(error.help(help));
    }
    family
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn draft(mut reader: Reader, family: &Family, checkpoint: Option<&Checkpoint>) -> Draft {
    reader.ignore(WITHOUT_EFFECT);
    reader.ignore(GENERIC);
    reader.ignore(family.without_effect);
    refuse_unsupported(&mut reader, family);
    let norm_first = match family.naming.joined_mlp {
        true => reader.boolean("norm_first", false),
        false => reader.default("norm_first", false),
    };
    let vocab_size = reader.size("vocab_size", 32000, SIZE);
    let hidden_size = reader.size("hidden_size", 2048, SIZE);
    let [bos_token, eos_token, pad_token] =
        [("bos_token_id", Some(1)), ("eos_token_id", Some(2)), ("pad_token_id", None)]
            .map(|(key, default)| token(&mut reader, key, default, vocab_size.value));
    let memory = memory(&mut reader, family, hidden_size.value);
    let draft = Draft {
        name: name(&reader.place().source.name),
        layers: reader.size("num_hidden_layers", family.layers, LAYERS),
        norm_eps: reader.norm_eps(family.norm_eps),
        tie_embeddings: reader.boolean("tie_word_embeddings", false).value,
        mlp: family.hidden_ratio.map(|ratio| mlp(&mut reader, ratio)),
        norm_first,
        weights: weights(&mut reader, checkpoint),
        fp: FP,
        naming: naming(family, memory.output_gate, checkpoint),
        memory,
        attention: Vec::new(),
        vocab_size,
        hidden_size,
        bos_token,
        eos_token,
        pad_token,
        block_tokens: BLOCK_TOKENS,
        span: reader.place(),
    };
    reader.finish(Severity::Warning);
    draft
}

/// How the tensors are named. Both layouts of a MoM model are found under either `model_type`; the MLPs tell.
fn naming(family: &Family, output_gate: bool, checkpoint: Option<&Checkpoint>) -> &'static Naming {
    if family.routing.is_some() {
        return match checkpoint.and_then(Checkpoint::joined_mlp) {
            Some(true) => &naming::MOM_GATED_DELTANET,
            Some(false) => &naming::MOM,
            None => family.naming,
        };
    }
    family.ungated.filter(|_| !output_gate).unwrap_or(family.naming)
}

/// The model is named after its folder.
fn name(path: &str) -> String {
    name_after(Path::new(path).parent().and_then(Path::file_name))
}

fn mlp(reader: &mut Reader, ratio: f64) -> Width {
    let ratio = reader.positive("hidden_ratio", ratio);
    match reader.optional_size("intermediate_size", 4096, SIZE) {
        Some(size) => Width::Exact(size),
        None => Width::Factor(ratio),
    }
}

fn memory(reader: &mut Reader, family: &Family, hidden_size: usize) -> MemoryDraft {
    let update_rule = update_rule(reader, family);
    let fixed = family.fixed.iter().map(|&(option, value)| (option.to_owned(), value));
    let mut options: BTreeMap<String, f64> = fixed.collect();
    for &(key, option, on) in family.options {
        options.extend(reader.number_or_switch(key, on).map(|value| (option.to_owned(), value)));
    }
    for &(key, ends) in family.ranges {
        let found = ends.into_iter().zip(reader.range(key));
        options.extend(found.filter_map(|(option, value)| Some((option.to_owned(), value?))));
    }
    let conv_size = match &family.short_conv {
        None => reader.default("conv_size", 0),
        Some((key, present)) => {
            let taps = reader.size(key, 4, 1..=16);
            if switch(reader, present) { taps } else { Field { value: 0, ..taps } }
        }
    };
    let (heads, head_dim, value) = widths(reader, family, hidden_size);
    let (heads, head_groups) = match family.groups {
        Groups::None => (heads.clone(), heads),
        Groups::Values => (reader.size("num_v_heads", heads.value, HEADS), heads),
        Groups::Keys => (heads.clone(), reader.size("num_kv_heads", heads.value, HEADS)),
        Groups::Count(groups) => (heads, reader.size("n_groups", groups, HEADS)),
    };
    MemoryDraft {
        update_rule,
        options,
        heads,
        head_groups,
        head_dim,
        value,
        routing: family.routing.as_ref().map(|defaults| routing(reader, defaults)),
        output_gate: switch(reader, &family.output_gate),
        conv_size,
        span: reader.place(),
    }
}

/// The first update rule of the family whose conditions the configuration meets.
fn update_rule(reader: &mut Reader, family: &Family) -> Field<String> {
    let default =
        |key: &str| family.limits.iter().find(|(limited, ..)| *limited == key).map(|(_, default, _)| *default);
    let mut fits = |conditions: &[(&'static str, Setting)]| {
        conditions.iter().all(|(key, setting)| {
            reader.is_one_of(key, default(key).unwrap_or(Setting::Null), std::slice::from_ref(setting)).0
        })
    };
    let found = family.update_rules.iter().find(|(_, conditions)| fits(conditions));
    let name = found.or(family.update_rules.first()).map_or("", |(name, _)| *name);
    reader.default(if family.routing.is_some() { "mom_backend" } else { "model_type" }, name.to_owned())
}

fn switch(reader: &mut Reader, switch: &Switch) -> bool {
    match switch {
        Switch::Key(key, default) => reader.boolean(key, *default).value,
        Switch::Always(value) => *value,
    }
}

/// Heads, and the widths of their keys and values.
fn widths(reader: &mut Reader, family: &Family, hidden_size: usize) -> (Field<usize>, Field<usize>, Width) {
    let heads = |reader: &mut Reader| reader.size("num_heads", family.heads, HEADS);
    // A share of the hidden size; of at least one, so that what is wrong shows in the limits of widths.
    let share = |reader: &mut Reader, key, factor: f64, heads: usize| {
        let factor = reader.positive(key, factor);
        Field { value: ((hidden_size as f64 * factor.value) as usize / heads).max(1), ..reader.default(key, 0) }
    };
    match family.widths {
        Widths::PerHead { head_dim, expand_v } => (
            heads(reader),
            reader.size("head_dim", head_dim, SIZE),
            Width::Factor(reader.positive("expand_v", expand_v)),
        ),
        Widths::OfHidden { expand_k, expand_v } => {
            let heads = heads(reader);
            let keys = share(reader, "expand_k", expand_k, heads.value);
            let values = share(reader, "expand_v", expand_v, heads.value);
            (heads, keys, Width::Exact(values))
        }
        Widths::Ratio(ratio) => {
            reader.ignore(&["num_heads"]);
            let keys = reader.size("expand_ratio", ratio, SIZE);
            let heads = Field { value: (hidden_size / keys.value).max(1), ..keys.clone() };
            let values = Field { value: (hidden_size / heads.value).max(1), ..keys.clone() };
            (heads, keys, Width::Exact(values))
        }
        Widths::StateSpace { state_size, head_dim, expand } => {
            reader.ignore(&["num_heads"]);
            let keys = reader.size("state_size", state_size, SIZE);
            let values = reader.size("head_dim", head_dim, SIZE);
            let expand = reader.size("expand", expand, HEADS);
            let heads = Field { value: (expand.value * hidden_size / values.value).max(1), ..expand };
            (heads, keys, Width::Exact(values))
        }
    }
}

fn routing(reader: &mut Reader, defaults: &Routing) -> RoutingDraft {
    // The first published configurations still spoke of experts.
    let [memories, single_kv_proj] = [("num_memories", "num_experts"), ("single_kv_proj", "single_expert")]
        .map(|(later, first)| if reader.mentions(first) && !reader.mentions(later) { first } else { later });
    RoutingDraft {
        memories: reader.size(memories, defaults.memories, MEMORIES),
        top_k: reader.size("topk", 2, TOP_K),
        shared_state: reader.boolean("shared_mem", defaults.shared_state).value,
        single_kv_proj: reader.boolean(single_kv_proj, false).value,
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
    for (key, default, settings) in family.limits {
        let (computed, span) = reader.is_one_of(key, *default, settings);
        if !computed {
            let message = format!("momc does not compute `{}` models with this setting of `{key}`", family.model_type);
            let settings: Vec<String> = settings.iter().map(Setting::json).collect();
            refuse(reader, span, message, &format!("it computes {}", settings.join(" or ")));
        }
    }
    if family.naming.joined_mlp {
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
    if family.routing.is_some() {
        reader.ignore(&["capacity"]);
    }
    if family.routing.is_some()
        && let Some(backend) = reader.string("mom_backend", "gated_deltanet")
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
