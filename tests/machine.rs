//! The two ways to run a program, compiled and interpreted, behind one trait: every check is written once.

use std::{
    collections::BTreeMap,
    env, fmt,
    path::Path,
    sync::{Mutex, PoisonError},
};

use mom_dialect::{
    diagnostic::Source,
    graph::{Body, Graph, OpKind},
    print::print,
    reference::{self, Inputs, Interpreter, LogitRows},
    shape::{Axis, DType, Extent},
};
use mom_passes::{
    ModelInfo, Options, Program, Rewriting, Target,
    fuse::{Fusion, Selection},
};
use mom_runtime::{Checkpoint, Device, Module, Piece, Rows, Session, Weights, plan::StateKind};
use momc::{
    build,
    driver::model_info,
    spec::{self, ModelSpec},
};

use crate::{Outcome, dialect::lines, tensors::Tensor};

/// The name of the target that programs are compiled for: `MOMC_TARGET`, or this machine. So all that is held against
/// the interpreter can be run on the emulated device too.
pub(crate) fn target_name() -> String {
    env::var("MOMC_TARGET").unwrap_or_else(|_| "native".to_owned())
}

fn target() -> Outcome<Target> {
    Ok(Target::from_name(&target_name())?)
}

/// One token of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) id: u32,
    /// False for padding.
    pub(crate) real: bool,
}

impl Token {
    pub(crate) fn real(id: u32) -> Token {
        Token { id, real: true }
    }
}

/// What a step answers: rows of every token, one sequence after the other, by the output's name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outputs(BTreeMap<String, Vec<f64>>);

impl Outputs {
    pub(crate) fn get(&self, name: &str) -> Outcome<&[f64]> {
        match self.0.get(name) {
            Some(rows) => Ok(rows),
            None => Err(format!("no output {name}; there are {:?}", self.0.keys()).into()),
        }
    }

    pub(crate) fn bits(&self) -> Vec<(&str, Vec<u64>)> {
        self.iter().map(|(name, rows)| (name, bits(rows))).collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[f64])> {
        self.0.iter().map(|(name, rows)| (name.as_str(), rows.as_slice()))
    }
}

/// What tells `0` from `-0`.
pub(crate) fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// A state of one sequence.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    pub(crate) name: String,
    /// Axes, by name and size.
    pub(crate) axes: Vec<(String, usize)>,
    pub(crate) data: Vec<f64>,
}

/// A program at work on some sequences.
pub(crate) trait Machine {
    /// Feeds each sequence its next tokens.
    fn step(&mut self, pieces: &[Vec<Token>]) -> Outcome<Outputs>;

    /// The states of one sequence that have the same size whatever its length.
    fn states(&self, sequence: usize) -> Vec<State>;
}

/// Which way to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Executor {
    Compiled,
    Interpreter,
}

impl Executor {}

impl fmt::Display for Executor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Executor::Compiled => "compiled",
            Executor::Interpreter => "interpreter",
        })
    }
}

/// Tensors of a checkpoint by name.
pub(crate) type Params = BTreeMap<String, Tensor>;

/// A program and what the runtime has to know about it.
pub(crate) struct Model {
    pub(crate) graph: Graph,
    info: ModelInfo,
    options: Options,
}

impl Model {
    /// The model of a `model.toml` or a Hugging Face folder.
    pub(crate) fn read(path: &Path) -> Outcome<Model> {
        Model::new(&spec::read(path).map_err(|found| lines(&found))?)
    }

    /// The model that a `model.toml` with this text describes.
    pub(crate) fn parse(text: &str) -> Outcome<Model> {
        Model::new(&spec::parse_toml(&Source::new("model.toml", text), Path::new("")).map_err(|found| lines(&found))?)
    }

    fn new(spec: &ModelSpec) -> Outcome<Model> {
        let graph = build::model(spec).map_err(|found| lines(&found))?;
        Ok(Model { graph, info: model_info(spec), options: Options::default() })
    }

    /// The memories of one layer alone, whose inputs are rows of the parameter `inputs`.
    pub(crate) fn layer(spec: &ModelSpec) -> Outcome<Model> {
        let graph = build::mixing_layer(spec).map_err(|found| lines(&found))?;
        Ok(Model { graph, info: model_info(spec), options: Options::default() })
    }

