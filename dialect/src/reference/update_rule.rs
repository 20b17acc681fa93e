//! An update rule, token by token, for one head.

use super::Tensor;
use crate::{
    graph::{Function, Op, OpKind, UpdateRule, ValueId},
    ops::{self, Contraction, Layout, apply_elementwise, evaluate_axis_op},
    shape::Axis,
};

/// An update rule whose index arithmetic is done, ready to be applied token after token.
pub(crate) struct Recurrence<'a> {
    rule: &'a UpdateRule,
    arguments: Vec<ValueId>,
    operations: Vec<Operation<'a>>,
}

enum Operation<'a> {
    Constant(f64),
    /// For every operand, the offset of the element that each element of the result is made from.
    Elementwise(Function, Vec<Vec<usize>>),
    Contract(Contraction),
    /// The layouts of the operands.
    Axis(&'a OpKind, Vec<Layout>),
}

impl<'a> Recurrence<'a> {
    /// # Errors
    /// Names the operation that an update rule cannot hold.
    pub(crate) fn new(rule: &'a UpdateRule) -> Result<Self, String> {
        let layout = |value: ValueId| Layout::of_type(rule.body.ty(value));
        let prepare = |op: &'a Op| match (&op.kind, &op.operands[..]) {
            (OpKind::Constant { value }, []) => Ok(Operation::Constant(*value)),
            (OpKind::Elementwise(function), operands) => {
                let result = layout(op.results[0]);
                let offsets = operands.iter().map(|&operand| layout(operand).offsets(&result));
                Ok(Operation::Elementwise(*function, offsets.collect()))
            }
            (OpKind::Contract, &[a, b]) => Ok(Operation::Contract(Contraction::new(&layout(a), &layout(b)))),
            (kind, operands) if ops::only_in_update_rules(kind) => {
                Ok(Operation::Axis(kind, operands.iter().map(|&operand| layout(operand)).collect()))
            }
            (other, _) => Err(format!("the update rule `{}` cannot hold `{}`", rule.name, ops::name(other))),
        };
        let operations = rule.body.ops.iter().map(prepare).collect::<Result<_, _>>()?;
        Ok(Self { rule, arguments: rule.body.arguments(), operations })
    }

    /// Applies the rule to one token of a head: reads `inputs` and parameters, replaces `states`, and answers the
    /// outputs.
    pub(crate) fn token<'v>(
        &self,
        inputs: impl IntoIterator<Item = &'v [f64]>,
        states: &mut [Vec<f64>],
        head: usize,
    ) -> Vec<Vec<f64>> {
        let mut values: Vec<Vec<f64>> = vec![Vec::new(); self.rule.body.value_count()];
        let given = inputs.into_iter().map(<[f64]>::to_vec).chain(states.iter().cloned());
        for (argument, value) in self.arguments.iter().zip(given) {
            values[argument.index()] = value;
        }
        for (op, operation) in self.rule.body.ops.iter().zip(&self.operations) {
            let operands: Vec<&[f64]> = op.operands.iter().map(|value| &values[value.index()][..]).collect();
            values[op.results[0].index()] = match operation {
                Operation::Constant(value) => vec![*value],
                Operation::Elementwise(function, offsets) => apply_elementwise(*function, &operands, offsets),
                Operation::Contract(contraction) => contraction.apply(operands[0], operands[1]),
                Operation::Axis(kind, layouts) => evaluate_axis_op(kind, layouts, &operands, head),
            };
        }
        for (state, next) in states.iter_mut().zip(&self.rule.next) {
            state.clone_from(&values[next.index()]);
        }
        self.rule.read.iter().map(|read| values[read.index()].clone()).collect()
    }
}

/// Applies an update rule to all tokens of one head and answers its outputs and the states at the end.
///
/// # Shapes
/// Inputs and outputs are `[T, …]`, parameters and states `[…]`, where `…` are the axes of the rule's ports. `given`
/// holds the inputs, then the parameters.
///
/// # Errors
/// An input, parameter or state of another shape.
pub fn evaluate_update_rule(
    rule: &UpdateRule,
    given: &[Tensor],
    states: &[Tensor],
    head: usize,
) -> Result<(Vec<Tensor>, Vec<Tensor>), String> {
    let tokens = given.first().and_then(|input| input.shape.first()).copied().unwrap_or(0);
    if given.len() != rule.inputs.len() + rule.parameters.len() || states.len() != rule.states.len() {
        return Err(format!(
            "`{}` takes {} inputs, {} parameters and {} states",
            rule.name,
            rule.inputs.len(),
            rule.parameters.len(),
            rule.states.len()
        ));
    }
    let sizes = |axes: &[Axis]| axes.iter().filter_map(Axis::size).collect::<Vec<usize>>();
    let per_token = |axes: &[Axis]| [&[tokens], &sizes(axes)[..]].concat();
    let expected = rule.inputs.iter().map(|port| (port, per_token(&port.ty.axes)));
    let fixed = rule.parameters.iter().chain(&rule.states).map(|port| (port, sizes(&port.ty.axes)));
    for ((port, expected), found) in expected.chain(fixed).zip(given.iter().chain(states)) {
        if found.shape != expected {
            return Err(format!("`{}` of `{}` is {:?}, not {expected:?}", port.name, rule.name, found.shape));
        }
    }
    let recurrence = Recurrence::new(rule)?;
    let (inputs, parameters) = given.split_at(rule.inputs.len());
    let mut outputs: Vec<Tensor> = rule.outputs.iter().map(|port| Tensor::zeros(per_token(&port.ty.axes))).collect();
    let mut current: Vec<Vec<f64>> = states.iter().map(|state| state.data.clone()).collect();
    for token in 0..tokens {
        let given = inputs.iter().map(|input| input.row(token)).chain(parameters.iter().map(|p| &p.data[..]));
        let read = recurrence.token(given, &mut current, head);
        for (output, values) in outputs.iter_mut().zip(read) {
            output.row_mut(token).copy_from_slice(&values);
        }
    }
    let last = states.iter().zip(current).map(|(state, data)| Tensor::new(state.shape.clone(), data)).collect();
    Ok((outputs, last))
}
