//! A description whose values are each allowed, and what it takes to make a model of them.
//!
//! Both languages are read into a [`Draft`]. Here its values are held against each other, so that whatever leaves as
//! a [`ModelSpec`] can be built: widths divide, layers exist, nothing overflows. Messages use the keys of the language
//! that was read.

use std::{collections::BTreeMap, path::Path};

use mom_dialect::{
    diagnostic::{Code, Diagnostic, Diagnostics, Span},
    shape::DType,
};
use mom_passes::fuse::Numerics;

use super::{
    AttentionSpec, MemorySpec, ModelSpec, Naming, RoutingSpec, codes,
    findings::Findings,
    reader::{Field, HEADS, Reader, SIZE},
    update_rule,
};

/// A width, given as it is or as a factor of another one.
pub(super) enum Width {
    Exact(Field<usize>),
    Factor(Field<f64>),
}

pub(super) struct Draft {
    pub(super) name: String,
    pub(super) vocab_size: Field<usize>,
    pub(super) hidden_size: Field<usize>,
    pub(super) layers: Field<usize>,
    pub(super) norm_eps: f64,
    pub(super) tie_embeddings: bool,
    /// None without MLPs.
    pub(super) mlp: Option<Width>,
    pub(super) norm_first: Field<bool>,
    pub(super) weights: DType,
    pub(super) fp: Numerics,
    pub(super) naming: &'static Naming,
    pub(super) memory: MemoryDraft,
    pub(super) attention: Vec<AttentionDraft>,
    pub(super) bos_token: Option<Field<usize>>,
    pub(super) eos_token: Option<Field<usize>>,
    pub(super) pad_token: Option<Field<usize>>,
    pub(super) block_tokens: usize,
    pub(super) span: Span,
}

pub(super) struct MemoryDraft {
    pub(super) update_rule: Field<String>,
    pub(super) options: BTreeMap<String, f64>,
    pub(super) heads: Field<usize>,
    pub(super) head_groups: Field<usize>,
    pub(super) head_dim: Field<usize>,
    pub(super) value: Width,
    /// None with one memory for all tokens.
    pub(super) routing: Option<RoutingDraft>,
    pub(super) output_gate: bool,
    /// 0 without a short convolution.
    pub(super) conv_size: Field<usize>,
    pub(super) span: Span,
}

pub(super) struct RoutingDraft {
    pub(super) memories: Field<usize>,
    pub(super) top_k: Field<usize>,
    pub(super) shared_state: bool,
    pub(super) single_kv_proj: bool,
}

pub(super) struct AttentionDraft {
    pub(super) layers: Field<Vec<Field<usize>>>,
    pub(super) heads: Field<usize>,
    pub(super) kv_heads: Field<usize>,
    pub(super) window: Option<usize>,
    pub(super) rope_base: f64,
    pub(super) span: Span,
}

