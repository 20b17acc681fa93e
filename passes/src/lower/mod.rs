//! From the `tiled` stage down: MLIR's own conversions to the `llvm` dialect, LLVM's optimiser, an object file, and the
//! linker that makes it an artifact.

use std::{fs, io, path::Path, process::Command};

use melior::{
    Context,
    dialect::DialectRegistry,
    ir::{Module, operation::OperationLike},
    pass::PassManager,
    utility::{parse_pass_pipeline, register_all_dialects, register_all_llvm_translations, register_all_passes},
};
use mom_dialect::diagnostic::{Code, Diagnostic};

use crate::target::Target;

pub(crate) mod llvm;

/// MLIR or LLVM refused what momc made.
const LOWERING: Code = Code(410);
/// The linker is missing or failed.
const LINK: Code = Code(411);
/// There is code for the target, and nothing that would load it.
const NO_ARTIFACT: Code = Code(412);

/// MLIR's conversions, in order.
const PIPELINE: &str = "builtin.module(canonicalize, cse, loop-invariant-code-motion, convert-scf-to-cf, \
    convert-math-to-llvm, convert-math-to-libm, convert-vector-to-llvm, convert-arith-to-llvm, convert-func-to-llvm, \
    convert-cf-to-llvm, reconcile-unrealized-casts)";

/// Lowers kernels, given as the functions of one MLIR module, to LLVM IR; the result is handed to `body`.
///
/// # Errors
/// A fault of momc, with what MLIR said.
pub(crate) fn with_llvm<T>(tiled: &str, body: impl FnOnce(&Module) -> Result<T, String>) -> Result<T, Box<Diagnostic>> {
    let context = context();
    let messages = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let heard = messages.clone();
    let handler = context.attach_diagnostic_handler(move |diagnostic| {
        heard.borrow_mut().push(format!("{}: {diagnostic}", diagnostic.location()));
        true
    });
    let result = (|| {
        let mut module = Module::parse(&context, tiled).ok_or("the kernels do not parse")?;
        if !module.as_operation().verify() {
            return Err("the kernels do not verify".to_string());
        }
        let manager = PassManager::new(&context);
        parse_pass_pipeline(manager.as_operation_pass_manager(), PIPELINE).map_err(|error| error.to_string())?;
        manager.run(&mut module).map_err(|_| "a conversion failed".to_string())?;
        body(&module)
    })();
    context.detach_diagnostic_handler(handler);
    result.map_err(|message: String| {
        let mut diagnostic = Diagnostic::bug(LOWERING, format!("lowering from `tiled` to `llvm`: {message}"));
        for note in messages.borrow().iter().take(8) {
            diagnostic = diagnostic.note(note.clone());
        }
        Box::new(diagnostic)
    })
}

fn context() -> Context {
    static PASSES: std::sync::Once = std::sync::Once::new();
    PASSES.call_once(register_all_passes);
    let registry = DialectRegistry::new();
    register_all_dialects(&registry);
    let context = Context::new();
    context.append_dialect_registry(&registry);
    context.load_all_available_dialects();
    register_all_llvm_translations(&context);
    context
}

/// Why there is no artifact for a graphics processor.
pub(crate) fn no_artifact(target: &Target) -> Box<Diagnostic> {
    let message =
        format!("there are no artifacts for `{}` yet, as the runtime does not drive graphics processors", target.name);
    Box::new(
        Diagnostic::error(NO_ARTIFACT, message)
            .help("`--emit asm` writes the kernels as PTX; `--target emulated` runs the same kernels on this machine"),
    )
}

/// Links an object file into the artifact `path`. The object file stays beside it.
///
/// # Errors
/// E0411 where no C compiler is there to link, or it fails, or the files cannot be written.
pub(crate) fn link(object: &[u8], arch: &str, path: &Path) -> Result<(), Box<Diagnostic>> {
    let unwritten =
        |error: io::Error| Box::new(Diagnostic::error(LINK, format!("cannot link `{}`: {error}", path.display())));
    let input = path.with_extension("o");
    fs::write(&input, object).map_err(unwritten)?;
    // The host's own compiler where it fits, else the cross compiler as Debian names it.
    let linker = if arch == std::env::consts::ARCH { "cc".to_string() } else { format!("{arch}-linux-gnu-gcc") };
    let run = Command::new(&linker)
        .args(["-shared", "-Wl,-z,noexecstack", "-o"])
        .arg(path)
        .arg(&input)
        .arg("-lm")
        .output()
        .map_err(|error| {
            Box::new(
                Diagnostic::error(LINK, format!("`{linker}`, which links the artifact, cannot be started: {error}"))
                    .help(format!(
                        "install a C compiler for {arch} (on Debian: the package `gcc` or `gcc-{}-linux-gnu`)",
                        arch.replace('_', "-")
                    )),
            )
        })?;
    if !run.status.success() {
        return Err(Box::new(
            Diagnostic::error(LINK, format!("`{linker}` failed to link the artifact"))
                .note(String::from_utf8_lossy(&run.stderr).into_owned()),
        ));
    }
    let mut bytes = fs::read(path).map_err(unwritten)?;
    mom_runtime::artifact::seal(&mut bytes);
    fs::write(path, bytes).map_err(unwritten)
}
