//! Wrong inputs: what momc says about each is a snapshot, and it says it without a panic and without leaving a file.
//!
//! Wrong descriptions and update rules are the files below `tests/cases/bad`; what is wrong with other inputs, or with
//! the command line, is prepared here in a folder of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use libtest_mimic::Trial;
use mom_runtime::artifact;
use safetensors::{Dtype, serialize, tensor::TensorView};

use crate::{
    Outcome,
    command::momc,
    machine::{Model, Params},
    snapshot,
    stages::TWO_MEMORIES,
    tidy::files,
    trial,
};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (kind, ending) in [("spec", "toml"), ("config", "json")] {
        for file in files(&Path::new("tests/cases/bad").join(kind), ending) {
            let name = format!("bad_input::{kind}::{}", file.file_stem().unwrap_or_default().display());
            trials.push(trial(name.clone(), move || description(&name, &file)));
        }
    }
    for file in files(Path::new("tests/cases/bad/rule"), "mom") {
        let name = format!("bad_input::rule::{}", file.file_stem().unwrap_or_default().display());
        trials.push(trial(name.clone(), move || update_rule(&name, &file)));
    }
    for wrong in CASES {
        trials.push(trial(format!("bad_input::{}", wrong.name), || prepared(wrong)));
    }
    trials
}

fn description(name: &str, file: &Path) -> Outcome {
    let folder = tempfile::tempdir()?;
    let output = folder.path().join("out.so");
    let arguments = ["compile", &file.display().to_string(), "-o", &output.display().to_string()];
    refused(name, Path::new("."), folder.path(), &arguments)
}

/// A model whose memory is this update rule, with the options that its first line may give.
fn update_rule(name: &str, file: &Path) -> Outcome {
    let folder = tempfile::tempdir()?;
    let text = fs::read_to_string(file)?;
    let options = text.lines().next().and_then(|line| line.strip_prefix("// options: "));
    let options =
        options.map_or(String::new(), |options| format!("\n[memory.options]\n{}\n", options.replace(", ", "\n")));
    let model = fs::read_to_string(TWO_MEMORIES)?.replace("[memory]", "[memory]\nupdate_rule = \"rule.mom\"");
    fs::write(folder.path().join("model.toml"), model + &options)?;
    fs::write(folder.path().join("rule.mom"), text)?;
    refused(name, folder.path(), folder.path(), &["compile", "model.toml", "-o", "out.so"])
}

fn prepared(wrong: &Wrong) -> Outcome {
    let folder = tempfile::tempdir()?;
    fs::copy(TWO_MEMORIES, folder.path().join("model.toml"))?;
    (wrong.prepare)(folder.path())?;
    let arguments: Vec<&str> = wrong.command.split(' ').map(|word| if word == "''" { "" } else { word }).collect();
    refused(&format!("bad_input::{}", wrong.name), folder.path(), folder.path(), &arguments)
}

/// Runs momc in `place`. It must refuse, say why, and leave `outputs` as it was.
fn refused(name: &str, place: &Path, outputs: &Path, arguments: &[&str]) -> Outcome {
    let before = listing(outputs)?;
    let finished = momc(place, arguments)?;
    let after = listing(outputs)?;
    let folder = format!("{}/", outputs.display());
    let command = arguments.join(" ").replace(&folder, "");
    let said = finished.stderr.replace(&folder, "");
    if said.contains("panicked") || said.contains("RUST_BACKTRACE") {
        return Err(format!("momc panicked:\n{said}").into());
    }
    if !matches!(finished.code, Some(1 | 2)) {
        return Err(format!("momc ended with {:?}, which does not blame the input:\n{said}", finished.code).into());
    }
    if before != after {
        return Err(format!("momc left {after:?}, where {before:?} was").into());
    }
    let code = finished.code.unwrap_or_default();
    // The same on machines of every kind.
    let said = said.replace(std::env::consts::ARCH, "(this one)");
    snapshot::check(&name.replace("::", "__"), &format!("$ momc {command}\nexit code {code}\n{said}"));
    Ok(())
}

/// Everything below a folder, with sizes.
fn listing(folder: &Path) -> Outcome<Vec<(PathBuf, u64)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        found.push((entry.path(), entry.metadata()?.len()));
        if entry.path().is_dir() {
            found.extend(listing(&entry.path())?);
        }
    }
    found.sort();
    Ok(found)
}

