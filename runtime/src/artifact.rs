//! The artifact: a shared object with the plan inside, sealed by a trailer.
//!
//! The trailer follows the shared object's own bytes, where loaders do not look: eight bytes of magic, the length of
//! what precedes as eight little-endian bytes, and the SHA-256 of what precedes. A file is whole when the trailer
//! fits. The file stays open from the check to the loading, so that a path which gets a new file meanwhile does no harm;
//! a file that is rewritten in place meanwhile is not noticed.
//!
//! The seal tells damage, not malice: whoever can write a file can seal it. An artifact is code, which reads as many
//! elements of a buffer as it was compiled for, whatever the plan beside it says. Like any shared library it must come
//! from somebody who is trusted; of a forged plan only what contradicts itself is refused.

use std::{fmt, fs::File, io::Read, path::Path, sync::Arc};

use object::{Object, ObjectSection, ObjectSymbol};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::{
    bind,
    cpu::{Device, Kernel},
    error::Error,
    host::Library,
    kernels::Kernels,
    machine,
    plan::{DType, FORMAT, Plan, SYMBOL},
    session::Model,
    weights::Weights,
};

const MAGIC: &[u8; 8] = b"momc\0art";
const TRAILER: usize = 8 + 8 + 32;
const COPY_AGAIN: &str = "copy the file again, or compile the model again";

/// Appends the trailer that makes a shared object an artifact.
pub fn seal(bytes: &mut Vec<u8>) {
    let digest = Sha256::digest(bytes.as_slice());
    let length = bytes.len() as u64;
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&digest);
}

/// The shared object within the bytes of an artifact.
///
/// # Errors
/// What is wrong with the bytes and what to do, as two phrases.
pub fn unseal(bytes: &[u8]) -> Result<&[u8], (String, String)> {
    let (content, trailer) = bytes.split_at(bytes.len().saturating_sub(TRAILER));
    if !trailer.starts_with(MAGIC) {
        let named = || bytes.windows(SYMBOL.len()).any(|window| window == SYMBOL.as_bytes());
        let ours = bytes.starts_with(&object::elf::ELFMAG) && named();
        return Err(if ours {
            ("is incomplete: its end, which momc writes last, is missing".into(), COPY_AGAIN.into())
        } else {
            ("is not an artifact of momc".into(), "make one with `momc compile MODEL -o model.so`".into())
        });
    }
    let (length, digest) = trailer[MAGIC.len()..].split_at(8);
    if length != (content.len() as u64).to_le_bytes() || digest != Sha256::digest(content).as_slice() {
        return Err(("is damaged: its content is not what momc wrote".into(), COPY_AGAIN.into()));
    }
    Ok(content)
}

/// A compiled model whose kernels are loaded. Cloning is cheap; clones share the kernels.
#[derive(Clone)]
pub struct Module {
    inner: Arc<Inner>,
}

struct Inner {
    plan: Plan,
    kernels: Vec<Kernel>,
    /// Keeps the kernels where they are.
    _library: Option<Library>,
}

impl Module {
    /// Loads an artifact that was compiled for this machine.
    ///
    /// An artifact is native code and runs with the rights of this process: load only what you would run as a program.
    /// Its seal finds files that were damaged or cut short, not files that somebody forged.
    ///
    /// # Errors
    /// E0601 to E0605: the file cannot be read, is not a whole artifact, was written by a momc of another format, is
    /// for another machine, or contradicts itself.
    pub fn load(path: impl AsRef<Path>) -> Result<Module, Error> {
        let path = path.as_ref();
        let (plan, file) = read(path)?;
        let name = path.display().to_string();
        if let Some(problem) = machine::obstacle(&plan.target) {
            return Err(Error::Machine { path: name, target: plan.target.name, problem });
        }
        let library = Library::open(path, file).map_err(|cause| Error::Artifact {
            path: name.clone(),
            problem: format!("cannot be loaded: {cause}"),
            help: COPY_AGAIN.into(),
        })?;
        let kernels = plan.kernels.iter().map(|symbol| {
            let missing = || Error::Plan { path: name.clone(), problem: format!("kernel `{symbol}` is missing") };
            library.kernel(symbol, plan.target.groups).ok_or_else(missing)
        });
        let kernels = kernels.collect::<Result<_, _>>()?;
        Ok(Module { inner: Arc::new(Inner { plan, kernels, _library: Some(library) }) })
    }

