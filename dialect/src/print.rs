//! A program as text: MLIR's generic syntax of the dialect that `mom.irdl.mlir` defines.
//!
//! The text depends on what a program says, not on how it was built: values are numbered in the order in which they
//! appear, and the arguments of an update rule carry the names of its ports. The module `mlir` reads the text back.

use std::fmt::{self, Write};

use crate::{
    graph::{Body, Graph, Op, OpKind, Port, UpdateRule, ValueId},
    ops,
};

/// How many operands and results `mom.irdl.mlir` gives to `mom.scan`, each of them optional.
const SCAN_OPERANDS: usize = 24;
const SCAN_RESULTS: usize = 8;
/// As many results a scan's gradient may have.
const SCAN_GRADIENT_RESULTS: usize = 24;

/// The text of a program.
pub fn print(graph: &Graph) -> String {
    Printer { text: String::new(), locations: false }.program(graph)
}

/// The text of a program in which each operation tells the place in the model description that asked for it, as
/// `loc("model.toml":3:1)`.
pub fn print_with_locations(graph: &Graph) -> String {
    Printer { text: String::new(), locations: true }.program(graph)
}

impl fmt::Display for Graph {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&print(self))
    }
}

struct Printer {
    text: String,
    locations: bool,
}

impl Printer {
    fn program(mut self, graph: &Graph) -> String {
        let name = if graph.name.is_empty() { String::new() } else { format!("@{} ", symbol(&graph.name)) };
        self.line(0, &format!("module {name}{{"));
        for rule in &graph.update_rules {
            self.update_rule(rule);
        }
        let values = Values::of(&graph.body, &[]);
        for op in &graph.body.ops {
            self.op(1, op, &graph.body, &values);
        }
        self.line(0, "}");
        self.text
    }

    fn update_rule(&mut self, rule: &UpdateRule) {
        let names = |ports: &[Port]| ports.iter().map(|port| port.name.clone()).collect::<Vec<_>>();
        let (inputs, parameters) = (names(&rule.inputs), names(&rule.parameters));
        let (states, outputs) = (names(&rule.states), names(&rule.outputs));
        let values = Values::of(&rule.body, &[&inputs[..], &parameters[..], &states[..]].concat());
        let arguments: Vec<String> =
            values.arguments.iter().map(|&value| format!("{}: {}", values.name(value), rule.body.ty(value))).collect();
        self.line(1, "\"mom.update_rule\"() ({");
        self.line(1, &format!("^bb0({}):", arguments.join(", ")));
        for op in &rule.body.ops {
            self.op(2, op, &rule.body, &values);
        }
        let yielded = [&rule.next[..], &rule.read[..]].concat();
        self.line(2, &format!("\"gpu.yield\"({}) : ({}) -> ()", values.names(&yielded), types(&rule.body, &yielded)));
        let mut attributes = vec![("sym_name", quoted(&rule.name)), ("inputs", strings(&inputs))];
        if !parameters.is_empty() {
            attributes.push(("parameters", strings(&parameters)));
        }
        attributes.extend([("states", strings(&states)), ("outputs", strings(&outputs))]);
        let given = || rule.inputs.iter().chain(&rule.parameters);
        if given().any(|port| port.at_most.is_some()) {
            let limits: Vec<String> =
                given().map(|port| port.at_most.map_or(quoted(""), |limit| quoted(&format!("{limit:?}")))).collect();
            attributes.push(("at_most", format!("[{}]", limits.join(", "))));
        }
        let attributes = attribute_list(&attributes);
        self.line(1, &format!("}}){attributes} : () -> ()"));
    }

    fn op(&mut self, depth: usize, op: &Op, body: &Body, values: &Values) {
        let name = match op.kind {
            OpKind::Elementwise(function) => format!("mom.{}", function.name()),
            _ => ops::name(&op.kind).to_owned(),
        };
        let results = if op.results.is_empty() { String::new() } else { values.names(&op.results) + " = " };
        let result_types = match op.results[..] {
            [result] => body.ty(result).to_string(),
            _ => format!("({})", types(body, &op.results)),
        };
        let location = match &op.span {
            Some(span) if self.locations => {
                let (line, column) = span.source.line_column(span.range.start);
                format!(" loc({}:{line}:{column})", quoted(&span.source.name))
            }
            _ => String::new(),
        };
        self.line(
            depth,
            &format!(
                "{results}\"{name}\"({}){} : ({}) -> {result_types}{location}",
                values.names(&op.operands),
                attribute_list(&attributes(op)),
                types(body, &op.operands),
            ),
        );
    }

