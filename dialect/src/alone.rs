//! An update rule alone, as a program that takes tensors: the forward scan, or its gradient.
//!
//! Such a program reads no tokens and has no weights. Its inputs are `cu_seqlens` i32 `[B+1]`, the rule's inputs f32
//! `[T, head, …]` and its parameters `[head, …]`, all under their names. The forward program carries the rule's states,
//! `[B, head, …]`, and answers its outputs. The gradient's program carries nothing: it takes the states before the first
//! token as inputs too, and after them the cotangents; [`cotangent_of_output`] and the like say how each is called.

use crate::{
    graph::{Graph, OpKind, Port, UpdateRule, ValueId},
    shape::{Axis, Extent, Type},
};

/// The input that holds the boundaries of the sequences.
pub const CU_SEQLENS: &str = "cu_seqlens";

/// The gradient's input for the cotangent of an output, `[T, head, …]`.
pub fn cotangent_of_output(name: &str) -> String {
    format!("cot.{name}")
}

/// The gradient's input for the cotangent of a state after the last token, `[B, head, …]`.
pub fn cotangent_of_state(name: &str) -> String {
    format!("cot.{name}t")
}

/// The gradient's output for an input, `[T, head, …]`, or a parameter, `[B, head, …]`: one for each head of the scan,
/// also where heads share what it is the gradient of.
pub fn gradient_of_input(name: &str) -> String {
    format!("grad.{name}")
}

/// The gradient's output for a state before the first token, `[B, head, …]`.
pub fn gradient_of_state(name: &str) -> String {
    format!("grad.{name}0")
}

/// How many heads there are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Heads {
    /// Of the scan and its states.
    pub scan: usize,
    /// Of each input and then each parameter; divides `scan`.
    pub given: Vec<usize>,
}

impl Heads {
    /// As many heads of everything.
    pub fn equal(rule: &UpdateRule, heads: usize) -> Heads {
        Heads { scan: heads, given: vec![heads; rule.inputs.len() + rule.parameters.len()] }
    }
}

/// The program that applies the update rule along each sequence.
///
/// # Errors
/// What does not fit: a number of heads that does not divide that of the scan, a rule without an input.
pub fn forward(rule: &UpdateRule, heads: &Heads) -> Result<Graph, String> {
    let mut program = Program::new(rule, heads);
    let mut operands = program.given()?;
    for port in &rule.states {
        let ty = program.of_states(port);
        operands.extend(program.graph.add(OpKind::State { name: port.name.clone(), ty }, &[], None)?);
    }
    operands.push(program.segments()?);
    let scan = OpKind::Scan { update_rule: rule.name.clone() };
    let results = program.graph.add(scan, &operands, None)?;
    let (outputs, states) = results.split_at(rule.outputs.len());
    for (port, &value) in rule.outputs.iter().zip(outputs) {
        program.graph.add(OpKind::Output { name: port.name.clone() }, &[value], None)?;
    }
    for (port, &value) in rule.states.iter().zip(states) {
        program.graph.add(OpKind::SetState { name: port.name.clone() }, &[value], None)?;
    }
    Ok(program.graph)
}

/// The program that computes the gradient of `forward`.
///
/// # Errors
/// As for [`forward`].
pub fn gradient(rule: &UpdateRule, heads: &Heads) -> Result<Graph, String> {
    let mut program = Program::new(rule, heads);
    let mut operands = program.given()?;
    for port in &rule.states {
        operands.push(program.input(port.name.clone(), program.of_states(port))?);
    }
    operands.push(program.segments()?);
    for port in &rule.outputs {
        operands.push(program.input(cotangent_of_output(&port.name), program.of_tokens(port, heads.scan))?);
    }
    for port in &rule.states {
        operands.push(program.input(cotangent_of_state(&port.name), program.of_states(port))?);
    }
    let scan = OpKind::ScanGradient { update_rule: rule.name.clone() };
    let results = program.graph.add(scan, &operands, None)?;
    let given = rule.inputs.iter().chain(&rule.parameters).map(|port| gradient_of_input(&port.name));
    let names = given.chain(rule.states.iter().map(|port| gradient_of_state(&port.name)));
    for (name, value) in names.zip(results) {
        program.graph.add(OpKind::Output { name }, &[value], None)?;
    }
    Ok(program.graph)
}

struct Program<'a> {
    rule: &'a UpdateRule,
    heads: &'a Heads,
    graph: Graph,
}

impl<'a> Program<'a> {
    fn new(rule: &'a UpdateRule, heads: &'a Heads) -> Self {
        let graph = Graph { name: rule.name.clone(), update_rules: vec![rule.clone()], body: Default::default() };
        Program { rule, heads, graph }
    }

    fn input(&mut self, name: String, ty: Type) -> Result<ValueId, String> {
        Ok(self.graph.add(OpKind::Input { name, ty }, &[], None)?[0])
    }

