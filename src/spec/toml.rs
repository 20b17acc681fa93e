//! `model.toml`: the model description as a person writes it. `docs/model.md` is its reference.

use std::{path::Path, sync::Arc};

use ::toml::de::{DeTable, DeValue};
use mom_dialect::{
    diagnostic::{Diagnostic, Diagnostics, Severity, Source, Span},
    shape::DType,
};

use super::{
    BLOCK_TOKENS, FP, ModelSpec, NUMERICS, codes,
    draft::{AttentionDraft, Draft, MemoryDraft, ROPE_BASE, RoutingDraft, Width},
    findings::Findings,
    in_name,
    json::integer,
    name_after,
    naming::{self, NAMINGS, Naming},
    reader::{Field, HEADS, LAYERS, Language, MEMORIES, NORM_EPS, Reader, SIZE, TOP_K},
    value::{Entry, Kind, Table, Value},
};

/// A table that was left out.
static EMPTY: Table = Table(Vec::new());

/// Reads `model.toml`. Update rules of the user's own are looked for relative to `folder`.
///
/// # Errors
/// Everything that is wrong with the description, E0101 to E0112.
pub fn parse_toml(source: &Arc<Source>, folder: &Path) -> Result<ModelSpec, Diagnostics> {
    let root = document(source)?;
    let mut findings = Findings::default();
    let draft = Tables { source, findings: &mut findings }.draft(&root);
    match draft {
        Some(draft) => draft.finish(folder, findings),
        None => Err(findings.refusal()),
    }
}

/// The whole text as a table.
///
/// # Errors
/// E0102 where it is not TOML.
pub(super) fn document(source: &Arc<Source>) -> Result<Table, Diagnostics> {
    let (document, errors) = DeTable::parse_recoverable(&source.text);
    if !errors.is_empty() {
        let mut found: Diagnostics = errors.iter().map(|error| syntax_error(source, error)).collect();
        // Closing what was left open is asked for once for each opening, at one place.
        found.dedup();
        return Err(found);
    }
    Ok(table(document.get_ref()))
}

fn syntax_error(source: &Arc<Source>, error: &::toml::de::Error) -> Diagnostic {
    let message = format!("this is not TOML: {}", error.message());
    let end = source.text.len();
    Diagnostic::error(codes::SYNTAX, message).at(Span::new(source, error.span().unwrap_or(end..end)))
}

fn table(entries: &DeTable) -> Table {
    let entry = |(key, value): (&::toml::Spanned<_>, &::toml::Spanned<DeValue>)| Entry {
        key: std::borrow::Cow::to_string(key.get_ref()),
        key_range: key.span(),
        value: Value { kind: kind(value.get_ref()), range: value.span() },
    };
    Table(entries.iter().map(entry).collect())
}

fn kind(value: &DeValue) -> Kind {
    match value {
        DeValue::String(text) => Kind::String(text.to_string()),
        DeValue::Integer(number) => Kind::Integer(integer(number.as_str(), number.radix()).unwrap_or(i128::MAX)),
        DeValue::Float(number) => Kind::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(content) => Kind::Boolean(*content),
        DeValue::Datetime(_) => Kind::Date,
        DeValue::Array(values) => {
            Kind::Array(values.iter().map(|value| Value { kind: kind(value.get_ref()), range: value.span() }).collect())
        }
        DeValue::Table(entries) => Kind::Table(table(entries)),
    }
}

/// Reads the tables of a description one after the other.
struct Tables<'a> {
    source: &'a Arc<Source>,
    findings: &'a mut Findings,
}

