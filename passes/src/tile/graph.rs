//! Operations on tiles, and the graph of one step.

use mom_dialect::graph::Function;

/// Rows and columns of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Shape {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Shape {
    pub(crate) const ONE: Shape = Shape { rows: 1, columns: 1 };

    pub(crate) fn new(rows: usize, columns: usize) -> Shape {
        Shape { rows, columns }
    }

    pub(crate) fn elements(self) -> usize {
        self.rows * self.columns
    }

    pub(crate) fn transposed(self) -> Shape {
        Shape { rows: self.columns, columns: self.rows }
    }
}

/// A tile of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Value(pub(crate) u32);

impl Value {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Along which direction a sum goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Along {
    /// Down the rows: the result has one row.
    Rows,
    /// Along the columns: the result has one column.
    Columns,
}

/// What makes a tile. `C` is the number of rows of a step; `t` and `s` count rows, `d` columns.
///
/// Between the rows `s` and `t` of a step lies the decay `E_d(t, s) = exp(Σ_{s<r≤t} g[r, d])`, in its *exclusive* form
/// `exp(Σ_{s<r<t} g[r, d])`. Decays are at most one; they are never split so that a factor exceeds one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Op {
    Input(usize),
    Parameter(usize),
    State(usize),
    /// `[C, 1]`: 1 for the tokens that are there, 0 for padding and behind the end of the segment.
    Real,
    /// `[1, 1]`: the number of the head.
    Head,
    /// `[1, 1]`
    Constant(f64),
    /// `[n, n]`: 1 on and below the diagonal, 0 above; `strict`: 0 on it too.
    Triangle {
        n: usize,
        strict: bool,
    },
    /// Element by element; an operand of one row or one column is repeated.
    Map(Function),
    /// `x[t, s]` for s ≤ t (`strict`: s < t), else 0, whatever `x` holds there.
    Lower {
        strict: bool,
    },
    /// The matrix product, of transposed operands where it says so.
    Dot {
        transpose_a: bool,
        transpose_b: bool,
    },
    Transpose,
    Sum(Along),
    /// exp(x) / sum exp(x) along each row.
    Softmax,
    /// Down the rows: `y[t] = Σ_{s≤t} x[s]`; `reverse`: s ≥ t; `exclusive`: without s = t.
    CumSum {
        reverse: bool,
        exclusive: bool,
    },
    /// `(a, b, g) -> y[t, s] = Σ_d a[t, d] b[s, d] E_d(t, s)` for s ≤ t (`exclusive`: s < t), else 0.
    DecayGram {
        exclusive: bool,
    },
    /// `(p, b, g) -> y[t, d] = Σ_s p[t, s] b[s, d] E_d(t, s)`, s as above; `transposed`:
    /// `(p, a, g) -> y[s, d] = Σ_t p[t, s] a[t, d] E_d(t, s)`.
    DecayApply {
        exclusive: bool,
        transposed: bool,
    },
    /// `(l, b) -> x` with (I + L) x = b, L the part of `l` strictly below the diagonal; `transposed`: (I + Lᵀ) x = b.
    SolveLower {
        transposed: bool,
    },
    /// `(a, b) -> x` with a x = b for a square `a`; `transposed`: aᵀ x = b.
    Solve {
        transposed: bool,
    },
    /// A part of the tile.
    Slice {
        row: usize,
        column: usize,
        shape: Shape,
    },
    /// Zeros of this shape with the operand at this place.
    Pad {
        row: usize,
        column: usize,
        shape: Shape,
    },
    /// `rows · columns` tiles `x_ij` of one shape -> `y[t · rows + i, s · columns + j] = x_ij[t, s]`.
    Interleave {
        rows: usize,
        columns: usize,
    },
    /// The `x_ij` above.
    Deinterleave {
        rows: usize,
        columns: usize,
        i: usize,
        j: usize,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) op: Op,
    pub(crate) operands: Vec<Value>,
    pub(crate) shape: Shape,
}

/// What one step computes: nodes in the order of their dependencies, equal nodes once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<Node>,
    pub(crate) results: Vec<Value>,
}

impl Graph {
    pub(crate) fn shape(&self, value: Value) -> Shape {
        self.nodes[value.index()].shape
    }

    /// A tile that comes from outside.
    pub(crate) fn argument(&mut self, op: Op, shape: Shape) -> Value {
        self.insert(Node { op, operands: Vec::new(), shape })
    }

    /// Appends an operation whose shape follows from its operands; the caller sees to it that they fit
    /// (`verify` tells).
    pub(crate) fn add(&mut self, op: Op, operands: &[Value]) -> Value {
        let shapes: Vec<Shape> = operands.iter().map(|&operand| self.shape(operand)).collect();
        let shape = op.shape(&shapes);
        self.insert(Node { op, operands: operands.to_vec(), shape })
    }

