//! The float64 interpreter of the `mom` stage: the definition of what a program computes, in the form of a program.
//!
//! It walks over the operations in order, keeps every value and asks each operation's file in [`crate::ops`] for the
//! next one. It is plain and slow on purpose and shares nothing with the compiled path, which is held against it.
//! Integers (tokens, positions, indices) are float64 numbers without a fraction. The graph must be one that
//! [`crate::verify`] accepts.

mod inputs;
mod tensor;
mod update_rule;

use std::collections::BTreeMap;

pub use inputs::{Inputs, LogitRows};
pub use tensor::Tensor;
pub(crate) use update_rule::Recurrence;
pub use update_rule::evaluate_update_rule;

use crate::{
    graph::{Body, Graph, OpKind, Source},
    ops::{self, Operand},
    shape::{Axis, Extent, Type},
};

/// Tensors by the name of the parameter, state or output.
pub type Tensors = BTreeMap<String, Tensor>;

/// Runs a graph step by step. It holds no state itself: the caller keeps the states between steps.
#[derive(Clone, Copy, Debug)]
pub struct Interpreter<'a> {
    graph: &'a Graph,
    capacity: usize,
}

impl<'a> Interpreter<'a> {
    /// The graph must be one that [`crate::verify`] accepts.
    pub fn new(graph: &'a Graph) -> Self {
        Self { graph, capacity: 0 }
    }

    /// Sets the number `C` of tokens that a cache holds which starts empty. Programs without attention have none.
    #[must_use]
    pub fn with_capacity(self, capacity: usize) -> Self {
        Self { capacity, ..self }
    }

    /// Takes one step and answers the outputs by name.
    ///
    /// # Shapes
    /// Parameters have the axes of their types; states too, with `B` the number of sequences of the step and `C` any
    /// capacity. States that are missing start as zeros; afterwards `states` holds them as they are after the step.
    ///
    /// # Errors
    /// A missing parameter, a tensor of a wrong shape, a token outside the vocabulary, a cache that is too small, or
    /// inputs that contradict each other. `states` is then as it was.
    pub fn step(&self, inputs: &Inputs, params: &Tensors, states: &mut Tensors) -> Result<Tensors, String> {
        inputs.check()?;
        let mut step = Step {
            graph: self.graph,
            inputs,
            params,
            states,
            capacity: self.capacity,
            next: Tensors::new(),
            outputs: Tensors::new(),
        };
        let body = &self.graph.body;
        evaluate_body(body, vec![Tensor::default(); body.value_count()], &mut step)?;
        let Step { next, outputs, .. } = step;
        states.extend(next);
        Ok(outputs)
    }
}

/// The values of a body, operation after operation. `values` has room for all of them and holds the arguments.
pub(crate) fn evaluate_body(body: &Body, mut values: Vec<Tensor>, step: &mut Step<'_>) -> Result<Vec<Tensor>, String> {
    for op in &body.ops {
        let operands: Vec<Operand<'_>> =
            op.operands.iter().map(|&value| Operand { ty: body.ty(value), value: &values[value.index()] }).collect();
        let results: Vec<&Type> = op.results.iter().map(|&value| body.ty(value)).collect();
        let computed = ops::evaluate(&op.kind, &operands, &results, step)?;
        for (value, tensor) in op.results.iter().zip(computed) {
            values[value.index()] = tensor;
        }
    }
    Ok(values)
}

/// The results of one operation alone, which must compute something from its operands: it is no input, parameter, state
/// or output, and stands in no update rule. `graph` has the update rules that it may name.
///
/// # Shapes
/// Tensors have the axes of their types, with rows as many as the step has that they are thought to belong to.
///
/// # Errors
/// Operands or results that do not fit the operation, and what [`Interpreter::step`] says of a single operation.
pub fn evaluate_op(
    kind: &OpKind,
    operands: &[(&Type, &Tensor)],
    results: &[Type],
    graph: &Graph,
) -> Result<Vec<Tensor>, String> {
    let name = ops::name(kind).trim_start_matches("mom.");
    if ops::at_the_edge(kind) {
        return Err(format!("`{name}` means something in a step only"));
    }
    let types: Vec<&Type> = operands.iter().map(|(ty, _)| *ty).collect();
    if graph.result_types(kind, &types)? != results {
        return Err(format!("`{name}` makes other results than those asked for"));
    }
    for (ty, value) in operands {
        let named = ty.axes.iter().zip(&value.shape).all(|(axis, &size)| axis.size().is_none_or(|own| own == size));
        let whole = value.data.len() == value.shape.iter().product::<usize>();
        if !named || !whole || ty.axes.len() != value.shape.len() {
            return Err(format!("`{name}` takes {}, found {:?}", ty.describe(), value.shape));
        }
    }
    let operands: Vec<Operand<'_>> = operands.iter().map(|&(ty, value)| Operand { ty, value }).collect();
    let mut step = Step {
        graph,
        inputs: &Inputs::default(),
        params: &Tensors::new(),
        states: &Tensors::new(),
        capacity: 0,
        next: Tensors::new(),
        outputs: Tensors::new(),
    };
    ops::evaluate(kind, &operands, &results.iter().collect::<Vec<_>>(), &mut step)
}

/// What the edges of a program touch while a step runs.
pub(crate) struct Step<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) inputs: &'a Inputs,
    pub(crate) params: &'a Tensors,
    pub(crate) states: &'a Tensors,
    /// Tokens that a cache holds which starts in this step.
    capacity: usize,
    /// The states after the step.
    pub(crate) next: Tensors,
    pub(crate) outputs: Tensors,
}

impl Step<'_> {
    /// The shape of a state that starts in this step.
    pub(crate) fn shape(&self, ty: &Type) -> Vec<usize> {
        ty.axes.iter().map(|axis| self.size(axis)).collect()
    }

    fn size(&self, axis: &Axis) -> usize {
        match axis {
            Axis::Named { size, .. } => *size,
            Axis::Rows(Extent { tokens, sequences, rows, context, constant }) => {
                tokens * self.inputs.tokens.len()
                    + sequences * self.inputs.sequences()
                    + rows * self.inputs.rows.len()
                    + context * self.capacity
                    + constant
            }
        }
    }
}

/// The parameters of a graph, cut out of a checkpoint whose tensors `load` reads.
///
/// # Errors
/// The parameter whose tensor is missing or too small.
pub fn parameters(graph: &Graph, load: &dyn Fn(&Source) -> Option<Vec<f64>>) -> Result<Tensors, String> {
    let mut params = Tensors::new();
    for op in &graph.body.ops {
        let OpKind::Param { name, ty, source } = &op.kind else { continue };
        let whole = load(source).ok_or_else(|| format!("the checkpoint has no `{}`", source.tensor))?;
        let start = source.first_row * source.shape.iter().skip(1).product::<usize>();
        let data = whole.get(start..start + ty.row_elements()).ok_or_else(|| {
            format!("`{}` has {} elements, too few for `{name}` {}", source.tensor, whole.len(), ty.describe())
        })?;
        params.insert(name.clone(), Tensor::new(ty.axes.iter().filter_map(Axis::size).collect::<Vec<_>>(), data));
    }
    Ok(params)
}

#[cfg(test)]
pub(crate) mod test_graphs;
#[cfg(test)]
mod tests;
