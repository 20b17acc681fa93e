//! Row-wise operations by themselves, one or many: an item is one row of all their results, so that what lies between
//! them never leaves the core that computes it.

use mom_dialect::{graph::Fused, shape::Extent};

use super::{
    arguments, buffers, names,
    row_wise::{Given, RowWise},
    symbol,
};
use crate::{
    emit::V,
    kernel::{Kernel, Place, each_item, extent_symbol, room},
    target::Target,
};

/// The kernel of a row-wise body.
///
/// # Errors
/// What in the body is not row-wise, or results over rows that differ.
pub(crate) fn rows<'a>(target: &Target, fused: &Fused) -> Result<Kernel<'a>, String> {
    let Fused { body, results } = fused;
    let Some(&first) = results.first() else { return Err("a fused operation needs a result".into()) };
    let extent = body.ty(first).rows();
    if let Some(other) = results.iter().find(|&&result| body.ty(result).rows() != extent) {
        return Err(format!(
            "results over different rows: {} and {}",
            body.ty(first).describe(),
            body.ty(*other).describe()
        ));
    }
    let row_wise = RowWise::new(target, body, results, &[], None)?;
    // What is made of weights alone is one row.
    let extent = extent.unwrap_or(Extent::ZERO.plus(1));
    let arguments = arguments(body);
    let elements: Vec<usize> = results.iter().map(|&result| body.ty(result).row_elements()).collect();
    Ok(Kernel {
        symbol: symbol(&format!("{}_{}", names(body), extent_symbol(extent)), &(&row_wise, &arguments, &elements)),
        schedule: String::new(),
        rows: extent,
        chunk: 1,
        times: 1,
        item_ns: row_wise.cost_ns(),
        token_ns: 0,
        body: Box::new(move |emit| {
            let given = buffers(emit, &arguments, row_wise.reads());
            let outs: Vec<V> = (0..elements.len()).map(|number| emit.buffer(arguments.len() + number)).collect();
            let scratch = room(emit, row_wise.scratch());
            let prepared = row_wise.prepare(emit, scratch);
            each_item(emit, |emit, row| {
                let places: Vec<Place> =
                    outs.iter().zip(&elements).map(|(&out, &elements)| Place::row(emit, out, row, elements)).collect();
                row_wise.emit(emit, &prepared, &|value| Given::Buffer(given[&value]), (row, None), &places);
            });
        }),
    })
}
