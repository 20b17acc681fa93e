//! The adjoint of a step: reverse-mode differentiation of its graph, operation by operation.
//!
//! The graph of the step is taken over as it is, so that cotangents may use its values; then its nodes are passed in
//! reverse order, each adding to the cotangents of its operands. Nothing here knows which form made the graph.

use std::iter;

use mom_dialect::graph::Function;

use super::{
    Gradient, Graph, Op, Port, Scan, Shape, Value,
    graph::{Along, Node},
};

/// Where a square root is less than this, its derivative is that here: so a norm of zeros has the subgradient zero.
const LEAST_ROOT: f64 = 1e-30;

/// The scan with its adjoint.
pub(crate) fn gradient(scan: Scan) -> Gradient {
    let mut adjoint =
        Adjoint { graph: Graph::default(), varies: varying(&scan.step), cotangents: vec![None; scan.step.nodes.len()] };
    for node in &scan.step.nodes {
        adjoint.graph.insert(node.clone());
    }
    let tile = |port: &Port| scan.tile(port);
    let outputs = scan.outputs.iter().enumerate().map(|(at, port)| (Op::Input(scan.inputs.len() + at), tile(port)));
    let states = scan.states.iter().enumerate().map(|(at, port)| (Op::State(scan.states.len() + at), port.shape));
    let seeds: Vec<(Op, Shape)> = outputs.chain(states).collect();
    for ((op, shape), &result) in seeds.into_iter().zip(&scan.step.results) {
        let seed = adjoint.graph.argument(op, shape);
        adjoint.add_to(result, seed);
    }
    for index in (0..scan.step.nodes.len()).rev() {
        if let Some(cotangent) = adjoint.cotangents[index].filter(|_| adjoint.varies[index]) {
            adjoint.node(Value(index as u32), &scan.step.nodes[index], cotangent);
        }
    }
    let inputs = scan.inputs.iter().enumerate().map(|(at, port)| (Op::Input(at), tile(port)));
    let parameters = scan.parameters.iter().enumerate().map(|(at, port)| (Op::Parameter(at), port.shape));
    let states = scan.states.iter().enumerate().map(|(at, port)| (Op::State(at), port.shape));
    let arguments: Vec<(Op, Shape)> = inputs.chain(parameters).chain(states).collect();
    adjoint.graph.results =
        arguments.into_iter().map(|(op, shape)| adjoint.of_argument(&scan.step, op, shape)).collect();
    let back = adjoint.graph.without_dead_code();
    Gradient { scan, back }
}

/// For each node, whether it depends on an input, a parameter or a state.
fn varying(graph: &Graph) -> Vec<bool> {
    let mut varies: Vec<bool> = Vec::new();
    for node in &graph.nodes {
        let is_given = matches!(node.op, Op::Input(_) | Op::Parameter(_) | Op::State(_));
        varies.push(is_given || node.operands.iter().any(|operand| varies[operand.index()]));
    }
    varies
}

struct Adjoint {
    /// The step, then what computes cotangents.
    graph: Graph,
    /// For each node of the step, whether it depends on an argument, so that its cotangent is of use.
    varies: Vec<bool>,
    /// For each node of the step, the sum of the cotangents found so far.
    cotangents: Vec<Option<Value>>,
}

impl Adjoint {
    fn of_argument(&mut self, step: &Graph, op: Op, shape: Shape) -> Value {
        let node = step.nodes.iter().position(|node| node.op == op);
        match node.and_then(|node| self.cotangents[node]) {
            Some(cotangent) => cotangent,
            None => zeros(&mut self.graph, shape),
        }
    }

    fn add_to(&mut self, operand: Value, part: Value) {
        let sum = match self.cotangents[operand.index()] {
            Some(sum) => self.sum(sum, part),
            None => part,
        };
        self.cotangents[operand.index()] = Some(sum);
    }

    /// The sum, put inside where both are interleaved: parts of one value meet here.
    fn sum(&mut self, a: Value, b: Value) -> Value {
        let (x, y) = (&self.graph.nodes[a.index()], &self.graph.nodes[b.index()]);
        if self.is_zero(a) {
            return b;
        }
        if self.is_zero(b) {
            return a;
        }
        if matches!(x.op, Op::Interleave { .. }) && x.op == y.op {
            let (op, pairs) = (x.op, iter::zip(x.operands.clone(), y.operands.clone()));
            let parts: Vec<Value> = pairs.map(|(x, y)| self.sum(x, y)).collect();
            return self.graph.add(op, &parts);
        }
        self.graph.sum(a, b)
    }