    fn line(&mut self, depth: usize, line: &str) {
        for _ in 0..depth {
            self.text.push_str("  ");
        }
        self.text.push_str(line);
        self.text.push('\n');
    }
}

/// The names of a body's values.
struct Values {
    arguments: Vec<ValueId>,
    names: Vec<String>,
}

impl Values {
    /// The first arguments take the given names; every other value is numbered.
    fn of(body: &Body, argument_names: &[String]) -> Values {
        let mut made = vec![false; body.value_count()];
        for result in body.ops.iter().flat_map(|op| &op.results) {
            made[result.index()] = true;
        }
        let arguments: Vec<ValueId> =
            (0..made.len()).filter(|&index| !made[index]).map(|index| ValueId(index as u32)).collect();
        let mut names = vec![String::new(); made.len()];
        for (argument, name) in arguments.iter().zip(argument_names) {
            names[argument.index()] = format!("%{name}");
        }
        let numbered = arguments.iter().skip(argument_names.len()).chain(body.ops.iter().flat_map(|op| &op.results));
        for (number, value) in numbered.enumerate() {
            names[value.index()] = format!("%{number}");
        }
        Values { arguments, names }
    }

    fn name(&self, value: ValueId) -> &str {
        &self.names[value.index()]
    }

    fn names(&self, values: &[ValueId]) -> String {
        values.iter().map(|&value| self.name(value)).collect::<Vec<_>>().join(", ")
    }
}

fn types(body: &Body, values: &[ValueId]) -> String {
    values.iter().map(|&value| body.ty(value).to_string()).collect::<Vec<_>>().join(", ")
}

/// What an operation says beside its operands, each value as MLIR writes it.
fn attributes(op: &Op) -> Vec<(&'static str, String)> {
    match &op.kind {
        OpKind::Input { name, .. }
        | OpKind::State { name, .. }
        | OpKind::SetState { name }
        | OpKind::Output { name } => vec![("name", quoted(name))],
        OpKind::Param { name, source, .. } => vec![
            ("name", quoted(name)),
            ("tensor", quoted(&source.tensor)),
            ("shape", format!("{:?}", source.shape)),
            ("first_row", source.first_row.to_string()),
        ],
        OpKind::Constant { value } => vec![("value", float(*value))],
        OpKind::RmsNorm { eps } | OpKind::L2Norm { eps } => vec![("eps", float(*eps))],
        OpKind::Router { top_k } => vec![("top_k", top_k.to_string())],
        OpKind::Sort { memories } => vec![("memories", memories.to_string())],
        OpKind::Scan { update_rule } => vec![
            ("update_rule", format!("@{}", symbol(update_rule))),
            ("operandSegmentSizes", taken(op.operands.len(), SCAN_OPERANDS)),
            ("resultSegmentSizes", taken(op.results.len(), SCAN_RESULTS)),
        ],
        OpKind::ScanGradient { update_rule } => vec![
            ("update_rule", format!("@{}", symbol(update_rule))),
            ("operandSegmentSizes", taken(op.operands.len(), SCAN_OPERANDS)),
            ("resultSegmentSizes", taken(op.results.len(), SCAN_GRADIENT_RESULTS)),
        ],
        OpKind::Rotary { base } => vec![("base", float(*base))],
        OpKind::Sum { axis } | OpKind::Softmax { axis } => vec![("axis", quoted(axis))],
        OpKind::Slice { axis, index } => vec![("axis", quoted(axis)), ("index", index.to_string())],
        OpKind::Place { axis, size, index } => {
            vec![("axis", quoted(axis)), ("size", size.to_string()), ("index", index.to_string())]
        }
        OpKind::Relabel { axes } => {
            let (from, to): (Vec<String>, Vec<String>) = axes.iter().cloned().unzip();
            vec![("from", strings(&from)), ("to", strings(&to))]
        }
        OpKind::Identity { axes, size } => vec![("axes", strings(axes)), ("size", size.to_string())],
        OpKind::Attention { window, scale } => {
            let window = window.map(|window| ("window", window.to_string()));
            [("scale", float(*scale))].into_iter().chain(window).collect()
        }
        OpKind::Embedding
        | OpKind::SelectRows
        | OpKind::Elementwise(_)
        | OpKind::Contract
        | OpKind::Solve
        | OpKind::HeadIndex
        | OpKind::Linear
        | OpKind::GroupedLinear
        | OpKind::ShortConv
        | OpKind::Dispatch
        | OpKind::Combine
        | OpKind::AppendCache => Vec::new(),
    }
}

