//! What a step costs: floating-point operations, counted from the graph, and which halves of its tiles need none.

use mom_dialect::graph::Function;

use super::{Graph, Op, Value};

/// Operations of one step; a multiplication and an addition are two.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Flops {
    /// Products of matrices and solves. Of what is zero above the diagonal, or not asked for there, half is counted.
    pub(crate) products: f64,
    /// Everything else: one for each element that is made.
    pub(crate) others: f64,
}

/// The operations of one step.
pub(crate) fn flops(graph: &Graph) -> Flops {
    let halves = Halves::new(graph);
    let mut flops = Flops::default();
    for (index, node) in graph.nodes.iter().enumerate() {
        let shape = |at: usize| graph.shape(node.operands[at]);
        let elements = node.shape.elements() as f64;
        match node.op {
            Op::Dot { transpose_a, .. } => {
                let inner = if transpose_a { shape(0).rows } else { shape(0).columns };
                let is_half = !halves.asked[index] || node.operands.iter().any(|operand| halves.zero[operand.index()]);
                flops.products += if is_half { 1.0 } else { 2.0 } * elements * inner as f64;
            }
            // A pair of tokens, of which there are half as many as elements, takes a product and a sum for each column.
            Op::DecayGram { .. } => flops.products += elements * shape(0).columns as f64,
            Op::DecayApply { .. } | Op::SolveLower { .. } => flops.products += elements * shape(0).rows as f64,
            Op::Solve { .. } => {
                let n = shape(0).rows as f64;
                flops.products += 2.0 / 3.0 * n.powi(3) + 2.0 * n * elements;
            }
            Op::Map(_) | Op::CumSum { .. } | Op::Softmax => flops.others += elements,
            Op::Sum(_) => flops.others += shape(0).elements() as f64,
            _ => {}
        }
    }
    flops
}

/// What is known of tiles above their diagonal, whatever the arguments; an entry for each node of a graph.
pub(crate) struct Halves {
    /// The tile is zero there.
    pub(crate) zero: Vec<bool>,
    /// Somebody asks what the tile is there.
    pub(crate) asked: Vec<bool>,
}

impl Halves {
    pub(crate) fn new(graph: &Graph) -> Halves {
        let mut zero: Vec<bool> = Vec::new();
        for node in &graph.nodes {
            let same = |operand: &Value| graph.shape(*operand) == node.shape && zero[operand.index()];
            let is_zero = match node.op {
                Op::Triangle { .. } | Op::Lower { .. } | Op::DecayGram { .. } => true,
                Op::Map(Function::Mul) => node.operands.iter().any(same),
                Op::Map(Function::Add | Function::Sub | Function::Neg) => node.operands.iter().all(same),
                Op::CumSum { reverse: false, .. } => node.operands.iter().all(same),
                _ => false,
            };
            zero.push(is_zero && node.shape.columns > 1);
        }
        let mut asked = vec![false; graph.nodes.len()];
        for result in &graph.results {
            asked[result.index()] = true;
        }
        for (index, node) in graph.nodes.iter().enumerate().rev() {
            for operand in &node.operands {
                let other_is_zero = || node.operands.iter().any(|other| other != operand && zero[other.index()]);
                asked[operand.index()] |= match node.op {
                    Op::Lower { .. } => false,
                    Op::Map(Function::Mul) if other_is_zero() => false,
                    Op::Map(_) if graph.shape(*operand) == node.shape => asked[index],
                    _ => true,
                };
            }
        }
        Halves { zero, asked }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tile::Shape;

    #[test]
    fn halves() {
        let mut graph = Graph::default();
        let a = graph.argument(Op::Input(0), Shape::new(8, 4));
        let b = graph.argument(Op::Input(1), Shape::new(8, 4));
        let gram = graph.dot_tb(a, b);
        let lower = graph.lower(gram, false);
        let faded = graph.exp(gram);
        let faded = graph.product(lower, faded);
        let read = graph.dot(faded, b);
        let full = graph.dot_tb(read, b);
        graph.results = vec![full];
        // Half of a Gram matrix, half of a product, a whole one; Lower costs nothing.
        assert_eq!(flops(&graph), Flops { products: 256.0 + 256.0 + 512.0, others: 128.0 });
    }
}
