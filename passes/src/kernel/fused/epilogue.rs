//! What is made of a product's sums before they are stored: arithmetic element by element, on the sums of one weight or
//! of several with equal columns, and on values with the same rows and columns, with one element a row, one a column, or
//! one in all.

use std::collections::{BTreeMap, BTreeSet};

use mom_dialect::{
    graph::{Body, Function, Op, OpKind, ValueId},
    ops,
    shape::{Axis, Type},
};

use crate::{
    emit::{Compare, Emit, Ty, V},
    kernel::{
        Place,
        elementwise::apply,
        linear::{Panel, Tiling},
    },
};

/// How a value that is read goes along with rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Along {
    Both,
    Rows,
    Columns,
    Neither,
}

#[derive(Clone, Debug)]
enum Work {
    Sum(usize),
    Read(Along),
    Constant(f64),
    Apply(Function, Vec<ValueId>),
}

#[derive(Clone, Debug)]
pub(super) struct Epilogue {
    columns: usize,
    /// In an order in which each is made from those before it.
    work: Vec<(ValueId, Work)>,
    results: Vec<ValueId>,
}

impl Epilogue {
    /// What makes `results` from the results of the product `anchor`, whose weights have the axes `columns`.
    ///
    /// # Errors
    /// The operation or the value that does not go along with a product's rows and columns.
    pub(super) fn new(
        body: &Body,
        results: &[ValueId],
        anchor: &Op,
        columns: &[Vec<Axis>],
    ) -> Result<Epilogue, String> {
        let products: Vec<&Type> = anchor.results.iter().map(|&product| body.ty(product)).collect();
        for &result in results {
            if !products.contains(&body.ty(result)) {
                return Err(format!(
                    "{} comes out of a product that has other axes, {}",
                    body.ty(result).describe(),
                    products[0].describe()
                ));
            }
        }
        let mut needed: BTreeSet<ValueId> = results.iter().copied().collect();
        let mut made: BTreeSet<ValueId> = anchor.results.iter().copied().collect();
        let mut work = Vec::new();
        for op in body.ops.iter().rev() {
            let Some(&result) = op.results.iter().find(|result| needed.contains(result)) else { continue };
            match &op.kind {
                _ if std::ptr::eq(op, anchor) => continue,
                OpKind::Constant { value } => work.push((result, Work::Constant(*value))),
                OpKind::Elementwise(function) => {
                    needed.extend(&op.operands);
                    work.push((result, Work::Apply(*function, op.operands.clone())));
                }
                kind => {
                    let name = ops::name(kind).trim_start_matches("mom.");
                    return Err(format!("`{name}` is not computed on the sums of a product"));
                }
            }
            made.insert(result);
        }
        for &value in needed.iter().filter(|value| !made.contains(value)) {
            work.push((value, Work::Read(along(body.ty(value), &products, columns)?)));
        }
        for (number, product) in anchor.results.iter().enumerate().filter(|(_, product)| needed.contains(product)) {
            work.push((*product, Work::Sum(number)));
        }
        work.reverse();
        let columns = columns.first().map_or(1, |axes| axes.iter().filter_map(Axis::size).product());
        Ok(Epilogue { columns, work, results: results.to_vec() })
    }

    /// The body's arguments that are read.
    pub(super) fn reads(&self) -> impl Iterator<Item = ValueId> + '_ {
        self.work.iter().filter(|(_, work)| matches!(work, Work::Read(_))).map(|(value, _)| *value)
    }

    /// Makes the results of a panel's rows and columns. `given` are the arguments' buffers, `outs` those of the results.
    pub(super) fn emit(
        &self,
        emit: &mut Emit,
        tiling: &Tiling,
        panel: &Panel,
        given: &BTreeMap<ValueId, V>,
        outs: &[V],
    ) {
        let (width, lanes) = tiling.panel();
        emit.for_each(panel.begin, panel.end, 1, |emit, row| {
            let (number, zero, end) = (emit.sub(row, panel.begin), emit.int(0), emit.int(width as i64));
            let sums: Vec<Place> = panel.sums.iter().map(|sums| sums.entry(emit, number, width)).collect();
            let first = emit.at(row, self.columns, panel.column);
            // What goes along with the columns is read where the panel begins; the rest is one number for the row.
            let reads: BTreeMap<ValueId, Place> = (self.work.iter())
                .filter_map(|(value, work)| {
                    let first = match work {
                        Work::Read(Along::Both) => first,
                        Work::Read(Along::Columns) => panel.column,
                        Work::Read(Along::Rows) => row,
                        Work::Read(Along::Neither) => zero,
                        _ => return None,
                    };
                    Some((*value, Place { pointer: given[value], first }))
                })
                .collect();
            let outs: Vec<Place> = outs.iter().map(|&pointer| Place { pointer, first }).collect();
            let columns = |emit: &mut Emit, end: V, lanes: usize| {
                let ty = if lanes == 1 { Ty::F32 } else { Ty::Vector(lanes) };
                emit.for_each(zero, end, lanes, |emit, i| self.element(emit, i, ty, (&sums, &reads, &outs)));
            };
            let Some(exist) = panel.exist else { return columns(emit, end, lanes) };
            let full = emit.compare(Compare::GreaterEqual, exist, end);
            emit.when_else(full, |emit| columns(emit, end, lanes), |emit| columns(emit, exist, 1));
        });
    }

    /// As many elements as `ty` has, from column `i` of the panel.
    fn element(
        &self,
        emit: &mut Emit,
        i: V,
        ty: Ty,
        (sums, reads, outs): (&[Place], &BTreeMap<ValueId, Place>, &[Place]),
    ) {
        let mut values: BTreeMap<ValueId, V> = BTreeMap::new();
        for (value, work) in &self.work {
            let made = match work {
                Work::Sum(product) => sums[*product].offset(emit, i).load(emit, ty),
                Work::Read(Along::Both | Along::Columns) => reads[value].offset(emit, i).load(emit, ty),
                Work::Read(Along::Rows | Along::Neither) => {
                    let scalar = reads[value].load(emit, Ty::F32);
                    emit.splat(scalar, ty)
                }
                Work::Constant(value) => emit.float(*value, ty),
                Work::Apply(function, operands) => {
                    let operands: Vec<V> = operands.iter().map(|operand| values[operand]).collect();
                    apply(emit, *function, &operands)
                }
            };
            values.insert(*value, made);
        }
        for (result, out) in self.results.iter().zip(outs) {
            out.offset(emit, i).store(emit, values[result]);
        }
    }
}

/// How a value that is read goes along with the rows and columns of the products.
fn along(ty: &Type, products: &[&Type], columns: &[Vec<Axis>]) -> Result<Along, String> {
    for (product, columns) in products.iter().zip(columns) {
        let rows = &product.axes[..product.axes.len() - columns.len()];
        let along = match &ty.axes[..] {
            axes if axes == &product.axes[..] => Along::Both,
            [] => Along::Neither,
            axes if axes == rows => Along::Rows,
            axes if axes == &columns[..] => Along::Columns,
            _ => continue,
        };
        return Ok(along);
    }
    Err(format!("{} does not go along with the rows and columns of {}", ty.describe(), products[0].describe()))
}
