//! What a step costs: floating-point operations, counted from the graph.

use super::{
    Graph, Op, Value,
    halves::{Half, Halves},
};

/// Operations of one step; a multiplication and an addition are two.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Flops {
    /// Products of matrices and solves. Of triangles, and of what nobody asks for above the diagonal, half is counted.
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
                let is_triangle = |operand: &Value| halves.zero[operand.index()] != Half::Full;
                let is_half = halves.is_lower(graph, Value(index as u32)) || node.operands.iter().any(is_triangle);
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
