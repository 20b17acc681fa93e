//! Tensors of a safetensors file as the tests want them: every element type widened to float64, found by name.

use std::{collections::BTreeMap, fs, path::Path};

use safetensors::{Dtype, SafeTensors};

use crate::Outcome;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<f64>,
}

impl Tensor {
    /// The elements whose first axes have the given indices.
    pub(crate) fn at(&self, index: &[usize]) -> &[f64] {
        let width: usize = self.shape[index.len()..].iter().product();
        let row = index.iter().zip(&self.shape).fold(0, |row, (&i, &size)| row * size + i);
        &self.data[row * width..(row + 1) * width]
    }

    pub(crate) fn f32(&self) -> Vec<f32> {
        self.data.iter().map(|&x| x as f32).collect()
    }

    /// Token ids; the data holds no others.
    pub(crate) fn ids(&self) -> Vec<u32> {
        self.data.iter().map(|&x| x as u32).collect()
    }
}

pub(crate) struct Tensors(BTreeMap<String, Tensor>);

impl Tensors {
    pub(crate) fn open(path: &Path) -> Outcome<Tensors> {
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let file = SafeTensors::deserialize(&bytes)?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            let data = widen(view.dtype(), view.data()).ok_or_else(|| format!("{name} has type {:?}", view.dtype()))?;
            tensors.insert(name, Tensor { shape: view.shape().to_vec(), data });
        }
        Ok(Tensors(tensors))
    }

    pub(crate) fn get(&self, name: &str) -> Outcome<&Tensor> {
        self.find(name).ok_or_else(|| format!("the file has no tensor {name}").into())
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Tensor> {
        self.0.get(name)
    }

    /// The tensors whose name starts with `prefix`, by the rest of their names.
    pub(crate) fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a Tensor)> {
        self.0.iter().filter_map(move |(name, tensor)| Some((name.strip_prefix(prefix)?, tensor)))
    }
}

fn widen(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f64>> {
    fn each<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        bytes.as_chunks::<N>().0.iter().map(|&chunk| read(chunk)).collect()
    }
    match dtype {
        Dtype::F32 => Some(each(bytes, |chunk| f32::from_le_bytes(chunk).into())),
        Dtype::F64 => Some(each(bytes, f64::from_le_bytes)),
        Dtype::I64 => Some(each(bytes, |chunk| i64::from_le_bytes(chunk) as f64)),
        _ => None,
    }
}
