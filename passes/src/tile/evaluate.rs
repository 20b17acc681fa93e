//! What tiles mean, computed plainly in float64: a step, a scan of one head over one segment, and its gradient.
//!
//! Every lowering and every form is held against this. Nothing here is made fast.

use mom_dialect::graph::Function;

use super::{
    Gradient, Graph, Op, Port, Scan, Shape,
    graph::{Along, Node},
};

/// The arguments of one step, each row-major.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arguments<'a> {
    pub(crate) inputs: &'a [Vec<f64>],
    pub(crate) parameters: &'a [Vec<f64>],
    pub(crate) states: &'a [Vec<f64>],
    /// [`Op::Real`]: 1 for each token that is there, else 0.
    pub(crate) real: &'a [f64],
    pub(crate) head: usize,
}

/// A segment of one head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment<'a> {
    /// Its length T.
    pub(crate) tokens: usize,
    /// `[T, elements]` of each input.
    pub(crate) inputs: &'a [Vec<f64>],
    pub(crate) parameters: &'a [Vec<f64>],
    /// Before the first token.
    pub(crate) states: &'a [Vec<f64>],
    /// `[T]`, false for padding; nothing where all tokens are there.
    pub(crate) real: Option<&'a [bool]>,
    pub(crate) head: usize,
}

/// What a scan makes of a segment, or the cotangents of that.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Results {
    /// `[T, elements]` of each output, zeros for padding.
    pub(crate) outputs: Vec<Vec<f64>>,
    /// After the last token.
    pub(crate) states: Vec<Vec<f64>>,
}

/// Cotangents of what a segment gives to a scan.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cotangents {
    /// `[T, elements]` of each input, zeros for padding.
    pub(crate) inputs: Vec<Vec<f64>>,
    pub(crate) parameters: Vec<Vec<f64>>,
    /// Of the states before the first token.
    pub(crate) states: Vec<Vec<f64>>,
}

impl Scan {
    pub(crate) fn evaluate(&self, segment: &Segment<'_>) -> Results {
        let mut outputs = zeros(&self.outputs, segment.tokens);
        let mut states = segment.states.to_vec();
        for step in self.steps(segment) {
            let mut results = self.step(segment, &step, &states);
            states = results.split_off(self.outputs.len());
            for (output, tile) in outputs.iter_mut().zip(&results) {
                step.store(tile, output);
            }
        }
        Results { outputs, states }
    }

    /// The outputs of a step's tokens, then the states after it.
    fn step(&self, segment: &Segment<'_>, step: &Step, states: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let inputs: Vec<Vec<f64>> =
            self.inputs.iter().zip(segment.inputs).map(|(port, rows)| step.load(port, rows)).collect();
        let (parameters, real, head) = (segment.parameters, &step.real[..], segment.head);
        evaluate(&self.step, &Arguments { inputs: &inputs, parameters, states, real, head })
    }

    /// The steps over a segment of which any token is there.
    fn steps(&self, segment: &Segment<'_>) -> Vec<Step> {
        let chunk = self.schedule.chunk;
        let is_real = |token: usize| token < segment.tokens && segment.real.is_none_or(|real| real[token]);
        let one = |first: usize| {
            let real = (first..first + chunk).map(|token| if is_real(token) { 1.0 } else { 0.0 }).collect();
            Step { first, real }
        };
        let steps = (0..segment.tokens).step_by(chunk).map(one);
        steps.filter(|step| step.tokens().next().is_some()).collect()
    }
}

impl Gradient {
    /// Walks forward and saves states, then back, group after group, as the doc of [`Gradient`] says.
    pub(crate) fn evaluate(&self, segment: &Segment<'_>, cotangents: &Results) -> Cotangents {
        let scan = &self.scan;
        let steps = scan.steps(segment);
        let groups: Vec<&[Step]> = steps.chunks(scan.schedule.save).collect();
        let mut saved = Vec::new();
        let mut states = segment.states.to_vec();
        for &group in &groups {
            saved.push(states.clone());
            for step in group {
                states = scan.step(segment, step, &states).split_off(scan.outputs.len());
            }
        }
        let mut result = Cotangents {
            inputs: zeros(&scan.inputs, segment.tokens),
            parameters: zeros(&scan.parameters, 1),
            states: cotangents.states.clone(),
        };
        for (&group, first) in groups.iter().zip(saved).rev() {
            let mut before = vec![first];
            for step in &group[..group.len() - 1] {
                let states = scan.step(segment, step, &before[before.len() - 1]).split_off(scan.outputs.len());
                before.push(states);
            }
            for (step, before) in group.iter().zip(before).rev() {
                self.step_back(segment, step, before, cotangents, &mut result);
            }
        }
        result
    }