impl AttentionDraft {
    /// Reads what both languages have under the given keys for heads, key/value heads and window.
    pub(super) fn read(reader: &mut Reader, [heads, kv_heads, window]: [&'static str; 3]) -> Self {
        let heads = reader.required_size(heads, 8, HEADS);
        let kv_heads = reader.size(kv_heads, heads.value, HEADS);
        Self {
            layers: reader.integers("layers"),
            heads,
            kv_heads,
            window: reader.optional_size(window, 2048, SIZE).map(|field| field.value),
            rope_base: ROPE_BASE,
            span: reader.place(),
        }
    }
}

/// The base of rotary embeddings unless the description sets one.
pub(super) const ROPE_BASE: f64 = 10000.0;

/// The most parameters of a model, and the most numbers in the state of one sequence.
const MAX_ELEMENTS: f64 = (1u64 << 40) as f64;

impl Draft {
    /// Makes a model of the draft; update rules are looked for beside `folder`.
    ///
    /// # Errors
    /// E0101, E0105, E0107, E0108, E0111 and E0112, with everything found before.
    pub(super) fn finish(self, folder: &Path, mut findings: Findings) -> Result<ModelSpec, Diagnostics> {
        self.check_tokens(&mut findings);
        self.check_naming(&mut findings);
        self.check_attention(&mut findings);
        self.memory.check(&mut findings);
        let mlp_size = self.mlp_size(&mut findings);
        let value_dim = self.memory.value_dim(&mut findings);
        let rule_source = update_rule::find(&self.memory.update_rule, folder, &mut findings);
        let hidden_size = self.hidden_size.clone();
        let Some(rule_source) = rule_source.filter(|_| !findings.has_errors()) else {
            return Err(findings.refusal());
        };

        let memory = self.memory;
        let token = |field: Option<Field<usize>>| field.and_then(|field| u32::try_from(field.value).ok());
        let spec = ModelSpec {
            name: self.name,
            vocab_size: self.vocab_size.value,
            hidden_size: self.hidden_size.value,
            layers: self.layers.value,
            norm_eps: self.norm_eps,
            tie_embeddings: self.tie_embeddings,
            mlp_size,
            norm_first: self.norm_first.value,
            weights: self.weights,
            fp: self.fp,
            naming: self.naming,
            memory: MemorySpec {
                update_rule: memory.update_rule.value,
                rule_source,
                options: memory.options,
                heads: memory.heads.value,
                head_groups: memory.head_groups.value,
                head_dim: memory.head_dim.value,
                value_dim,
                routing: memory.routing.map(RoutingDraft::finish),
                output_gate: memory.output_gate,
                conv_size: Some(memory.conv_size.value).filter(|&taps| taps > 0),
                span: memory.span,
            },
            attention: self.attention.into_iter().filter_map(AttentionDraft::finish).collect(),
            bos_token: token(self.bos_token),
            eos_token: token(self.eos_token),
            pad_token: token(self.pad_token),
            block_tokens: self.block_tokens,
            span: self.span,
            warnings: Vec::new(),
        };
        check_elements(&spec, &hidden_size, &mut findings);
        match findings.has_errors() {
            true => Err(findings.refusal()),
            false => Ok(ModelSpec { warnings: findings.sorted(), ..spec }),
        }
    }

    fn check_tokens(&self, findings: &mut Findings) {
        for token in [&self.bos_token, &self.eos_token, &self.pad_token].into_iter().flatten() {
            if token.value >= self.vocab_size.value {
                let message = format!("token {} is not in a vocabulary of {}", token.value, self.vocab_size.value);
                let error = Diagnostic::error(codes::CONTRADICTION, message)
                    .label(token.span.clone(), token.says())
                    .related(self.vocab_size.span.clone(), self.vocab_size.says())
                    .help("tokens are numbered from 0");
                findings.contradiction(&[&token.span, &self.vocab_size.span], error);
            }
        }
    }

    fn check_naming(&self, findings: &mut Findings) {
        if self.norm_first.value && !self.naming.joined_mlp {
            let error = Diagnostic::error(
                codes::CONTRADICTION,
                format!("`{}` exists only in the older tensor naming", self.norm_first.key),
            );
            let help = "name the tensors as `mom_gated_deltanet` does, or leave this out";
            findings.contradiction(&[&self.norm_first.span], error.at(self.norm_first.span.clone()).help(help));
        }
    }

    fn check_attention(&self, findings: &mut Findings) {
        let mut taken: BTreeMap<usize, &Span> = BTreeMap::new();
        for attention in &self.attention {
            for layer in &attention.layers.value {
                if layer.value >= self.layers.value {
                    let message = format!("there is no layer {} among {} layers", layer.value, self.layers.value);
                    let error = Diagnostic::error(codes::LAYER_LIST, message)
                        .at(layer.span.clone())
                        .related(self.layers.span.clone(), self.layers.says())
                        .help(format!("layers are numbered from 0 to {}", self.layers.value - 1));
                    findings.contradiction(&[&layer.span, &self.layers.span], error);
                }
                if let Some(first) = taken.insert(layer.value, &layer.span) {
                    let message = format!("layer {} is given to attention twice", layer.value);
                    let error = Diagnostic::error(codes::LAYER_LIST, message)
                        .at(layer.span.clone())
                        .related(first.clone(), "first here")
                        .help("name each layer once");
                    findings.contradiction(&[&layer.span], error);
                }
            }
            self.check_heads(attention, findings);
        }
    }

