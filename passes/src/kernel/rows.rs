//! Kernels that move whole rows: embedding, selection of rows, dispatch into memory order, and the weighted combine
//! back into token order.

use mom_dialect::shape::{DType, Extent};

use super::{Kernel, SEQUENCES, each_item, extent_symbol, move_ns};
use crate::{
    emit::{Compare, Emit, Ty, V},
    target::Target,
};

/// Where the rows of an embedding table lie.
#[derive(Clone, Copy)]
pub(crate) enum Table {
    RowMajor,
    /// Panels of so many rows, shared with the product that computes logits.
    Panels(usize),
}

/// `out[i] = in[index(i)]`, element by element from `from`.
fn copy_row(emit: &mut Emit, target: &Target, elements: usize, from: (V, V), to: (V, V)) {
    let lanes = target.lanes_dividing(elements);
    let (zero, end) = (emit.int(0), emit.int(elements as i64));
    emit.for_each(zero, end, lanes, |emit, i| {
        let source = emit.add(from.1, i);
        let value = emit.load(from.0, source, Ty::Vector(lanes));
        let place = emit.add(to.1, i);
        emit.store(value, to.0, place);
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

/// Buffers: x, rows, out.
pub(crate) fn select_rows<'a>(target: &'a Target, elements: usize) -> Kernel<'a> {
    Kernel {
        symbol: format!("momc_select_rows_{elements}"),
        schedule: String::new(),
        rows: Extent::ROWS,
        chunk: 1,
        times: 1,
        item_ns: move_ns(elements * 8),
        token_ns: 0,
        body: Box::new(move |emit| {
            let (x, rows, out) = (emit.buffer(0), emit.buffer(1), emit.buffer(2));
            each_item(emit, |emit, row| {
                let source = emit.load_index(rows, row);
                let (from, to) = (emit.mul_const(source, elements), emit.mul_const(row, elements));
                copy_row(emit, target, elements, (x, from), (out, to));
            });
        }),
    }
}

/// Buffers: x, permutation, segments, out. Rows beyond the last segment are left alone; nobody reads them.
pub(crate) fn dispatch<'a>(target: &'a Target, elements: usize, rows: Extent, segments: Extent) -> Kernel<'a> {
    let memories = segments.sequences;
    Kernel {
        symbol: format!("momc_dispatch_{elements}_{}_{memories}", extent_symbol(rows)),
        schedule: String::new(),
        rows,
        chunk: 1,
        times: 1,
        item_ns: move_ns(elements * 8),
        token_ns: 0,
        body: Box::new(move |emit| {
            let (x, permutation, segments, out) = (emit.buffer(0), emit.buffer(1), emit.buffer(2), emit.buffer(3));
            let sequences = emit.size(SEQUENCES);
            let last = emit.mul_const(sequences, memories);
            let total = emit.load_index(segments, last);
            let (begin, end) = (emit.begin, emit.end);
            let end = emit.min(end, total);
            emit.for_each(begin, end, 1, |emit, row| {
                let token = emit.load_index(permutation, row);
                let (from, to) = (emit.mul_const(token, elements), emit.mul_const(row, elements));
                copy_row(emit, target, elements, (x, from), (out, to));
            });
        }),
    }
}

/// Buffers: x in memory order, slot, weight, out. A token without a slot is padding and becomes zero.
pub(crate) fn combine<'a>(target: &'a Target, elements: usize, choices: usize) -> Kernel<'a> {
    Kernel {
        symbol: format!("momc_combine_{elements}_{choices}"),
        schedule: String::new(),
        rows: Extent::TOKENS,
        chunk: 1,
        times: 1,
        item_ns: move_ns(elements * 4 * (choices + 1)),
        token_ns: 0,
        body: Box::new(move |emit| {
            let (x, slot, weight, out) = (emit.buffer(0), emit.buffer(1), emit.buffer(2), emit.buffer(3));
            let ty = Ty::Vector(target.lanes_dividing(elements));
            each_item(emit, |emit, token| {
                let to = emit.mul_const(token, elements);
                let first = emit.mul_const(token, choices);
                // A token has all its slots or none.
                let any = emit.load_index(slot, first);
                let zero = emit.int(0);
                let real = emit.compare(Compare::GreaterEqual, any, zero);
                let end = emit.int(elements as i64);
                let step = target.lanes_dividing(elements);
                emit.for_each(zero, end, step, |emit, i| {
                    let place = emit.add(to, i);
                    let nothing = emit.float(0.0, ty);
                    emit.when_else(
                        real,
                        |emit| {
                            let (zero, count) = (emit.int(0), emit.int(choices as i64));
                            let sum = emit.fold(zero, count, 1, &[nothing], |emit, choice, sum| {
                                let index = emit.add(first, choice);
                                let row = emit.load_index(slot, index);
                                let source = emit.at(row, elements, i);
                                let value = emit.load(x, source, ty);
                                let scalar = emit.load(weight, index, Ty::F32);
                                let factor = emit.splat(scalar, ty);
                                vec![emit.fma(factor, value, sum[0])]
                            })[0];
                            emit.store(sum, out, place);
                        },
                        |emit| emit.store(nothing, out, place),
                    );
                });
            });
        }),
    }
}
