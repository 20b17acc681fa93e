//! Which halves of square tiles are zero whatever the arguments are, and which nobody asks for: what code and its cost
//! may leave out.

use mom_dialect::graph::Function;

use super::{Graph, Op, Shape, Value};

/// What is known to be zero in a square tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    Full,
    /// Zero above the diagonal.
    Lower,
    /// Zero below the diagonal.
    Upper,
}

impl Half {
    fn transposed(self) -> Half {
        match self {
            Half::Full => Half::Full,
            Half::Lower => Half::Upper,
            Half::Upper => Half::Lower,
        }
    }

    fn transposed_if(self, transposed: bool) -> Half {
        if transposed { self.transposed() } else { self }
    }
}

/// An entry for each node of a graph.
pub(crate) struct Halves {
    pub(crate) zero: Vec<Half>,
    /// Somebody asks what the tile is above its diagonal.
    asked: Vec<bool>,
}

impl Halves {
    pub(crate) fn new(graph: &Graph) -> Halves {
        let mut halves = Halves { zero: Vec::new(), asked: vec![false; graph.nodes.len()] };
        for index in 0..graph.nodes.len() {
            let zero = halves.zero_of(graph, index);
            halves.zero.push(zero);
        }
        for result in &graph.results {
            halves.asked[result.index()] = true;
        }
        for index in (0..graph.nodes.len()).rev() {
            halves.ask(graph, index);
        }
        halves
    }

    /// Whether the part of a square tile above the diagonal is zero or never asked for.
    pub(crate) fn is_lower(&self, graph: &Graph, value: Value) -> bool {
        let index = value.index();
        is_square(graph.shape(value)) && (self.zero[index] == Half::Lower || !self.asked[index])
    }

    fn zero_of(&self, graph: &Graph, index: usize) -> Half {
        let node = &graph.nodes[index];
        if !is_square(node.shape) {
            return Half::Full;
        }
        let of = |operand: usize| match graph.shape(node.operands[operand]) == node.shape {
            true => self.zero[node.operands[operand].index()],
            false => Half::Full,
        };
        let both = |a: Half, b: Half| if a == b { a } else { Half::Full };
        match node.op {
            Op::Lower { .. } | Op::Triangle { .. } | Op::DecayGram { .. } => Half::Lower,
            Op::Transpose => of(0).transposed(),
            Op::Map(Function::Mul) if of(0) == Half::Full => of(1),
            Op::Map(Function::Mul | Function::Div | Function::Neg) => of(0),
            Op::Map(Function::Add | Function::Sub) => both(of(0), of(1)),
            Op::Dot { transpose_a, transpose_b } => {
                both(of(0).transposed_if(transpose_a), of(1).transposed_if(transpose_b))
            }
            Op::CumSum { reverse, .. } => both(of(0), if reverse { Half::Upper } else { Half::Lower }),
            Op::SolveLower { transposed } => both(of(1), if transposed { Half::Upper } else { Half::Lower }),
            _ => Half::Full,
        }
    }

    /// What a node asks of its operands.
    fn ask(&mut self, graph: &Graph, index: usize) {
        let node = &graph.nodes[index];
        for operand in &node.operands {
            let is_zero = |other: &Value| other != operand && self.zero[other.index()] == Half::Lower;
            self.asked[operand.index()] |= match node.op {
                Op::Lower { .. } => false,
                Op::Map(Function::Mul) if node.operands.iter().any(is_zero) => false,
                Op::Map(_) if graph.shape(*operand) == node.shape => self.asked[index],
                _ => true,
            };
        }
    }
}

fn is_square(shape: Shape) -> bool {
    shape.rows == shape.columns && shape.rows > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triangles() {
        let mut graph = Graph::default();
        let full = graph.argument(Op::Input(0), Shape::new(8, 8));
        let row = graph.argument(Op::Input(1), Shape::new(1, 8));
        let lower = graph.lower(full, false);
        let upper = graph.add(Op::Transpose, &[lower]);
        let again = graph.dot_ta(upper, lower);
        let none = graph.dot_tb(lower, lower);
        let scaled = graph.product(row, upper);
        let mixed = graph.sum(lower, upper);
        let solved = graph.add(Op::SolveLower { transposed: false }, &[full, lower]);
        let summed = graph.add(Op::CumSum { reverse: false, exclusive: true }, &[lower]);
        graph.results = vec![again, none, scaled, mixed, solved, summed];
        let halves = Halves::new(&graph);
        let found = [lower, upper, again, none, scaled, mixed, solved, summed].map(|value| halves.zero[value.index()]);
        use Half::{Full, Lower, Upper};
        assert_eq!(found, [Lower, Upper, Lower, Full, Upper, Full, Lower, Lower]);
        // `Lower` does not ask what its operand is above the diagonal, the solve asks.
        assert_eq!([full, none, lower].map(|value| halves.is_lower(&graph, value)), [false, false, true]);
    }
}
