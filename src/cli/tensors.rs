//! A safetensors file that is written piece by piece, so that results need not fit into memory.

use std::{collections::BTreeMap, os::unix::fs::FileExt, path::Path};

use mom_dialect::diagnostic::Diagnostic;
use momc::failure::{FILE, Failure};
use serde_json::{Map, json};

use super::output::{Output, Place};

/// A file of f32 tensors, each seen as rows.
pub(crate) struct TensorFile<'a> {
    output: Output<'a>,
    tensors: BTreeMap<String, Rows>,
}

/// Where the rows of a tensor are.
struct Rows {
    /// Byte of the file at which the tensor starts.
    start: u64,
    /// Elements of one row.
    columns: usize,
}

/// The place of such a file.
///
/// # Errors
/// E0620 if no file can be written there, or only from its start to its end.
pub(crate) fn place(name: &Path) -> Result<Place, Failure> {
    let place = Place::find(name)?;
    if place.in_order() {
        let message = format!("cannot write `{}`: tensors need a file, not a pipe", name.display());
        let note = "the rows of all tensors are computed side by side, and so not in the order of the file";
        return Err(Diagnostic::error(FILE, message).note(note).into());
    }
    Ok(place)
}

impl<'a> TensorFile<'a> {
    /// Starts a file of tensors with these names and shapes; the last axis of a shape is a row.
    pub(crate) fn create(place: &'a Place, tensors: &[(String, Vec<usize>)]) -> Result<TensorFile<'a>, Failure> {
        let mut output = place.create()?;
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
        output.file().write_all_at(&bytes, 0).map_err(|error| place.cannot_write(&error))?;

        let mut rows = BTreeMap::new();
        let mut start = data;
        for (name, shape) in tensors {
            rows.insert(name.clone(), Rows { start, columns: shape.last().copied().unwrap_or(1) });
            start += 4 * shape.iter().product::<usize>() as u64;
        }
        Ok(TensorFile { output, tensors: rows })
    }

    /// Writes rows of a tensor that the file was created with, from row number `row`.
    pub(crate) fn write(&mut self, name: &str, row: usize, values: &[f32]) -> Result<(), Failure> {
        let Some(rows) = self.tensors.get(name) else { return Ok(()) };
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let offset = rows.start + 4 * (row * rows.columns) as u64;
        let written = self.output.file().write_all_at(&bytes, offset);
        written.map_err(|error| self.output.place.cannot_write(&error))
    }

    /// Gives the file its name.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        self.output.finish()
    }
}