    /// Reads the plan of an artifact without loading its code; works on every machine.
    ///
    /// # Errors
    /// E0601, E0602, E0603 and E0605, as for [`Module::load`].
    pub fn inspect(path: impl AsRef<Path>) -> Result<Plan, Error> {
        Ok(read(path.as_ref())?.0)
    }

    /// What the artifact says about the model.
    pub fn plan(&self) -> &Plan {
        &self.inner.plan
    }

    /// Puts weights into memory as the kernels want them.
    ///
    /// # Errors
    /// E0607 with up to ten problems when the weights are not those of this model; E0608 when this is no model but a
    /// program for [`Module::kernels`]; E0610 when there is no memory for them.
    pub fn bind(&self, device: Device, weights: Weights) -> Result<Model, Error> {
        let plan = self.plan();
        if plan.inputs.iter().any(|input| input.dtype != DType::I32) {
            let message = format!("`{}` takes tensors, not tokens, so that it has no sessions", plan.model);
            return Err(Error::Step(message));
        }
        let params = device.install(|| bind::bind(self.plan(), &weights))?;
        Ok(Model::new(self.clone(), device, params))
    }

    /// Makes a program without weights, such as an update rule alone, ready to run on tensors.
    ///
    /// # Errors
    /// E0608 for a model, which needs weights or tokens.
    pub fn kernels(&self, device: Device) -> Result<Kernels, Error> {
        Kernels::new(self.clone(), device)
    }

    pub(crate) fn code(&self) -> &[Kernel] {
        &self.inner.kernels
    }

    /// A module of kernels that are part of this program.
    #[cfg(test)]
    pub(crate) fn from_parts(plan: Plan, kernels: Vec<Kernel>) -> Module {
        Module { inner: Arc::new(Inner { plan, kernels, _library: None }) }
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { model, target, .. } = self.plan();
        formatter.debug_struct("Module").field("model", model).field("target", target).finish_non_exhaustive()
    }
}

/// Checks a file; returns its plan and the file itself.
fn read(path: &Path) -> Result<(Plan, File), Error> {
    let name = path.display().to_string();
    let unreadable = |cause| Error::File { path: name.clone(), cause };
    let mut file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    let content = unseal(&bytes).map_err(|(problem, help)| Error::Artifact { path: name.clone(), problem, help })?;
    let contradiction = |problem| Error::Plan { path: name.clone(), problem };
    let json = plan_bytes(content).map_err(contradiction)?;

    let header: Header = serde_json::from_slice(json).map_err(|cause| contradiction(cause.to_string()))?;
    if header.format != FORMAT {
        return Err(Error::Format { path: name, momc: header.momc, found: header.format });
    }
    let plan: Plan = serde_json::from_slice(json).map_err(|cause| contradiction(cause.to_string()))?;
    plan.validate().map_err(contradiction)?;
    Ok((plan, file))
}

/// What plans of all formats have.
#[derive(Deserialize)]
struct Header {
    format: u32,
    momc: String,
}

/// The JSON under [`SYMBOL`], without its final zero.
fn plan_bytes(content: &[u8]) -> Result<&[u8], String> {
    let file = object::File::parse(content).map_err(|cause| cause.to_string())?;
    let symbol = file
        .dynamic_symbols()
        .find(|symbol| symbol.name() == Ok(SYMBOL))
        .ok_or_else(|| format!("the symbol `{SYMBOL}` is missing"))?;
    let section = symbol.section_index().and_then(|index| file.section_by_index(index).ok());
    let data = section.and_then(|section| section.data_range(symbol.address(), symbol.size()).ok().flatten());
    data.and_then(|data| data.strip_suffix(&[0])).ok_or_else(|| format!("the symbol `{SYMBOL}` has no data"))
}