    /// A program of the stage `mom` or `fused`, in steps of so many tokens at most.
    pub(crate) fn of_graph(graph: Graph, block_tokens: usize) -> Model {
        let tables = graph.body.ops.iter().filter(|op| op.kind == OpKind::Embedding).map(|op| op.operands[1]);
        let vocab_size = tables.filter_map(|table| graph.body.ty(table).axes.first()?.size()).min().unwrap_or(0);
        let info = ModelInfo {
            model: graph.name.clone(),
            vocab_size,
            layers: 1,
            eos_token: None,
            memories: 0,
            block_tokens,
            ignored_tensors: Vec::new(),
        };
        Model { graph, info, options: Options::default() }
    }

    /// The same model, compiled with these options.
    pub(crate) fn with(self, options: Options) -> Model {
        Model { options, ..self }
    }

    /// What rewriting makes of the program for this machine.
    pub(crate) fn fusion(&self, selection: &Selection) -> Outcome<Fusion> {
        let rewriting = Rewriting { selection: selection.clone(), ..Rewriting::default() };
        Ok(mom_passes::fuse(&self.graph, &target()?, &self.options, &rewriting))
    }

    /// The model rewritten so; as it is where nothing is selected.
    pub(crate) fn rewritten(&self, selection: &Selection) -> Outcome<Model> {
        let graph = if *selection == Selection::none() { self.graph.clone() } else { self.fusion(selection)?.graph };
        Ok(self.with_graph(graph))
    }

    /// The same model with another program.
    pub(crate) fn with_graph(&self, graph: Graph) -> Model {
        Model { graph, info: self.info.clone(), options: self.options.clone() }
    }

    /// Tokens are below this.
    pub(crate) fn vocab_size(&self) -> usize {
        self.info.vocab_size
    }

    /// Routed memories, and how many of them a token chooses; none if no layer has any.
    pub(crate) fn routing(&self) -> Option<(usize, usize)> {
        let within = |body: &Body| {
            body.ops.iter().find_map(|op| match op.kind {
                OpKind::Router { top_k, .. } => Some((body.ty(op.operands[0]).row_elements(), top_k)),
                _ => None,
            })
        };
        let body = &self.graph.body;
        within(body).or_else(|| {
            body.ops.iter().find_map(|op| match &op.kind {
                OpKind::Fused(fused) => within(&fused.body),
                _ => None,
            })
        })
    }

    /// Random weights that every element type of the program can hold.
    pub(crate) fn random_params(&self, seed: u64) -> Params {
        let mut params = Params::new();
        for op in &self.graph.body.ops {
            let OpKind::Param { ty, source, .. } = &op.kind else { continue };
            let values = Weights::random_values(seed, &source.tensor, &source.shape);
            let kept = if ty.dtype == DType::BF16 { 0xffff_0000 } else { u32::MAX };
            let data = values.iter().map(|value| f32::from_bits(value.to_bits() & kept).into()).collect();
            params.insert(source.tensor.clone(), Tensor { shape: source.shape.clone(), data });
        }
        params
    }

    /// Compiles the model for this machine into a file.
    pub(crate) fn write(&self, path: &Path) -> Outcome {
        Ok(self.program()?.write(path)?)
    }

    pub(crate) fn program(&self) -> Outcome<Program> {
        Ok(mom_passes::compile(&self.graph, &target()?, &self.info, &self.options)?)
    }

    pub(crate) fn compiled(&self, params: &Params, sequences: usize) -> Outcome<Compiled> {
        let model = self.module()?.bind(Device::cpu()?, weights(params))?;
        Ok(Compiled { session: model.batch(sequences)? })
    }

    /// Equal programs are compiled once: most rewrites leave most golden layers as they are.
    fn module(&self) -> Outcome<Module> {
        static KNOWN: Mutex<BTreeMap<String, Module>> = Mutex::new(BTreeMap::new());
        let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let program = format!("{:?} {:?}\n{}", self.info, self.options, print(&self.graph));
        if let Some(module) = known().get(&program) {
            return Ok(module.clone());
        }
        let module = module(&self.program()?)?;
        known().insert(program, module.clone());
        Ok(module)
    }

