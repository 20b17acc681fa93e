//! Kernels over tiles as text: a function each, of generic operations of a dialect `tile`, in MLIR's syntax.
//!
//! The text depends on nothing but the kernel. An argument tells the name of its port; of the gradient's, `cotangent`
//! marks those of outputs and of states after the step.

use std::fmt;

use super::{
    Gradient, Graph, Op, Port, Scan, Shape, Value,
    graph::{Along, Node},
};

impl fmt::Display for Scan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        function(formatter, &self.name, self, &self.step)
    }
}

impl fmt::Display for Gradient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        function(formatter, &format!("{}_gradient", self.scan.name), &self.scan, &self.back)
    }
}

fn function(text: &mut fmt::Formatter<'_>, name: &str, scan: &Scan, graph: &Graph) -> fmt::Result {
    let types = |values: &[Value]| list(values.iter().map(|&value| ty(graph.shape(value))));
    let results = types(&graph.results);
    let schedule = &scan.schedule;
    writeln!(text, "func.func @{name}() -> ({results}) attributes {{")?;
    let (chunk, sub_block, save) = (schedule.chunk, schedule.sub_block, schedule.save);
    writeln!(text, "  tile.schedule = {{chunk = {chunk}, sub_block = {sub_block}, save = {save}}},")?;
    writeln!(text, "  tile.heads = {},", scan.heads)?;
    let kinds = [("inputs", &scan.inputs), ("parameters", &scan.parameters), ("states", &scan.states)];
    for (kind, ports) in kinds {
        writeln!(text, "  tile.{kind} = [{}],", list(ports.iter().map(port)))?;
    }
    writeln!(text, "  tile.outputs = [{}]", list(scan.outputs.iter().map(port)))?;
    writeln!(text, "}} {{")?;
    for (index, node) in graph.nodes.iter().enumerate() {
        let (operation, attributes) = (node.op.name(), attributes(scan, node));
        let operands = list(node.operands.iter());
        writeln!(
            text,
            "  %{index} = \"tile.{operation}\"({operands}){attributes} : ({}) -> {}",
            types(&node.operands),
            ty(node.shape)
        )?;
    }
    writeln!(text, "  return {} : {results}", list(graph.results.iter()))?;
    writeln!(text, "}}")
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "%{}", self.0)
    }
}

fn list(items: impl IntoIterator<Item = impl fmt::Display>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(", ")
}

fn ty(Shape { rows, columns }: Shape) -> String {
    format!("tensor<{rows}x{columns}xf32>")
}

fn port(port: &Port) -> String {
    format!("{{name = {:?}, heads = {}, tile = {}}}", port.name, port.heads, ty(port.shape))
}

impl Op {
    /// The name in texts, without the dialect.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Op::Input(_) => "input",
            Op::Parameter(_) => "parameter",
            Op::State(_) => "state",
            Op::Real => "real",
            Op::Head => "head",
            Op::Constant(_) => "constant",
            Op::Triangle { .. } => "triangle",
            Op::Map(function) => function.name(),
            Op::Lower { .. } => "lower",
            Op::Dot { .. } => "dot",
            Op::Transpose => "transpose",
            Op::Sum(_) => "sum",
            Op::Softmax => "softmax",
            Op::CumSum { .. } => "cum_sum",
            Op::DecayGram { .. } => "decay_gram",
            Op::DecayApply { .. } => "decay_apply",
            Op::SolveLower { .. } => "solve_lower",
            Op::Solve { .. } => "solve",
            Op::Slice { .. } => "slice",
            Op::Pad { .. } => "pad",
            Op::Interleave { .. } => "interleave",
            Op::Deinterleave { .. } => "deinterleave",
        }
    }
}

/// ` {…}` with what the operation has beside its operands; nothing where it has nothing.
fn attributes(scan: &Scan, node: &Node) -> String {
    let argument = |index: usize, own: &[Port], cotangents: &[Port]| match own.get(index) {
        Some(port) => vec![format!("name = {:?}", port.name)],
        None => {
            let port = cotangents.get(index - own.len()).map_or("", |port| &port.name);
            vec![format!("name = {port:?}"), "cotangent".to_owned()]
        }
    };
    let flags = |flags: &[(&str, bool)]| -> Vec<String> {
        flags.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| (*name).to_owned()).collect()
    };
    let numbers = |numbers: &[(&str, usize)]| -> Vec<String> {
        numbers.iter().map(|(name, number)| format!("{name} = {number}")).collect()
    };
    let attributes = match node.op {
        Op::Input(index) => argument(index, &scan.inputs, &scan.outputs),
        Op::Parameter(index) => argument(index, &scan.parameters, &[]),
        Op::State(index) => argument(index, &scan.states, &scan.states),
        Op::Constant(value) => vec![constant(value)],
        Op::Triangle { strict, .. } | Op::Lower { strict } => flags(&[("strict", strict)]),
        Op::Dot { transpose_a, transpose_b } => flags(&[("transpose_a", transpose_a), ("transpose_b", transpose_b)]),
        Op::Sum(Along::Rows) => flags(&[("rows", true)]),
        Op::Sum(Along::Columns) => flags(&[("columns", true)]),
        Op::CumSum { reverse, exclusive } => flags(&[("reverse", reverse), ("exclusive", exclusive)]),
        Op::DecayGram { exclusive } => flags(&[("exclusive", exclusive)]),
        Op::DecayApply { exclusive, transposed } => flags(&[("exclusive", exclusive), ("transposed", transposed)]),
        Op::SolveLower { transposed } | Op::Solve { transposed } => flags(&[("transposed", transposed)]),
        Op::Slice { row, column, .. } | Op::Pad { row, column, .. } => numbers(&[("row", row), ("column", column)]),
        Op::Interleave { rows, columns } => numbers(&[("rows", rows), ("columns", columns)]),
        Op::Deinterleave { rows, columns, i, j } => {
            numbers(&[("rows", rows), ("columns", columns), ("i", i), ("j", j)])
        }
        Op::Real | Op::Head | Op::Map(_) | Op::Transpose | Op::Softmax => Vec::new(),
    };
    if attributes.is_empty() { String::new() } else { format!(" {{{}}}", attributes.join(", ")) }
}

/// MLIR wants a decimal point; infinities and NaN it knows by their bits.
fn constant(value: f64) -> String {
    if value.is_finite() {
        let digits = format!("{value:?}");
        let digits = if digits.contains(['.']) { digits } else { digits.replacen('e', ".0e", 1) };
        format!("value = {digits} : f64")
    } else {
        format!("value = {:#018x} : f64", value.to_bits())
    }
}