    fn check_heads(&self, AttentionDraft { heads, kv_heads, .. }: &AttentionDraft, findings: &mut Findings) {
        let hidden = &self.hidden_size;
        let width = hidden.value / heads.value;
        if !hidden.value.is_multiple_of(heads.value) {
            let message = format!("width {} cannot be divided among {} attention heads", hidden.value, heads.value);
            let help = format!("choose a number of heads that divides {}", hidden.value);
            conflict(findings, [heads, hidden], message, help);
        } else if !width.is_multiple_of(2) {
            let message = format!("rotary embeddings turn pairs of channels, but a head has {width}");
            conflict(findings, [heads, hidden], message, format!("`{}` / `{}` must be even", hidden.key, heads.key));
        }
        if !heads.value.is_multiple_of(kv_heads.value) {
            let message = format!("{} heads cannot share {} key and value heads evenly", heads.value, kv_heads.value);
            let help = format!("choose a number that divides {}", heads.value);
            conflict(findings, [kv_heads, heads], message, help);
        }
    }

    /// The MLP's width; a ratio is rounded up as fla does, to `256 ceil(floor(2/3 ratio hidden) / 256)`.
    fn mlp_size(&self, findings: &mut Findings) -> Option<usize> {
        Some(match self.mlp.as_ref()? {
            Width::Exact(size) => size.value,
            Width::Factor(ratio) => {
                let width = (self.hidden_size.value as f64 * ratio.value * 2.0 / 3.0).floor();
                checked_width((width / 256.0).ceil() * 256.0, ratio, &self.hidden_size, findings)
            }
        })
    }
}

impl MemoryDraft {
    fn check(&self, findings: &mut Findings) {
        let Self { heads, head_groups, head_dim, conv_size, .. } = self;
        if let Some(RoutingDraft { memories, top_k, .. }) = &self.routing
            && top_k.value > memories.value
        {
            let message = format!("a token cannot choose {} of {} memories", top_k.value, memories.value);
            let help = format!("let `{}` be at most `{}`", top_k.key, memories.key);
            conflict(findings, [top_k, memories], message, help);
        }
        if !heads.value.is_multiple_of(head_groups.value) {
            let message = format!("{} heads cannot share {} groups evenly", heads.value, head_groups.value);
            let help = format!("choose a number that divides {}", heads.value);
            conflict(findings, [head_groups, heads], message, help);
        }
        if !head_dim.value.is_multiple_of(8) {
            let below = head_dim.value / 8 * 8;
            let message = format!("`{}` must be a multiple of 8, but is {}", head_dim.key, head_dim.value);
            let help = match below {
                0 => "the next multiple is 8".to_owned(),
                _ => format!("the next multiples are {below} and {}", below + 8),
            };
            out_of_range(findings, &head_dim.span, message, help);
        }
        if conv_size.value == 1 {
            let message = format!("`{}` must be 0 or at least 2, but is 1", conv_size.key);
            let help = "a convolution of one tap would only scale its input; 0 leaves the short convolution out";
            out_of_range(findings, &conv_size.span, message, help.to_owned());
        }
    }