    fn is_zero(&self, value: Value) -> bool {
        let node = &self.graph.nodes[value.index()];
        match node.op {
            Op::Constant(constant) => constant == 0.0,
            Op::Pad { .. } => self.is_zero(node.operands[0]),
            _ => false,
        }
    }

    /// `x` repeated to a shape.
    fn repeat(&mut self, x: Value, shape: Shape) -> Value {
        if self.graph.shape(x) == shape {
            return x;
        }
        let zeros = zeros(&mut self.graph, shape);
        self.graph.sum(x, zeros)
    }

    /// The sum of `x` over where an operand of this shape was repeated.
    fn reduce(&mut self, mut x: Value, shape: Shape) -> Value {
        let from = self.graph.shape(x);
        if shape.columns < from.columns {
            x = self.graph.add(Op::Sum(Along::Columns), &[x]);
        }
        if shape.rows < from.rows {
            x = self.graph.add(Op::Sum(Along::Rows), &[x]);
        }
        x
    }

    /// The sum of `x y` over where an operand of this shape was repeated: a product of matrices, if one of outer
    /// products is undone.
    fn reduced_product(&mut self, x: Value, y: Value, shape: Shape) -> Value {
        let (from, other) = (self.graph.shape(x), self.graph.shape(y));
        if shape != from && shape == Shape::new(from.rows, 1) && other == Shape::new(1, from.columns) {
            return self.graph.dot_tb(x, y);
        }
        if shape != from && shape == Shape::new(1, from.columns) && other == Shape::new(from.rows, 1) {
            return self.graph.dot_ta(y, x);
        }
        let product = self.graph.product(x, y);
        self.reduce(product, shape)
    }

    /// Adds what a node with this cotangent contributes to the cotangents of its operands.
    fn node(&mut self, y: Value, node: &Node, dy: Value) {
        let operands = &node.operands[..];
        match (node.op, operands) {
            (Op::Map(function), _) => {
                for (at, &operand) in operands.iter().enumerate() {
                    let is_of_use = self.varies[operand.index()];
                    if let Some(part) = is_of_use.then(|| self.map(function, y, operands, at, dy)).flatten() {
                        self.add_to(operand, part);
                    }
                }
            }
            (Op::Lower { strict }, &[x]) => self.part(x, |graph| graph.lower(dy, strict)),
            (Op::Dot { transpose_a, transpose_b }, &[a, b]) => {
                self.part(a, |graph| match transpose_a {
                    false => graph.add(Op::Dot { transpose_a: false, transpose_b: !transpose_b }, &[dy, b]),
                    true => graph.add(Op::Dot { transpose_a: transpose_b, transpose_b: true }, &[b, dy]),
                });
                self.part(b, |graph| match transpose_b {
                    false => graph.add(Op::Dot { transpose_a: !transpose_a, transpose_b: false }, &[a, dy]),
                    true => graph.add(Op::Dot { transpose_a: true, transpose_b: transpose_a }, &[dy, a]),
                });
            }
            (Op::Transpose, &[x]) => self.part(x, |graph| graph.add(Op::Transpose, &[dy])),
            (Op::Sum(_), &[x]) => {
                let part = self.repeat(dy, self.graph.shape(x));
                self.add_to(x, part);
            }
            (Op::Softmax, &[x]) => self.part(x, |graph| {
                let product = graph.product(dy, y);
                let mean = graph.add(Op::Sum(Along::Columns), &[product]);
                let centred = graph.difference(dy, mean);
                graph.product(y, centred)
            }),
            (Op::CumSum { reverse, exclusive }, &[x]) => {
                self.part(x, |graph| graph.add(Op::CumSum { reverse: !reverse, exclusive }, &[dy]));
            }
            (Op::DecayGram { exclusive }, &[a, b, g]) => {
                let form = Decayed::new(&mut self.graph, exclusive, [dy, a, b, g]);
                self.part(a, |graph| form.with_respect_to_a(graph));
                self.part(b, |graph| form.with_respect_to_b(graph));
                self.part(g, |graph| form.with_respect_to_g(graph));
            }
            (Op::DecayApply { exclusive, transposed }, &[p, x, g]) => {
                let [a, b] = if transposed { [x, dy] } else { [dy, x] };
                let form = Decayed::new(&mut self.graph, exclusive, [p, a, b, g]);
                self.part(p, |graph| form.with_respect_to_p(graph));
                self.part(
                    x,
                    |graph| if transposed { form.with_respect_to_a(graph) } else { form.with_respect_to_b(graph) },
                );
                self.part(g, |graph| form.with_respect_to_g(graph));
            }
            (Op::SolveLower { transposed }, &[l, b]) => {
                let db = self.graph.add(Op::SolveLower { transposed: !transposed }, &[l, dy]);
                self.part(b, |_| db);
                self.part(l, |graph| {
                    let product = if transposed { graph.dot_tb(y, db) } else { graph.dot_tb(db, y) };
                    let lower = graph.lower(product, true);
                    graph.negative(lower)
                });
            }
            (Op::Solve { transposed }, &[a, b]) => {
                let db = self.graph.add(Op::Solve { transposed: !transposed }, &[a, dy]);
                self.part(b, |_| db);
                self.part(a, |graph| {
                    let product = if transposed { graph.dot_tb(y, db) } else { graph.dot_tb(db, y) };
                    graph.negative(product)
                });
            }
            (Op::Slice { row, column, .. }, &[x]) => {
                let shape = self.graph.shape(x);
                self.part(x, |graph| graph.add(Op::Pad { row, column, shape }, &[dy]));
            }
            (Op::Pad { row, column, .. }, &[x]) => {
                let shape = self.graph.shape(x);
                self.part(x, |graph| graph.add(Op::Slice { row, column, shape }, &[dy]));
            }
            (Op::Interleave { rows, columns }, _) => {
                for (at, &operand) in operands.iter().enumerate() {
                    let part = Op::Deinterleave { rows, columns, i: at / columns, j: at % columns };
                    self.part(operand, |graph| graph.add(part, &[dy]));
                }
            }
            (Op::Deinterleave { rows, columns, i, j }, &[x]) => {
                let zeros = zeros(&mut self.graph, node.shape);
                let parts: Vec<Value> =
                    (0..rows * columns).map(|at| if at == i * columns + j { dy } else { zeros }).collect();
                self.part(x, |graph| graph.add(Op::Interleave { rows, columns }, &parts));
            }
            // Arguments have no operands.
            _ => {}
        }
    }

