//! An update rule alone: opened by its name or file, given tensors, run in some way, and held against the interpreter.
//!
//! [`open`] finds a rule, `layout` finds out how the tensors of a file are those of the rule, [`Way`] is how it runs,
//! and [`run`] goes from tensors to tensors. [`verify`] does that with random tensors in every way there is.

pub mod file;
mod layout;
pub mod verify;

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use mom_dialect::{
    alone,
    diagnostic::{Code, Diagnostic, Source},
    graph::{Graph, UpdateRule},
    reference::{Inputs, Interpreter, Tensor, Tensors},
    rule, verify as check,
};
use mom_passes::{ModelInfo, Options, Program, Target, float64};
use mom_runtime::Kernels;

use crate::{driver, failure::Failure, spec::codes::UNKNOWN_UPDATE_RULE};

pub use self::{file::File, layout::Layout};

/// The tensors that an update rule is given do not suit it.
pub const TENSORS: Code = Code(624);

/// Values that the user has set, by the name of the option, variant or axis.
pub type Settings = BTreeMap<String, f64>;

/// Opens the update rule of a file, or one that ships with momc.
///
/// # Errors
/// E0620 for a file that cannot be read, E0109 where there is neither, E02 for what is wrong in the file.
pub fn open(name: &str) -> Result<rule::File, Failure> {
    let path = PathBuf::from(name);
    let named = rule::BUILTIN.iter().find(|(known, _)| *known == name);
    let is_path = path.extension() == Some(OsStr::new("mom")) || path.components().count() > 1;
    let source = match named {
        Some((name, text)) => Source::new(format!("<builtin>/{name}.mom"), *text),
        None if is_path || path.exists() => {
            let text = fs::read_to_string(&path).map_err(|error| Failure::cannot_read(&path, &error))?;
            Source::new(name, text)
        }
        None => return Err(unknown(name).into()),
    };
    Ok(rule::parse(&source)?)
}

fn unknown(name: &str) -> Diagnostic {
    let names: Vec<&str> = rule::BUILTIN.iter().map(|(name, _)| *name).collect();
    let diagnostic = Diagnostic::error(UNKNOWN_UPDATE_RULE, format!("there is no update rule `{name}`"));
    let distance = |known: &&str| strsim::damerau_levenshtein(name, known);
    match names.iter().copied().min_by_key(distance).filter(|nearest| distance(nearest) <= nearest.len() / 3) {
        Some(nearest) => diagnostic.help(format!("did you mean `{nearest}`?")),
        None => diagnostic.help(format!("name a file ending in `.mom`, or one of {}", names.join(", "))),
    }
}

/// The update rule with sizes, which the settings may give too; the others are made up.
///
/// # Errors
/// E02 for settings that the rule does not have.
pub fn sized(rule: &rule::File, settings: &Settings) -> Result<UpdateRule, Failure> {
    let (settings, mut sizes) = sizes_apart(rule, settings)?;
    let variants: Vec<&str> = rule.variants().filter(|name| settings.get(*name) == Some(&1.0)).collect();
    fill_sizes(rule, &rule.interface(&variants)?, &mut sizes);
    sizes.insert("heads".to_owned(), 2);
    Ok(rule.update_rule(&sizes, &settings)?)
}

/// The largest size of an axis that can be set.
const LARGEST_AXIS: usize = 4096;

/// Settings without those that are sizes of axes, and these sizes.
///
/// # Errors
/// E0221 for a size that no axis has.
fn sizes_apart(rule: &rule::File, settings: &Settings) -> Result<(Settings, BTreeMap<String, usize>), Failure> {
    let known = |name: &str| rule.options().any(|(option, _)| option == name) || rule.variants().any(|it| it == name);
    let all: Vec<&str> = rule.variants().collect();
    let interfaces = all.iter().map(|variant| rule.interface(&[variant])).chain([rule.interface(&[])]);
    let mut axes = std::collections::BTreeSet::new();
    for interface in interfaces.flatten() {
        let values = [interface.inputs, interface.parameters, interface.states].concat();
        axes.extend(values.into_iter().flat_map(|value| value.axes));
    }
    let (sizes, settings): (Settings, Settings) = settings
        .iter()
        .map(|(name, &value)| (name.clone(), value))
        .partition(|(name, _)| !known(name) && axes.contains(name));
    let fits = |value: f64| value.fract() == 0.0 && (1.0..=LARGEST_AXIS as f64).contains(&value);
    if let Some((name, value)) = sizes.iter().find(|(_, value)| !fits(**value)) {
        let message =
            format!("the axis `{name}` is set to {value}, and not to a whole number from 1 to {LARGEST_AXIS}");
        return Err(Diagnostic::error(rule::codes::AXIS_WITHOUT_SIZE, message).at(rule.span().clone()).into());
    }
    Ok((settings, sizes.into_iter().map(|(name, size)| (name, size as usize)).collect()))
}

/// Gives a size to each axis that has none: the rule's own, or one that differs from the others'.
fn fill_sizes(rule: &rule::File, interface: &rule::Interface, sizes: &mut BTreeMap<String, usize>) {
    let mut made_up = [8, 12, 6, 5, 7, 9].into_iter().cycle();
    for (axis, size) in rule.axes() {
        sizes.entry(axis.to_owned()).or_insert(size);
    }
    let values =
        interface.inputs.iter().chain(&interface.parameters).chain(&interface.states).chain(&interface.outputs);
    for axis in values.flat_map(|value| &value.axes) {
        if !sizes.contains_key(axis) {
            sizes.extend(made_up.next().map(|size| (axis.clone(), size)));
        }
    }
}

