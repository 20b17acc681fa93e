//! Element by element: one kernel for a whole expression, broadcasting operands over the axes they lack.

use mom_dialect::{
    graph::Function,
    shape::{Axis, Extent, Type},
};

use super::{Kernel, each_item, extent_symbol, move_ns};
use crate::{
    emit::{Emit, Ty, V},
    target::Target,
};

/// An expression over the kernel's operands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Operand(usize),
    Constant(f64),
    Apply(Function, Vec<Expression>),
}

impl Expression {
    fn symbol(&self) -> String {
        match self {
            Expression::Operand(index) => format!("x{index}"),
            Expression::Constant(value) => format!("c{:08x}", (*value as f32).to_bits()),
            Expression::Apply(function, arguments) => {
                let arguments: Vec<String> = arguments.iter().map(Expression::symbol).collect();
                format!("{}_{}", function.name(), arguments.join("_"))
            }
        }
    }

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
struct Run {
    size: usize,
    /// Whether each operand has these axes.
    present: Vec<bool>,
}

fn runs(result: &[Axis], operands: &[Type]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for axis in result {
        let present: Vec<bool> = operands.iter().map(|operand| operand.has(axis)).collect();
        let size = axis.size().unwrap_or(1);
        match runs.last_mut() {
            Some(run) if run.present == present => run.size *= size,
            _ => runs.push(Run { size, present }),
        }
    }
    runs
}

/// Buffers: the operands, out. A result without rows, made of weights alone, is one item.
pub(crate) fn elementwise<'a>(
    target: &'a Target,
    expression: Expression,
    operands: Vec<Type>,
    result: Type,
) -> Kernel<'a> {
    let rows = result.rows();
    let elements = result.row_elements();
    let runs = runs(&result.axes[usize::from(rows.is_some())..], &operands);
    let rows = rows.unwrap_or(Extent::ZERO.plus(1));
    let has_rows: Vec<bool> = operands.iter().map(|operand| operand.rows().is_some()).collect();
    let shape: Vec<String> = runs
        .iter()
        .map(|run| {
            let present: String = run.present.iter().map(|&present| if present { 'y' } else { 'n' }).collect();
            format!("{}{present}", run.size)
        })
        .collect();
    let present: String = has_rows.iter().map(|&present| if present { 'y' } else { 'n' }).collect();
    let bytes = elements * 4 * (operands.len() + 1);
    Kernel {
        symbol: format!("momc_{}_{}{present}_{}", expression.symbol(), extent_symbol(rows), shape.join("_")),
        schedule: String::new(),
        rows,
        chunk: 1,
        times: 1,
        item_ns: move_ns(bytes) + (elements * expression.functions() / 8) as u64,
        token_ns: 0,
        body: Box::new(move |emit| {
            let buffers: Vec<V> = (0..operands.len()).map(|index| emit.buffer(index)).collect();
            let out = emit.buffer(operands.len());
            each_item(emit, |emit, row| {
                let bases: Vec<V> = operands
                    .iter()
                    .zip(&has_rows)
                    .map(
                        |(operand, &rows)| if rows { emit.mul_const(row, operand.row_elements()) } else { emit.int(0) },
                    )
                    .collect();
                let base = emit.mul_const(row, elements);
                let nest = Nest { target, expression: &expression, runs: &runs, buffers: &buffers, out };
                nest.emit(emit, 0, &bases, base);
            });
        }),
    }
}

/// The loops over the runs of a row; the innermost works on vectors.
struct Nest<'a> {
    target: &'a Target,
    expression: &'a Expression,
    runs: &'a [Run],
    buffers: &'a [V],
    out: V,
}

impl Nest<'_> {
    fn emit(&self, emit: &mut Emit, depth: usize, bases: &[V], base: V) {
        let Some(run) = self.runs.get(depth) else {
            // No axes beside the rows: one element.
            self.element(emit, &vec![true; self.buffers.len()], bases, base, 1);
            return;
        };
        if depth + 1 == self.runs.len() {
            let step = self.target.lanes_dividing(run.size);
            let (zero, end) = (emit.int(0), emit.int(run.size as i64));
            emit.for_each(zero, end, step, |emit, i| {
                let bases = advance(emit, run, bases, i, |_| 1);
                let base = emit.add(base, i);
                self.element(emit, &run.present, &bases, base, step);
            });
            return;
        }
        emit.count(run.size, |emit, i| {
            // An operand's stride is the size of those of its axes that lie further in.
            let stride = |operand: usize| {
                self.runs[depth + 1..].iter().filter(|run| run.present[operand]).map(|run| run.size).product()
            };
            let bases = advance(emit, run, bases, i, stride);
            let inner: usize = self.runs[depth + 1..].iter().map(|run| run.size).product();
            let base = emit.at(i, inner, base);
            self.emit(emit, depth + 1, &bases, base);
        });
    }

    /// `lanes` elements; operands without the axis are one number for all lanes.
    fn element(&self, emit: &mut Emit, present: &[bool], bases: &[V], base: V, lanes: usize) {
        let ty = if lanes == 1 { Ty::F32 } else { Ty::Vector(lanes) };
        let values: Vec<V> = (0..bases.len())
            .map(|operand| {
                if present[operand] {
                    emit.load(self.buffers[operand], bases[operand], ty)
                } else {
                    let scalar = emit.load(self.buffers[operand], bases[operand], Ty::F32);
                    emit.splat(scalar, ty)
                }
            })
            .collect();
        let result = self.expression.emit(emit, &values, ty);
        emit.store(result, self.out, base);
    }
}

fn advance(emit: &mut Emit, run: &Run, bases: &[V], i: V, stride: impl Fn(usize) -> usize) -> Vec<V> {
    bases
        .iter()
        .enumerate()
        .map(|(operand, &base)| if run.present[operand] { emit.at(i, stride(operand), base) } else { base })
        .collect()
}