/// A wrong input that is made, not read.
struct Wrong {
    name: &'static str,
    /// What momc is asked to do, in a folder with a sound `model.toml`; `''` is an empty argument.
    command: &'static str,
    /// Puts the wrong input there.
    prepare: fn(&Path) -> Outcome,
}

const fn wrong(name: &'static str, command: &'static str, prepare: fn(&Path) -> Outcome) -> Wrong {
    Wrong { name, command, prepare }
}

/// The model and the command line are all that is needed.
fn nothing(_: &Path) -> Outcome {
    Ok(())
}

/// Generates one token with the weights that were prepared.
const RUN: &str = "run model.toml --weights model.safetensors --prompt-tokens 1,2 --max-tokens 1";
const RUN_ARTIFACT: &str = "run model.so --random-weights 1 --prompt-tokens 1,2 --max-tokens 1";
const LOGITS: &str = "run model.toml --random-weights 1 --tokens tokens.safetensors --logits out.safetensors";

const MACHINE: &str = "compile model.toml --machine machine.toml -o out.so";

const RULE: &str = "rule run gla --inputs in.safetensors --outputs out.safetensors";

const CASES: &[Wrong] = &[
    wrong("rule_run::no_file", RULE, nothing),
    wrong("rule_run::not_safetensors", RULE, |folder| write(folder, "in.safetensors", b"no tensors at all")),
    wrong("rule_run::missing_tensor", RULE, |folder| rule_inputs(folder, |given| _ = given.remove(1))),
    wrong("rule_run::surplus_tensor", RULE, |folder| rule_inputs(folder, |given| given[3].0 = "in.gate")),
    wrong("rule_run::two_sizes", RULE, |folder| rule_inputs(folder, |given| given[1].1 = vec![1, 3, 2, 8])),
    wrong("rule_run::two_lengths", RULE, |folder| rule_inputs(folder, |given| given[2].1[1] = 4)),
    wrong("rule_run::too_few_axes", RULE, |folder| rule_inputs(folder, |given| given[0].1 = vec![3])),
    wrong("rule_run::heads_that_do_not_divide", RULE, |folder| rule_inputs(folder, |given| given[2].1[2] = 3)),
    wrong("rule_run::no_token", RULE, |folder| {
        rule_inputs(folder, |given| given.iter_mut().for_each(|(_, shape)| shape[1] = 0))
    }),
    wrong("rule_run::wrong_state", RULE, |folder| rule_inputs(folder, |given| given.push(("in.h0", vec![2, 2, 4, 4])))),
    wrong("rule_run::no_sequence", RULE, |folder| rule_inputs(folder, |given| given.push(("in.cu_seqlens", vec![1])))),
    wrong("rule_run::boundaries_do_not_rise", RULE, |folder| {
        rule_inputs(folder, |given| given.push(("in.cu_seqlens", vec![3])))
    }),
    wrong(
        "rule_run::no_cotangent",
        "rule run gla --grad --inputs in.safetensors --outputs out.safetensors",
        |folder| rule_inputs(folder, |_| ()),
    ),
    wrong(
        "rule_run::misspelt_cotangent",
        "rule run gla --grad --inputs in.safetensors --outputs out.safetensors",
        |folder| rule_inputs(folder, |given| given.extend([("cot.o", vec![1, 3, 2, 4]), ("cot.h", vec![1, 2, 4, 4])])),
    ),
    wrong(
        "rule_run::cotangent_of_another_shape",
        "rule run gla --grad --inputs in.safetensors --outputs out.safetensors",
        |folder| rule_inputs(folder, |given| given.push(("cot.o", vec![1, 3, 4, 2]))),
    ),
    wrong(
        "rule_run::option_beyond_float32",
        "rule run gla --set scale=1e39 --inputs in.safetensors --outputs out.safetensors",
        |folder| rule_inputs(folder, |_| ()),
    ),
    wrong(
        "rule_run::schedule_saves_too_much",
        "rule run gla --form chunk --schedule save=99999999 --inputs in.safetensors --outputs out.safetensors",
        |folder| rule_inputs(folder, |_| ()),
    ),
    wrong(
        "rule_run::axis_of_another_size",
        "rule run gla --set key=5 --inputs in.safetensors --outputs out.safetensors",
        |folder| rule_inputs(folder, |_| ()),
    ),
    wrong("rule_check::size_of_half", "rule check gla --set key=2.5", nothing),
    wrong(
        "rule_run::unknown_option",
        "rule run gla --set scales=1 --inputs in.safetensors --outputs out.safetensors",
        |folder| rule_inputs(folder, |_| ()),
    ),
    wrong(
        "rule_run::schedule_does_not_fit",
        "rule run gla --form chunk --schedule chunk=12,sub_block=8 --inputs in.safetensors --outputs out.safetensors",
        |folder| rule_inputs(folder, |_| ()),
    ),
    wrong(
        "rule_run::unknown_schedule",
        "rule run gla --schedule tile=8 --inputs in.safetensors --outputs out.safetensors",
        nothing,
    ),
    wrong(
        "rule_run::unknown_form",
        "rule run gla --form chunks --inputs in.safetensors --outputs out.safetensors",
        nothing,
    ),
    wrong("rule_run::unknown_rule", "rule run glu --inputs in.safetensors --outputs out.safetensors", nothing),
    wrong("rule_run::no_rule_file", "rule check absent.mom", nothing),
    wrong("rule_check::no_chunk_form", "rule check rule.mom --form chunk", |folder| {
        let text =
            b"rule squares(k: key, v: value) {\n  state h: key x value\n  next h = h * h + k v^T\n  out o = h^T k\n}\n";
        write(folder, "rule.mom", text)
    }),
    wrong("rule_check::growing_decay", "rule check rule.mom --form chunk", |folder| {
        let text = b"rule growing(k: key, v: value, g: scalar <= 0) {\n  state h: key x value\n  next h = exp(-g) * h + k v^T\n  \
                    out o = h^T k\n}\n";
        write(folder, "rule.mom", text)
    }),
    wrong("rule_check::one_state_as_a_whole", "rule check rule.mom --form chunk", |folder| {
        let text = b"rule whole(k: key, v: value) {\n  state z: key\n  state h: key x value\n  next z = z + k\n  \
                    next h = h + outer(z, v)\n  out o = h^T k\n}\n";
        write(folder, "rule.mom", text)
    }),
    // A term this deep overflows the stack that a program has by itself.
    wrong("rule_check::thousands_of_lines", "rule check rule.mom --form chunk", |folder| {
        let lines: String = (1..6000).map(|line| format!("  let a{line} = -a{}\n", line - 1)).collect();
        let text = format!(
            "rule long(k: key, v: value) {{\n  state h: key x value\n  let a0 = v\n{lines}  \
             next h = h * h + outer(k, a5999)\n  out o = h^T k\n}}\n"
        );
        write(folder, "rule.mom", text.as_bytes())
    }),
    wrong("weights::truncated", RUN, |folder| {
        let bytes = checkpoint(|_| ())?;
        write(folder, "model.safetensors", &bytes[..bytes.len() / 2])
    }),
    wrong("weights::empty_file", RUN, |folder| write(folder, "model.safetensors", b"")),
    wrong("weights::not_safetensors", RUN, |folder| {
        write(folder, "model.safetensors", b"these are not weights at all")
    }),
    wrong("weights::no_file", RUN, nothing),
    wrong("weights::wrong_shape", RUN, |folder| weights(folder, |tensors| tensors[0].shape.reverse())),
    wrong("weights::wrong_type", RUN, |folder| {
        weights(folder, |tensors| tensors.iter_mut().take(1).for_each(|tensor| tensor.dtype = Dtype::I32))
    }),
    wrong("weights::missing_tensor", RUN, |folder| weights(folder, |tensors| drop(tensors.remove(0)))),
    wrong("weights::surplus_tensor", RUN, |folder| {
        weights(folder, |tensors| {
            let surplus = Stored { name: "model.layers.1.attn.A_log".into(), ..tensors[0].clone() };
            tensors.push(surplus);
        })
    }),
    wrong("weights::of_another_model", RUN, |folder| {
        weights(folder, |tensors| tensors.iter_mut().for_each(|tensor| tensor.name.insert_str(0, "transformer.")))
    }),
    wrong(
        "weights::shard_is_missing",
        "run model.toml --weights model.safetensors.index.json --prompt-tokens 1",
        |folder| {
            write(
                folder,
                "model.safetensors.index.json",
                br#"{"weight_map": {"lm_head.weight": "model-00001-of-00002.safetensors"}}"#,
            )
        },
    ),
    wrong("weights::folder_without_any", "run model.toml --weights empty --prompt-tokens 1", |folder| {
        Ok(fs::create_dir(folder.join("empty"))?)
    }),
    wrong("weights::none_given", "run model.toml --prompt-tokens 1", nothing),
    wrong("prompt::empty", "run model.toml --random-weights 1 --tokenizer tokenizer.json --prompt ''", tokenizer),
    wrong("prompt::token_out_of_range", "run model.toml --random-weights 1 --prompt-tokens 1,16", nothing),
    wrong("prompt::token_is_no_number", "run model.toml --random-weights 1 --prompt-tokens 1,x", nothing),
    wrong("prompt::text_without_tokenizer", "run model.toml --random-weights 1 --prompt abc", nothing),
    wrong(
        "prompt::broken_tokenizer",
        "run model.toml --random-weights 1 --tokenizer tokenizer.json --prompt abc",
        |folder| write(folder, "tokenizer.json", b"{\"model\": 7}"),
    ),
    wrong(
        "prompt::no_file",
        "run model.toml --random-weights 1 --tokenizer tokenizer.json --prompt-file question.txt",
        tokenizer,
    ),
    wrong(
        "prompt::negative_temperature",
        "run model.toml --random-weights 1 --prompt-tokens 1 --temperature -1",
        |_| Ok(()),
    ),
    wrong("tokens::without_input_ids", LOGITS, |folder| tokens(folder, &[("ids", Dtype::I64, &[1, 2], &[1, 2])])),
    wrong("tokens::of_another_type", LOGITS, |folder| tokens(folder, &[("input_ids", Dtype::U64, &[1, 2], &[1, 2])])),
    wrong("tokens::of_one_axis", LOGITS, |folder| tokens(folder, &[("input_ids", Dtype::I64, &[2], &[1, 2])])),
    wrong("tokens::out_of_range", LOGITS, |folder| tokens(folder, &[("input_ids", Dtype::I64, &[1, 2], &[1, 99])])),
    wrong("tokens::negative", LOGITS, |folder| tokens(folder, &[("input_ids", Dtype::I64, &[1, 2], &[1, -1])])),
    wrong("tokens::none", LOGITS, |folder| tokens(folder, &[("input_ids", Dtype::I64, &[1, 0], &[])])),
    wrong("tokens::mask_of_another_shape", LOGITS, |folder| {
        tokens(
            folder,
            &[("input_ids", Dtype::I64, &[1, 2], &[1, 2]), ("attention_mask", Dtype::I64, &[1, 3], &[1, 1, 1])],
        )
    }),
    wrong("tokens::mask_is_not_0_or_1", LOGITS, |folder| {
        tokens(folder, &[("input_ids", Dtype::I64, &[1, 2], &[1, 2]), ("attention_mask", Dtype::I64, &[1, 2], &[1, 7])])
    }),
    wrong(
        "tokens::logits_into_a_missing_folder",
        "run model.toml --random-weights 1 --tokens tokens.safetensors --logits missing/out.safetensors",
        |folder| tokens(folder, &[("input_ids", Dtype::I64, &[1, 2], &[1, 2])]),
    ),
    wrong("tokens::without_logits", "run model.toml --random-weights 1 --tokens tokens.safetensors", nothing),
    wrong("artifact::truncated", RUN_ARTIFACT, |folder| {
        let bytes = compiled()?;
        write(folder, "model.so", &bytes[..bytes.len() / 2])
    }),
    wrong("artifact::damaged", RUN_ARTIFACT, |folder| {
        let mut bytes = compiled()?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        write(folder, "model.so", &bytes)
    }),
    wrong("artifact::empty", RUN_ARTIFACT, |folder| write(folder, "model.so", b"")),
    wrong("artifact::foreign", "inspect model.so", |folder| {
        write(folder, "model.so", b"\x7fELF of something else entirely")
    }),
    wrong("artifact::of_another_version", RUN_ARTIFACT, |folder| {
        let current = format!("\"format\":{}", mom_runtime::plan::FORMAT);
        write(folder, "model.so", &with_plan(&current, &current.replace(char::is_numeric, "9"))?)
    }),
    wrong("artifact::for_another_machine", RUN_ARTIFACT, |folder| {
        let host = std::env::consts::ARCH;
        let other = format!("{:-<1$}", "pdp", host.len());
        write(folder, "model.so", &with_plan(&format!("\"arch\":\"{host}\""), &format!("\"arch\":\"{other}\""))?)
    }),
    wrong("artifact::no_file", RUN_ARTIFACT, nothing),
    wrong("compile::unknown_stage", "compile model.toml --emit optimised", nothing),
    wrong("compile::unknown_target", "compile model.toml --target z80 -o out.so", nothing),
    wrong("compile::unknown_rewrite", "compile model.toml --no-rewrite normfold -o out.so", nothing),
    wrong(
        "compile::unknown_rewrite_among_others",
        "compile model.toml --only-rewrites norm-fold,zip -o out.so",
        nothing,
    ),
    wrong("compile::no_machine", MACHINE, nothing),
    wrong("compile::machine_not_toml", MACHINE, |folder| write(folder, "machine.toml", b"launch_ns: 3")),
    wrong("compile::machine_incomplete", MACHINE, |folder| write(folder, "machine.toml", b"lunch_ns = 3\n")),
    wrong("compile::machine_of_no_speed", MACHINE, |folder| {
        let levels = "[[levels]]\nbytes = 1e6\nbytes_per_ns = 0.0\n[[levels]]\nbytes = 1e5\nbytes_per_ns = 1.0\n";
        write(
            folder,
            "machine.toml",
            format!("launch_ns = 1\nproduct_flops = -2\nvector_flops = 1\nthreads = 1\n{levels}").as_bytes(),
        )
    }),
    wrong("explain::stage_fused", "explain model.mlir", |folder| {
        let model = folder.join("model.toml").display().to_string();
        let text = momc(folder, &["compile", &model, "--emit", "fused"])?.success()?;
        write(folder, "model.mlir", text.as_bytes())
    }),
    wrong("explain::page_is_the_model", "explain model.toml --html model.toml", nothing),
    wrong("compile::rewrites_of_stage_fused", "compile fused.mlir --no-rewrite norm-fold -o out.so", |folder| {
        let model = folder.join("model.toml").display().to_string();
        let text = momc(folder, &["compile", &model, "--emit", "fused"])?.success()?;
        write(folder, "fused.mlir", text.as_bytes())
    }),
    wrong("explain::page_in_a_missing_folder", "explain model.toml --html missing/page.html", nothing),
    wrong("explain::page_is_an_artifact", "explain model.toml --html page.so", nothing),
    wrong("calibrate::into_a_missing_folder", "calibrate -o missing/machine.toml", nothing),
    wrong(
        "run::rewritten_artifact",
        "run model.so --only-rewrites '' --random-weights 1 --prompt-tokens 1",
        |folder| write(folder, "model.so", b""),
    ),
    wrong("compile::gpu_code", "compile model.toml -o out.cubin", nothing),
    wrong("compile::unknown_ending", "compile model.toml -o out.txt", nothing),
    wrong("compile::nothing_to_write", "compile model.toml", nothing),
    wrong("compile::into_a_missing_folder", "compile model.toml -o missing/out.so", nothing),
    wrong("compile::onto_a_folder", "compile model.toml -o out.so", |folder| {
        Ok(fs::create_dir(folder.join("out.so"))?)
    }),
    wrong("compile::no_model", "compile other.toml -o out.so", nothing),
    wrong("compile::folder_without_config", "compile empty -o out.so", |folder| {
        Ok(fs::create_dir(folder.join("empty"))?)
    }),
    wrong("compile::unknown_kind_of_file", "compile model.yaml -o out.so", |folder| {
        write(folder, "model.yaml", b"model:")
    }),
    wrong("compile::program_that_is_not_mlir", "compile model.mlir -o out.so", |folder| {
        write(folder, "model.mlir", b"module {\n  what\n}\n")
    }),
    wrong("compile::program_without_output", "compile model.mlir -o out.so", |folder| {
        write(folder, "model.mlir", b"module @empty {\n}\n")
    }),
    wrong("import::into_a_missing_folder", "import hugging_face -o missing/model.toml", |folder| {
        fs::create_dir(folder.join("hugging_face"))?;
        write(folder, "hugging_face/config.json", b"{\"model_type\": \"mom\"}")
    }),
];

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Outcome {
    Ok(fs::write(folder.join(name), bytes)?)
}

