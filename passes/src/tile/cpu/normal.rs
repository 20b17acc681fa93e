//! A graph in the form that code is written for: only what results need, and products in few kinds.
//!
//! After this, transposes of vectors and of left operands cost nothing, other transposes are values of their own, and a
//! `Dot` is one of two kinds: `[m, k] · [k, n]` with n > 1 and the left operand as it is or transposed, whose columns
//! lie side by side in vectors; or `[m, k] · [k, 1]`, summed along the rows of the left operand. Outer products are
//! elementwise work. Operations with decays are given the factors, the exponentials of the gates.

use mom_dialect::graph::Function;

use crate::tile::{
    Graph, Op, Shape, Value,
    graph::{Along, Node},
};

/// `carried` says for each result the number of the state that it becomes, if any. A result that becomes a state is not
/// itself another state, so that states can be overwritten one after another.
pub(super) fn normal(graph: &Graph, carried: &[Option<usize>]) -> Graph {
    let live = live(graph);
    let mut new = Graph::default();
    let mut values = vec![Value(0); graph.nodes.len()];
    for (index, node) in graph.nodes.iter().enumerate().filter(|(index, _)| live[*index]) {
        let operands: Vec<Value> = node.operands.iter().map(|operand| values[operand.index()]).collect();
        values[index] = rewrite(&mut new, node, &operands);
    }
    for (result, becomes) in graph.results.iter().zip(carried) {
        let value = values[result.index()];
        let node = &new.nodes[source(&new, value).index()];
        let result = match (&node.op, becomes) {
            (Op::State(state), Some(becomes)) if state != becomes => {
                let shape = new.shape(value);
                new.add(Op::Slice { row: 0, column: 0, shape }, &[value])
            }
            _ => value,
        };
        new.results.push(result);
    }
    new
}

/// The value in whose memory a value lies: vectors and their transposes are the same numbers.
pub(super) fn source(graph: &Graph, value: Value) -> Value {
    let node = &graph.nodes[value.index()];
    if node.op == Op::Transpose && is_vector(node.shape) { source(graph, node.operands[0]) } else { value }
}

pub(super) fn is_vector(shape: Shape) -> bool {
    shape.rows == 1 || shape.columns == 1
}

/// Which values the results need.
pub(super) fn live(graph: &Graph) -> Vec<bool> {
    let mut live = vec![false; graph.nodes.len()];
    for result in &graph.results {
        live[result.index()] = true;
    }
    for (index, node) in graph.nodes.iter().enumerate().rev() {
        if live[index] {
            node.operands.iter().for_each(|operand| live[operand.index()] = true);
        }
    }
    live
}

fn rewrite(graph: &mut Graph, node: &Node, operands: &[Value]) -> Value {
    match node.op {
        Op::Transpose => transpose(graph, operands[0]),
        Op::Dot { transpose_a, transpose_b } => dot(graph, (operands[0], transpose_a), (operands[1], transpose_b)),
        Op::Sum(along) => {
            let shape = graph.shape(operands[0]);
            match along {
                Along::Rows if shape.rows == 1 => operands[0],
                Along::Columns if shape.columns == 1 => operands[0],
                Along::Rows if shape.columns == 1 => {
                    let row = transpose(graph, operands[0]);
                    graph.add(Op::Sum(Along::Columns), &[row])
                }
                _ => graph.add(node.op, operands),
            }
        }
        Op::DecayGram { .. } | Op::DecayApply { .. } => {
            let factors = graph.exp(operands[2]);
            graph.add(node.op, &[operands[0], operands[1], factors])
        }
        Op::Slice { shape, .. } if shape == graph.shape(operands[0]) => operands[0],
        _ if operands.is_empty() => graph.argument(node.op, node.shape),
        _ => graph.add(node.op, operands),
    }
}

fn transpose(graph: &mut Graph, x: Value) -> Value {
    let node = &graph.nodes[x.index()];
    match node.op {
        _ if node.shape == Shape::ONE => x,
        Op::Transpose => node.operands[0],
        _ => graph.add(Op::Transpose, &[x]),
    }
}

/// The product of two operands, each transposed where it says so.
fn dot(graph: &mut Graph, (mut a, mut transpose_a): (Value, bool), (mut b, mut transpose_b): (Value, bool)) -> Value {
    if graph.nodes[a.index()].op == Op::Transpose {
        (a, transpose_a) = (graph.nodes[a.index()].operands[0], !transpose_a);
    }
    if graph.nodes[b.index()].op == Op::Transpose {
        (b, transpose_b) = (graph.nodes[b.index()].operands[0], !transpose_b);
    }
    let either = |shape: Shape, transposed| if transposed { shape.transposed() } else { shape };
    let (left, right) = (either(graph.shape(a), transpose_a), either(graph.shape(b), transpose_b));
    let (rows, depth, columns) = (left.rows, left.columns, right.columns);
    let plain = Op::Dot { transpose_a: false, transpose_b: false };
    if depth == 1 {
        let column = if transpose_a { transpose(graph, a) } else { a };
        let row = if transpose_b { transpose(graph, b) } else { b };
        return graph.map(Function::Mul, &[column, row]);
    }
    if columns == 1 && transpose_a && rows > 1 {
        let row = if transpose_b { b } else { transpose(graph, b) };
        let product = graph.add(plain, &[row, a]);
        return transpose(graph, product);
    }
    if rows == 1 && transpose_b && columns > 1 {
        let column = if transpose_a { a } else { transpose(graph, a) };
        let product = graph.add(plain, &[b, column]);
        return transpose(graph, product);
    }
    if transpose_a && rows == 1 {
        (a, transpose_a) = (transpose(graph, a), false);
    }
    if transpose_b {
        b = transpose(graph, b);
    }
    graph.add(Op::Dot { transpose_a, transpose_b: false }, &[a, b])
}
