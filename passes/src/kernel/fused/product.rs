//! Products with what comes before and after them in one launch.
//!
//! Before: a row-wise body makes the rows of x, a chunk of them at a time, in scratch that the panels of the chunk then
//! read; if it only picks rows, they are read where they lie. After: see [`Epilogue`].

use std::collections::BTreeMap;

use mom_dialect::{
    graph::{Body, Fused, Op, OpKind, ValueId},
    shape::{Axis, Type},
};
use mom_runtime::plan::Layout;

use super::{
    arguments, buffers,
    epilogue::Epilogue,
    names,
    row_wise::{Given, RowWise},
    symbol,
};
use crate::{
    emit::{Emit, V},
    kernel::{
        Kernel, Place,
        linear::{Buffers, Finish, Panel, Product, Rows, Tiling, panel_width},
        room,
    },
    target::Target,
};

/// How a weight lies: as a matrix of so many columns, in a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packing {
    pub(crate) columns: usize,
    pub(crate) layout: Layout,
}

impl Packing {
    /// Entry after entry of the first axis.
    pub(crate) fn row_major(ty: &Type) -> Packing {
        Packing { columns: ty.axes.iter().skip(1).filter_map(Axis::size).product(), layout: Layout::RowMajor }
    }
}

/// How the weights among an operation's operands must lie, by the number of the operand. A table of embeddings is read
/// however its rows lie, and is not among them.
pub(crate) fn packings(target: &Target, body: &Body, op: &Op) -> Result<Vec<(usize, Packing)>, String> {
    let operands = op.operands.iter().map(|&operand| Packing::row_major(body.ty(operand))).enumerate();
    match &op.kind {
        OpKind::Linear | OpKind::GroupedLinear => {
            let Parts { product, weights, .. } = Parts::new(body, op)?;
            let first = op.operands.len() - weights.len();
            let panels = |weight: usize| {
                let width = panel_width(target, product.columns[weight / product.memories.unwrap_or(1)]);
                Packing { columns: product.depth, layout: Layout::Panels { width } }
            };
            Ok(operands.map(|(number, own)| (number, number.checked_sub(first).map_or(own, panels))).collect())
        }
        OpKind::ShortConv => {
            let taps = body.ty(op.operands[1]).axes.last().and_then(Axis::size).unwrap_or(1);
            Ok(vec![(1, Packing { columns: taps, layout: Layout::Transposed })])
        }
        OpKind::Embedding => Ok(Vec::new()),
        OpKind::Fused(fused) => {
            let arguments = arguments(&fused.body);
            let mut packings = BTreeMap::new();
            for op in &fused.body.ops {
                for (operand, packing) in self::packings(target, &fused.body, op)? {
                    let Some(&argument) = arguments.get(&op.operands[operand]) else { continue };
                    if packings.insert(argument, packing).is_some_and(|other| other != packing) {
                        return Err("one weight is used in two ways that need it laid out differently".into());
                    }
                }
            }
            Ok(packings.into_iter().collect())
        }
        _ => Ok(operands.collect()),
    }
}

/// What a product is made of.
pub(super) struct Parts<'b> {
    product: Product,
    pub(super) x: ValueId,
    segments: Option<ValueId>,
    weights: &'b [ValueId],
    /// Axes of a row of x that the products keep, each entry a row to them.
    kept: usize,
    /// The axes of each weight's columns.
    pub(super) columns: Vec<Vec<Axis>>,
}

