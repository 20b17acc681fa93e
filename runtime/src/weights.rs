//! Where weights come from: safetensors files, tensors in memory, or nothing but a seed.
//!
//! Weights are only described here; [`crate::artifact::Module::bind`] reads them once, into the layout that the kernels
//! want. Files are mapped, and what was read is given back to the system, so that binding a model takes little more
//! memory than the bound model.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::Range,
    path::Path,
};

use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;

use crate::{error::Error, host::Mapping, random::Random};

const INDEX: &str = "model.safetensors.index.json";
const SINGLE: &str = "model.safetensors";

/// The weights of a model, by the names of its checkpoint.
#[derive(Debug)]
pub struct Weights {
    source: Source,
}

#[derive(Debug)]
enum Source {
    Files { mappings: Vec<Mapping>, tensors: BTreeMap<String, Stored> },
    Tensors(BTreeMap<String, (Vec<usize>, Vec<f32>)>),
    Random { seed: u64 },
}

/// A tensor in a mapped file.
#[derive(Debug)]
struct Stored {
    mapping: usize,
    dtype: Dtype,
    shape: Vec<usize>,
    /// Bytes of the mapping.
    bytes: Range<usize>,
}

impl Weights {
    /// Opens a `.safetensors` file, a `model.safetensors.index.json` beside its shards, or a folder that holds either.
    ///
    /// # Errors
    /// E0601 when a file cannot be read, E0606 when one is not what its name says.
    pub fn open(path: impl AsRef<Path>) -> Result<Weights, Error> {
        let path = path.as_ref();
        if !path.is_dir() {
            let is_index = path.extension().is_some_and(|extension| extension == "json");
            return if is_index { open_index(path) } else { open_files(&[path]) };
        }
        let [single, index] = [path.join(SINGLE), path.join(INDEX)];
        if single.is_file() {
            open_files(&[&single])
        } else if index.is_file() {
            open_index(&index)
        } else {
            Err(broken(path, format!("holds neither {SINGLE} nor {INDEX}; name the file of weights itself")))
        }
    }

    /// Pseudo-random weights for trying sizes without a checkpoint.
    ///
    /// A value depends on the seed, the tensor's name and its place in the tensor alone. Their size keeps activations
    /// near one: matrices have a standard deviation of `1 / sqrt(columns)`, norm weights lie near 1, and other vectors,
    /// which are logarithms of rates and their offsets, near -1.
    pub fn random(seed: u64) -> Weights {
        Weights { source: Source::Random { seed } }
    }

    /// The values that [`Weights::random`] gives one tensor.
    pub fn random_values(seed: u64, tensor: &str, shape: &[usize]) -> Vec<f32> {
        let mut values = vec![0.0; shape.iter().product()];
        Random::new(seed, tensor, shape).read(0, &mut values);
        values
    }

    /// Weights in memory: name, shape and values of each tensor. Of two tensors with one name the last counts.
    pub fn from_tensors(tensors: Vec<(String, Vec<usize>, Vec<f32>)>) -> Weights {
        let tensors = tensors.into_iter().map(|(name, shape, values)| (name, (shape, values))).collect();
        Weights { source: Source::Tensors(tensors) }
    }

    /// Names of all tensors; none where tensors are made up as they are asked for.
    pub(crate) fn names(&self) -> Vec<&str> {
        match &self.source {
            Source::Files { tensors, .. } => tensors.keys().map(String::as_str).collect(),
            Source::Tensors(tensors) => tensors.keys().map(String::as_str).collect(),
            Source::Random { .. } => Vec::new(),
        }
    }

    /// A tensor that should have this shape.
    ///
    /// # Errors
    /// What is wrong with it, as a phrase that follows its name.
    pub(crate) fn find(&self, name: &str, shape: &[usize]) -> Result<Values<'_>, String> {
        let missing = || "is missing".to_string();
        let same = |found: &[usize]| {
            if found == shape { Ok(()) } else { Err(format!("has shape {found:?}, the model wants {shape:?}")) }
        };
        match &self.source {
            Source::Random { seed } => Ok(Values::Random(Random::new(*seed, name, shape))),
            Source::Tensors(tensors) => {
                let (found, values) = tensors.get(name).ok_or_else(missing)?;
                same(found)?;
                if values.len() != shape.iter().product::<usize>() {
                    return Err(format!("has {} values for shape {shape:?}", values.len()));
                }
                Ok(Values::Slice(values))
            }
            Source::Files { mappings, tensors } => {
                let stored = tensors.get(name).ok_or_else(missing)?;
                same(&stored.shape)?;
                let decode: fn([u8; 2]) -> f32 = match stored.dtype {
                    Dtype::F32 => return Ok(Values::Single(stored.of(mappings))),
                    Dtype::BF16 => |bytes| half::bf16::from_le_bytes(bytes).to_f32(),
                    Dtype::F16 => |bytes| half::f16::from_le_bytes(bytes).to_f32(),
                    other => return Err(format!("holds {other}; weights may be F32, BF16 or F16")),
                };
                Ok(Values::Half(stored.of(mappings), decode))
            }
        }
    }
}