    /// Adds to an operand's cotangent, if that is of use.
    fn part(&mut self, operand: Value, part: impl FnOnce(&mut Graph) -> Value) {
        if self.varies[operand.index()] {
            let part = part(&mut self.graph);
            self.add_to(operand, part);
        }
    }

    /// What `y = function(operands)` contributes to the cotangent of operand number `at`; nothing where the function
    /// is constant almost everywhere.
    fn map(&mut self, function: Function, y: Value, operands: &[Value], at: usize, dy: Value) -> Option<Value> {
        let (x, shape) = (operands[at], self.graph.shape(operands[at]));
        let other = operands.get(1 - at).copied();
        let graph = &mut self.graph;
        let factor = match (function, other) {
            (Function::Add, _) => return Some(self.reduce(dy, shape)),
            (Function::Sub, _) | (Function::Neg, _) => {
                let part = if at == 0 && function == Function::Sub { dy } else { graph.negative(dy) };
                return Some(self.reduce(part, shape));
            }
            (Function::Mul, Some(other)) => other,
            (Function::Div, Some(divisor)) if at == 0 => {
                let part = graph.map(Function::Div, &[dy, divisor]);
                return Some(self.reduce(part, shape));
            }
            // -(dy / x) y
            (Function::Div, _) => {
                let quotient = graph.map(Function::Div, &[dy, x]);
                let product = graph.product(quotient, y);
                let part = graph.negative(product);
                return Some(self.reduce(part, shape));
            }
            (Function::Exp, _) => y,
            // y (1 - y), where 1 - y is taken without a difference.
            (Function::Sigmoid, _) => {
                let rest = rest_of_sigmoid(graph, x);
                graph.product(y, rest)
            }
            // sigmoid(x) + y (1 - sigmoid(x))
            (Function::Silu, _) => {
                let rest = rest_of_sigmoid(graph, x);
                let sigmoid = graph.map(Function::Sigmoid, &[x]);
                let product = graph.product(y, rest);
                graph.sum(sigmoid, product)
            }
            (Function::Softplus, _) => graph.map(Function::Sigmoid, &[x]),
            (Function::Sqrt, _) => {
                let (least, half) = (graph.constant(LEAST_ROOT), graph.constant(0.5));
                let root = graph.map(Function::Max, &[y, least]);
                graph.map(Function::Div, &[half, root])
            }
            (Function::Log, _) => {
                let part = graph.map(Function::Div, &[dy, x]);
                return Some(part);
            }
            // The second counts where it is chosen, the first elsewhere.
            (Function::Max | Function::Min, _) => {
                let (a, b) = (operands[0], operands[1]);
                let order = if function == Function::Max { [a, b] } else { [b, a] };
                let second = graph.map(Function::Less, &order);
                match at {
                    0 => {
                        let one = graph.constant(1.0);
                        graph.difference(one, second)
                    }
                    _ => second,
                }
            }
            (Function::Less | Function::Mul, _) => return None,
        };
        Some(self.reduced_product(dy, factor, shape))
    }
}