    /// Adds what a step contributes to `result`, whose states are the cotangents of those after the step and become
    /// the cotangents of those before it.
    fn step_back(
        &self,
        segment: &Segment<'_>,
        step: &Step,
        before: Vec<Vec<f64>>,
        cotangents: &Results,
        result: &mut Cotangents,
    ) {
        let scan = &self.scan;
        let given = scan.inputs.iter().zip(segment.inputs).map(|(port, rows)| step.load(port, rows));
        let cotangents = scan.outputs.iter().zip(&cotangents.outputs);
        let cotangents = cotangents.map(|(port, rows)| step.load_present(port, rows));
        let inputs: Vec<Vec<f64>> = given.chain(cotangents).collect();
        let states: Vec<Vec<f64>> = before.into_iter().chain(result.states.drain(..)).collect();
        let (parameters, real, head) = (segment.parameters, &step.real[..], segment.head);
        let mut made = evaluate(&self.back, &Arguments { inputs: &inputs, parameters, states: &states, real, head });
        result.states = made.split_off(scan.inputs.len() + scan.parameters.len());
        for (total, part) in result.parameters.iter_mut().zip(&made[scan.inputs.len()..]) {
            total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
        }
        for (cotangent, tile) in result.inputs.iter_mut().zip(&made) {
            step.store(tile, cotangent);
        }
    }
}

/// The tokens of one step.
struct Step {
    first: usize,
    /// [`Op::Real`]
    real: Vec<f64>,
}

impl Step {
    /// The rows of this step's tokens, that of the last one there for those that are not there.
    fn load(&self, port: &Port, rows: &[f64]) -> Vec<f64> {
        let width = port.shape.elements();
        let mut tile = self.load_present(port, rows);
        if let Some((last, _)) = self.tokens().last() {
            let last = tile[last * width..][..width].to_vec();
            let absent = tile.chunks_mut(width).zip(&self.real).filter(|(_, real)| **real == 0.0);
            absent.for_each(|(row, _)| row.copy_from_slice(&last));
        }
        tile
    }

    /// The rows of this step's tokens, zeros for those that are not there.
    fn load_present(&self, port: &Port, rows: &[f64]) -> Vec<f64> {
        let width = port.shape.elements();
        let mut tile = vec![0.0; self.real.len() * width];
        for (row, _) in self.tokens() {
            tile[row * width..][..width].copy_from_slice(&rows[(self.first + row) * width..][..width]);
        }
        tile
    }

    /// Puts the rows of the tokens that are there where they belong.
    fn store(&self, tile: &[f64], rows: &mut [f64]) {
        let width = tile.len() / self.real.len();
        for (row, _) in self.tokens() {
            rows[(self.first + row) * width..][..width].copy_from_slice(&tile[row * width..][..width]);
        }
    }

    fn tokens(&self) -> impl Iterator<Item = (usize, &f64)> {
        self.real.iter().enumerate().filter(|(_, real)| **real > 0.0)
    }
}

fn zeros(ports: &[Port], tokens: usize) -> Vec<Vec<f64>> {
    ports.iter().map(|port| vec![0.0; port.shape.elements() * tokens]).collect()
}

/// The results of a graph that [`verify`](super::verify) accepts.
pub(crate) fn evaluate(graph: &Graph, arguments: &Arguments<'_>) -> Vec<Vec<f64>> {
    let mut values: Vec<Vec<f64>> = Vec::new();
    for node in &graph.nodes {
        let tile = |operand: usize| {
            let value = node.operands[operand];
            Tile { shape: graph.shape(value), data: &values[value.index()] }
        };
        let tiles: Vec<Tile<'_>> = (0..node.operands.len()).map(tile).collect();
        let value = match node.op {
            Op::Input(index) => arguments.inputs[index].clone(),
            Op::Parameter(index) => arguments.parameters[index].clone(),
            Op::State(index) => arguments.states[index].clone(),
            Op::Real => arguments.real.to_vec(),
            Op::Head => vec![arguments.head as f64],
            _ => operation(node, &tiles),
        };
        debug_assert_eq!(value.len(), node.shape.elements(), "{node:?}");
        values.push(value);
    }
    graph.results.iter().map(|result| values[result.index()].clone()).collect()
}

#[derive(Clone, Copy)]
struct Tile<'a> {
    shape: Shape,
    data: &'a [f64],
}