    /// The rule's inputs and parameters.
    fn given(&mut self) -> Result<Vec<ValueId>, String> {
        let Program { rule, heads, .. } = *self;
        let mut values = Vec::new();
        let ports = rule.inputs.iter().map(|port| (port, true)).chain(rule.parameters.iter().map(|port| (port, false)));
        for ((port, per_token), &heads) in ports.zip(&heads.given) {
            let ty = if per_token { self.of_tokens(port, heads) } else { typed(None, heads, port) };
            values.push(self.input(port.name.clone(), ty)?);
        }
        Ok(values)
    }

    fn segments(&mut self) -> Result<ValueId, String> {
        self.input(CU_SEQLENS.to_owned(), Type::i32([Axis::Rows(Extent::SEQUENCES.plus(1))]))
    }

    fn of_tokens(&self, port: &Port, heads: usize) -> Type {
        typed(Some(Extent::TOKENS), heads, port)
    }

    fn of_states(&self, port: &Port) -> Type {
        typed(Some(Extent::SEQUENCES), self.heads.scan, port)
    }
}

fn typed(rows: Option<Extent>, heads: usize, port: &Port) -> Type {
    let frame = rows.map(Axis::Rows).into_iter().chain([Axis::named("head", heads)]);
    Type::f32(frame.chain(port.ty.axes.iter().cloned()).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        diagnostic::Source,
        reference::{Inputs, Interpreter, Tensor, Tensors},
        rule, verify,
    };

    const FADING: &str = "rule fading(q: key, k: key, v: value, g: scalar) {
  state h: key x value
  next h = exp(g) * h + outer(k, v)
  out o = h^T q
}";

    fn fading() -> UpdateRule {
        let file = rule::parse(&Source::new("fading.mom", FADING)).unwrap();
        let sizes = BTreeMap::from([("key".to_owned(), 2), ("value".to_owned(), 1)]);
        file.update_rule(&sizes, &BTreeMap::new()).unwrap()
    }

    fn tensors(entries: &[(&str, &[usize], &[f64])]) -> Tensors {
        entries.iter().map(|(name, shape, data)| ((*name).to_owned(), Tensor::new(*shape, *data))).collect()
    }

    /// Two tokens, then an empty sequence.
    fn given() -> Tensors {
        tensors(&[
            ("q", &[2, 1, 2], &[1.0, 0.0, 0.5, 1.0]),
            ("k", &[2, 1, 2], &[1.0, 2.0, 0.0, 1.0]),
            ("v", &[2, 1, 1], &[3.0, -1.0]),
            ("g", &[2, 1], &[0.0, -0.5]),
        ])
    }

    #[test]
    fn forward_takes_tensors() {
        let rule = fading();
        let graph = forward(&rule, &Heads::equal(&rule, 1)).unwrap();
        assert_eq!(verify::verify(&graph), []);
        let mut states = tensors(&[("h", &[2, 1, 2, 1], &[1.0, 0.0, 7.0, 8.0])]);
        let inputs = Inputs::of_tensors(vec![0, 2, 2], given());
        let outputs = Interpreter::new(&graph).step(&inputs, &Tensors::new(), &mut states).unwrap();
        let decay = (-0.5_f64).exp();
        assert_eq!(outputs["o"].data, [4.0, 0.5 * (decay * 4.0) + (decay * 6.0 - 1.0)]);
        assert_eq!(states["h"].data, [decay * 4.0, decay * 6.0 - 1.0, 7.0, 8.0]);
    }

    #[test]
    fn the_gradient_is_that_of_the_sum() {
        let rule = fading();
        let graph = gradient(&rule, &Heads::equal(&rule, 1)).unwrap();
        assert_eq!(verify::verify(&graph), []);
        let mut inputs = given();
        inputs.extend(tensors(&[
            ("h", &[2, 1, 2, 1], &[1.0, 0.0, 7.0, 8.0]),
            ("cot.o", &[2, 1, 1], &[0.0, 1.0]),
            ("cot.ht", &[2, 1, 2, 1], &[0.0, 0.0, 2.0, 3.0]),
        ]));
        let inputs = Inputs::of_tensors(vec![0, 2, 2], inputs);
        let results = Interpreter::new(&graph).step(&inputs, &Tensors::new(), &mut Tensors::new()).unwrap();
        let decay = (-0.5_f64).exp();
        let close = |name: &str, expected: &[f64]| {
            let found = &results[name].data;
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-11), "{name}: {found:?}");
        };
        close("grad.q", &[0.0, 0.0, decay * 4.0, decay * 6.0 - 1.0]);
        close("grad.g", &[decay * 0.5, decay * 8.0]);
        close("grad.v", &[decay * 2.5, 1.0]);
        // The empty sequence hands its cotangent through.
        close("grad.h0", &[decay * 0.5, decay, 2.0, 3.0]);
    }

    #[test]
    fn heads_that_do_not_divide_are_refused() {
        let rule = fading();
        let heads = Heads { scan: 4, given: vec![2, 3, 4, 4] };
        let message = forward(&rule, &heads).unwrap_err();
        assert!(message.starts_with("`scan` needs the input `k`"), "{message}");
    }
}
