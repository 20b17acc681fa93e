//! A program as text: MLIR's generic syntax of the dialect that `mom.irdl.mlir` defines.
//!
//! The text depends on what a program says, not on how it was built: values are numbered in the order in which they
//! appear, and the arguments of an update rule carry the names of its ports. The module `mlir` reads the text back.

use std::fmt::{self, Write};

use crate::{
    graph::{Body, Graph, Op, OpKind, Port, UpdateRule, ValueId},
    ops,
};

/// How many operands and results `mom.irdl.mlir` gives to `mom.scan` and to its two parts, each of them optional.
const SCAN_OPERANDS: usize = 24;
const SCAN_RESULTS: usize = 8;
/// As many results a scan's gradient may have.
const SCAN_GRADIENT_RESULTS: usize = 24;
/// How many runs of operands and of results of one type it gives to products with several weights.
const PRODUCTS: usize = 16;
/// How many it gives to `mom.fused`.
const FUSED_OPERANDS: usize = 64;
const FUSED_RESULTS: usize = 32;

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
        self.operations(1, &graph.body, &Values::of(&graph.body, &[], &mut 0));
        self.line(0, "}");
        self.text
    }

    fn update_rule(&mut self, rule: &UpdateRule) {
        let names = |ports: &[Port]| ports.iter().map(|port| port.name.clone()).collect::<Vec<_>>();
        let (inputs, parameters) = (names(&rule.inputs), names(&rule.parameters));
        let (states, outputs) = (names(&rule.states), names(&rule.outputs));
        let values = Values::of(&rule.body, &[&inputs[..], &parameters[..], &states[..]].concat(), &mut 0);
        self.line(1, "\"mom.update_rule\"() ({");
        self.block(1, &rule.body, &values, &[&rule.next[..], &rule.read[..]].concat());
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

    /// The one block of a region.
    fn block(&mut self, depth: usize, body: &Body, values: &Values, yielded: &[ValueId]) {
        let arguments = values.arguments.iter().map(|&value| format!("{}: {}", values.name(value), body.ty(value)));
        self.line(depth, &format!("^bb0({}):", arguments.collect::<Vec<_>>().join(", ")));
        self.operations(depth + 1, body, values);
        let yielded = format!("\"gpu.yield\"({}) : ({}) -> ()", values.names(yielded), types(body, yielded));
        self.line(depth + 1, &yielded);
    }

    fn operations(&mut self, depth: usize, body: &Body, values: &Values) {
        for (op, inner) in body.ops.iter().zip(&values.inner) {
            self.op(depth, op, body, values, inner.as_ref());
        }
    }

    /// An operation, with the names of the values within it if it has a body.
    fn op(&mut self, depth: usize, op: &Op, body: &Body, values: &Values, inner: Option<&Values>) {
        let name = match op.kind {
            OpKind::Elementwise(function) => format!("mom.{}", function.name()),
            OpKind::Linear | OpKind::GroupedLinear if op.results.len() > 1 => format!("{}s", ops::name(&op.kind)),
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
        let start = format!("{results}\"{name}\"({})", values.names(&op.operands));
        let attributes = attribute_list(&attributes(op, body));
        let end = format!("{attributes} : ({}) -> {result_types}{location}", types(body, &op.operands));
        match (&op.kind, inner) {
            (OpKind::Fused(fused), Some(inner)) => {
                self.line(depth, &format!("{start} ({{"));
                self.block(depth, &fused.body, inner, &fused.results);
                self.line(depth, &format!("}}){end}"));
            }
            _ => self.line(depth, &format!("{start}{end}")),
        }
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
    /// For each operation those of its own body, if it has one. Such a body sees the values around it, so that all names
    /// differ.
    inner: Vec<Option<Values>>,
}

impl Values {
    /// The first arguments take the given names; every other value is numbered, from `next` on.
    fn of(body: &Body, argument_names: &[String], next: &mut usize) -> Values {
        let arguments = body.arguments();
        let mut names = vec![String::new(); body.value_count()];
        for (argument, name) in arguments.iter().zip(argument_names) {
            names[argument.index()] = format!("%{name}");
        }
        let mut number = |values: &[ValueId], next: &mut usize| {
            for value in values {
                names[value.index()] = format!("%{next}");
                *next += 1;
            }
        };
        number(arguments.get(argument_names.len()..).unwrap_or_default(), next);
        let mut inner = Vec::new();
        for op in &body.ops {
            number(&op.results, next);
            inner.push(match &op.kind {
                OpKind::Fused(fused) => Some(Values::of(&fused.body, &[], next)),
                _ => None,
            });
        }
        Values { arguments, names, inner }
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

/// Which operands and results take which of a definition's places, run by run of one type.
fn runs(op: &Op, body: &Body, operands: usize, results: usize) -> Vec<(&'static str, String)> {
    let sizes = |values: &[ValueId], places: usize| {
        let runs = values.chunk_by(|&a, &b| body.ty(a) == body.ty(b)).map(|run| run.len());
        let mut sizes: Vec<String> = runs.map(|length| length.to_string()).collect();
        sizes.resize(places.max(sizes.len()), "0".to_owned());
        format!("array<i32: {}>", sizes.join(", "))
    };
    vec![("operandSegmentSizes", sizes(&op.operands, operands)), ("resultSegmentSizes", sizes(&op.results, results))]
}

/// What an operation says beside its operands, each value as MLIR writes it.
fn attributes(op: &Op, body: &Body) -> Vec<(&'static str, String)> {
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
        OpKind::Router { top_k, shared_state } => {
            let shared_state = shared_state.then(|| ("shared_state", "true".to_owned()));
            [("top_k", top_k.to_string())].into_iter().chain(shared_state).collect()
        }
        OpKind::Sort { memories } => vec![("memories", memories.to_string())],
        OpKind::Scan { update_rule } | OpKind::ScanStates { update_rule } | OpKind::ReadStates { update_rule } => vec![
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
        OpKind::Linear | OpKind::GroupedLinear if op.results.len() > 1 => runs(op, body, PRODUCTS, PRODUCTS),
        OpKind::Linear | OpKind::GroupedLinear => Vec::new(),
        OpKind::Fused(_) => runs(op, body, FUSED_OPERANDS, FUSED_RESULTS),
        OpKind::Embedding
        | OpKind::SelectRows
        | OpKind::Elementwise(_)
        | OpKind::Contract
        | OpKind::Solve
        | OpKind::HeadIndex
        | OpKind::ShortConv
        | OpKind::Dispatch
        | OpKind::Combine
        | OpKind::Append
        | OpKind::JoinMemories
        | OpKind::SplitMemories
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
        let others = others.map(|name| name.trim_start_matches("mom."));
        for name in others.chain(functions).chain(["linears", "grouped_linears"]) {
            assert!(IRDL.contains(&format!("irdl.operation @{name} {{")), "{name}");
        }
    }

    #[test]
    fn operations_have_the_places_that_the_dialect_defines() {
        for (name, kind, operands, results) in [
            ("scan", "optional", SCAN_OPERANDS, SCAN_RESULTS),
            ("scan_gradient", "optional", SCAN_OPERANDS, SCAN_GRADIENT_RESULTS),
            ("scan_states", "optional", SCAN_OPERANDS, SCAN_RESULTS),
            ("read_states", "optional", SCAN_OPERANDS, SCAN_RESULTS),
            ("linears", "variadic", PRODUCTS, PRODUCTS),
            ("grouped_linears", "variadic", PRODUCTS, PRODUCTS),
            ("fused", "variadic", FUSED_OPERANDS, FUSED_RESULTS),
        ] {
            let (_, definition) = IRDL.split_once(&format!("irdl.operation @{name} {{")).unwrap();
            let (definition, _) = definition.split_once("\n  }\n").unwrap();
            for (places, letter) in [(operands, 'x'), (results, 'y')] {
                assert!(definition.contains(&format!("{letter}{}: {kind}", places - 1)));
                assert!(!definition.contains(&format!("{letter}{places}: {kind}")));
            }
        }
    }
}