impl<'b> Parts<'b> {
    fn new(body: &Body, op: &'b Op) -> Result<Parts<'b>, String> {
        let (x, segments, weights) = match (&op.kind, &op.operands[..]) {
            (OpKind::Linear, [x, weights @ ..]) => (*x, None, weights),
            (OpKind::GroupedLinear, [x, segments, weights @ ..]) => (*x, Some(*segments), weights),
            _ => return Err("this is no product".into()),
        };
        let memories = weights.len() / op.results.len().max(1);
        if memories == 0 || memories * op.results.len() != weights.len() {
            return Err("a product needs a weight for each result".into());
        }
        let x_type = body.ty(x);
        let rows = x_type.rows().ok_or("a product's left operand has no rows")?;
        let firsts: Vec<&Type> = weights.iter().step_by(memories).map(|&weight| body.ty(weight)).collect();
        let [first, ..] = firsts[..] else { return Err("a product needs a weight".into()) };
        let depth: usize = first.axes.iter().filter(|axis| x_type.has(axis)).filter_map(Axis::size).product();
        let kept = x_type.row_elements() / depth.max(1);
        if segments.is_some() && kept != 1 {
            return Err("a matrix for each memory must map all axes of a row in native code".into());
        }
        if firsts.iter().any(|weight| weight.dtype != first.dtype) {
            return Err("weights of one product have different element types".into());
        }
        let columns: Vec<Vec<Axis>> = firsts
            .iter()
            .map(|weight| weight.axes.iter().filter(|axis| !x_type.has(axis)).cloned().collect())
            .collect();
        let product = Product {
            rows: rows.times(kept),
            depth,
            columns: firsts.iter().map(|weight| weight.row_elements() / depth.max(1)).collect(),
            dtype: first.dtype,
            memories: segments.map(|_| memories),
        };
        Ok(Parts { product, x, segments, weights, kept, columns })
    }
}

/// The kernel of a body whose anchor is the product `anchor`.
///
/// # Errors
/// What of the body no kernel does.
pub(super) fn product<'a>(target: &Target, fused: &Fused, anchor: &Op) -> Result<Kernel<'a>, String> {
    let Fused { body, results } = fused;
    let Parts { product, x, segments, weights, kept, columns } = Parts::new(body, anchor)?;
    let arguments = arguments(body);
    let argument = |value: &ValueId| {
        arguments.get(value).copied().ok_or("weights and segments of a product must not be computed on the spot")
    };
    let row_wise = RowWise::new(target, body, &[x], &[], None)?;
    if row_wise.address().is_none() && kept > 1 {
        return Err("rows that are made on the spot must be mapped whole".into());
    }
    let result = |value: ValueId| results.iter().position(|&result| result == value).map(|at| arguments.len() + at);
    let own: Option<Vec<usize>> = anchor.results.iter().map(|&value| result(value)).collect();
    let plain = own.filter(|own| own.len() == results.len());
    let epilogue = match plain {
        Some(_) => None,
        None if product.columns.iter().any(|&columns| columns != product.columns[0]) => {
            return Err("what is computed from several products needs them to have equal columns".into());
        }
        None => Some(Epilogue::new(body, results, anchor, &columns)?),
    };
    let buffers_of = Buffers {
        segments: segments.as_ref().map(argument).transpose()?,
        weights: weights.iter().map(argument).collect::<Result<_, _>>()?,
        results: plain.unwrap_or_default(),
    };

    let (depth, results) = (product.depth, results.len());
    let prefix = format!("{}_{product}", names(body));
    let tiling = Tiling::new(target, product, epilogue.is_some());
    let symbol = symbol(&prefix, &(&tiling, &row_wise, &epilogue, &buffers_of, &arguments, kept));
    let made = row_wise.address().is_none();
    let row_ns = if made { row_wise.cost_ns() } else { 0 };
    Ok(tiling.clone().kernel(symbol, row_ns, move |emit| {
        let read = row_wise.reads().chain(epilogue.iter().flat_map(Epilogue::reads));
        let given = buffers(emit, &arguments, read);
        let outs: Vec<V> = (0..results).map(|number| emit.buffer(arguments.len() + number)).collect();
        let given_row = |value: ValueId| Given::Buffer(given[&value]);

        let sizes = [
            if made { tiling.made_elements() } else { 0 },
            row_wise.scratch(),
            if epilogue.is_some() { tiling.sums_elements() } else { 0 },
        ];
        let [rows, scratch, sums] = parts_of_room(emit, sizes, made);
        let prepared = row_wise.prepare(emit, scratch);
        let make = |emit: &mut Emit, row: V, place: Place| {
            row_wise.emit(emit, &prepared, &given_row, (row, None), &[place]);
        };
        let locate = |emit: &mut Emit, row: V| {
            let Some(address) = row_wise.address() else { return Place { pointer: rows, first: row } };
            if kept == 1 {
                return address.locate(emit, &given_row, row, None);
            }
            let (whole, part) = (emit.div_const(row, kept), emit.rem_const(row, kept));
            address.locate(emit, &given_row, whole, None).entry(emit, part, depth)
        };
        let rows = match made {
            true => Rows::Made { scratch: rows, mark: emit.thread_mark(), make: &make },
            false => Rows::Lie(&locate),
        };
        match &epilogue {
            None => tiling.emit(emit, &buffers_of, &rows, None),
            Some(epilogue) => {
                let finish = |emit: &mut Emit, panel: &Panel| epilogue.emit(emit, &tiling, panel, &given, &outs);
                tiling.emit(emit, &buffers_of, &rows, Some(&Finish { scratch: sums, finish: &finish }));
            }
        }
    }))
}

/// Room of several sizes, one after the other, each at a cache line; what is to stay from one task of a thread to its next
/// is not on the stack.
fn parts_of_room<const N: usize>(emit: &mut Emit, sizes: [usize; N], stays: bool) -> [V; N] {
    let sizes = sizes.map(|size| size.next_multiple_of(16));
    let elements = sizes.iter().sum();
    let all = if stays { emit.thread_scratch(elements) } else { room(emit, elements) };
    let mut before = 0;
    sizes.map(|size| {
        let first = emit.int(before as i64);
        before += size;
        emit.address(all, first)
    })
}