impl Tile<'_> {
    fn at(&self, row: usize, column: usize) -> f64 {
        self.data[row * self.shape.columns + column]
    }

    /// As `at` of the transposed tile where `transposed`.
    fn either(&self, transposed: bool, row: usize, column: usize) -> f64 {
        if transposed { self.at(column, row) } else { self.at(row, column) }
    }

    /// As `at` of the tile with its only row or column repeated.
    fn repeated(&self, row: usize, column: usize) -> f64 {
        self.at(row.min(self.shape.rows - 1), column.min(self.shape.columns - 1))
    }
}

fn operation(node: &Node, operands: &[Tile<'_>]) -> Vec<f64> {
    let Shape { rows, columns } = node.shape;
    let each = |element: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
        (0..rows * columns).map(|at| element(at / columns, at % columns)).collect()
    };
    match (node.op, operands) {
        (Op::Constant(value), []) => vec![value],
        (Op::Triangle { strict, .. }, []) => each(&|t, s| if is_lower(strict, t, s) { 1.0 } else { 0.0 }),
        (Op::Map(function), [a]) => each(&|t, d| apply(function, a.repeated(t, d), 0.0)),
        (Op::Map(function), [a, b]) => each(&|t, d| apply(function, a.repeated(t, d), b.repeated(t, d))),
        (Op::Lower { strict }, [x]) => each(&|t, s| if is_lower(strict, t, s) { x.at(t, s) } else { 0.0 }),
        (Op::Dot { transpose_a, transpose_b }, [a, b]) => {
            let inner = if transpose_a { a.shape.rows } else { a.shape.columns };
            each(&|t, d| (0..inner).map(|i| a.either(transpose_a, t, i) * b.either(transpose_b, i, d)).sum())
        }
        (Op::Transpose, [x]) => each(&|t, d| x.at(d, t)),
        (Op::Sum(Along::Rows), [x]) => each(&|_, d| (0..x.shape.rows).map(|t| x.at(t, d)).sum()),
        (Op::Sum(Along::Columns), [x]) => each(&|t, _| (0..x.shape.columns).map(|d| x.at(t, d)).sum()),
        (Op::Softmax, [x]) => each(&|t, d| {
            let row = || (0..columns).map(|column| x.at(t, column));
            let largest = row().fold(f64::NEG_INFINITY, f64::max);
            (x.at(t, d) - largest).exp() / row().map(|x| (x - largest).exp()).sum::<f64>()
        }),
        (Op::CumSum { reverse, exclusive }, [x]) => each(&|t, d| {
            let earlier = |s: usize| if reverse { s > t } else { s < t };
            (0..rows).filter(|&s| earlier(s) || (s == t && !exclusive)).map(|s| x.at(s, d)).sum()
        }),
        (Op::DecayGram { exclusive }, [a, b, g]) => each(&|t, s| {
            let terms = || (0..g.shape.columns).map(|d| a.at(t, d) * b.at(s, d) * decay(g, exclusive, t, s, d));
            if is_lower(exclusive, t, s) { terms().sum() } else { 0.0 }
        }),
        (Op::DecayApply { exclusive, transposed: false }, [p, b, g]) => each(&|t, d| {
            let before = (0..rows).filter(|&s| is_lower(exclusive, t, s));
            before.map(|s| p.at(t, s) * b.at(s, d) * decay(g, exclusive, t, s, d)).sum()
        }),
        (Op::DecayApply { exclusive, transposed: true }, [p, a, g]) => each(&|s, d| {
            let after = (0..rows).filter(|&t| is_lower(exclusive, t, s));
            after.map(|t| p.at(t, s) * a.at(t, d) * decay(g, exclusive, t, s, d)).sum()
        }),
        (Op::SolveLower { transposed }, [l, b]) => {
            let n = l.shape.rows;
            let entry = |t: usize, s: usize| match t == s {
                true => 1.0,
                false if is_lower(true, t, s) => l.at(t, s),
                false => 0.0,
            };
            let matrix: Vec<f64> = (0..n * n).map(|at| entry(at / n, at % n)).collect();
            solve(Tile { shape: l.shape, data: &matrix }, transposed, b)
        }
        (Op::Solve { transposed }, [a, b]) => solve(*a, transposed, b),
        (Op::Slice { row, column, .. }, [x]) => each(&|t, d| x.at(row + t, column + d)),
        (Op::Pad { row, column, .. }, [x]) => each(&|t, d| {
            let inside = t >= row && t < row + x.shape.rows && d >= column && d < column + x.shape.columns;
            if inside { x.at(t - row, d - column) } else { 0.0 }
        }),
        (Op::Interleave { rows: i, columns: j }, _) => each(&|t, s| operands[t % i * j + s % j].at(t / i, s / j)),
        (Op::Deinterleave { rows: n, columns: m, i, j }, [x]) => each(&|t, s| x.at(t * n + i, s * m + j)),
        // Arguments are no operation, and other numbers of operands are refused by `verify`.
        _ => Vec::new(),
    }
}