/// Whether all that was found is that an update rule has not the form that was asked for.
pub fn is_no_such_form(found: &[Diagnostic]) -> bool {
    found.iter().all(|diagnostic| diagnostic.code == mom_passes::NO_SUCH_FORM)
}

/// How a program of one update rule runs.
pub enum Way<'a> {
    /// The interpreter: the definition.
    Reference,
    /// A form, computed in float64.
    Float64(Options),
    /// Native code in float32, which the function makes or has ready.
    Compiled(&'a dyn Fn(&Graph) -> Result<Kernels, Failure>),
}

impl Way<'_> {
    /// Runs a program of [`alone`]. `states` become those after the last token.
    ///
    /// # Errors
    /// Those of the compiler and the runtime: a form that does not exist, no memory.
    pub fn step(&self, graph: &Graph, inputs: &Inputs, states: &mut Tensors) -> Result<Tensors, Failure> {
        let fault = |message: String| Diagnostic::error(TENSORS, message);
        match self {
            Way::Reference => Ok(Interpreter::new(graph).step(inputs, &Tensors::new(), states).map_err(fault)?),
            Way::Float64(options) => Ok(float64::run(graph, options, inputs, states)?),
            Way::Compiled(kernels) => native(&kernels(graph)?, inputs, states),
        }
    }
}

fn native(kernels: &Kernels, inputs: &Inputs, states: &mut Tensors) -> Result<Tensors, Failure> {
    let narrow = |tensors: &Tensors| -> Vec<(String, Vec<f32>)> {
        tensors.iter().map(|(name, tensor)| (name.clone(), tensor.data.iter().map(|&x| x as f32).collect())).collect()
    };
    let (given, before) = (narrow(&inputs.tensors), narrow(states));
    fn by_name(tensors: &[(String, Vec<f32>)]) -> Vec<(&str, &[f32])> {
        tensors.iter().map(|(name, data)| (&name[..], &data[..])).collect()
    }
    let results = kernels.run(&inputs.cu_seqlens, &by_name(&given), &by_name(&before))?;
    let widen = |(name, tensor): (String, mom_runtime::Tensor)| {
        let data: Vec<f64> = tensor.data.into_iter().map(f64::from).collect();
        (name, Tensor::new([tensor.rows, tensor.columns], data))
    };
    states.extend(results.states.into_iter().map(widen));
    Ok(results.outputs.into_iter().map(widen).collect())
}

/// Compiles a program of [`alone`] for this machine by way of a file at `path`, in a folder that is the caller's to
/// remove.
///
/// # Errors
/// E04 for a form that does not exist; E0604 for a target that this machine is not; a fault of momc.
pub fn compile(graph: &Graph, target: &Target, options: &Options, path: &Path) -> Result<mom_runtime::Module, Failure> {
    driver::replayable(graph, &target.name, || {
        let program = tiled(graph, target, options)?;
        Ok(program.write(path)?)
    })?;
    Ok(mom_runtime::Module::load(path)?)
}

fn tiled(graph: &Graph, target: &Target, options: &Options) -> Result<Program, Failure> {
    let info = ModelInfo {
        model: graph.name.clone(),
        vocab_size: 0,
        layers: 0,
        eos_token: None,
        memories: 0,
        block_tokens: i32::MAX as usize,
        ignored_tensors: Vec::new(),
    };
    Ok(mom_passes::compile(graph, target, &info, options)?)
}

/// The update rule and the programs of it that a run needs.
pub struct Programs {
    pub forward: Graph,
    pub gradient: Graph,
}

impl Programs {
    /// # Errors
    /// What does not fit, such as an input that is called as an input of the program is.
    pub fn new(rule: &UpdateRule, heads: &alone::Heads) -> Result<Programs, Failure> {
        let fault = |message: String| Diagnostic::error(TENSORS, message);
        let forward = alone::forward(rule, heads).map_err(fault)?;
        let gradient = alone::gradient(rule, heads).map_err(fault)?;
        let found: Vec<Diagnostic> = [&forward, &gradient].into_iter().flat_map(check::verify).collect();
        if found.is_empty() { Ok(Programs { forward, gradient }) } else { Err(found.into()) }
    }
}

/// Runs an update rule on the tensors `in.*` of a file, and on `cot.*` where gradients are asked for; answers `out.*`
/// and `grad.*`, by name.
///
/// # Errors
/// E0624 for tensors that do not suit the rule, and those of [`Way::step`].
pub fn run(
    rule: &rule::File,
    settings: &Settings,
    file: &File,
    way: &Way<'_>,
    gradients: bool,
) -> Result<Tensors, Failure> {
    let layout = Layout::new(rule, settings, file)?;
    let cotangents = if gradients { Some(layout.cotangents(file)?) } else { None };
    let programs = Programs::new(&layout.rule, &layout.heads)?;
    let mut states = layout.states(file)?;
    let inputs = layout.inputs(file)?;
    let first = states.clone();
    let outputs = way.step(&programs.forward, &inputs, &mut states)?;
    let mut results = layout.results(&outputs, &states);
    if let Some(cotangents) = cotangents {
        let mut inputs = inputs;
        inputs.tensors.extend(first);
        inputs.tensors.extend(cotangents);
        let gradients = way.step(&programs.gradient, &inputs, &mut Tensors::new())?;
        results.extend(layout.gradients(&gradients));
    }
    Ok(results)
}
