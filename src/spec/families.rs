//! The families of models that `config.json` may describe: one table each, and no code.
//!
//! A table says what the keys of a family mean and what they are when left out, as the classes of fla have it.

use super::naming::{self, Naming};

/// A family of configurations, all of fla unless said otherwise.
pub(super) struct Family {
    pub model_type: &'static str,
    pub naming: &'static Naming,
    /// The naming where no layer has an output gate, if it is another.
    pub ungated: Option<&'static Naming>,
    /// Update rules by the configurations they are for; the first that fits counts.
    pub update_rules: &'static [(&'static str, &'static [(&'static str, Setting)])],
    pub layers: usize,
    pub heads: usize,
    pub widths: Widths,
    /// Which key, if any, says that some inputs of the update rule have fewer heads.
    pub groups: Groups,
    /// What a model with routed memories has for defaults; none for a single memory.
    pub routing: Option<Routing>,
    pub output_gate: Switch,
    /// The number of taps and whether there is a short convolution.
    pub short_conv: Option<(&'static str, Switch)>,
    /// The MLP's `hidden_ratio`; none without MLPs.
    pub hidden_ratio: Option<f64>,
    pub norm_eps: f64,
    /// Keys that set an option of the update rule or of its layer part: the key, the option, and the value that `true`
    /// stands for. The option has the default of the key.
    pub options: &'static [(&'static str, &'static str, f64)],
    /// Keys that give a range, and the options that are its least and greatest number. An end that is infinite sets none.
    pub ranges: &'static [(&'static str, [&'static str; 2])],
    /// Options that the layers of the family set whatever the configuration says.
    pub fixed: &'static [(&'static str, f64)],
    /// Keys of which momc computes only some settings: the key, what it is when left out, and those settings.
    pub limits: &'static [(&'static str, Setting, &'static [Setting])],
    /// Keys of this family that do not change what a model computes.
    pub without_effect: &'static [&'static str],
}

/// What a key may be set to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Setting {
    Null,
    True,
    False,
    Number(f64),
    Text(&'static str),
}

impl Setting {
    /// As a configuration writes it.
    pub(super) fn json(&self) -> String {
        match self {
            Null => "`null`".to_owned(),
            True => "`true`".to_owned(),
            False => "`false`".to_owned(),
            Number(number) => format!("`{number}`"),
            Text(text) => format!("`\"{text}\"`"),
        }
    }
}

