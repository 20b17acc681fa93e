//! What a user does with a model: write logits, continue prompts, keep an artifact, pass stages on.

use std::{fs, path::Path};

use libtest_mimic::Trial;
use safetensors::{Dtype, serialize, tensor::TensorView};
use serde_json::Value;

use crate::{
    Outcome,
    command::{momc, text},
    golden::{Case, Comparison},
    machine::Executor,
    stages::TWO_MEMORIES,
    tensors::{Tensor, Tensors},
    trial,
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("cli::an_artifact_runs_as_its_description", an_artifact_runs_as_its_description),
        trial("cli::an_emitted_program_compiles", an_emitted_program_compiles),
        trial("cli::seeds_decide_what_is_drawn", seeds_decide_what_is_drawn),
        trial("cli::inspect_tells_what_an_artifact_holds", inspect_tells_what_an_artifact_holds),
        trial("cli::import_keeps_limits_of_step_sizes", import_keeps_limits_of_step_sizes),
    ]
}

/// What is checked of a golden model.
pub(crate) fn trials_of(case: &Case) -> Vec<Trial> {
    let named = |name: &str, check: fn(&Case) -> Outcome| {
        let case = case.clone();
        trial(format!("golden::{}::cli_{name}", case.name), move || check(&case))
    };
    let mut trials = vec![named("logits", logits), named("prompt", prompt), named("import", import)];
    // Not all models have greedy text.
    if case.tensors().is_ok_and(|tensors| tensors.find("gen.prompt").is_some()) {
        trials.push(named("prompt_tokens", prompt_tokens));
    }
    trials
}

/// `--tokens` and `--logits`, with and without padding.
fn logits(case: &Case) -> Outcome {
    let folder = tempfile::tempdir()?;
    let (input, output) = (folder.path().join("tokens.safetensors"), folder.path().join("logits.safetensors"));
    let tensors = case.tensors()?;
    let mut comparison = Comparison::new(Executor::Compiled, &case.sidecar()?);
    let model = case.folder();
    let arguments = ["run", text(&model)?, "--tokens", text(&input)?, "--logits", text(&output)?, "--router-logits"];

    write_ids(&input, &[("input_ids", tensors.get("in.input_ids")?)])?;
    momc(Path::new("."), &arguments)?.success()?;
    let answered = Tensors::open(&output)?;
    comparison.check("logits", &answered.get("logits")?.data, &tensors.get("out.logits")?.data);
    for (layer, expected) in tensors.with_prefix("out.router.") {
        let answered = answered.get(&format!("router_logits.{layer}"))?;
        comparison.check(&format!("router.{layer}"), &answered.data, &expected.data);
    }

    if let (Some(ids), Some(mask)) = (tensors.find("pad.input_ids"), tensors.find("pad.mask")) {
        write_ids(&input, &[("input_ids", ids), ("attention_mask", mask)])?;
        momc(Path::new("."), &arguments)?.success()?;
        comparison.check("pad.logits", &Tensors::open(&output)?.get("logits")?.data, &tensors.get("pad.logits")?.data);
    }
    comparison.finish()
}

fn write_ids(path: &Path, tensors: &[(&str, &Tensor)]) -> Outcome {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, tensor)| tensor.ids().iter().flat_map(|&id| i64::from(id).to_le_bytes()).collect())
        .collect();
    let mut views = Vec::new();
    for ((name, tensor), bytes) in tensors.iter().zip(&bytes) {
        views.push((name, TensorView::new(Dtype::I64, tensor.shape.clone(), bytes)?));
    }
    Ok(fs::write(path, serialize(views, None)?)?)
}

/// Greedy continuation of tokens.
fn prompt_tokens(case: &Case) -> Outcome {
    let tensors = case.tensors()?;
    let (prompt, expected) = (tensors.get("gen.prompt")?, tensors.get("gen.tokens")?);
    let (prompt, count) = (numbers(&prompt.ids()), expected.shape[1].to_string());
    let model = case.folder();
    let arguments = ["run", text(&model)?, "--prompt-tokens", &prompt, "--max-tokens", &count, "--ignore-eos"];
    let answer = momc(Path::new("."), &arguments)?.success()?;
    same("the tokens", answer.trim_end(), &numbers(&expected.ids()))
}

