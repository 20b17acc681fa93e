//! What momc *does* to a program: from the `mom` stage to native code.
//!
//! [`fuse`](fn@fuse) rewrites the program, and [`compile`] is the rest of the way, read top to bottom: each operation of the
//! graph becomes a launch of a kernel
//! (`schedule`), kernels of equal shape are written once as MLIR (`kernel`, the stage `tiled`), MLIR and LLVM lower
//! them (`lower`), and the launches become the plan that travels inside the artifact. Nothing here reads a file or
//! prints, and nothing knows an update rule by name.

use std::path::Path;

use mom_dialect::{
    diagnostic::Diagnostic,
    graph::{Graph, UpdateRule},
};
use mom_runtime::plan::{self, Plan};

mod algebra;
mod emit;
pub mod float64;
mod form;
pub mod fuse;
mod kernel;
mod lower;
mod options;
mod schedule;
mod target;
mod tile;

pub use algebra::{Analysis, Refused, analyse};
pub use options::{Form, Options, Pinned, Rewriting};
pub use schedule::NO_SUCH_FORM;
pub use target::{Target, UNKNOWN_TARGET};

/// What the plan says about a model beside its kernels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    pub model: String,
    pub vocab_size: usize,
    pub layers: usize,
    pub eos_token: Option<u32>,
    /// Routed memories of a layer; 0 without a router.
    pub memories: usize,
    /// The most tokens a step takes.
    pub block_tokens: usize,
    /// Tensors that a checkpoint may hold without use; a trailing `*` matches any ending.
    pub ignored_tensors: Vec<String>,
}

/// A compiled program.
pub struct Program {
    pub plan: Plan,
    /// The operation of the graph that each launch of the plan does, by its place.
    pub ops: Vec<usize>,
    target: Target,
    tiled: String,
}

/// Whether an update rule can run in a form.
///
/// # Errors
/// E0402 with the reason where it cannot.
pub fn has_form(rule: &UpdateRule, form: Form) -> Result<(), Box<Diagnostic>> {
    schedule::form(rule, &form::Heads::equal(1, rule), &Options::form(form)).map(|_| ())
}

/// Compiles a verified graph of the stage `mom` or `fused`: schedule, memory plan and kernels of the stage `tiled`.
///
/// # Errors
/// E04 where native code cannot do what the graph asks for, or an update rule has not the form that `options` ask for.
pub fn compile(
    graph: &Graph,
    target: &Target,
    info: &ModelInfo,
    options: &Options,
) -> Result<Program, Box<Diagnostic>> {
    let schedule::Scheduled { plan, kernels, ops } = schedule::schedule(graph, target, info, options)?;
    let tiled = emit::module(&kernels, target.lanes_are, plan.thread_bytes);
    Ok(Program { plan, ops, target: target.clone(), tiled })
}

/// The stage `fused` of a verified graph of the stage `mom`: see [`fuse`](mod@fuse).
pub fn fuse(graph: &Graph, target: &Target, options: &Options, rewriting: &Rewriting) -> fuse::Fusion {
    let cx = kernel::fused::Cx { target, graph, options };
    fuse::fuse(graph, rewriting, &|fused| kernel::fused::fused(cx, fused).map(drop))
}

impl Program {
    /// The kernels as MLIR, one function each.
    pub fn tiled(&self) -> &str {
        &self.tiled
    }

    /// The optimised LLVM IR.
    ///
    /// # Errors
    /// A fault of momc, with what MLIR or LLVM said.
    pub fn llvm(&self) -> Result<String, Box<Diagnostic>> {
        self.lowered(|module| Ok(module.text()))
    }

    /// Assembly for the target.
    ///
    /// # Errors
    /// A fault of momc, with what MLIR or LLVM said.
    pub fn assembly(&self) -> Result<String, Box<Diagnostic>> {
        let bytes = self.lowered(|module| module.emit(true))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Writes the artifact: a shared object with the plan inside, sealed.
    ///
    /// The object file that it is linked from stays beside it, and what a failure leaves there may be incomplete: `path`
    /// is best in a temporary folder.
    ///
    /// # Errors
    /// A fault of momc, E0411 where it cannot be linked, or E0412 for a target that nothing loads artifacts for.
    pub fn write(&self, path: &Path) -> Result<(), Box<Diagnostic>> {
        if self.target.lanes_are == emit::Lanes::Warp {
            return Err(lower::no_artifact(&self.target));
        }
        let object = self.lowered(|module| module.emit(false))?;
        lower::link(&object, &self.target.arch, path)
    }

    fn lowered<T>(
        &self,
        body: impl FnOnce(&lower::llvm::LlvmModule) -> Result<T, String>,
    ) -> Result<T, Box<Diagnostic>> {
        lower::with_llvm(&self.tiled, |module| {
            let plan = serde_json::to_vec(&self.plan).map_err(|error| error.to_string())?;
            body(&lower::llvm::translate(module, &self.target, plan::SYMBOL, &plan)?)
        })
    }
}
