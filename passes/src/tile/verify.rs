//! Checks of kernels over tiles: that operands come before their use and fit, and that a step has the arguments and
//! results that its ports say.

use super::{
    Gradient, Graph, Op, Port, Scan, Shape, Value,
    graph::{Along, Node},
};

impl Scan {
    /// # Errors
    /// The first thing that is wrong, with the operation or the port that it is wrong with.
    pub(crate) fn verify(&self) -> Result<(), String> {
        let expected = Expected {
            rows: self.schedule.chunk,
            inputs: self.tiles(&self.inputs),
            parameters: shapes(&self.parameters),
            states: shapes(&self.states),
            results: [self.tiles(&self.outputs), shapes(&self.states)].concat(),
        };
        self.check_ports()
            .and_then(|()| expected.check(&self.step))
            .map_err(|error| format!("`{}`: {error}", self.name))
    }

    fn check_ports(&self) -> Result<(), String> {
        let schedule = &self.schedule;
        if schedule.chunk == 0 || schedule.save == 0 {
            return Err("steps hold at least one token, and groups of steps one step".to_owned());
        }
        if !schedule.chunk.is_multiple_of(schedule.sub_block) {
            return Err(format!("sub-blocks of {} rows do not divide {}", schedule.sub_block, schedule.chunk));
        }
        let ports = self.inputs.iter().chain(&self.parameters).chain(&self.states).chain(&self.outputs);
        for port in ports {
            if !self.heads.is_multiple_of(port.heads) {
                return Err(format!("the {} heads of `{}` do not divide {}", port.heads, port.name, self.heads));
            }
            if port.shape.elements() == 0 {
                return Err(format!("`{}` has no elements", port.name));
            }
        }
        Ok(())
    }

    fn tiles(&self, ports: &[Port]) -> Vec<Shape> {
        ports.iter().map(|port| self.tile(port)).collect()
    }
}

impl Gradient {
    /// # Errors
    /// As [`Scan::verify`].
    pub(crate) fn verify(&self) -> Result<(), String> {
        let scan = &self.scan;
        scan.verify()?;
        let (inputs, outputs) = (scan.tiles(&scan.inputs), scan.tiles(&scan.outputs));
        let (parameters, states) = (shapes(&scan.parameters), shapes(&scan.states));
        let expected = Expected {
            rows: scan.schedule.chunk,
            results: [&inputs[..], &parameters, &states].concat(),
            inputs: [inputs, outputs].concat(),
            parameters,
            states: [&states[..], &states].concat(),
        };
        expected.check(&self.back).map_err(|error| format!("the gradient of `{}`: {error}", scan.name))
    }
}

fn shapes(ports: &[Port]) -> Vec<Shape> {
    ports.iter().map(|port| port.shape).collect()
}

/// What a graph is given and what it must make.
struct Expected {
    /// Tokens of a step.
    rows: usize,
    inputs: Vec<Shape>,
    parameters: Vec<Shape>,
    states: Vec<Shape>,
    results: Vec<Shape>,
}

impl Expected {
    fn check(&self, graph: &Graph) -> Result<(), String> {
        for (index, node) in graph.nodes.iter().enumerate() {
            if node.operands.iter().any(|operand| operand.index() >= index) {
                return Err(format!("%{index} (`{}`) uses a value that is made later", node.op.name()));
            }
            let operands: Vec<Shape> = node.operands.iter().map(|&operand| graph.shape(operand)).collect();
            self.node(node, &operands).map_err(|what| {
                let found: Vec<String> = operands.iter().map(|&shape| text(shape)).collect();
                let found = format!("({}) -> {}", found.join(", "), text(node.shape));
                format!("%{index} (`{}`) {what}; found {found}", node.op.name())
            })?;
        }
        if let Some(result) = graph.results.iter().find(|result| result.index() >= graph.nodes.len()) {
            return Err(format!("nothing makes the result {result}"));
        }
        let results: Vec<Shape> = graph.results.iter().map(|&result: &Value| graph.shape(result)).collect();
        if results != self.results {
            let list = |shapes: &[Shape]| shapes.iter().map(|&shape| text(shape)).collect::<Vec<_>>().join(", ");
            return Err(format!("the results are ({}), not ({})", list(&results), list(&self.results)));
        }
        Ok(())
    }