    /// The same code on so many threads. Every item counts as long work, so that threads share the smallest launch.
    pub(crate) fn compiled_on<const N: usize>(&self, threads: [usize; N], params: &Params) -> Outcome<[Compiled; N]> {
        let mut program = self.program()?;
        program.plan.launches.iter_mut().for_each(|launch| launch.item_ns = LONG_NS);
        let module = module(&program)?;
        let machines = threads.into_iter().map(|threads| {
            let model = module.bind(Device::cpu_threads(threads)?, weights(params))?;
            Ok(Compiled { session: model.session()? })
        });
        let machines: Vec<Compiled> = machines.collect::<Outcome<_>>()?;
        machines.try_into().map_err(|_| "a machine for each number of threads".into())
    }

    /// `context` is the number of tokens that attention can look back on.
    pub(crate) fn interpreted(&self, params: &Params, sequences: usize, context: usize) -> Outcome<Interpreted> {
        let load = |source: &mom_dialect::graph::Source| params.get(&source.tensor).map(|tensor| tensor.data.clone());
        Ok(Interpreted {
            graph: self.graph.clone(),
            params: reference::parameters(&self.graph, &load)?,
            states: reference::Tensors::new(),
            seen: vec![0; sequences],
            context,
            block: self.info.block_tokens,
        })
    }

    pub(crate) fn start(
        &self,
        executor: Executor,
        params: &Params,
        sequences: usize,
        context: usize,
    ) -> Outcome<Box<dyn Machine>> {
        Ok(match executor {
            Executor::Compiled => Box::new(self.compiled(params, sequences)?),
            Executor::Interpreter => Box::new(self.interpreted(params, sequences, context)?),
        })
    }
}

fn module(program: &Program) -> Outcome<Module> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("model.so");
    program.write(&path)?;
    Ok(Module::load(&path)?)
}

fn weights(params: &Params) -> Weights {
    let tensors = params.iter().map(|(name, tensor)| (name.clone(), tensor.shape.clone(), tensor.f32()));
    Weights::from_tensors(tensors.collect())
}

/// Work of this many nanoseconds is shared however little of it there is.
const LONG_NS: u64 = 1_000_000;

/// Native code at work.
pub(crate) struct Compiled {
    session: Session,
}

impl Compiled {
    /// The same model on sequences without a token.
    pub(crate) fn fresh(&self, sequences: usize) -> Outcome<Compiled> {
        Ok(Compiled { session: self.session.model().batch(sequences)? })
    }

    pub(crate) fn checkpoint(&self) -> Outcome<Checkpoint> {
        Ok(self.session.checkpoint()?)
    }

    pub(crate) fn rollback(&mut self, checkpoint: &Checkpoint) -> Outcome {
        Ok(self.session.rollback(checkpoint)?)
    }

    /// The bits of all states, caches too, of all sequences.
    pub(crate) fn state_bits(&self) -> Vec<Vec<u32>> {
        let states = self.session.model().plan().parts();
        let states = states.filter_map(|(_, part)| self.session.state(&part.name).ok());
        states.map(|state| state.iter().map(|value| value.to_bits()).collect()).collect()
    }
}

impl Machine for Compiled {
    fn step(&mut self, pieces: &[Vec<Token>]) -> Outcome<Outputs> {
        let ids: Vec<Vec<u32>> = pieces.iter().map(|piece| piece.iter().map(|token| token.id).collect()).collect();
        let masks: Vec<Vec<bool>> = pieces.iter().map(|piece| piece.iter().map(|token| token.real).collect()).collect();
        let pieces: Vec<Piece<'_>> =
            ids.iter().zip(&masks).map(|(tokens, mask)| Piece { tokens, mask: Some(mask) }).collect();
        let outputs = self.session.step(&pieces, Rows::All)?;
        let widen = |data: &[f32]| data.iter().map(|&value| value.into()).collect();
        Ok(Outputs(outputs.iter().map(|(name, tensor)| (name.to_owned(), widen(&tensor.data))).collect()))
    }

