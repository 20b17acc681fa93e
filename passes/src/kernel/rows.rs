//! Whole rows: copies of them, weighted sums of a few, and embedding, a kernel that reads them from a table.

use mom_dialect::shape::{DType, Extent};

use super::{Kernel, Place, each_item, move_ns};
use crate::{
    emit::{Emit, Ty, V},
    target::Target,
};

/// Where the rows of an embedding table lie.
#[derive(Clone, Copy)]
pub(crate) enum Table {
    RowMajor,
    /// Panels of so many rows, shared with the product that computes logits.
    Panels(usize),
}

/// Copies a row.
pub(crate) fn copy_row(emit: &mut Emit, target: &Target, elements: usize, from: Place, to: Place) {
    let lanes = target.lanes_dividing(elements);
    let (zero, end) = (emit.int(0), emit.int(elements as i64));
    emit.for_each(zero, end, lanes, |emit, i| {
        let value = from.offset(emit, i).load(emit, Ty::Vector(lanes));
        to.offset(emit, i).store(emit, value);
    });
}

/// `out = Σ_j weight[j] · parts[j]`, or zero where it is not `real`. What the parts hold there does not matter.
pub(crate) fn weighted_sum(
    emit: &mut Emit,
    target: &Target,
    elements: usize,
    (real, weight, parts): (V, Place, &[Place]),
    out: Place,
) {
    let lanes = target.lanes_dividing(elements);
    let ty = if lanes == 1 { Ty::F32 } else { Ty::Vector(lanes) };
    let factors: Vec<V> = (0..parts.len())
        .map(|choice| {
            let choice = emit.int(choice as i64);
            let factor = weight.offset(emit, choice).load(emit, Ty::F32);
            emit.splat(factor, ty)
        })
        .collect();
    let nothing = emit.float(0.0, ty);
    let (zero, end) = (emit.int(0), emit.int(elements as i64));
    emit.for_each(zero, end, lanes, |emit, i| {
        let mut sum = nothing;
        for (part, &factor) in parts.iter().zip(&factors) {
            let value = part.offset(emit, i).load(emit, ty);
            sum = emit.fma(factor, value, sum);
        }
        let sum = emit.select(real, sum, nothing);
        out.offset(emit, i).store(emit, sum);
    });
}

/// Buffers: tokens, table, out.
pub(crate) fn embedding<'a>(target: &'a Target, width: usize, dtype: DType, table: Table) -> Kernel<'a> {
    let layout = match table {
        Table::RowMajor => "rows".to_string(),
        Table::Panels(panel) => format!("panels{panel}"),
    };
    Kernel {
        symbol: format!("momc_embedding_{width}_{dtype}_{layout}"),
        schedule: String::new(),
        rows: Extent::TOKENS,
        chunk: 1,
        times: 1,
        item_ns: move_ns(width * 8),
        token_ns: 0,
        body: Box::new(move |emit| {
            let (tokens, weights, out) = (emit.buffer(0), emit.buffer(1), emit.buffer(2));
            each_item(emit, |emit, row| {
                let token = emit.load_index(tokens, row);
                let to = emit.mul_const(row, width);
                // In panels a row's elements lie `panel` apart and are read one by one.
                let (step, stride, from) = match table {
                    Table::RowMajor => (target.lanes_dividing(width), 1, emit.mul_const(token, width)),
                    Table::Panels(panel) => {
                        let (index, lane) = (emit.div_const(token, panel), emit.rem_const(token, panel));
                        (1, panel, emit.at(index, panel * width, lane))
                    }
                };
                let ty = if step == 1 { Ty::F32 } else { Ty::Vector(step) };
                let (zero, end) = (emit.int(0), emit.int(width as i64));
                emit.for_each(zero, end, step, |emit, i| {
                    let source = emit.at(i, stride, from);
                    let value = match dtype {
                        DType::BF16 => emit.load_bf16(weights, source, ty),
                        _ => emit.load(weights, source, ty),
                    };
                    let place = emit.add(to, i);
                    emit.store(value, out, place);
                });
            });
        }),
    }
}
