//! Forms of an update rule: what a kernel over tiles does in one step.
//!
//! `recurrent` makes a step of one token from any update rule, `chunk` a step of many from a chain of affine scans. Ports are the same in all forms, so that forms can stand
//! for each other: the rule's inputs, parameters, states and outputs in their order, a tile each.

pub(crate) mod chunk;
pub(crate) mod recurrent;
#[cfg(test)]
mod tests;

use mom_dialect::{
    graph,
    shape::{Axis, Type},
};

use crate::tile::{Port, Shape};

/// How many heads a scan has, and each of its inputs and parameters in memory: a divisor of the scan's, whose heads
/// share them in runs of neighbours; 1 where all share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heads {
    pub(crate) heads: usize,
    pub(crate) inputs: Vec<usize>,
    pub(crate) parameters: Vec<usize>,
}

impl Heads {
    /// As many heads of everything.
    pub(crate) fn equal(heads: usize, rule: &graph::UpdateRule) -> Heads {
        Heads { heads, inputs: vec![heads; rule.inputs.len()], parameters: vec![heads; rule.parameters.len()] }
    }
}

/// The tile of a value: a number, a vector as one row, a matrix.
///
/// # Errors
/// A value of more axes.
pub(crate) fn shape(ty: &Type) -> Result<Shape, String> {
    match ty.axes.iter().filter_map(Axis::size).collect::<Vec<usize>>()[..] {
        [] => Ok(Shape::ONE),
        [columns] => Ok(Shape::new(1, columns)),
        [rows, columns] => Ok(Shape::new(rows, columns)),
        _ => Err(format!("a tile has at most two axes, not those of {}", ty.describe())),
    }
}

/// The ports of a scan for those of a rule; `heads` are those of each in memory.
///
/// # Errors
/// Names a port of more than two axes.
pub(crate) fn ports(ports: &[graph::Port], heads: impl IntoIterator<Item = usize>) -> Result<Vec<Port>, String> {
    let port = |(port, heads): (&graph::Port, usize)| {
        let shape = shape(&port.ty).map_err(|error| format!("`{}`: {error}", port.name))?;
        Ok(Port { name: port.name.clone(), shape, heads })
    };
    ports.iter().zip(heads).map(port).collect()
}