impl<'a> Tables<'a> {
    fn reader<'t>(&mut self, name: &'static str, table: (&'t Table, Span)) -> Reader<'t, '_>
    where
        'a: 't,
    {
        Reader::new((self.source, Language::Toml), name, table, self.findings)
    }

    fn draft(mut self, root: &Table) -> Option<Draft> {
        let top = Span::new(self.source, 0..0);
        let mut reader = self.reader("the model description", (root, top.clone()));
        let model = reader.table("model");
        let absent = || (&EMPTY, top.clone());
        let memory = reader.table("memory").unwrap_or_else(absent);
        let mlp = reader.table("mlp").unwrap_or_else(absent);
        let attention = reader.tables("attention");
        let checkpoint = reader.table("checkpoint").unwrap_or_else(absent);
        reader.finish(Severity::Error);

        let memory = self.memory(memory);
        let mlp = self.mlp(mlp);
        let attention = attention.into_iter().map(|table| self.attention(table)).collect();
        let (naming, norm_first) = self.checkpoint(checkpoint);
        let Some((model, span)) = model else {
            if root.get("model").is_none() {
                let error = Diagnostic::error(codes::MISSING_KEY, "the model description has no `[model]`").at(top);
                let help = "begin with `[model]` and its `vocab_size`, `hidden_size` and `layers`";
                self.findings.push(error.help(help));
            }
            return None;
        };

        let mut reader = self.reader("`[model]`", (model, span.clone()));
        let draft = Draft {
            name: name(&mut reader),
            vocab_size: reader.required_size("vocab_size", 32000, SIZE),
            hidden_size: reader.required_size("hidden_size", 1024, SIZE),
            layers: reader.required_size("layers", 24, LAYERS),
            norm_eps: reader.norm_eps(NORM_EPS),
            tie_embeddings: reader.boolean("tie_embeddings", false).value,
            weights: reader.choice("weights", DType::F32, &[("f32", DType::F32), ("bf16", DType::BF16)]).value,
            fp: reader.choice("fp", FP, &NUMERICS).value,
            bos_token: reader.optional_size("bos_token", 1, 0..=*SIZE.end()),
            eos_token: reader.optional_size("eos_token", 2, 0..=*SIZE.end()),
            pad_token: reader.optional_size("pad_token", 0, 0..=*SIZE.end()),
            block_tokens: reader.size("block_tokens", BLOCK_TOKENS, 1..=1 << 20).value,
            mlp,
            norm_first,
            naming,
            memory,
            attention,
            span,
        };
        reader.finish(Severity::Error);
        Some(draft)
    }

    fn memory(&mut self, table: (&Table, Span)) -> MemoryDraft {
        let mut reader = self.reader("`[memory]`", table);
        let update_rule = reader.string("update_rule", "gated_delta_rule");
        let options = reader.table("options");
        let heads = reader.size("heads", 4, HEADS);
        let draft = MemoryDraft {
            update_rule: update_rule.unwrap_or_else(|| reader.default("update_rule", "gated_delta_rule".to_owned())),
            options: Default::default(),
            head_groups: reader.size("head_groups", heads.value, HEADS),
            heads,
            head_dim: reader.size("head_dim", 256, SIZE),
            value: width(&mut reader, "value_dim", "expand_v", 1.0),
            routing: routing(&mut reader),
            output_gate: reader.boolean("output_gate", true).value,
            conv_size: reader.size("conv_size", 4, 0..=16),
            span: reader.place(),
        };
        reader.finish(Severity::Error);
        let options = options.map(|table| self.reader("`[memory.options]`", table).numbers());
        MemoryDraft { options: options.into_iter().flatten().collect(), ..draft }
    }

    fn mlp(&mut self, table: (&Table, Span)) -> Option<Width> {
        let mut reader = self.reader("`[mlp]`", table);
        let without = reader.is_zero("size");
        let width = if without { None } else { Some(width(&mut reader, "size", "ratio", 4.0)) };
        reader.finish(Severity::Error);
        width
    }

    fn attention(&mut self, table: (&Table, Span)) -> AttentionDraft {
        let mut reader = self.reader("`[[attention]]`", table);
        let draft = AttentionDraft::read(&mut reader, ["heads", "kv_heads", "window"]);
        let rope_base = reader.positive("rope_base", ROPE_BASE).value;
        reader.finish(Severity::Error);
        AttentionDraft { rope_base, ..draft }
    }

    fn checkpoint(&mut self, table: (&Table, Span)) -> (&'static Naming, Field<bool>) {
        let mut reader = self.reader("`[checkpoint]`", table);
        let naming = reader.choice("naming", &naming::MOM, &NAMINGS.map(|naming| (naming.name, naming))).value;
        let norm_first = reader.boolean("norm_first", false);
        reader.finish(Severity::Error);
        (naming, norm_first)
    }
}

/// The keys of a model with routed memories, or `routed = false`, with which they mean nothing.
fn routing(reader: &mut Reader) -> Option<RoutingDraft> {
    let routed = reader.boolean("routed", true);
    if routed.value {
        return Some(RoutingDraft {
            memories: reader.size("memories", 4, MEMORIES),
            top_k: reader.size("top_k", 2, TOP_K),
            shared_state: reader.boolean("shared_state", true).value,
            single_kv_proj: reader.boolean("single_kv_proj", false).value,
        });
    }
    let keys = ["memories", "top_k", "shared_state", "single_kv_proj"];
    reader.ignore(&keys);
    for key in keys {
        if !reader.mentions(key) {
            continue;
        }
        let message = format!("`{key}` means nothing where `routed` is false");
        let error = Diagnostic::error(codes::CONTRADICTION, message).at(reader.default(key, ()).span);
        let error = error.related(routed.span.clone(), routed.says());
        reader.push(error.help("a single memory sees every token; leave this out"));
    }
    None
}

/// The model's name; without one, that of its file.
fn name(reader: &mut Reader) -> String {
    let Some(name) = reader.string("name", "my-model") else {
        return name_after(Path::new(&reader.place().source.name).file_stem());
    };
    if name.value.is_empty() || !name.value.chars().all(in_name) {
        let error = Diagnostic::error(codes::OUT_OF_RANGE, "a model's name has letters, digits, `-`, `_` and `.` only");
        reader.push(error.at(name.span).help("write for example `name = \"mom-380m\"`"));
    }
    name.value
}

/// A width under either of two keys.
fn width(reader: &mut Reader, exact: &'static str, factor: &'static str, default: f64) -> Width {
    let size = reader.optional_size(exact, 256, SIZE);
    let ratio = reader.optional_positive(factor, default);
    if let (Some(size), Some(ratio)) = (&size, &ratio) {
        let error =
            Diagnostic::error(codes::CONTRADICTION, format!("`{exact}` and `{factor}` both set the same width"))
                .label(ratio.span.clone(), ratio.says())
                .related(size.span.clone(), size.says());
        reader.push(error.help(format!("keep one of them; `{exact}` is the width itself")));
    }
    match (size, ratio) {
        (Some(size), _) => Width::Exact(size),
        (None, Some(ratio)) => Width::Factor(ratio),
        (None, None) => Width::Factor(reader.default(factor, default)),
    }
}