    /// The value width of a head, `floor(head_dim expand_v)`.
    fn value_dim(&self, findings: &mut Findings) -> usize {
        match &self.value {
            Width::Exact(size) => size.value,
            Width::Factor(factor) => {
                let width = (self.head_dim.value as f64 * factor.value).floor();
                checked_width(width, factor, &self.head_dim, findings)
            }
        }
    }
}

impl RoutingDraft {
    fn finish(self) -> RoutingSpec {
        RoutingSpec {
            memories: self.memories.value,
            top_k: self.top_k.value,
            shared_state: self.shared_state,
            single_kv_proj: self.single_kv_proj,
        }
    }
}

impl AttentionDraft {
    /// None if no layer is named.
    fn finish(self) -> Option<AttentionSpec> {
        let layers: Vec<usize> = self.layers.value.iter().map(|layer| layer.value).collect();
        (!layers.is_empty()).then_some(AttentionSpec {
            layers,
            heads: self.heads.value,
            kv_heads: self.kv_heads.value,
            window: self.window,
            rope_base: self.rope_base,
            span: self.span,
        })
    }
}

fn conflict(findings: &mut Findings, [guilty, other]: [&Field<usize>; 2], message: String, help: String) {
    let error = Diagnostic::error(codes::CONTRADICTION, message).label(guilty.span.clone(), guilty.says());
    let error = match guilty.span == other.span {
        true => error.note(other.says()),
        false => error.related(other.span.clone(), other.says()),
    };
    findings.contradiction(&[&guilty.span, &other.span], error.help(help));
}

fn out_of_range(findings: &mut Findings, span: &Span, message: String, help: String) {
    findings.contradiction(&[span], Diagnostic::error(codes::OUT_OF_RANGE, message).at(span.clone()).help(help));
}

/// A whole number as a width. It is made in floating point, where no factor makes it overflow.
fn checked_width(width: f64, factor: &Field<f64>, base: &Field<usize>, findings: &mut Findings) -> usize {
    let size = width as usize;
    if !SIZE.contains(&size) {
        let width = if width < 1e15 { format!("{width}") } else { format!("about {width:.1e}") };
        let message = format!("`{}` and `{}` make a width of {width}", base.key, factor.key);
        let error = Diagnostic::error(codes::CONTRADICTION, message)
            .label(factor.span.clone(), factor.says())
            .note(base.says())
            .help(format!("a width is between {} and {}", SIZE.start(), SIZE.end()));
        findings.contradiction(&[&factor.span, &base.span], error);
    }
    size
}

/// Refuses models that no machine holds, so that sizes in later stages cannot overflow. Counted in floating point,
/// which cannot overflow either.
fn check_elements(spec: &ModelSpec, hidden_size: &Field<usize>, findings: &mut Findings) {
    let number = |size: usize| size as f64;
    let memory = &spec.memory;
    let (width, heads) = (number(spec.hidden_size), number(memory.heads));
    let (keys, values) = (heads * number(memory.head_dim), heads * number(memory.value_dim));
    let (routed, states, writers) = memory.routing.map_or((0.0, 1.0, 1.0), |routing| {
        let states = number(routing.memories) + number(usize::from(routing.shared_state));
        (number(routing.memories), states, if routing.single_kv_proj { 1.0 } else { states })
    });

    let memory_layer = width * (keys + 2.0 * values + routed + writers * (keys + values));
    let attention_layer = 4.0 * width * width;
    let layer = memory_layer.max(attention_layer) + 3.0 * width * number(spec.mlp_size.unwrap_or(0));
    let parameters = number(spec.layers) * layer + 2.0 * number(spec.vocab_size) * width;
    let state = number(spec.layers) * states * keys * number(memory.value_dim);

    let too_large = |code: Code, what: &str, count: f64| {
        Diagnostic::error(code, format!("the model would have about {count:.1e} {what}"))
            .at(hidden_size.span.clone())
            .help("momc counts up to 2^40 (1.1e12); look for a digit too many")
    };
    if parameters > MAX_ELEMENTS {
        findings.push(too_large(codes::TOO_LARGE, "parameters", parameters));
    } else if state > MAX_ELEMENTS {
        findings.push(too_large(codes::TOO_LARGE, "numbers in the state of a sequence", state));
    }
}
