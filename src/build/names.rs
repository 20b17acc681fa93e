//! Where checkpoints keep their tensors: fla's names, and those of the older public layout.

use mom_dialect::graph::Source;

use crate::spec::{ModelSpec, Naming};

pub(super) const LM_HEAD: &str = "lm_head.weight";

/// The parameters of one layer of a model, outside of its mixing layer.
pub(super) struct Block {
    /// What the names of the mixing layer's parameters start with.
    pub mixing: String,
    /// None where the mixing layer takes the hidden states as they are.
    pub mixing_norm: Option<String>,
    /// None in a model without MLPs.
    pub mlp: Option<Mlp>,
}

pub(super) struct Mlp {
    pub width: usize,
    pub norm: String,
    /// The parameter's name and place.
    pub gate: (String, Source),
    pub up: (String, Source),
    pub down: String,
}

impl Block {
    pub(super) fn new(spec: &ModelSpec, layer: usize) -> Block {
        let naming = spec.naming;
        let name = |rest: &str| in_layer(naming, layer, rest);
        let (mixing_norm, mlp_norm) = match spec.norm_first {
            true => (None, name("mlp.norm.weight")),
            false => (Some(name(naming.mixing_norm)), name("mlp_norm.weight")),
        };
        let mlp = spec.mlp_size.map(|width| {
            let (gate, up) = (name("mlp.gate_proj.weight"), name("mlp.up_proj.weight"));
            let (up_tensor, rows, up_row) = match naming.joined_mlp {
                false => (&up, width, 0),
                true => (&gate, 2 * width, width),
            };
            let source = |tensor: &str, first_row| Source {
                tensor: tensor.to_owned(),
                shape: vec![rows, spec.hidden_size],
                first_row,
            };
            Mlp {
                width,
                norm: mlp_norm,
                down: name("mlp.down_proj.weight"),
                gate: (gate.clone(), source(&gate, 0)),
                up: (up.clone(), source(up_tensor, up_row)),
            }
        });
        Block { mixing: name(naming.mixing), mixing_norm, mlp }
    }
}

/// A tensor of one layer.
fn in_layer(naming: &Naming, layer: usize, rest: &str) -> String {
    let [before, after] = naming.layer;
    format!("{before}{layer}{after}{rest}")
}

/// What a memory layer has around its layer part: router and output projection.
pub(super) const AROUND_LAYER_PART: [&str; 2] = ["gate.weight", "o_proj.weight"];

/// The projection or filter `role` of all memories: `q_proj.weight`.
pub(super) fn of_all(role: &str) -> String {
    format!("{role}.weight")
}

/// The projection `role` of one routed memory: `k_proj.3.weight`.
pub(super) fn of_memory(role: &str, memory: usize) -> String {
    format!("{role}.{memory}.weight")
}

/// The projection `role` of the shared state, and of all memories if they have one in common: `shared_k.weight` for
/// the role `k_proj`.
pub(super) fn of_shared(role: &str) -> String {
    format!("shared_{}.weight", role.strip_suffix("_proj").unwrap_or(role))
}

/// Tensors that a checkpoint of this model may hold and the model does not read. A `*` at the end stands for any rest.
pub fn ignored_tensors(spec: &ModelSpec) -> Vec<String> {
    let mut ignored = Vec::new();
    if spec.tie_embeddings {
        ignored.push(LM_HEAD.to_owned());
    }
    for layer in 0..spec.layers {
        // The tables of rotary embeddings follow from their base.
        let unused = match spec.attention.iter().any(|attention| attention.layers.contains(&layer)) {
            true => &["rotary*"],
            false => spec.naming.unused,
        };
        let mixing = spec.naming.mixing;
        ignored.extend(unused.iter().map(|rest| in_layer(spec.naming, layer, &format!("{mixing}{rest}"))));
    }
    ignored
}
