//! Where checkpoints keep their tensors: fla's names, and those of the older public layout.

use mom_dialect::graph::Source;

use crate::spec::{ModelSpec, Naming};

pub(super) const EMBEDDINGS: &str = "model.embeddings.weight";
pub(super) const FINAL_NORM: &str = "model.norm.weight";
pub(super) const LM_HEAD: &str = "lm_head.weight";

/// The parameters of one layer of a model, outside of its mixing layer.
pub(super) struct Block {
    /// What the names of the mixing layer's parameters start with.
    pub mixing: String,
    /// None where the mixing layer takes the hidden states as they are.
    pub mixing_norm: Option<String>,
    pub mlp_norm: String,
    /// The parameter's name and place.
    pub mlp_gate: (String, Source),
    pub mlp_up: (String, Source),
    pub mlp_down: String,
}

impl Block {
    pub(super) fn new(spec: &ModelSpec, layer: usize) -> Block {
        let name = |rest: &str| format!("model.layers.{layer}.{rest}");
        let (mixing_norm, mlp_norm) = match spec.norm_first {
            true => (None, name("mlp.norm.weight")),
            false => (Some(name("attn_norm.weight")), name("mlp_norm.weight")),
        };
        let (gate, up) = (name("mlp.gate_proj.weight"), name("mlp.up_proj.weight"));
        let width = spec.mlp_size;
        // The older layout stacks the rows of the up projection under those of the gate.
        let (up_tensor, rows, up_row) = match spec.naming {
            Naming::Mom => (&up, width, 0),
            Naming::MomGatedDeltaNet => (&gate, 2 * width, width),
        };
        let source = |tensor: &str, first_row| Source {
            tensor: tensor.to_owned(),
            shape: vec![rows, spec.hidden_size],
            first_row,
        };
        Block {
            mixing: name("attn."),
            mixing_norm,
            mlp_norm,
            mlp_down: name("mlp.down_proj.weight"),
            mlp_gate: (gate.clone(), source(&gate, 0)),
            mlp_up: (up.clone(), source(up_tensor, up_row)),
        }
    }
}

/// What a memory layer has around any update rule: router, output gate, norm and output projection.
pub(super) const AROUND_UPDATE_RULE: [&str; 4] = ["gate.weight", "g_proj.weight", "o_norm.weight", "o_proj.weight"];

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
        // The tables of rotary embeddings follow from their base; the older layout has a skip weight without a use.
        if spec.attention.iter().any(|attention| attention.layers.contains(&layer)) {
            ignored.push(format!("model.layers.{layer}.attn.rotary*"));
        } else if spec.naming == Naming::MomGatedDeltaNet {
            ignored.push(format!("model.layers.{layer}.attn.D"));
        }
    }
    ignored
}
