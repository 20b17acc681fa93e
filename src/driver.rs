//! From a model's file to any stage, in a straight line: spec → mom → fused → tiled → llvm → asm → artifact.
//!
//! Each stage is computed only if it or one after it is asked for; up to `mom` nothing is generated. A fault of momc
//! leaves here with the text of the last sound stage, so that it can be replayed.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fmt, fs,
    path::{Path, PathBuf},
    str::FromStr,
    time::{Duration, Instant},
};

use mom_dialect::{
    diagnostic::{Diagnostics, Severity, Source},
    graph::{Graph, OpKind},
    mlir, print, verify,
};
use mom_passes::{
    ModelInfo, Options, Program, Rewriting, Target,
    fuse::{Fusion, Selection, rewrites},
};
use mom_runtime::plan::Plan;

use crate::{
    build,
    explain::{
        Explanation, Version,
        ablation::{self, Ablation, Variant},
    },
    failure::{Failure, Reproducer, guarded},
    spec::{self, ModelSpec},
};

/// What a program is written as on its way; the values of `--emit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The checked model description, as TOML.
    Spec,
    /// The model as typed operations over tokens, as MLIR text.
    Mom,
    /// The same after equality saturation, operations of one kernel together.
    Fused,
    /// One kernel per function on tiles, as MLIR text.
    Tiled,
    /// The launch plan that lies in the artifact, as JSON.
    Plan,
    /// LLVM IR.
    Llvm,
    /// Assembly of the target.
    Asm,
}

impl Stage {
    pub const ALL: [Stage; 7] =
        [Stage::Spec, Stage::Mom, Stage::Fused, Stage::Tiled, Stage::Plan, Stage::Llvm, Stage::Asm];