/// A tensor as a file holds it.
#[derive(Clone)]
struct Stored {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

/// Sound weights of the model, spoilt.
fn weights(folder: &Path, spoil: impl FnOnce(&mut Vec<Stored>)) -> Outcome {
    write(folder, "model.safetensors", &checkpoint(spoil)?)
}

fn checkpoint(spoil: impl FnOnce(&mut Vec<Stored>)) -> Outcome<Vec<u8>> {
    let params: Params = Model::read(Path::new(TWO_MEMORIES))?.random_params(1);
    let mut tensors: Vec<Stored> = params
        .into_iter()
        .map(|(name, tensor)| {
            let bytes = tensor.f32().iter().flat_map(|value| value.to_le_bytes()).collect();
            Stored { name, dtype: Dtype::F32, shape: tensor.shape, bytes }
        })
        .collect();
    // A matrix that is not square comes first, so that turning it shows.
    tensors.sort_by_key(|tensor| (tensor.name != "lm_head.weight", tensor.name.clone()));
    spoil(&mut tensors);
    stored(&tensors)
}

fn tokens(folder: &Path, tensors: &[(&str, Dtype, &[usize], &[i64])]) -> Outcome {
    let tensors: Vec<Stored> = tensors
        .iter()
        .map(|&(name, dtype, shape, values)| Stored {
            name: name.into(),
            dtype,
            shape: shape.to_vec(),
            bytes: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        })
        .collect();
    write(folder, "tokens.safetensors", &stored(&tensors)?)
}

fn stored(tensors: &[Stored]) -> Outcome<Vec<u8>> {
    let mut views = Vec::new();
    for tensor in tensors {
        views.push((&tensor.name, TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes)?));
    }
    Ok(serialize(views, None)?)
}