    fn states(&self, sequence: usize) -> Vec<State> {
        let plan = self.session.model().plan();
        plan.parts()
            .filter(|(index, _)| plan.states[*index].kind != StateKind::Context)
            .map(|(_, part)| {
                let all = self.session.state(&part.name).unwrap_or_default();
                let elements = all.len() / self.session.positions().len();
                let own = &all[sequence * elements..][..elements];
                State {
                    name: part.name.clone(),
                    axes: part.axes.clone(),
                    data: own.iter().map(|&value| value.into()).collect(),
                }
            })
            .collect()
    }
}

/// The interpreter at work.
pub(crate) struct Interpreted {
    graph: Graph,
    params: reference::Tensors,
    states: reference::Tensors,
    /// Real tokens that each sequence has read.
    seen: Vec<usize>,
    context: usize,
    /// The most tokens of a sequence that a step takes.
    block: usize,
}

impl Machine for Interpreted {
    fn step(&mut self, pieces: &[Vec<Token>]) -> Outcome<Outputs> {
        let longest = pieces.iter().map(Vec::len).max().unwrap_or(0);
        if longest > self.block {
            let lengths = vec![self.block; longest.div_ceil(self.block)];
            return in_pieces(self, pieces, &lengths);
        }
        let ids: Vec<Vec<i64>> =
            pieces.iter().map(|piece| piece.iter().map(|token| token.id.into()).collect()).collect();
        let masks: Vec<Vec<bool>> = pieces.iter().map(|piece| piece.iter().map(|token| token.real).collect()).collect();
        let inputs = Inputs::packed(&ids, Some(&masks), &self.seen, LogitRows::All)?;
        let interpreter = Interpreter::new(&self.graph).with_capacity(self.context);
        let outputs = interpreter.step(&inputs, &self.params, &mut self.states)?;
        for (seen, mask) in self.seen.iter_mut().zip(masks) {
            *seen += mask.iter().filter(|&&real| real).count();
        }
        Ok(Outputs(outputs.into_iter().map(|(name, tensor)| (name, tensor.data)).collect()))
    }

    fn states(&self, sequence: usize) -> Vec<State> {
        let mut states = Vec::new();
        for op in &self.graph.body.ops {
            let OpKind::State { name, ty } = &op.kind else { continue };
            if ty.axes.contains(&Axis::Rows(Extent::CONTEXT)) {
                continue;
            }
            let elements = ty.row_elements();
            states.push(State {
                name: name.clone(),
                axes: ty.axes[1..].iter().map(|axis| (axis.name(), axis.size().unwrap_or(0))).collect(),
                data: self.states[name].data[sequence * elements..][..elements].to_vec(),
            });
        }
        states
    }
}

/// Feeds the sequences piece by piece, `lengths` tokens of each at a time, and answers as if it had been one step.
pub(crate) fn in_pieces(machine: &mut dyn Machine, sequences: &[Vec<Token>], lengths: &[usize]) -> Outcome<Outputs> {
    let mut joined: BTreeMap<String, Vec<Vec<f64>>> = BTreeMap::new();
    let mut rest: Vec<&[Token]> = sequences.iter().map(Vec::as_slice).collect();
    for &length in lengths {
        let pieces: Vec<Vec<Token>> = rest
            .iter_mut()
            .map(|rest| {
                let (piece, after) = rest.split_at(length.min(rest.len()));
                *rest = after;
                piece.to_vec()
            })
            .collect();
        let tokens: usize = pieces.iter().map(Vec::len).sum();
        if tokens == 0 {
            continue;
        }
        for (name, rows) in machine.step(&pieces)?.0 {
            let width = rows.len() / tokens;
            let joined = joined.entry(name).or_insert_with(|| vec![Vec::new(); sequences.len()]);
            let mut rows = rows.as_slice();
            for (joined, piece) in joined.iter_mut().zip(&pieces) {
                let (own, others) = rows.split_at(piece.len() * width);
                joined.extend_from_slice(own);
                rows = others;
            }
        }
    }
    Ok(Outputs(joined.into_iter().map(|(name, rows)| (name, rows.concat())).collect()))
}