impl Stored {
    fn of<'a>(&self, mappings: &'a [Mapping]) -> Mapped<'a> {
        Mapped { mapping: &mappings[self.mapping], bytes: self.bytes.clone() }
    }
}

/// Bytes of a mapped file.
#[derive(Clone)]
pub(crate) struct Mapped<'a> {
    mapping: &'a Mapping,
    bytes: Range<usize>,
}

impl Mapped<'_> {
    /// The `count` elements of `N` bytes from number `start`.
    fn elements<const N: usize>(&self, start: usize, count: usize) -> &[[u8; N]] {
        let (elements, _) = self.mapping.bytes()[self.bytes.clone()].as_chunks();
        &elements[start..start + count]
    }
}

/// The elements of a tensor, which can be read as f32 from any place.
#[derive(Clone)]
pub(crate) enum Values<'a> {
    Single(Mapped<'a>),
    Half(Mapped<'a>, fn([u8; 2]) -> f32),
    Slice(&'a [f32]),
    Random(Random),
}

impl Values<'_> {
    /// Fills `out` with the elements from number `start`.
    pub(crate) fn read(&self, start: usize, out: &mut [f32]) {
        match self {
            Values::Slice(values) => out.copy_from_slice(&values[start..start + out.len()]),
            Values::Random(random) => random.read(start, out),
            Values::Single(mapped) => {
                let elements = mapped.elements(start, out.len());
                out.iter_mut().zip(elements).for_each(|(value, bytes)| *value = f32::from_le_bytes(*bytes));
            }
            Values::Half(mapped, decode) => {
                let elements = mapped.elements(start, out.len());
                out.iter_mut().zip(elements).for_each(|(value, bytes)| *value = decode(*bytes));
            }
        }
    }

    /// Says that these elements were read for the last time, or nearly so.
    pub(crate) fn release(&self, elements: Range<usize>) {
        let (mapped, size) = match self {
            Values::Single(mapped) => (mapped, 4),
            Values::Half(mapped, _) => (mapped, 2),
            Values::Slice(_) | Values::Random(_) => return,
        };
        let offset = mapped.bytes.start;
        mapped.mapping.release(offset + elements.start * size..offset + elements.end * size);
    }
}

/// The part of an index that says where tensors lie.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

fn open_index(path: &Path) -> Result<Weights, Error> {
    let text = fs::read(path).map_err(|cause| Error::File { path: path.display().to_string(), cause })?;
    let index: Index = serde_json::from_slice(&text)
        .map_err(|cause| broken(path, format!("is not an index of safetensors files: {cause}")))?;
    let names: BTreeSet<&String> = index.weight_map.values().collect();
    if let Some(name) = names.iter().find(|name| Path::new(name).file_name().is_none_or(|file| file != name.as_str())) {
        return Err(broken(path, format!("names the shard `{name}`, which is not a file beside it")));
    }
    let shards: Vec<_> = names.iter().map(|name| path.with_file_name(name)).collect();
    let weights = open_files(&shards.iter().map(|shard| shard.as_path()).collect::<Vec<_>>())?;
    let found = weights.names();
    match index.weight_map.keys().find(|name| found.binary_search(&name.as_str()).is_err()) {
        Some(name) => {
            Err(broken(path, format!("lists the tensor `{name}`, which no shard holds; fetch the shards again")))
        }
        None => Ok(weights),
    }
}

fn open_files(paths: &[&Path]) -> Result<Weights, Error> {
    let mut mappings = Vec::new();
    let mut tensors = BTreeMap::new();
    for path in paths {
        let mapping = Mapping::open(path).map_err(|cause| Error::File { path: path.display().to_string(), cause })?;
        let (header, metadata) = SafeTensors::read_metadata(mapping.bytes()).map_err(|cause| {
            broken(path, format!("is not a whole safetensors file ({cause}); copy or download it again"))
        })?;
        // The file starts with eight bytes that give the length of the header; data follow the header.
        let data = 8 + header;
        for name in metadata.offset_keys() {
            let Some(info) = metadata.info(&name) else { continue };
            let (start, end) = info.data_offsets;
            let stored = Stored {
                mapping: mappings.len(),
                dtype: info.dtype,
                shape: info.shape.clone(),
                bytes: data + start..data + end,
            };
            if tensors.insert(name.clone(), stored).is_some() {
                return Err(broken(path, format!("holds the tensor `{name}`, as another shard does")));
            }
        }
        mappings.push(mapping);
    }
    Ok(Weights { source: Source::Files { mappings, tensors } })
}

fn broken(path: &Path, problem: String) -> Error {
    Error::WeightsFile { path: path.display().to_string(), problem }
}