    pub fn name(self) -> &'static str {
        match self {
            Stage::Spec => "spec",
            Stage::Mom => "mom",
            Stage::Fused => "fused",
            Stage::Tiled => "tiled",
            Stage::Plan => "plan",
            Stage::Llvm => "llvm",
            Stage::Asm => "asm",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Stage {
    type Err = String;

    fn from_str(text: &str) -> Result<Stage, String> {
        let known = || Stage::ALL.map(Stage::name).join(", ");
        Stage::ALL.into_iter().find(|stage| stage.name() == text).ok_or_else(|| match text {
            "ptx" => format!("this version writes no GPU code yet, so no stage `ptx`; there are {}", known()),
            _ => format!("there are {}", known()),
        })
    }
}

/// A model as it was given.
enum Model {
    /// A `model.toml` or a Hugging Face folder.
    Described(Box<ModelSpec>),
    /// The text of the stage `mom` or `fused`.
    Program(Graph),
}

/// Takes one model from stage to stage for one target.
pub struct Driver {
    model: PathBuf,
    target: Target,
    /// How the program is rewritten. What the description says of `fp` takes the place of what is said here.
    pub rewriting: Rewriting,
    /// What is odd about the model's description without being wrong.
    pub warnings: Diagnostics,
    /// How long each step took, in the order they were done.
    pub times: Vec<(&'static str, Duration)>,
}

impl Driver {
    /// `model` is a `.toml`, a Hugging Face folder, or a `.mlir` with the text of the stage `mom` or
    /// `fused`; `target` a name as
    /// [`Target::from_name`] knows them.
    ///
    /// # Errors
    /// E05 if there is no such target.
    pub fn new(model: &Path, target: &str) -> Result<Driver, Failure> {
        let target = Target::from_name(target)?;
        Ok(Driver {
            model: model.to_owned(),
            target,
            rewriting: Rewriting::default(),
            warnings: Vec::new(),
            times: Vec::new(),
        })
    }

    /// The text of one stage.
    ///
    /// # Errors
    /// E01 to E05, whatever the stages up to it find.
    pub fn emit(&mut self, stage: Stage) -> Result<String, Failure> {
        let model = self.timed("read", Driver::read)?;
        if stage == Stage::Spec {
            return spec_text(&model);
        }
        let (graph, info) = self.timed("mom", |driver| driver.mom(model))?;
        if stage == Stage::Mom {
            return Ok(print::print(&graph));
        }
        let graph = self.timed("fused", |driver| driver.fused(graph))?;
        if stage == Stage::Fused {
            return Ok(print::print(&graph));
        }
        let program = self.timed("tiled", |driver| driver.tiled(&graph, &info))?;
        if stage == Stage::Tiled {
            return Ok(program.tiled().to_owned());
        }
        if stage == Stage::Plan {
            return Ok(plan_text(&program.plan));
        }
        self.replayable(&graph, || Ok(if stage == Stage::Llvm { program.llvm()? } else { program.assembly()? }))
    }

    /// What rewriting does to the model.
    ///
    /// # Errors
    /// E01 to E05, whatever the stages up to `tiled` find; a program that is of the stage `fused` already.
    pub fn explain(&mut self) -> Result<Explanation, Failure> {
        let (graph, info) = self.unfused()?;
        let before = self.version(&graph, &info, &Selection::none())?;
        let after = self.version(&graph, &info, &self.rewriting.selection)?;
        Ok(Explanation { model: info.model, rewriting: self.rewriting.clone(), before, after })
    }

    /// The model without rewrites, without each of those that are selected, and with them.
    ///
    /// # Errors
    /// As for [`Driver::explain`].
    pub fn ablate(&mut self) -> Result<Ablation, Failure> {
        let (graph, info) = self.unfused()?;
        self.rewriting.steps = ablation::steps(info.block_tokens);
        let selection = &self.rewriting.selection;
        let without = |name: &str| {
            let mut left = selection.clone();
            left.without.push(name.to_owned());
            (format!("without `{name}`"), left)
        };
        let admitted = rewrites().into_iter().filter(|rewrite| selection.admits(rewrite));
        let selections = [("no rewrites".to_owned(), Selection::none())]
            .into_iter()
            .chain(admitted.map(|rewrite| without(rewrite.name)))
            .chain([("all rewrites".to_owned(), selection.clone())]);
        let mut variants = Vec::new();
        for (name, selection) in selections {
            variants.push(Variant {
                name,
                version: self.version(&graph, &info, &selection)?,
                same: false,
                times: None,
            });
        }
        if let Some((all, others)) = variants.split_last_mut() {
            let all = print::print(&all.version.fusion.graph);
            others.iter_mut().for_each(|other| other.same = print::print(&other.version.fusion.graph) == all);
        }
        Ok(Ablation { model: info.model, rewriting: self.rewriting.clone(), variants })
    }

    /// The stage `mom` of a model that is not beyond it.
    fn unfused(&mut self) -> Result<(Graph, ModelInfo), Failure> {
        let model = self.timed("read", Driver::read)?;
        let (graph, info) = self.timed("mom", |driver| driver.mom(model))?;
        match is_fused(&graph) {
            true => Err(self.rewritten_already()),
            false => Ok((graph, info)),
        }
    }

    fn rewritten_already(&self) -> Failure {
        let model = self.model.display();
        Failure::Usage(format!(
            "`{model}` is of the stage `fused`, where rewriting is done; give the model, or its stage `mom`"
        ))
    }

    fn version(&self, graph: &Graph, info: &ModelInfo, selection: &Selection) -> Result<Version, Failure> {
        let fusion = self.rewritten(graph, selection)?;
        let program = self.tiled(&fusion.graph, info)?;
        Ok(Version { fusion, program, times: None })
    }

    /// Compiles the model and writes its artifact to `output`, which lies in a temporary folder: see
    /// [`Program::write`].
    ///
    /// # Errors
    /// E01 to E05, whatever the stages find.
    pub fn compile(&mut self, output: &Path) -> Result<Program, Failure> {
        let model = self.timed("read", Driver::read)?;
        let (graph, info) = self.timed("mom", |driver| driver.mom(model))?;
        let graph = self.timed("fused", |driver| driver.fused(graph))?;
        let program = self.timed("tiled", |driver| driver.tiled(&graph, &info))?;
        self.timed("code", |driver| driver.replayable(&graph, || Ok(program.write(output)?)))?;
        Ok(program)
    }

    fn timed<T>(
        &mut self,
        step: &'static str,
        work: impl FnOnce(&mut Driver) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let start = Instant::now();
        let result = work(self)?;
        self.times.push((step, start.elapsed()));
        Ok(result)
    }

    fn read(&mut self) -> Result<Model, Failure> {
        if self.model.extension() != Some(OsStr::new("mlir")) {
            let spec = spec::read(&self.model)?;
            self.warnings.clone_from(&spec.warnings);
            self.rewriting.selection.numerics = spec.fp;
            return Ok(Model::Described(Box::new(spec)));
        }
        let text = fs::read_to_string(&self.model).map_err(|error| Failure::cannot_read(&self.model, &error))?;
        let source = Source::new(self.model.display().to_string(), text);
        Ok(Model::Program(mlir::parse(&source)?))
    }

    fn mom(&self, model: Model) -> Result<(Graph, ModelInfo), Failure> {
        match model {
            Model::Described(spec) => {
                let graph = guarded(|| Ok(sound(build::model(&spec)?)?));
                Ok((graph.map_err(|failure| failure.reproduced_by(|| description(&spec)))?, model_info(&spec)))
            }
            Model::Program(graph) => {
                let found = verify::verify(&graph);
                if !found.is_empty() {
                    return Err(found.into());
                }
                let info = derived(&graph);
                Ok((graph, info))
            }
        }
    }

    /// The stage `fused`. A program that is of this stage already stays as it is.
    fn fused(&self, graph: Graph) -> Result<Graph, Failure> {
        if !is_fused(&graph) {
            return Ok(self.rewritten(&graph, &self.rewriting.selection)?.graph);
        }
        match self.rewriting == Rewriting::default() {
            true => Ok(graph),
            false => Err(self.rewritten_already()),
        }
    }

    fn rewritten(&self, graph: &Graph, selection: &Selection) -> Result<Fusion, Failure> {
        let flags = flags(selection);
        let rewriting = Rewriting { selection: selection.clone(), ..self.rewriting.clone() };
        replayable(graph, &format!("{}{flags}", self.target.name), || {
            let fusion = mom_passes::fuse(graph, &self.target, &Options::default(), &rewriting);
            sound(fusion.graph.clone())?;
            Ok(fusion)
        })
    }

    fn tiled(&self, graph: &Graph, info: &ModelInfo) -> Result<Program, Failure> {
        self.replayable(graph, || Ok(mom_passes::compile(graph, &self.target, info, &Options::default())?))
    }

    /// As [`replayable`], for a program of the stage `fused`.
    fn replayable<T>(&self, graph: &Graph, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        replayable(graph, &format!("{}{}", self.target.name, flags(&Selection::none())), work)
    }
}

/// Whether a program is of the stage `fused`. One in which no operations came together looks as if it were of the stage
/// `mom`.
fn is_fused(graph: &Graph) -> bool {
    graph.body.ops.iter().any(|op| matches!(op.kind, OpKind::Fused(_)))
}

/// The flags that select rewrites so.
fn flags(selection: &Selection) -> String {
    let only = selection.only.iter().map(|names| format!(" --only-rewrites '{}'", names.join(",")));
    let without = selection.without.iter().map(|name| format!(" --no-rewrite {name}"));
    only.chain(without).collect()
}

/// Does `work` on `graph`; if momc is at fault, the graph is the reproducer.
///
/// # Errors
/// Those of `work`.
pub(crate) fn replayable<T>(
    graph: &Graph,
    target: &str,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    guarded(work).map_err(|failure| {
        failure.reproduced_by(|| Reproducer {
            file: "momc-reproducer.mlir",
            text: print::print(graph),
            command: format!("compile momc-reproducer.mlir --target {target} -o reproducer.so"),
        })
    })
}

/// A program that momc itself built or rewrote; what is wrong with it is momc's fault.
fn sound(graph: Graph) -> Result<Graph, Diagnostics> {
    let mut found = verify::verify(&graph);
    found.iter_mut().for_each(|diagnostic| diagnostic.severity = Severity::Bug);
    if found.is_empty() { Ok(graph) } else { Err(found) }
}

fn description(spec: &ModelSpec) -> Reproducer {
    Reproducer {
        file: "momc-reproducer.toml",
        text: spec::to_toml(spec),
        command: "compile momc-reproducer.toml --emit mom".to_owned(),
    }
}

fn spec_text(model: &Model) -> Result<String, Failure> {
    match model {
        Model::Described(spec) => Ok(spec::to_toml(spec)),
        Model::Program(_) => Err(Failure::Usage(
            "a program of the stage `mom` comes after the stage `spec` and cannot be turned back into it".to_owned(),
        )),
    }
}

/// The plan as JSON for people.
pub fn plan_text(plan: &Plan) -> String {
    // A plan holds numbers, texts and lists, all of which JSON can write.
    serde_json::to_string_pretty(plan).unwrap_or_default() + "\n"
}

/// What the runtime has to know about a model beside its program.
pub fn model_info(spec: &ModelSpec) -> ModelInfo {
    ModelInfo {
        model: spec.name.clone(),
        vocab_size: spec.vocab_size,
        layers: spec.layers,
        eos_token: spec.eos_token,
        memories: spec.memory.routing.map_or(1, |routing| routing.memories),
        block_tokens: spec.block_tokens,
        ignored_tensors: build::ignored_tensors(spec),
    }
}

/// As [`model_info`], for a program whose description is not at hand. No token ends its text, and a checkpoint may hold
/// no tensors beside its own.
fn derived(graph: &Graph) -> ModelInfo {
    let body = &graph.body;
    let mut info = ModelInfo {
        model: graph.name.clone(),
        vocab_size: 0,
        layers: 0,
        eos_token: None,
        memories: 0,
        block_tokens: spec::BLOCK_TOKENS,
        ignored_tensors: Vec::new(),
    };
    let mut layers = BTreeSet::new();
    let within = body.ops.iter().filter_map(|op| match &op.kind {
        OpKind::Fused(fused) => Some(&fused.body),
        _ => None,
    });
    for (body, op) in [body].into_iter().chain(within).flat_map(|body| body.ops.iter().map(move |op| (body, op))) {
        match &op.kind {
            OpKind::Embedding => info.vocab_size = first_size(body.ty(op.operands[1])),
            OpKind::Router { .. } => info.memories = body.ty(op.operands[0]).row_elements(),
            OpKind::Param { source, .. } => layers.extend(layer(&source.tensor)),
            _ => {}
        }
    }
    info.layers = layers.len();
    info
}

fn first_size(ty: &mom_dialect::shape::Type) -> usize {
    ty.axes.first().and_then(mom_dialect::shape::Axis::size).unwrap_or(0)
}

/// The layer that a checkpoint's tensor belongs to: 3 in `model.layers.3.attn.q_proj.weight`.
fn layer(tensor: &str) -> Option<usize> {
    tensor.strip_prefix("model.layers.")?.split('.').next()?.parse().ok()
}
