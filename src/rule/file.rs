//! Tensors of a safetensors file, widened to float64.

use std::{fs, path::Path};

use mom_dialect::{
    diagnostic::Diagnostic,
    reference::{Tensor, Tensors},
};
use safetensors::{Dtype, SafeTensors, serialize, tensor::TensorView};

use super::TENSORS;
use crate::failure::Failure;

/// Tensors by their whole names, and where they come from.
#[derive(Clone, Debug)]
pub struct File {
    /// As the user calls it.
    pub name: String,
    pub tensors: Tensors,
}

impl File {
    /// Reads those tensors of a file whose names begin with one of the prefixes: f32, f64, or for integers i32 or i64.
    ///
    /// # Errors
    /// E0620 if there is no such file, E0624 if it is no safetensors file, or a tensor is of another type.
    pub fn read(path: &Path, prefixes: &[&str]) -> Result<File, Failure> {
        let bytes = fs::read(path).map_err(|error| Failure::cannot_read(path, &error))?;
        let name = path.display().to_string();
        let wrong = |problem: String| Diagnostic::error(TENSORS, format!("`{name}` {problem}"));
        let found = SafeTensors::deserialize(&bytes)
            .map_err(|error| wrong(format!("is not a whole safetensors file ({error})")))?;
        let mut tensors = Tensors::new();
        for (tensor, view) in found.tensors() {
            if !prefixes.iter().any(|prefix| tensor.starts_with(prefix)) {
                continue;
            }
            let data = widened(view.dtype(), view.data()).ok_or_else(|| {
                wrong(format!("holds `{tensor}` as {}; tensors are F32 or F64, `cu_seqlens` is I64", view.dtype()))
            })?;
            tensors.insert(tensor, Tensor::new(view.shape(), data));
        }
        Ok(File { name, tensors })
    }

    pub(super) fn wrong(&self, problem: impl std::fmt::Display) -> Box<Diagnostic> {
        Box::new(Diagnostic::error(TENSORS, format!("`{}` {problem}", self.name)))
    }
}

fn widened(dtype: Dtype, bytes: &[u8]) -> Option<Vec<f64>> {
    fn each<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f64) -> Vec<f64> {
        bytes.as_chunks::<N>().0.iter().map(|&chunk| read(chunk)).collect()
    }
    match dtype {
        Dtype::F32 => Some(each(bytes, |chunk| f32::from_le_bytes(chunk).into())),
        Dtype::F64 => Some(each(bytes, f64::from_le_bytes)),
        Dtype::I32 => Some(each(bytes, |chunk| i32::from_le_bytes(chunk).into())),
        Dtype::I64 => Some(each(bytes, |chunk| i64::from_le_bytes(chunk) as f64)),
        _ => None,
    }
}

/// The bytes of a safetensors file of these tensors, as F64 or as F32.
///
/// # Errors
/// A fault of momc: tensors that contradict themselves.
pub fn bytes(tensors: &Tensors, double: bool) -> Result<Vec<u8>, Failure> {
    let stored: Vec<(&String, &[usize], Vec<u8>)> = tensors
        .iter()
        .map(|(name, tensor)| {
            let data = tensor.data.iter();
            let bytes = match double {
                true => data.flat_map(|value| value.to_le_bytes()).collect(),
                false => data.flat_map(|&value| (value as f32).to_le_bytes()).collect(),
            };
            (name, &tensor.shape[..], bytes)
        })
        .collect();
    let fault =
        |error: safetensors::SafeTensorError| Diagnostic::bug(TENSORS, format!("cannot store tensors: {error}"));
    let dtype = if double { Dtype::F64 } else { Dtype::F32 };
    let mut views = Vec::new();
    for (name, shape, bytes) in &stored {
        views.push((*name, TensorView::new(dtype, shape.to_vec(), bytes).map_err(fault)?));
    }
    Ok(serialize(views, None).map_err(fault)?)
}