/// Whether a place is on or below the diagonal; where `strict`, below it.
fn is_lower(strict: bool, t: usize, s: usize) -> bool {
    s < t || (s == t && !strict)
}

/// `E_d(t, s)` for s ≤ t, the sum of its gates taken directly.
fn decay(g: &Tile<'_>, exclusive: bool, t: usize, s: usize, d: usize) -> f64 {
    let end = if exclusive { t } else { t + 1 };
    (s + 1..end).map(|r| g.at(r, d)).sum::<f64>().exp()
}

/// Element by element; `b` counts for functions of two operands only.
fn apply(function: Function, a: f64, b: f64) -> f64 {
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    match function {
        Function::Add => a + b,
        Function::Sub => a - b,
        Function::Mul => a * b,
        Function::Div => a / b,
        Function::Neg => -a,
        Function::Exp => a.exp(),
        Function::Sigmoid => sigmoid(a),
        Function::Silu => a * sigmoid(a),
        // log(1 + exp(x)), written so that exp cannot overflow.
        Function::Softplus => a.max(0.0) + (-a.abs()).exp().ln_1p(),
        Function::Sqrt => a.sqrt(),
        Function::Log => a.ln(),
        Function::Max => a.max(b),
        Function::Min => a.min(b),
        Function::Less => f64::from(u8::from(a < b)),
    }
}