    /// Appends a node, or finds the one that is equal.
    pub(crate) fn insert(&mut self, node: Node) -> Value {
        let known = self.nodes.iter().position(|other| *other == node);
        let index = known.unwrap_or_else(|| {
            self.nodes.push(node);
            self.nodes.len() - 1
        });
        Value(index as u32)
    }

    pub(crate) fn constant(&mut self, value: f64) -> Value {
        self.add(Op::Constant(value), &[])
    }

    pub(crate) fn map(&mut self, function: Function, operands: &[Value]) -> Value {
        self.add(Op::Map(function), operands)
    }

    pub(crate) fn sum(&mut self, a: Value, b: Value) -> Value {
        self.map(Function::Add, &[a, b])
    }

    pub(crate) fn difference(&mut self, a: Value, b: Value) -> Value {
        self.map(Function::Sub, &[a, b])
    }

    pub(crate) fn product(&mut self, a: Value, b: Value) -> Value {
        self.map(Function::Mul, &[a, b])
    }

    pub(crate) fn negative(&mut self, a: Value) -> Value {
        self.map(Function::Neg, &[a])
    }

    pub(crate) fn exp(&mut self, a: Value) -> Value {
        self.map(Function::Exp, &[a])
    }

    /// a b
    pub(crate) fn dot(&mut self, a: Value, b: Value) -> Value {
        self.add(Op::Dot { transpose_a: false, transpose_b: false }, &[a, b])
    }

    /// aᵀ b
    pub(crate) fn dot_ta(&mut self, a: Value, b: Value) -> Value {
        self.add(Op::Dot { transpose_a: true, transpose_b: false }, &[a, b])
    }

    /// a bᵀ
    pub(crate) fn dot_tb(&mut self, a: Value, b: Value) -> Value {
        self.add(Op::Dot { transpose_a: false, transpose_b: true }, &[a, b])
    }

    pub(crate) fn lower(&mut self, x: Value, strict: bool) -> Value {
        self.add(Op::Lower { strict }, &[x])
    }

    /// The same results from those nodes alone that they need.
    pub(crate) fn without_dead_code(&self) -> Graph {
        let mut is_live = vec![false; self.nodes.len()];
        for result in &self.results {
            is_live[result.index()] = true;
        }
        for (index, node) in self.nodes.iter().enumerate().rev() {
            if is_live[index] {
                node.operands.iter().for_each(|operand| is_live[operand.index()] = true);
            }
        }
        let mut live = Graph::default();
        let mut moved = vec![Value(0); self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate().filter(|(index, _)| is_live[*index]) {
            let operands = node.operands.iter().map(|operand| moved[operand.index()]).collect();
            moved[index] = live.insert(Node { operands, ..node.clone() });
        }
        live.results = self.results.iter().map(|result| moved[result.index()]).collect();
        live
    }
}

impl Op {
    /// The shape of the result for operands that fit.
    pub(crate) fn shape(&self, operands: &[Shape]) -> Shape {
        match *self {
            Op::Triangle { n, .. } => Shape::new(n, n),
            Op::Map(_) => operands.iter().fold(Shape::ONE, |shape, operand| {
                Shape::new(shape.rows.max(operand.rows), shape.columns.max(operand.columns))
            }),
            Op::Dot { transpose_a, transpose_b } => {
                let a = if transpose_a { operands[0].transposed() } else { operands[0] };
                let b = if transpose_b { operands[1].transposed() } else { operands[1] };
                Shape::new(a.rows, b.columns)
            }
            Op::Transpose => operands[0].transposed(),
            Op::Sum(Along::Rows) => Shape::new(1, operands[0].columns),
            Op::Sum(Along::Columns) => Shape::new(operands[0].rows, 1),
            Op::DecayGram { .. } => Shape::new(operands[0].rows, operands[1].rows),
            Op::DecayApply { .. } | Op::SolveLower { .. } | Op::Solve { .. } => operands[1],
            Op::Slice { shape, .. } | Op::Pad { shape, .. } => shape,
            Op::Interleave { rows, columns } => Shape::new(operands[0].rows * rows, operands[0].columns * columns),
            Op::Deinterleave { rows, columns, .. } => {
                Shape::new(operands[0].rows / rows, operands[0].columns / columns)
            }
            Op::Lower { .. } | Op::Softmax | Op::CumSum { .. } => operands[0],
            // Arguments are given their shape.
            Op::Input(_) | Op::Parameter(_) | Op::State(_) | Op::Real | Op::Head | Op::Constant(_) => Shape::ONE,
        }
    }
}