/// Tensors for the rule `gla`: three tokens of two heads, all ones.
fn rule_inputs(folder: &Path, spoil: fn(&mut Vec<(&'static str, Vec<usize>)>)) -> Outcome {
    let names = ["in.q", "in.k", "in.v", "in.g"];
    let mut given: Vec<(&'static str, Vec<usize>)> = names.map(|name| (name, vec![1, 3, 2, 4])).into();
    spoil(&mut given);
    let stores = given.into_iter().map(|(name, shape)| {
        let count: usize = shape.iter().product();
        let bytes = vec![1.0_f32; count].iter().flat_map(|value| value.to_le_bytes()).collect();
        Stored { name: name.into(), dtype: Dtype::F32, shape, bytes }
    });
    write(folder, "in.safetensors", &stored(&stores.collect::<Vec<_>>())?)
}

/// A tokenizer of a few letters.
fn tokenizer(folder: &Path) -> Outcome {
    let text = br#"{"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": null, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"a": 1, "b": 2}, "unk_token": "a"}}"#;
    write(folder, "tokenizer.json", text)
}

/// The model's artifact, which is compiled once.
fn compiled() -> Outcome<Vec<u8>> {
    static ARTIFACT: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    let artifact = ARTIFACT.get_or_init(|| {
        let compile = || -> Outcome<Vec<u8>> {
            let folder = tempfile::tempdir()?;
            let path = folder.path().join("model.so");
            momc(Path::new("."), &["compile", TWO_MEMORIES, "-o", &path.display().to_string()])?.success()?;
            Ok(fs::read(path)?)
        };
        compile().map_err(|error| error.to_string())
    });
    Ok(artifact.clone()?)
}

/// The artifact with other words of the same length in its plan.
fn with_plan(words: &str, others: &str) -> Outcome<Vec<u8>> {
    let bytes = compiled()?;
    let mut content = artifact::unseal(&bytes).map_err(|(problem, _)| problem)?.to_vec();
    let place = content.windows(words.len()).position(|window| window == words.as_bytes());
    let place = place.ok_or_else(|| format!("the plan does not say {words}"))?;
    content[place..place + others.len()].copy_from_slice(others.as_bytes());
    artifact::seal(&mut content);
    Ok(content)
}
