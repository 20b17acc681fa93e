//! Golden layers: one MoM layer on given inputs, with its routing and states, prefilled at once and then decoded.
//!
//! The layer becomes a program whose tokens number the rows of a parameter `inputs`, so that it runs like any model.

use mom_dialect::diagnostic::Source;
use mom_passes::fuse::Selection;
use momc::spec::{self, ModelSpec};
use serde_json::{Value, json};

use crate::{
    Outcome,
    dialect::lines,
    golden::{Case, Comparison},
    machine::{Executor, Machine, Model, Outputs, Params, State, Token, in_pieces},
    tensors::{Tensor, Tensors},
};

pub(crate) fn check(case: &Case, executor: Executor, selection: &Selection) -> Outcome {
    let tensors = case.tensors()?;
    let sidecar = case.sidecar()?;
    let batch = Batch::new(&tensors)?;
    let model = Model::layer(&spec(&sidecar["config"], batch.inputs.shape[0])?)?.rewritten(selection)?;
    let mut params: Params =
        tensors.with_prefix("param.").map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect();
    params.insert("inputs".into(), batch.inputs.clone());
    let mut machine = model.start(executor, &params, batch.prefill.len(), 0)?;

    let mut comparison = Comparison::new(executor, &sidecar);
    let outputs = machine.step(&batch.prefill)?;
    check_outputs(&mut comparison, &tensors, "", &outputs)?;
    check_states(&mut comparison, &tensors, "state.", machine.as_ref(), batch.prefill.len())?;
    if let Some(sequence) = batch.decode.first() {
        let outputs = in_pieces(machine.as_mut(), &batch.decode, &vec![1; sequence.len()])?;
        check_outputs(&mut comparison, &tensors, "decode.", &outputs)?;
        check_states(&mut comparison, &tensors, "decode.state.", machine.as_ref(), batch.prefill.len())?;
    }
    comparison.finish()
}

/// What the layer is fed: `inputs` holds the rows of the prefill, then those of the decode steps.
struct Batch {
    inputs: Tensor,
    /// Of every sequence, at once.
    prefill: Vec<Vec<Token>>,
    /// Of every sequence, one after the other; none if the case decodes nothing.
    decode: Vec<Vec<Token>>,
}

impl Batch {
    fn new(tensors: &Tensors) -> Outcome<Batch> {
        let x = tensors.get("in.x")?;
        let &[batch, length, width] = x.shape.as_slice() else { return Err("in.x is not [B, T, D]".into()) };
        let steps = tensors.find("in.x_decode");
        let decoded = steps.map_or(0, |steps| steps.shape[1]);
        let mask = tensors.find("in.mask");
        let real = |row: usize, time: usize| mask.is_none_or(|mask| mask.at(&[row, time]) == [1.0]);

        let prefill = match tensors.find("in.cu_seqlens") {
            Some(bounds) => bounds.ids().windows(2).map(|pair| (pair[0]..pair[1]).map(Token::real).collect()).collect(),
            None => {
                let token = |row, time| Token { id: (row * length + time) as u32, real: real(row, time) };
                (0..batch).map(|row| (0..length).map(|time| token(row, time)).collect()).collect()
            }
        };
        let step = |row: usize, time: usize| Token {
            id: (batch * length + row * decoded + time) as u32,
            real: real(row, length + time),
        };
        let decoded_rows = if decoded == 0 { 0 } else { batch };
        let decode = (0..decoded_rows).map(|row| (0..decoded).map(|time| step(row, time)).collect()).collect();

        let mut data = x.data.clone();
        data.extend(steps.iter().flat_map(|steps| &steps.data));
        Ok(Batch { inputs: Tensor { shape: vec![data.len() / width, width], data }, prefill, decode })
    }
}

/// The layer's description. The reference's constructor arguments are the keys of a `config.json`.
fn spec(arguments: &Value, inputs: usize) -> Outcome<ModelSpec> {
    let mut config = json!({ "model_type": "mom", "num_hidden_layers": 1, "vocab_size": inputs });
    for (key, value) in arguments.as_object().into_iter().flatten() {
        config[key] = value.clone();
    }
    let source = Source::new("layer/config.json", config.to_string());
    Ok(spec::parse_config(&source, None).map_err(|found| lines(&found))?)
}

fn check_outputs(comparison: &mut Comparison, tensors: &Tensors, prefix: &str, outputs: &Outputs) -> Outcome {
    let expected = |name: &str| tensors.get(&format!("out.{prefix}{name}"));
    comparison.check(&format!("{prefix}y"), outputs.get("y")?, &expected("y")?.data);
    let logits = outputs.get("router_logits.0")?;
    comparison.check(&format!("{prefix}router_logits"), logits, &expected("router_logits")?.data);
    comparison.check_choices(&format!("{prefix}selected"), logits, expected("router_logits")?, expected("selected")?);
    Ok(())
}

/// Compares the states of all sequences with those that the reference has under this prefix.
fn check_states(
    comparison: &mut Comparison,
    tensors: &Tensors,
    prefix: &str,
    machine: &dyn Machine,
    sequences: usize,
) -> Outcome {
    let states: Vec<_> = (0..sequences).map(|sequence| machine.states(sequence)).collect();
    for (name, expected) in tensors.with_prefix(&format!("out.{prefix}")) {
        let mut of_sequences = Vec::new();
        for states in &states {
            let ours = format!("layers.0.{name}");
            let state = states.iter().find(|state| state.name == ours);
            of_sequences.push(reference_layout(state.ok_or_else(|| format!("there is no state {ours}"))?));
        }
        // The reference puts the memory before the sequence.
        let memories = of_sequences[0].len();
        let actual: Vec<f64> = (0..memories)
            .flat_map(|memory| of_sequences.iter().flat_map(move |states| states[memory].clone()))
            .collect();
        comparison.check(&format!("{prefix}{name}"), &actual, &expected.data);
    }
    Ok(())
}

/// What a state holds for each memory; windows as `[channels, W]`, where momc has `[W, channels]`.
fn reference_layout(state: &State) -> Vec<Vec<f64>> {
    let size = |axis: &str| state.axes.iter().find(|(name, _)| name == axis).map(|(_, size)| *size);
    let memories = size("memory").unwrap_or(1);
    let of_memories = state.data.chunks(state.data.len() / memories);
    match size("tap") {
        None => of_memories.map(<[f64]>::to_vec).collect(),
        Some(taps) => of_memories.map(|window| transposed(window, window.len() / taps)).collect(),
    }
}

fn transposed(matrix: &[f64], columns: usize) -> Vec<f64> {
    (0..columns).flat_map(|column| matrix[column..].iter().step_by(columns).copied()).collect()
}
