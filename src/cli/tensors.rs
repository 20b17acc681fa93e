//! A safetensors file that is written piece by piece, so that results need not fit into memory.

use std::{collections::BTreeMap, os::unix::fs::FileExt, path::Path};

use momc::failure::Failure;
use serde_json::{Map, json};

use super::output::Output;

/// A file of f32 tensors, each seen as rows.
pub(crate) struct TensorFile {
    output: Output,
    tensors: BTreeMap<String, Place>,
}

struct Place {
    /// Byte of the file at which the tensor starts.
    start: u64,
    /// Elements of one row.
    columns: usize,
}

impl TensorFile {
    /// Starts a file of tensors with these names and shapes; the last axis of a shape is a row.
    pub(crate) fn create(path: &Path, tensors: &[(String, Vec<usize>)]) -> Result<TensorFile, Failure> {
        let mut output = Output::create(path)?;
        let mut header = Map::new();
        let mut end = 0;
        for (name, shape) in tensors {
            let start = end;
            end += 4 * shape.iter().product::<usize>();
            header.insert(name.clone(), json!({"dtype": "F32", "shape": shape, "data_offsets": [start, end]}));
        }
        let mut header = serde_json::Value::from(header).to_string();
        while header.len() % 8 != 0 {
            header.push(' ');
        }
        let data = 8 + header.len() as u64;
        let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
        output.file().write_all_at(&bytes, 0).map_err(|error| Failure::cannot_write(path, &error))?;

        let mut places = BTreeMap::new();
        let mut start = data;
        for (name, shape) in tensors {
            places.insert(name.clone(), Place { start, columns: shape.last().copied().unwrap_or(1) });
            start += 4 * shape.iter().product::<usize>() as u64;
        }
        Ok(TensorFile { output, tensors: places })
    }

    /// Writes rows of a tensor that the file was created with, from row number `row`.
    pub(crate) fn write(&mut self, name: &str, row: usize, values: &[f32]) -> Result<(), Failure> {
        let Some(place) = self.tensors.get(name) else { return Ok(()) };
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let offset = place.start + 4 * (row * place.columns) as u64;
        let written = self.output.file().write_all_at(&bytes, offset);
        written.map_err(|error| self.output.cannot_write(&error))
    }

    /// Gives the file its name.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        self.output.finish()
    }
}