fn attribute_list(attributes: &[(&str, String)]) -> String {
    if attributes.is_empty() {
        return String::new();
    }
    let entries: Vec<String> = attributes.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    format!(" {{{}}}", entries.join(", "))
}

/// The segment sizes that say: the first `count` of `places` optional places are taken.
fn taken(count: usize, places: usize) -> String {
    let sizes: Vec<&str> = (0..places.max(count)).map(|place| if place < count { "1" } else { "0" }).collect();
    format!("array<i32: {}>", sizes.join(", "))
}

/// A number that reads back as the same bits. MLIR wants a point in every decimal.
fn float(value: f64) -> String {
    if !value.is_finite() {
        return format!("{:#018X} : f64", value.to_bits()).replace("0X", "0x");
    }
    let text = format!("{value:?}");
    match text.split_once('e') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0e{exponent}"),
        _ => text,
    }
}

fn strings(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
}

/// The name of a symbol, which needs quotes unless it is a plain word.
fn symbol(name: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.');
    if name.chars().all(word) && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            _ if c.is_ascii_control() => {
                // Writing into a string cannot fail.
                let _ = write!(quoted, "\\{:02X}", u32::from(c));
            }
            _ => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Function;

    const IRDL: &str = include_str!("../mom.irdl.mlir");

    #[test]
    fn numbers_read_back_as_they_are() {
        for value in [0.0, -0.0, 1.0, 1e-6, 1e16, -2.5e-300, 5e-324, f64::MAX, 1.0 / 3.0] {
            let text = float(value);
            assert!(text.contains('.'), "{text}");
            assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()), "{text}");
        }
        assert_eq!(float(f64::INFINITY), "0x7FF0000000000000 : f64");
    }

    #[test]
    fn names_are_quoted_where_they_must() {
        assert_eq!(symbol("gated_delta_rule"), "gated_delta_rule");
        assert_eq!(symbol("380M"), "\"380M\"");
        assert_eq!(quoted("a \"b\"\\\n"), "\"a \\\"b\\\"\\\\\\0A\"");
    }

    #[test]
    fn the_dialect_defines_every_operation() {
        let functions = Function::ALL.map(Function::name);
        let others = ops::NAMES.into_iter().filter(|&name| name != "mom.elementwise");
        for name in others.map(|name| name.trim_start_matches("mom.")).chain(functions) {
            assert!(IRDL.contains(&format!("irdl.operation @{name} {{")), "{name}");
        }
    }

    #[test]
    fn a_scan_has_the_places_that_the_dialect_defines() {
        for (name, results) in [("scan", SCAN_RESULTS), ("scan_gradient", SCAN_GRADIENT_RESULTS)] {
            let (_, definition) = IRDL.split_once(&format!("irdl.operation @{name} {{")).unwrap();
            let (definition, _) = definition.split_once("\n  }\n").unwrap();
            for (places, letter) in [(SCAN_OPERANDS, 'x'), (results, 'y')] {
                assert!(definition.contains(&format!("{letter}{}: optional", places - 1)));
                assert!(!definition.contains(&format!("{letter}{places}: optional")));
            }
        }
    }
}