/// Something that a key turns on, with its default, or that is always so.
pub(super) enum Switch {
    Key(&'static str, bool),
    Always(bool),
}

/// How the widths of a head follow from the configuration.
pub(super) enum Widths {
    /// `head_dim`, and `expand_v` times as much: defaults.
    PerHead { head_dim: usize, expand_v: f64 },
    /// `expand_k` and `expand_v` times the hidden size, divided among the heads: defaults.
    OfHidden { expand_k: f64, expand_v: f64 },
    /// `expand_ratio` is the key width, and the hidden size divided by it the number of heads.
    Ratio(usize),
    /// `state_size` is the key width, `head_dim` the value width, and `expand` times the hidden size divided by it the
    /// number of heads: defaults.
    StateSpace { state_size: usize, head_dim: usize, expand: usize },
}

pub(super) enum Groups {
    None,
    /// `num_v_heads` heads in all, of which `num_heads` inputs serve several.
    Values,
    /// `num_heads` heads in all, `num_kv_heads` of grouped inputs.
    Keys,
    /// `n_groups`, this many by default.
    Count(usize),
}

pub(super) struct Routing {
    pub memories: usize,
    pub shared_state: bool,
}

use Setting::{False, Null, Number, Text, True};

const PLAIN: Family = Family {
    model_type: "",
    naming: &naming::MOM,
    ungated: None,
    update_rules: &[("gated_delta_rule", &[])],
    layers: 24,
    heads: 4,
    widths: Widths::OfHidden { expand_k: 1.0, expand_v: 1.0 },
    groups: Groups::None,
    routing: None,
    output_gate: Switch::Key("use_output_gate", true),
    short_conv: Some(("conv_size", Switch::Key("use_short_conv", true))),
    hidden_ratio: Some(4.0),
    norm_eps: 1e-6,
    options: &[],
    ranges: &[],
    fixed: &[],
    limits: &[],
    without_effect: &[],
};

const GATED_DELTANET: Family = Family {
    model_type: "gated_deltanet",
    layers: 21,
    heads: 6,
    widths: Widths::PerHead { head_dim: 256, expand_v: 2.0 },
    groups: Groups::Values,
    output_gate: Switch::Key("use_gate", true),
    options: &[("allow_neg_eigval", "beta_scale", 2.0)],
    ..PLAIN
};

pub(super) const FAMILIES: [&Family; 13] = [
    &Family {
        model_type: "mom",
        widths: Widths::PerHead { head_dim: 256, expand_v: 1.0 },
        routing: Some(Routing { memories: 4, shared_state: true }),
        ..PLAIN
    },
    // The older public code.
    &Family {
        model_type: "mom_gated_deltanet",
        naming: &naming::MOM_GATED_DELTANET,
        layers: 21,
        heads: 6,
        widths: Widths::PerHead { head_dim: 256, expand_v: 2.0 },
        routing: Some(Routing { memories: 8, shared_state: false }),
        output_gate: Switch::Key("use_gate", true),
        ..PLAIN
    },
    &GATED_DELTANET,
    &Family {
        model_type: "gla",
        naming: &naming::GLA,
        ungated: Some(&naming::GLA_UNGATED),
        update_rules: &[("gla", &[])],
        widths: Widths::OfHidden { expand_k: 0.5, expand_v: 1.0 },
        groups: Groups::Keys,
        short_conv: Some(("conv_size", Switch::Key("use_short_conv", false))),
        limits: &[("feature_map", Null, &[Null]), ("clamp_min", Null, &[Null]), ("elementwise_affine", True, &[True])],
        without_effect: &["use_gk", "use_gv"],
        ..PLAIN
    },
    &Family {
        model_type: "delta_net",
        update_rules: &[("delta_rule", &[])],
        heads: 16,
        output_gate: Switch::Key("use_gate", false),
        options: &[("allow_neg_eigval", "beta_scale", 2.0)],
        limits: &[
            ("use_beta", True, &[True]),
            ("qk_norm", Text("l2"), &[Text("l2")]),
            ("qk_activation", Text("silu"), &[Text("silu")]),
        ],
        without_effect: &["use_output_norm"],
        ..PLAIN
    },
    &Family {
        model_type: "retnet",
        naming: &naming::GLA,
        ungated: Some(&naming::GLA_UNGATED),
        update_rules: &[("retention", &[])],
        heads: 8,
        widths: Widths::OfHidden { expand_k: 1.0, expand_v: 2.0 },
        groups: Groups::Keys,
        short_conv: Some(("conv_size", Switch::Key("use_short_conv", false))),
        hidden_ratio: Some(2.0),
        limits: &[("feature_map", Null, &[Null]), ("elementwise_affine", True, &[True])],
        ..PLAIN
    },
    &Family {
        model_type: "linear_attn",
        naming: &naming::LINEAR_ATTN,
        update_rules: &[("linear_attn", &[])],
        groups: Groups::Keys,
        output_gate: Switch::Always(false),
        short_conv: None,
        limits: &[
            ("feature_map", Text("elementwise_product"), &[Text("elementwise_product")]),
            ("tie_feature_map_qk", False, &[False]),
            ("norm_q", False, &[False]),
            ("norm_k", False, &[False]),
            ("norm_feature_map", False, &[False]),
            ("elementwise_affine", True, &[True]),
        ],
        ..PLAIN
    },
    &Family {
        model_type: "hgrn2",
        naming: &naming::HGRN2,
        update_rules: &[("hgrn2", &[])],
        widths: Widths::Ratio(128),
        output_gate: Switch::Always(false),
        short_conv: Some(("conv_size", Switch::Key("use_short_conv", false))),
        limits: &[("use_lower_bound", True, &[True]), ("elementwise_affine", True, &[True])],
        ..PLAIN
    },
    &Family {
        model_type: "gsa",
        naming: &naming::GSA,
        update_rules: &[("gsa", &[])],
        groups: Groups::Keys,
        output_gate: Switch::Always(false),
        short_conv: Some(("conv_size", Switch::Key("use_short_conv", false))),
        fixed: &[("scale", 1.0)],
        options: &[("num_slots", "slot", 1.0), ("gate_logit_normalizer", "gate_normalizer", 1.0)],
        limits: &[
            ("feature_map", Text("swish"), &[Text("swish")]),
            ("use_output_gate", False, &[False, Null]),
            ("use_norm", True, &[True]),
            ("clamp_min", Null, &[Null]),
            ("clamp_max", Null, &[Null]),
            ("elementwise_affine", True, &[True]),
        ],
        ..PLAIN
    },
    &Family {
        model_type: "kda",
        naming: &naming::KDA,
        update_rules: &[("kda", &[])],
        heads: 16,
        widths: Widths::PerHead { head_dim: 128, expand_v: 1.0 },
        groups: Groups::Values,
        output_gate: Switch::Always(true),
        options: &[("allow_neg_eigval", "beta_scale", 2.0)],
        limits: &[("safe_gate", False, &[False]), ("lower_bound", Null, &[Null])],
        ..PLAIN
    },
    &Family {
        model_type: "comba",
        update_rules: &[("comba", &[])],
        output_gate: Switch::Key("use_output_gate", true),
        options: &[],
        limits: &[("use_inner_decay", True, &[True]), ("use_output_correction", True, &[True])],
        without_effect: &["correction_factor"],
        ..GATED_DELTANET
    },
    &Family {
        model_type: "gated_deltaproduct",
        update_rules: &[
            // One step a token is the plain rule.
            ("delta_rule", &[("num_householder", Number(1.0)), ("use_forget_gate", False)]),
            ("gated_delta_rule", &[("num_householder", Number(1.0)), ("use_forget_gate", True)]),
        ],
        groups: Groups::None,
        output_gate: Switch::Key("use_output_gate", true),
        limits: &[("num_householder", Number(1.0), &[Number(1.0)]), ("use_forget_gate", False, &[False, True])],
        ..GATED_DELTANET
    },
    &Family {
        model_type: "mamba2",
        naming: &naming::MAMBA2,
        update_rules: &[("mamba2_ssd", &[])],
        layers: 48,
        heads: 64,
        widths: Widths::StateSpace { state_size: 128, head_dim: 64, expand: 2 },
        groups: Groups::Count(1),
        output_gate: Switch::Always(true),
        short_conv: Some(("conv_kernel", Switch::Always(true))),
        hidden_ratio: None,
        norm_eps: 1e-5,
        // The later and the earlier name.
        ranges: &[("dt_limit", ["dt_min", "dt_max"]), ("time_step_limit", ["dt_min", "dt_max"])],
        limits: &[
            ("use_bias", False, &[False]),
            ("use_conv_bias", True, &[True]),
            ("rmsnorm", True, &[True]),
            ("norm_before_gate", False, &[False]),
            ("D_has_hdim", False, &[False]),
            ("n_groups", Number(1.0), &[Number(1.0)]),
        ],
        without_effect: &[
            "A_init_range",
            "chunk_size",
            "conv_init",
            "dt_init_floor",
            "dt_max",
            "dt_min",
            "rescale_prenorm_residual",
            "residual_in_fp32",
        ],
        ..PLAIN
    },
];