/// Gaussian elimination with partial pivoting of `a x = b`, or `aᵀ x = b`; NaN where the matrix is singular.
fn solve(a: Tile<'_>, transposed: bool, b: &Tile<'_>) -> Vec<f64> {
    let (n, width) = (b.shape.rows, b.shape.columns);
    let row = |i: usize| (0..n).map(|j| a.either(transposed, i, j)).chain((0..width).map(|d| b.at(i, d))).collect();
    let mut rows: Vec<Vec<f64>> = (0..n).map(row).collect();
    for column in 0..n {
        let pivot = (column..n).max_by(|&i, &j| rows[i][column].abs().total_cmp(&rows[j][column].abs()));
        rows.swap(column, pivot.unwrap_or(column));
        let (done, below) = rows.split_at_mut(column + 1);
        for row in below {
            let factor = row[column] / done[column][column];
            row.iter_mut().zip(&done[column]).skip(column).for_each(|(x, p)| *x -= factor * p);
        }
    }
    let mut x = vec![0.0; n * width];
    for i in (0..n).rev() {
        for d in 0..width {
            let known: f64 = (i + 1..n).map(|j| rows[i][j] * x[j * width + d]).sum();
            x[i * width + d] = (rows[i][n + d] - known) / rows[i][i];
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    type Data<'a> = (Shape, &'a [f64]);
    /// An operation, its operands and its result.
    type Case<'a> = (Op, Vec<Data<'a>>, &'a [f64]);

    /// The result of one operation on inputs of these shapes.
    fn value(op: Op, inputs: &[Data<'_>]) -> Vec<f64> {
        let mut graph = Graph::default();
        let operands: Vec<_> =
            inputs.iter().enumerate().map(|(index, (shape, _))| graph.argument(Op::Input(index), *shape)).collect();
        graph.results = vec![graph.add(op, &operands)];
        let inputs: Vec<Vec<f64>> = inputs.iter().map(|(_, data)| data.to_vec()).collect();
        evaluate(&graph, &Arguments { inputs: &inputs, parameters: &[], states: &[], real: &[], head: 0 })[0].clone()
    }

    #[test]
    fn operations_on_small_tiles() {
        let (two, row) = (Shape::new(2, 2), Shape::new(1, 2));
        let x: Data<'_> = (two, &[1.0, 2.0, 3.0, 4.0]);
        let cases: Vec<Case<'_>> = vec![
            (Op::Triangle { n: 2, strict: false }, vec![], &[1.0, 0.0, 1.0, 1.0]),
            (Op::Map(Function::Add), vec![x, (row, &[10.0, 20.0])], &[11.0, 22.0, 13.0, 24.0]),
            (Op::Lower { strict: true }, vec![(two, &[f64::NAN, f64::NAN, 3.0, f64::NAN])], &[0.0, 0.0, 3.0, 0.0]),
            (Op::Dot { transpose_a: false, transpose_b: false }, vec![x, x], &[7.0, 10.0, 15.0, 22.0]),
            (Op::Dot { transpose_a: true, transpose_b: false }, vec![x, x], &[10.0, 14.0, 14.0, 20.0]),
            (Op::Dot { transpose_a: false, transpose_b: true }, vec![(row, &[1.0, 1.0]), x], &[3.0, 7.0]),
            (Op::Transpose, vec![x], &[1.0, 3.0, 2.0, 4.0]),
            (Op::Sum(Along::Rows), vec![x], &[4.0, 6.0]),
            (Op::Sum(Along::Columns), vec![x], &[3.0, 7.0]),
            (Op::Softmax, vec![(row, &[1000.0, 1000.0])], &[0.5, 0.5]),
            (Op::CumSum { reverse: false, exclusive: false }, vec![x], &[1.0, 2.0, 4.0, 6.0]),
            (Op::CumSum { reverse: true, exclusive: true }, vec![x], &[3.0, 4.0, 0.0, 0.0]),
            (Op::SolveLower { transposed: false }, vec![x, (two, &[1.0, 0.0, 0.0, 1.0])], &[1.0, 0.0, -3.0, 1.0]),
            (Op::SolveLower { transposed: true }, vec![x, (Shape::new(2, 1), &[1.0, 1.0])], &[-2.0, 1.0]),
            (Op::Solve { transposed: false }, vec![x, (Shape::new(2, 1), &[5.0, 11.0])], &[1.0, 2.0]),
            (Op::Solve { transposed: true }, vec![x, (Shape::new(2, 1), &[7.0, 10.0])], &[1.0, 2.0]),
            (Op::Slice { row: 1, column: 0, shape: row }, vec![x], &[3.0, 4.0]),
            (Op::Pad { row: 1, column: 0, shape: two }, vec![(row, &[5.0, 6.0])], &[0.0, 0.0, 5.0, 6.0]),
            (
                Op::Interleave { rows: 1, columns: 2 },
                vec![(row, &[1.0, 2.0]), (row, &[3.0, 4.0])],
                &[1.0, 3.0, 2.0, 4.0],
            ),
            (
                Op::Interleave { rows: 2, columns: 1 },
                vec![(row, &[1.0, 2.0]), (row, &[3.0, 4.0])],
                &[1.0, 2.0, 3.0, 4.0],
            ),
            (Op::Deinterleave { rows: 1, columns: 2, i: 0, j: 1 }, vec![x], &[2.0, 4.0]),
        ];
        for (op, operands, expected) in cases {
            let found = value(op, &operands);
            let close = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12);
            assert!(found.len() == expected.len() && close, "{op:?}: {found:?}");
        }
    }

    #[test]
    fn decays_of_one_column() {
        let three = Shape::new(3, 1);
        let (a, b): (Data<'_>, Data<'_>) = ((three, &[1.0, 10.0, 100.0]), (three, &[1.0, 2.0, 3.0]));
        // Factors of one half and one third.
        let g: Data<'_> = (three, &[-7.0, -(2.0_f64.ln()), -(3.0_f64.ln())]);
        let p: Data<'_> = (Shape::new(3, 3), &[1.0; 9]);
        let cases: [Case<'_>; 4] = [
            (
                Op::DecayGram { exclusive: false },
                vec![a, b, g],
                &[1.0, 0.0, 0.0, 5.0, 20.0, 0.0, 100.0 / 6.0, 200.0 / 3.0, 300.0],
            ),
            (Op::DecayGram { exclusive: true }, vec![a, b, g], &[0.0, 0.0, 0.0, 10.0, 0.0, 0.0, 50.0, 200.0, 0.0]),
            (
                Op::DecayApply { exclusive: false, transposed: false },
                vec![p, b, g],
                &[1.0, 2.5, 1.0 / 6.0 + 2.0 / 3.0 + 3.0],
            ),
            (Op::DecayApply { exclusive: true, transposed: true }, vec![p, a, g], &[60.0, 100.0, 0.0]),
        ];
        for (op, operands, expected) in cases {
            let found = value(op, &operands);
            let close = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12);
            assert!(found.len() == expected.len() && close, "{op:?}: {found:?}");
        }
    }
}
