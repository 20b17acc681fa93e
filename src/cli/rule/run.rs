//! `momc rule run`: the tensors that an update rule makes of given tensors.

use std::path::PathBuf;

use clap::Args;
use mom_dialect::graph::Graph;
use mom_passes::{Form, Pinned, Target};
use mom_runtime::{Device, Kernels};
use momc::{
    failure::Failure,
    rule::{self, File, Way, file},
};

use super::{FormArgument, RuleArguments, options};
use crate::cli::{output::Place, temporary, ui};

/// The target that is no machine.
const FLOAT64: &str = "float64";

/// Run an update rule on tensors
///
/// Reads `in.<input>` [B, T, H, …], parameters [H, …], `in.<state>0` [N, H, …] (zeros, if it is not there) and perhaps
/// `in.cu_seqlens` [N+1] for sequences that are packed along T; writes `out.<output>` and `out.<state>t`. With --grad it
/// reads `cot.<output>` and `cot.<state>t` too, and writes the derivatives of the sum of out · cot: `grad.<input>` and
/// `grad.<state>0`. Other tensors of the file are passed over.
#[derive(Args)]
#[command(after_help = "Examples:
  momc rule run gated_delta_rule --inputs in.safetensors --outputs out.safetensors
  momc rule run my_rule.mom --inputs in.safetensors --outputs out.safetensors --form chunk --grad
  momc rule run gla --inputs in.safetensors --outputs out.safetensors --form reference --set scale=1")]
pub(crate) struct Run {
    #[command(flatten)]
    rule: RuleArguments,
    /// A safetensors file with the rule's inputs
    #[arg(long, value_name = "FILE")]
    inputs: PathBuf,
    /// The safetensors file to write: F32, or F64 where the computation is in float64
    #[arg(long, value_name = "FILE")]
    outputs: PathBuf,
    /// How to compute: auto, recurrent, chunk, or reference, the float64 interpreter
    #[arg(long, default_value = "auto")]
    form: FormArgument,
    /// Compute gradients too
    #[arg(long)]
    grad: bool,
    /// Processor to compile for (native, x86-64-v3, x86-64-v4, aarch64 or emulated), or float64 for the same form in float64
    #[arg(long, default_value = "native")]
    target: String,
    /// Parts of the schedule, as chunk=32,sub_block=8,save=1
    #[arg(long)]
    schedule: Option<Pinned>,
}

impl Run {
    pub(crate) fn execute(self) -> Result<(), Failure> {
        let place = Place::find(&self.outputs)?;
        let (rule, settings) = self.rule.open()?;
        let prefixes: &[&str] = if self.grad { &["in.", "cot."] } else { &["in."] };
        let read = || File::read(&self.inputs, prefixes);
        let run = |way: &Way<'_>| rule::run(&rule, &settings, &read()?, way, self.grad);
        let (results, double) = match self.form {
            FormArgument::Reference if self.schedule.is_some() => {
                return Err(Failure::Usage("the reference has no schedule".to_owned()));
            }
            FormArgument::Reference => (run(&Way::Reference)?, true),
            FormArgument::Form(form) if self.target == FLOAT64 => {
                (run(&Way::Float64(options(form, self.schedule.as_ref())))?, true)
            }
            FormArgument::Form(form) => (run(&Way::Compiled(&|graph| self.kernels(graph, form)))?, false),
        };
        place.write(&file::bytes(&results, double)?)?;
        ui::print(format_args!("wrote {}\n", self.outputs.display()))
    }

    fn kernels(&self, graph: &Graph, form: Form) -> Result<Kernels, Failure> {
        let target = Target::from_name(&self.target)?;
        let scratch = temporary::folder()?;
        let path = scratch.item.path().join("artifact.so");
        let spinner = ui::spinner("compiling");
        let module = rule::compile(graph, &target, &options(form, self.schedule.as_ref()), &path);
        spinner.finish_and_clear();
        Ok(module?.kernels(Device::cpu()?)?)
    }
}