    /// What is wrong with an operation, as the rest of a sentence that begins with its name.
    fn node(&self, node: &Node, operands: &[Shape]) -> Result<(), String> {
        let expect = |holds: bool, what: &str| if holds { Ok(()) } else { Err(what.to_owned()) };
        let known =
            |kind: &[Shape], index: usize| expect(kind.get(index) == Some(&node.shape), "is no argument of this shape");
        let count = match node.op {
            Op::Map(function) => function.arity(),
            Op::Interleave { rows, columns } => (rows * columns).max(1),
            Op::Dot { .. } | Op::SolveLower { .. } | Op::Solve { .. } => 2,
            Op::DecayGram { .. } | Op::DecayApply { .. } => 3,
            Op::Lower { .. } | Op::Transpose | Op::Sum(Along::Rows | Along::Columns) | Op::Softmax => 1,
            Op::CumSum { .. } | Op::Slice { .. } | Op::Pad { .. } | Op::Deinterleave { .. } => 1,
            Op::Input(_) | Op::Parameter(_) | Op::State(_) | Op::Real | Op::Head | Op::Constant(_) => 0,
            Op::Triangle { .. } => 0,
        };
        expect(operands.len() == count, &format!("takes {count} operands"))?;
        expect(node.shape.elements() > 0, "makes a tile without elements")?;
        match (node.op, operands) {
            (Op::Input(index), _) => return known(&self.inputs, index),
            (Op::Parameter(index), _) => return known(&self.parameters, index),
            (Op::State(index), _) => return known(&self.states, index),
            (Op::Real, _) => return expect(node.shape == Shape::new(self.rows, 1), "has one column, a row a token"),
            (Op::Map(_), shapes) => {
                let full = node.op.shape(shapes);
                let fits = |own: usize, full: usize| own == full || own == 1;
                let fit = |shape: &Shape| fits(shape.rows, full.rows) && fits(shape.columns, full.columns);
                expect(shapes.iter().all(fit), "needs operands of one shape, or of one row or column")?;
            }
            (Op::Dot { transpose_a, transpose_b }, [a, b]) => {
                let inner_a = if transpose_a { a.rows } else { a.columns };
                let inner_b = if transpose_b { b.columns } else { b.rows };
                expect(inner_a == inner_b, "needs two operands that can be multiplied")?;
            }
            (Op::DecayGram { .. }, [a, b, g]) => {
                expect(a == b && b == g, "needs three operands of one shape")?;
            }
            (Op::DecayApply { .. }, [p, x, g]) => {
                let fits = *p == Shape::new(x.rows, x.rows) && x == g;
                expect(fits, "needs a square operand and two of one shape with as many rows")?;
            }
            (Op::SolveLower { .. } | Op::Solve { .. }, [a, b]) => {
                expect(*a == Shape::new(b.rows, b.rows), "needs a square operand and one of as many rows")?;
            }
            (Op::Slice { row, column, shape }, [x]) => {
                let fits = row + shape.rows <= x.rows && column + shape.columns <= x.columns;
                expect(fits, "goes beyond its operand")?;
            }
            (Op::Pad { row, column, shape }, [x]) => {
                let fits = row + x.rows <= shape.rows && column + x.columns <= shape.columns;
                expect(fits, "has no room for its operand")?;
            }
            (Op::Interleave { .. }, [first, rest @ ..]) => {
                expect(rest.iter().all(|other| other == first), "needs operands of one shape")?;
            }
            (Op::Deinterleave { rows, columns, i, j }, [x]) => {
                let fits = i < rows && j < columns && x.rows.is_multiple_of(rows) && x.columns.is_multiple_of(columns);
                expect(fits, "asks for a part that its operand does not have")?;
            }
            _ => {}
        }
        let shape = node.op.shape(operands);
        expect(shape == node.shape, &format!("makes {}", text(shape)))
    }
}

fn text(shape: Shape) -> String {
    format!("[{}, {}]", shape.rows, shape.columns)
}
