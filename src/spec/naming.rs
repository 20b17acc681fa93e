//! How checkpoints name their tensors: one table for each layout, and no code.
//!
//! momc's own names of weights are those of a rule's layer part: `q_proj.weight` for a projection or filter, `A_log` for
//! a declared weight. A layout says what lies elsewhere.

/// Where the tensors of a model lie in its checkpoint.
#[derive(Debug, PartialEq, Eq)]
pub struct Naming {
    /// The word for it in `model.toml`.
    pub name: &'static str,
    pub embeddings: &'static str,
    pub final_norm: &'static str,
    /// What the weights start with that no layer has for itself.
    pub model: &'static str,
    /// What comes before and after the number of a layer.
    pub layer: [&'static str; 2],
    /// What the weights of a mixing layer start with, within their layer.
    pub mixing: &'static str,
    pub mixing_norm: &'static str,
    /// Whether the rows of an MLP's up projection lie under those of its gate, in one tensor.
    pub joined_mlp: bool,
    /// The mixing layer's weights of another name: ours, theirs.
    pub renamed: &'static [(&'static str, &'static str)],
    /// Tensors of a mixing layer that hold several weights, one above the other.
    pub stacked: &'static [(&'static str, &'static [&'static str])],
    /// Tensors of a mixing layer that nothing reads.
    pub unused: &'static [&'static str],
}

/// fla's `mom`, from which the others differ.
const MOM_NAMES: Naming = Naming {
    name: "mom",
    embeddings: "model.embeddings.weight",
    final_norm: "model.norm.weight",
    model: "model.",
    layer: ["model.layers.", "."],
    mixing: "attn.",
    mixing_norm: "attn_norm.weight",
    joined_mlp: false,
    renamed: &[("o_norm", "o_norm.weight")],
    stacked: &[],
    unused: &[],
};

pub(super) static MOM: Naming = MOM_NAMES;

/// The older public layout, with a skip weight that has no use.
pub(super) static MOM_GATED_DELTANET: Naming =
    Naming { name: "mom_gated_deltanet", joined_mlp: true, unused: &["D"], ..MOM_NAMES };

pub(super) static GLA: Naming = Naming {
    name: "gla",
    renamed: &[
        ("o_norm", "g_norm_swish_gate.weight"),
        ("gk_low.weight", "gk_proj.0.weight"),
        ("gk_proj.weight", "gk_proj.1.weight"),
        ("gk_bias", "gk_proj.1.bias"),
    ],
    ..MOM_NAMES
};

/// Where no layer has an output gate, the norm is called otherwise.
pub(super) static GLA_UNGATED: Naming = Naming {
    name: "gla_ungated",
    renamed: &[
        ("o_norm", "g_norm.weight"),
        ("gk_low.weight", "gk_proj.0.weight"),
        ("gk_proj.weight", "gk_proj.1.weight"),
        ("gk_bias", "gk_proj.1.bias"),
    ],
    ..MOM_NAMES
};

pub(super) static LINEAR_ATTN: Naming = Naming {
    name: "linear_attn",
    renamed: &[
        ("o_norm", "norm.weight"),
        ("q_left.weight", "feature_map_q.layer1.weight"),
        ("q_left_bias", "feature_map_q.layer1.bias"),
        ("q_right.weight", "feature_map_q.layer2.weight"),
        ("q_right_bias", "feature_map_q.layer2.bias"),
        ("k_left.weight", "feature_map_k.layer1.weight"),
        ("k_left_bias", "feature_map_k.layer1.bias"),
        ("k_right.weight", "feature_map_k.layer2.weight"),
        ("k_right_bias", "feature_map_k.layer2.bias"),
    ],
    ..MOM_NAMES
};

pub(super) static HGRN2: Naming = Naming { name: "hgrn2", renamed: &[("g_norm", "g_norm.weight")], ..MOM_NAMES };

pub(super) static GSA: Naming = Naming { name: "gsa", renamed: &[("g_norm", "g_norm.weight")], ..MOM_NAMES };

pub(super) static KDA: Naming = Naming {
    name: "kda",
    renamed: &[
        ("o_norm", "o_norm.weight"),
        ("f_low.weight", "f_proj.0.weight"),
        ("f_proj.weight", "f_proj.1.weight"),
        ("g_low.weight", "g_proj.0.weight"),
        ("g_proj.weight", "g_proj.1.weight"),
        ("g_bias", "g_proj.1.bias"),
    ],
    ..MOM_NAMES
};

pub(super) static MAMBA2: Naming = Naming {
    name: "mamba2",
    embeddings: "backbone.embeddings.weight",
    final_norm: "backbone.norm_f.weight",
    model: "backbone.",
    layer: ["backbone.layers.", "."],
    mixing: "mixer.",
    mixing_norm: "norm.weight",
    renamed: &[("norm", "norm.weight"), ("o_proj.weight", "out_proj.weight")],
    stacked: &[
        ("in_proj.weight", &["z_proj.weight", "x_proj.weight", "B_proj.weight", "C_proj.weight", "dt_proj.weight"]),
        ("conv1d.weight", &["x_conv1d.weight", "B_conv1d.weight", "C_conv1d.weight"]),
        ("conv1d.bias", &["x_conv_bias", "B_conv_bias", "C_conv_bias"]),
    ],
    ..MOM_NAMES
};

/// All layouts, as `model.toml` names them.
pub(super) const NAMINGS: [&Naming; 9] =
    [&MOM, &MOM_GATED_DELTANET, &GLA, &GLA_UNGATED, &LINEAR_ATTN, &HGRN2, &GSA, &KDA, &MAMBA2];
