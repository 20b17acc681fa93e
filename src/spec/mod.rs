//! The model description: what `model.toml` and a Hugging Face folder both become.
//!
//! A [`ModelSpec`] is complete and consistent: defaults are filled in and contradictions refused, each with the place
//! in the user's file. Nothing after this stage reads a configuration.
//!
//! Both languages are parsed into one tree of values that know their places (`value`), read key by key (`reader`)
//! into a `draft`, and held together there. `docs/model.md` is the reference of `model.toml`.

mod checkpoint;
pub mod codes;
mod draft;
mod families;
mod findings;
mod hugging_face;
mod json;
pub mod machine;
mod naming;
mod print;
mod reader;
mod toml;
mod update_rule;
mod value;

use std::{collections::BTreeMap, ffi::OsStr, fs, io, path::Path, sync::Arc};

use mom_dialect::{
    diagnostic::{Diagnostic, Diagnostics, Source, Span},
    shape::DType,
};
use mom_passes::fuse::Numerics;

pub use self::{checkpoint::Checkpoint, hugging_face::parse_config, naming::Naming, print::to_toml, toml::parse_toml};

/// The most tokens a step takes, unless the description says otherwise.
pub const BLOCK_TOKENS: usize = 512;

/// How far programs may be rewritten, unless the description says otherwise.
pub const FP: Numerics = Numerics::Reassociates;

/// What `fp` may be.
const NUMERICS: [(&str, Numerics); 3] =
    [("exact", Numerics::Exact), ("reassociate", Numerics::Reassociates), ("approximate", Numerics::Approximates)];

/// The word for it in descriptions.
pub fn fp_name(fp: Numerics) -> &'static str {
    NUMERICS.into_iter().find(|(_, numerics)| *numerics == fp).map_or("", |(name, _)| name)
}

/// A model, fully described.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelSpec {
    /// Letters, digits, `-`, `_` and `.` only.
    pub name: String,
    pub vocab_size: usize,
    pub hidden_size: usize,
    pub layers: usize,
    pub norm_eps: f64,
    pub tie_embeddings: bool,
    /// Width of the MLPs; none without them.
    pub mlp_size: Option<usize>,
    /// The older layout's `norm_first`: the mixing layer gets no norm and the MLP's norm is its own.
    pub norm_first: bool,
    /// Element type in which matrices are kept in memory: `F32` or `BF16`.
    pub weights: DType,
    /// How far the program may be rewritten.
    pub fp: Numerics,
    /// How the checkpoint names its tensors.
    pub naming: &'static Naming,
    pub memory: MemorySpec,
    /// Softmax attention in some layers; the others are memory layers.
    pub attention: Vec<AttentionSpec>,
    pub bos_token: Option<u32>,
    pub eos_token: Option<u32>,
    pub pad_token: Option<u32>,
    /// The most tokens a step takes.
    pub block_tokens: usize,
    /// Where the description stands, for errors about the model as a whole.
    pub span: Span,
    /// What the description says in vain, for the driver to show.
    pub warnings: Diagnostics,
}

/// The memories of a layer; all memory layers of a model are alike.
#[derive(Clone, Debug, PartialEq)]
pub struct MemorySpec {
    /// Name of a rule that ships with momc, or a path ending in `.mom`, relative to the model's file.
    pub update_rule: String,
    /// The rule's text and where it came from.
    pub rule_source: Arc<Source>,
    /// Options of the rule and of its layer part that the model sets.
    pub options: BTreeMap<String, f64>,
    pub heads: usize,
    /// Heads of inputs that the layer part makes per group; divides `heads`.
    pub head_groups: usize,
    /// Key width of a head.
    pub head_dim: usize,
    /// Value width of a head: `floor(head_dim * expand_v)`.
    pub value_dim: usize,
    /// Which memories a token goes to; none where a layer has one memory that sees every token.
    pub routing: Option<RoutingSpec>,
    pub output_gate: bool,
    /// Taps of the short convolution; none without it.
    pub conv_size: Option<usize>,
    pub span: Span,
}

/// Memories that each see some of the tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoutingSpec {
    /// Routed memories, at least 1.
    pub memories: usize,
    pub top_k: usize,
    /// One more memory that sees every token.
    pub shared_state: bool,
    /// All memories share the projections of their inputs.
    pub single_kv_proj: bool,
}

/// Causal softmax attention with rotary embeddings in some of the layers.
#[derive(Clone, Debug, PartialEq)]
pub struct AttentionSpec {
    /// Layer numbers, from 0.
    pub layers: Vec<usize>,
    pub heads: usize,
    pub kv_heads: usize,
    pub window: Option<usize>,
    pub rope_base: f64,
    pub span: Span,
}

/// Reads a `model.toml`, a `config.json`, or a Hugging Face folder that holds one.
///
/// # Errors
/// E0101 if there is no such description, else whatever is wrong with it.
pub fn read(path: &Path) -> Result<ModelSpec, Diagnostics> {
    if path.is_dir() {
        return read_config(&path.join("config.json"), path);
    }
    if !path.exists() {
        return Err(vec![unreadable(path, &io::ErrorKind::NotFound.into())]);
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("json") => read_config(path, folder),
        Some("toml") => parse_toml(&open(path)?, folder),
        _ => {
            let message = format!("`{}` is not a model description", path.display());
            let help = "give a file ending in `.toml`, or a Hugging Face folder with a config.json";
            Err(vec![Diagnostic::error(codes::UNREADABLE, message).help(help)])
        }
    }
}

fn read_config(path: &Path, folder: &Path) -> Result<ModelSpec, Diagnostics> {
    let source = open(path)?;
    match Checkpoint::open(folder) {
        Ok(checkpoint) => parse_config(&source, checkpoint.as_ref()),
        Err(error) => {
            let message = format!("cannot read the checkpoint in `{}`: {error}", folder.display());
            let note = "naming and element type of the tensors are taken from the configuration alone";
            let mut spec = parse_config(&source, None)?;
            spec.warnings.push(Diagnostic::warning(codes::UNREADABLE, message).note(note));
            Ok(spec)
        }
    }
}

fn open(path: &Path) -> Result<Arc<Source>, Diagnostics> {
    let text = fs::read_to_string(path).map_err(|error| vec![unreadable(path, &error)])?;
    Ok(Source::new(path.display().to_string(), text))
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!("there is no `{}`", path.display()),
        io::ErrorKind::InvalidData => format!("`{}` is not text", path.display()),
        _ => format!("cannot read `{}`: {error}", path.display()),
    };
    Diagnostic::error(codes::UNREADABLE, message)
}

/// A model's name made of the name of its file or folder; symbols that a name cannot have become `-`.
fn name_after(path: Option<&OsStr>) -> String {
    let path = path.unwrap_or_default().to_string_lossy();
    let name: String = path.chars().map(|symbol| if in_name(symbol) { symbol } else { '-' }).collect();
    if name.is_empty() { "model".to_owned() } else { name }
}

/// Whether a model's name may hold this symbol.
fn in_name(symbol: char) -> bool {
    symbol.is_ascii_alphanumeric() || "-_.".contains(symbol)
}
