//! What the header of a checkpoint says about its model: names and element types of the tensors, and no data.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::{self, Read},
    path::Path,
};

use mom_dialect::shape::DType;
use serde::Deserialize;

/// A header longer than this belongs to no safetensors file.
const MAX_HEADER: u64 = 100_000_000;

/// The tensors of a checkpoint.
#[derive(Debug, Default)]
pub struct Checkpoint {
    names: BTreeSet<String>,
    /// Element types as safetensors writes them: `F32`, `BF16`.
    dtypes: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Tensor {
    #[serde(default)]
    dtype: String,
}

#[derive(Deserialize)]
struct Index {
    /// Tensor to file.
    weight_map: BTreeMap<String, String>,
}

impl Checkpoint {
    /// Looks into the checkpoint of a Hugging Face folder, if there is one: `model.safetensors`, or the files that
    /// `model.safetensors.index.json` lists. Listed files that are not there are passed over.
    ///
    /// # Errors
    /// Files that are there and cannot be read.
    pub fn open(folder: &Path) -> io::Result<Option<Checkpoint>> {
        let mut checkpoint = Checkpoint::default();
        let single = folder.join("model.safetensors");
        let index = folder.join("model.safetensors.index.json");
        if single.is_file() {
            checkpoint.add(&single)?;
        } else if index.is_file() {
            let index: Index = serde_json::from_str(&fs::read_to_string(index)?)?;
            let files: BTreeSet<&String> = index.weight_map.values().collect();
            for file in files.into_iter().map(|file| folder.join(file)).filter(|file| file.is_file()) {
                checkpoint.add(&file)?;
            }
            checkpoint.names.extend(index.weight_map.into_keys());
        } else {
            return Ok(None);
        }
        Ok(Some(checkpoint))
    }

    fn add(&mut self, path: &Path) -> io::Result<()> {
        let mut file = File::open(path)?;
        let mut length = [0; 8];
        file.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        if length > MAX_HEADER {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "this is not a safetensors file"));
        }
        let mut header = Vec::new();
        file.take(length).read_to_end(&mut header)?;
        let mut tensors: BTreeMap<String, Tensor> = serde_json::from_slice(&header)?;
        tensors.remove("__metadata__");
        for (name, tensor) in tensors {
            self.names.insert(name);
            self.dtypes.insert(tensor.dtype);
        }
        Ok(())
    }

    /// The element type of the matrices: bf16 if any tensor is, since norms often stay in f32 beside them.
    pub(super) fn weights(&self) -> Option<DType> {
        match self.dtypes.is_empty() {
            true => None,
            false if self.dtypes.contains("BF16") => Some(DType::BF16),
            false => Some(DType::F32),
        }
    }

    /// Whether gate and up projection of an MLP are one tensor, if there are MLPs to show it.
    pub(super) fn joined_mlp(&self) -> Option<bool> {
        let holds = |ending: &str| self.names.iter().any(|name| name.ends_with(ending));
        if holds(".mlp.up_proj.weight") {
            Some(false)
        } else if holds(".mlp.gate_proj.weight") {
            Some(true)
        } else {
            None
        }
    }
}