fn numbers(ids: &[u32]) -> String {
    ids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

/// Greedy continuation of texts, and the tokens of texts; for models that come with a tokenizer.
fn prompt(case: &Case) -> Outcome {
    let sidecar = case.sidecar()?;
    let field = |entry: &Value, key: &str| entry[key].as_str().map(str::to_owned).ok_or_else(|| format!("no {key}"));
    let list = |key: &str| sidecar["tokenizer"][key].as_array().cloned().unwrap_or_default();
    let model = case.folder();
    for entry in list("encode") {
        let tokenizer = tokenizers::Tokenizer::from_file(model.join("tokenizer.json"))?;
        let encoding = tokenizer.encode(field(&entry, "text")?, true)?;
        let expected: Vec<u32> = serde_json::from_value(entry["ids"].clone())?;
        same("the ids", &numbers(encoding.get_ids()), &numbers(&expected))?;
    }
    for entry in list("generate") {
        let prompt = field(&entry, "prompt")?;
        let count = entry["new_ids"].as_array().map_or(0, Vec::len).to_string();
        let arguments = ["run", text(&model)?, "--prompt", &prompt, "--max-tokens", &count, "--ignore-eos"];
        let answer = momc(Path::new("."), &arguments)?.success()?;
        same(&format!("what follows {prompt:?}"), &answer, &(field(&entry, "completion")? + "\n"))?;
    }
    Ok(())
}

/// An imported description is the same program.
fn import(case: &Case) -> Outcome {
    let folder = tempfile::tempdir()?;
    let description = folder.path().join("model.toml");
    let model = case.folder();
    momc(Path::new("."), &["import", text(&model)?, "-o", text(&description)?])?.success()?;
    let emit = |model: &Path| momc(Path::new("."), &["compile", text(model)?, "--emit", "mom"])?.success();
    same("the program", &emit(&description)?, &emit(&model)?)
}

/// Forty tokens of a model with made-up weights.
fn run(folder: &Path, model: &str, sampling: &[&str]) -> Outcome<String> {
    let weights = ["--random-weights", "3", "--prompt-tokens", "1,2,3", "--max-tokens", "40"];
    momc(folder, &[&["run", model], &weights[..], sampling].concat())?.success()
}

fn an_artifact_runs_as_its_description() -> Outcome {
    let folder = tempfile::tempdir()?;
    let artifact = folder.path().join("model.so");
    momc(Path::new("."), &["compile", TWO_MEMORIES, "-o", text(&artifact)?])?.success()?;
    // A name without a slash is that of a file here.
    same("the text", &run(folder.path(), "model.so", &[])?, &run(Path::new("."), TWO_MEMORIES, &[])?)
}

fn an_emitted_program_compiles() -> Outcome {
    let folder = tempfile::tempdir()?;
    let program = folder.path().join("model.mlir");
    momc(Path::new("."), &["compile", TWO_MEMORIES, "--emit", "mom", "-o", text(&program)?])?.success()?;
    same("the text", &run(folder.path(), "model.mlir", &[])?, &run(Path::new("."), TWO_MEMORIES, &[])?)
}

fn seeds_decide_what_is_drawn() -> Outcome {
    let drawn = |seed| run(Path::new("."), TWO_MEMORIES, &["--temperature", "2", "--top-p", "0.9", "--seed", seed]);
    same("the text drawn again", &drawn("7")?, &drawn("7")?)?;
    if drawn("8")? == drawn("7")? { Err("another seed draws the same text".into()) } else { Ok(()) }
}

fn inspect_tells_what_an_artifact_holds() -> Outcome {
    let folder = tempfile::tempdir()?;
    momc(Path::new("."), &["compile", TWO_MEMORIES, "-o", text(&folder.path().join("model.so"))?])?.success()?;
    let told = momc(folder.path(), &["inspect", "model.so"])?.success()?;
    let missing = ["two-memories", "native", "layers.0.memory", "router_logits.0", "momc_scan_", "f32 [L, 16]"]
        .into_iter()
        .find(|word| !told.contains(word));
    match missing {
        Some(word) => Err(format!("nothing is said of {word}:\n{told}").into()),
        None => Ok(()),
    }
}

/// Of Mamba-2, whose configurations call them by two names.
fn import_keeps_limits_of_step_sizes() -> Outcome {
    let options = |limits: &str| -> Outcome<String> {
        let folder = tempfile::tempdir()?;
        let sizes = r#""model_type": "mamba2", "hidden_size": 64, "head_dim": 8, "num_hidden_layers": 1"#;
        fs::write(folder.path().join("config.json"), format!("{{{sizes}, {limits}}}"))?;
        let model = momc(folder.path(), &["import", "config.json"])?.success()?;
        let options = model.split_once("[memory.options]\n").map_or("", |(_, rest)| rest);
        Ok(options.split("\n\n").next().unwrap_or_default().trim().to_owned())
    };
    same("what both limit", &options(r#""dt_limit": [0.05, 0.3]"#)?, "\"dt_max\" = 0.3\n\"dt_min\" = 0.05")?;
    same("what one limits", &options(r#""time_step_limit": [0.05, Infinity]"#)?, "\"dt_min\" = 0.05")?;
    same("what none limits", &options(r#""dt_limit": [-Infinity, Infinity]"#)?, "")
}

fn same(what: &str, actual: &str, expected: &str) -> Outcome {
    if actual == expected { Ok(()) } else { Err(format!("{what} is {actual:?}, not {expected:?}").into()) }
}