/// 1 - sigmoid(x)
fn rest_of_sigmoid(graph: &mut Graph, x: Value) -> Value {
    let negative = graph.negative(x);
    graph.map(Function::Sigmoid, &[negative])
}

/// The number `Σ_ts p[t, s] Σ_d a[t, d] b[s, d] E_d(t, s)`, s ≤ t (`exclusive`: s < t), which each operation with decays
/// is a derivative of, and so are their adjoints.
///
/// Terms without any decay are kept apart from the others, on a diagonal. The exclusive form differs in its rows alone:
/// a decay up to and without row t is one up to and with row t - 1.
struct Decayed {
    exclusive: bool,
    /// As given.
    a: Value,
    b: Value,
    g: Value,
    /// `a`; in the exclusive form with each row one further up.
    later: Value,
    /// `[C, 1]`: the diagonal of `p`, moved up likewise.
    diagonal: Value,
    /// Of the terms with decays: the derivatives by `later` and `b`.
    by_later: Value,
    by_b: Value,
}

impl Decayed {
    fn new(graph: &mut Graph, exclusive: bool, [p, a, b, g]: [Value; 4]) -> Decayed {
        let [moved, later] = if exclusive { [p, a].map(|x| moved_up(graph, x)) } else { [p, a] };
        let (lower, below) = (graph.lower(moved, false), graph.lower(moved, true));
        let diagonal = graph.difference(lower, below);
        let diagonal = graph.add(Op::Sum(Along::Columns), &[diagonal]);
        let by_later = graph.add(Op::DecayApply { exclusive: false, transposed: false }, &[below, b, g]);
        let by_b = graph.add(Op::DecayApply { exclusive: false, transposed: true }, &[below, later, g]);
        Decayed { exclusive, a, b, g, later, diagonal, by_later, by_b }
    }

    fn with_respect_to_p(&self, graph: &mut Graph) -> Value {
        graph.add(Op::DecayGram { exclusive: self.exclusive }, &[self.a, self.b, self.g])
    }

    fn with_respect_to_a(&self, graph: &mut Graph) -> Value {
        let own = graph.product(self.diagonal, self.b);
        let sum = graph.sum(self.by_later, own);
        if self.exclusive { moved_down(graph, sum) } else { sum }
    }

    fn with_respect_to_b(&self, graph: &mut Graph) -> Value {
        let own = graph.product(self.diagonal, self.later);
        graph.sum(self.by_b, own)
    }

    /// The gate of row r is in the decays from each s < r to each t ≥ r. With `x` and `y` the products of the rows and
    /// of `b` with the derivatives by them, that is `Σ_{t≥r} x_t - Σ_{s≥r} y_s`: a pair with s ≥ r is in both sums.
    /// Terms without decays would be in both for every r, and leave rounding errors in which a derivative near zero
    /// drowns.
    fn with_respect_to_g(&self, graph: &mut Graph) -> Value {
        let (x, y) = (graph.product(self.later, self.by_later), graph.product(self.b, self.by_b));
        let difference = graph.difference(x, y);
        graph.add(Op::CumSum { reverse: true, exclusive: false }, &[difference])
    }
}

fn zeros(graph: &mut Graph, shape: Shape) -> Value {
    let zero = graph.constant(0.0);
    if shape == Shape::ONE { zero } else { graph.add(Op::Pad { row: 0, column: 0, shape }, &[zero]) }
}

/// Row t + 1 in place of row t, and zeros in place of the last.
fn moved_up(graph: &mut Graph, x: Value) -> Value {
    moved(graph, x, 1, 0)
}

/// Row t - 1 in place of row t, and zeros in place of the first.
fn moved_down(graph: &mut Graph, x: Value) -> Value {
    moved(graph, x, 0, 1)
}

/// All rows but one, from row `from` on, to row `to` and on.
fn moved(graph: &mut Graph, x: Value, from: usize, to: usize) -> Value {
    let shape = graph.shape(x);
    if shape.rows == 1 {
        return zeros(graph, shape);
    }
    let part = Shape::new(shape.rows - 1, shape.columns);
    let rows = graph.add(Op::Slice { row: from, column: 0, shape: part }, &[x]);
    graph.add(Op::Pad { row: to, column: 0, shape }, &[rows])
}
