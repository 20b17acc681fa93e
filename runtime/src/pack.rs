//! Lays weights out as the kernels want them.
//!
//! All layouts are panels, `[ceil(rows / width), columns, width]`, of some width: see
//! [`crate::plan::Layout::panel_width`].

use std::ffi::c_void;

use rayon::prelude::*;

use crate::{
    buffer::Aligned,
    plan::{DType, Param},
    weights::Values,
};

/// Elements that a thread transposes at a time: 16 KB of f32, half a first-level cache.
const TILE: usize = 4096;
/// Elements that are packed before the file's pages are given back.
const PIECE: usize = 1 << 22;

/// A weight in memory.
#[derive(Debug)]
pub(crate) enum Packed {
    F32(Aligned<f32>),
    /// As bits.
    Bf16(Aligned<u16>),
}

impl Packed {
    /// Reads a parameter's elements from its tensor; none where there is no memory for them.
    pub(crate) fn new(param: &Param, values: &Values<'_>) -> Option<Packed> {
        Some(match param.dtype {
            DType::Bf16 => {
                let mut elements = Aligned::new(param.elements())?;
                pack(param, values, elements.as_mut_slice(), |value| half::bf16::from_f32(value).to_bits());
                Packed::Bf16(elements)
            }
            // A valid plan has no integer parameters.
            DType::F32 | DType::I32 => {
                let mut elements = Aligned::new(param.elements())?;
                pack(param, values, elements.as_mut_slice(), |value| value);
                Packed::F32(elements)
            }
        })
    }

    /// Where it lies. Kernels take all buffers as mutable; they do not write to parameters.
    pub(crate) fn address(&self) -> *mut c_void {
        match self {
            Packed::F32(elements) => elements.as_ptr().cast_mut().cast(),
            Packed::Bf16(elements) => elements.as_ptr().cast_mut().cast(),
        }
    }

    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Packed::F32(elements) => elements.bytes(),
            Packed::Bf16(elements) => elements.bytes(),
        }
    }
}

fn pack<T: Send>(param: &Param, values: &Values<'_>, out: &mut [T], convert: impl Fn(f32) -> T + Sync) {
    let (rows, columns) = (param.rows, param.columns);
    let width = param.layout.panel_width(rows);
    let tile = (TILE / width).clamp(16, columns.max(16));
    let panel = columns * width;
    let panels_at_once = (PIECE / panel).max(1);

    // Some columns of one panel, `[columns, width]`.
    let fill = |first_row: usize, first_column: usize, scratch: &mut Vec<f32>, out: &mut [T]| {
        let present = width.min(rows - first_row);
        let count = out.len() / width;
        scratch.resize(present * count, 0.0);
        for (row, out) in scratch.chunks_mut(count).enumerate() {
            values.read(param.first + (first_row + row) * columns + first_column, out);
        }
        for (column, out) in out.chunks_mut(width).enumerate() {
            for (row, out) in out[..present].iter_mut().enumerate() {
                *out = convert(scratch[row * count + column]);
            }
        }
    };
    for (piece, out) in out.chunks_mut(panels_at_once * panel).enumerate() {
        let first_row = piece * panels_at_once * width;
        out.par_chunks_mut(panel).enumerate().for_each(|(index, out)| {
            let first_row = first_row + index * width;
            out.par_chunks_mut(tile * width)
                .enumerate()
                .for_each_init(Vec::new, |scratch, (index, out)| fill(first_row, index * tile, scratch, out));
        });
        let end_row = rows.min(first_row + panels_at_once * width);
        values.release(param.first + first_row * columns..param.first + end_row * columns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Layout;

    /// Every element of every layout comes from the place that the layout's description names.
    #[test]
    fn layouts_are_what_they_say() {
        // The matrix need not begin where a row of the tensor does.
        let (rows, columns, first) = (37, 300, 450);
        let tensor: Vec<f32> = (0..12_000).map(|index| index as f32).collect();
        let at = |row: usize, column: usize| tensor[first + row * columns + column];
        for layout in [Layout::RowMajor, Layout::Transposed, Layout::Panels { width: 16 }, Layout::Panels { width: 64 }]
        {
            let param = Param {
                name: "weight".into(),
                tensor: "weight".into(),
                shape: vec![20, 4, 150],
                first,
                rows,
                columns,
                dtype: DType::F32,
                layout,
            };
            let Some(Packed::F32(packed)) = Packed::new(&param, &Values::Slice(&tensor)) else { unreachable!() };
            let packed = packed.as_slice();
            let width = match layout {
                Layout::RowMajor => {
                    assert_eq!(packed, &tensor[first..][..rows * columns]);
                    continue;
                }
                Layout::Transposed => rows,
                Layout::Panels { width } => width,
            };
            for (index, value) in packed.iter().enumerate() {
                let (panel, column, row) = (index / width / columns, index / width % columns, index % width);
                let row = panel * width + row;
                assert_eq!(*value, if row < rows { at(row, column) } else { 0.0 }, "{layout:?} {row} {column}");
            }
        }
    }
}
