//! Element by element: a whole expression over one row, broadcasting operands over the axes they lack.

use mom_dialect::{graph::Function, shape::Axis};

use super::{Place, move_ns};
use crate::{
    emit::{Emit, Ty, V},
    target::Target,
};

/// An expression over some operands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Operand(usize),
    Constant(f64),
    Apply(Function, Vec<Expression>),
}

impl Expression {
    fn functions(&self) -> usize {
        match self {
            Expression::Apply(_, arguments) => 1 + arguments.iter().map(Expression::functions).sum::<usize>(),
            _ => 0,
        }
    }

    fn emit(&self, emit: &mut Emit, operands: &[V], ty: Ty) -> V {
        match self {
            Expression::Operand(index) => operands[*index],
            Expression::Constant(value) => emit.float(*value, ty),
            Expression::Apply(function, arguments) => {
                let arguments: Vec<V> = arguments.iter().map(|argument| argument.emit(emit, operands, ty)).collect();
                apply(emit, *function, &arguments)
            }
        }
    }
}

/// One function of values of equal type.
pub(crate) fn apply(emit: &mut Emit, function: Function, arguments: &[V]) -> V {
    let x = arguments[0];
    match function {
        Function::Add => emit.fadd(x, arguments[1]),
        Function::Sub => emit.fsub(x, arguments[1]),
        Function::Mul => emit.fmul(x, arguments[1]),
        Function::Div => emit.fdiv(x, arguments[1]),
        Function::Neg => emit.fneg(x),
        Function::Exp => emit.exp(x),
        Function::Sigmoid => emit.sigmoid(x),
        Function::Silu => emit.silu(x),
        Function::Softplus => emit.softplus(x),
        Function::Sqrt => emit.sqrt(x),
        Function::Log => emit.log(x),
        Function::Max => emit.fmax(x, arguments[1]),
        Function::Min => {
            let first = emit.greater(arguments[1], x);
            emit.select(first, x, arguments[1])
        }
        Function::Less => {
            let (one, zero) = (emit.float(1.0, x.ty), emit.float(0.0, x.ty));
            let less = emit.greater(arguments[1], x);
            emit.select(less, one, zero)
        }
    }
}

/// Axes that lie side by side in the result and in every operand that has one of them.
#[derive(Clone, Debug)]
struct Run {
    size: usize,
    /// Whether each operand has these axes.
    present: Vec<bool>,
}

/// An expression over one row: the result's axes beside its rows, and which operand has which of them.
#[derive(Clone, Debug)]
pub(crate) struct RowExpression {
    expression: Expression,
    runs: Vec<Run>,
}

impl RowExpression {
    /// The axes are those of a row, without the rows themselves; an operand's come in the order of the result's.
    pub(crate) fn new(expression: Expression, operands: &[&[Axis]], result: &[Axis]) -> RowExpression {
        let mut runs: Vec<Run> = Vec::new();
        for axis in result {
            let present: Vec<bool> = operands.iter().map(|operand| operand.contains(axis)).collect();
            let size = axis.size().unwrap_or(1);
            match runs.last_mut() {
                Some(run) if run.present == present => run.size *= size,
                _ => runs.push(Run { size, present }),
            }
        }
        RowExpression { expression, runs }
    }

    fn elements(&self) -> usize {
        self.runs.iter().map(|run| run.size).product()
    }

    /// Rough cost of one row with so many operands.
    pub(crate) fn cost_ns(&self, operands: usize) -> u64 {
        let elements = self.elements();
        move_ns(elements * 4 * (operands + 1)) + (elements * self.expression.functions() / 8) as u64
    }

    /// Evaluates one row; the operands' and the result's row begin at these places.
    pub(crate) fn emit(&self, emit: &mut Emit, target: &Target, operands: &[Place], out: Place) {
        self.nest(emit, target, 0, operands, out);
    }

    /// The loops over the runs of a row from number `depth` on; the innermost works on vectors.
    fn nest(&self, emit: &mut Emit, target: &Target, depth: usize, operands: &[Place], out: Place) {
        let Some(run) = self.runs.get(depth) else {
            // No axes beside the rows: one element.
            self.element(emit, operands, out, Ty::F32, &vec![None; operands.len()]);
            return;
        };
        if depth + 1 < self.runs.len() {
            emit.count(run.size, |emit, i| {
                // A stride is the size of those axes that lie further in.
                let inner = &self.runs[depth + 1..];
                let operands: Vec<Place> = (0..operands.len())
                    .map(|operand| {
                        let stride = inner.iter().filter(|run| run.present[operand]).map(|run| run.size).product();
                        if run.present[operand] { operands[operand].entry(emit, i, stride) } else { operands[operand] }
                    })
                    .collect();
                let out = out.entry(emit, i, inner.iter().map(|run| run.size).product());
                self.nest(emit, target, depth + 1, &operands, out);
            });
            return;
        }
        let lanes = target.lanes_dividing(run.size);
        let ty = if lanes == 1 { Ty::F32 } else { Ty::Vector(lanes) };
        // Operands without the axis are one number for all lanes.
        let fixed: Vec<Option<V>> = operands
            .iter()
            .zip(&run.present)
            .map(|(operand, present)| {
                (!present).then(|| {
                    let scalar = operand.load(emit, Ty::F32);
                    emit.splat(scalar, ty)
                })
            })
            .collect();
        let (zero, end) = (emit.int(0), emit.int(run.size as i64));
        emit.for_each(zero, end, lanes, |emit, i| {
            let operands: Vec<Place> = operands
                .iter()
                .zip(&run.present)
                .map(|(operand, &present)| if present { operand.offset(emit, i) } else { *operand })
                .collect();
            let out = out.offset(emit, i);
            self.element(emit, &operands, out, ty, &fixed);
        });
    }

    /// As many elements as `ty` has; operands that are `fixed` are not loaded.
    fn element(&self, emit: &mut Emit, operands: &[Place], out: Place, ty: Ty, fixed: &[Option<V>]) {
        let values: Vec<V> = operands
            .iter()
            .zip(fixed)
            .map(|(operand, fixed)| fixed.unwrap_or_else(|| operand.load(emit, ty)))
            .collect();
        let result = self.expression.emit(emit, &values, ty);
        out.store(emit, result);
    }
}
