//! An update rule in two: what advances its states token by token, and what reads them.
//!
//! `read(states(x, S), x) = outputs(x, S)`: the two parts are update rules again. Where the rule reads a state after the
//! token that wrote it, so does its reading, and where it reads the state from before, that one.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{Body, Port, UpdateRule, ValueId};

/// An update rule in two. Ports are called as in the whole, and in its order; each part has those that it needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// What advances the states; its outputs are those states that are read, before the token or after it.
    pub advance: UpdateRule,
    /// What reads; its states are the outputs of `advance`, and stay as they are.
    pub reading: UpdateRule,
}

impl UpdateRule {
    /// What advances the states, and what reads them.
    pub fn split(&self) -> Split {
        let arguments = self.body.arguments();
        let given = self.inputs.len() + self.parameters.len();
        let before: Vec<ValueId> = arguments.into_iter().skip(given).collect();
        let old = |port: &Port| Port::new(format!("{} before", port.name), port.ty.clone());
        let after = self.next.iter().copied().zip(self.states.iter().cloned());
        let mut memories: Vec<(ValueId, Port)> = Vec::new();
        for (value, port) in after.chain(before.iter().copied().zip(self.states.iter().map(old))) {
            if memories.iter().all(|(known, _)| *known != value) {
                memories.push((value, port));
            }
        }
        let made: BTreeSet<ValueId> = memories.iter().map(|(value, _)| *value).collect();
        let read = needed(&self.body, &self.read, &made);
        memories.retain(|(value, _)| read.contains(value));
        let (values, ports): (Vec<ValueId>, Vec<Port>) = memories.iter().cloned().unzip();
        let states: Vec<(ValueId, Port)> = before.into_iter().zip(self.states.iter().cloned()).collect();
        Split {
            advance: self.part(&states, &self.next, (ports, &values)),
            reading: self.part(&memories, &values, (self.outputs.clone(), &self.read)),
        }
    }

    /// The rule that has some values for its states and makes others from them.
    fn part(
        &self,
        states: &[(ValueId, Port)],
        next: &[ValueId],
        (outputs, read): (Vec<Port>, &[ValueId]),
    ) -> UpdateRule {
        let known: BTreeSet<ValueId> = states.iter().map(|(value, _)| *value).collect();
        let needed = needed(&self.body, &[next, read].concat(), &known);
        let is_made = |value: &ValueId| needed.contains(value) && !known.contains(value);
        let (mut body, mut values) = (Body::default(), BTreeMap::new());
        let arguments = self.body.arguments();
        let (of_inputs, rest) = arguments.split_at(self.inputs.len().min(arguments.len()));
        let mut kept = |ports: &[Port], arguments: &[ValueId]| -> Vec<Port> {
            let kept = ports.iter().zip(arguments).filter(|(_, argument)| is_made(argument));
            let kept = kept.map(|(port, argument)| {
                values.insert(*argument, body.argument(port.ty.clone()));
                port.clone()
            });
            kept.collect()
        };
        let (inputs, parameters) = (kept(&self.inputs, of_inputs), kept(&self.parameters, rest));
        for (value, port) in states {
            values.insert(*value, body.argument(port.ty.clone()));
        }
        for op in self.body.ops.iter().filter(|op| op.results.iter().any(is_made)) {
            let operands = op.operands.iter().filter_map(|operand| values.get(operand).copied()).collect();
            let types = op.results.iter().map(|&result| self.body.ty(result).clone()).collect();
            let results = body.add_typed(op.kind.clone(), operands, types, op.span.clone());
            values.extend(op.results.iter().copied().zip(results));
        }
        let picked = |wanted: &[ValueId]| wanted.iter().filter_map(|value| values.get(value).copied()).collect();
        let (next, read) = (picked(next), picked(read));
        let states = states.iter().map(|(_, port)| port.clone()).collect();
        UpdateRule { name: self.name.clone(), inputs, parameters, states, outputs, body, next, read }
    }
}

/// The values from which `wanted` are made, themselves among them; what `known` are made of is not needed.
fn needed(body: &Body, wanted: &[ValueId], known: &BTreeSet<ValueId>) -> BTreeSet<ValueId> {
    let mut needed: BTreeSet<ValueId> = wanted.iter().copied().collect();
    for op in body.ops.iter().rev() {
        if op.results.iter().any(|result| needed.contains(result) && !known.contains(result)) {
            needed.extend(&op.operands);
        }
    }
    needed
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        diagnostic::Source,
        reference::{Tensor, evaluate_update_rule},
        rule,
        shape::Axis,
    };

    fn rule(text: &str) -> UpdateRule {
        let file = rule::parse(&Source::new("rule.mom", text)).unwrap();
        let sizes = ["key", "value", "heads"].map(|axis| (axis.to_owned(), 2)).into();
        file.update_rule(&sizes, &BTreeMap::new()).unwrap()
    }

    fn names<'p>(ports: impl IntoIterator<Item = &'p Port>) -> Vec<String> {
        ports.into_iter().map(|port| port.name.clone()).collect()
    }

    /// The names of what advancing takes, of the states that it gives, and of what reading takes beside them.
    fn shape(rule: &UpdateRule) -> [Vec<String>; 3] {
        let Split { advance, reading } = rule.split();
        assert_eq!(names(&reading.states), names(&advance.outputs));
        let given = |rule: &UpdateRule| names(rule.inputs.iter().chain(&rule.parameters));
        [given(&advance), names(&advance.outputs), given(&reading)]
    }

    #[test]
    fn each_part_takes_what_it_needs() {
        let builtin = |wanted: &str| {
            let (_, text) = rule::BUILTIN.iter().find(|(name, _)| *name == wanted).unwrap();
            shape(&rule(text))
        };
        assert_eq!(builtin("gated_delta_rule"), [&["k", "v", "beta", "g"][..], &["h"], &["q"]]);
        assert_eq!(builtin("hgrn"), [&["x", "g"][..], &["h"], &[]]);
        // The state before the token, and what the token adds to its own reading.
        assert_eq!(builtin("rwkv6"), [&["k", "v", "w"][..], &["h before"], &["r", "k", "v", "u"]]);
        assert_eq!(builtin("linear_attn_norm"), [&["k", "v"][..], &["h", "z"], &["q"]]);
        // Of seven states two are read.
        assert_eq!(builtin("ttt_linear"), [&["k", "v", "eta", "w", "b"][..], &["h", "hb"], &["q", "w", "b"]]);
    }

    #[test]
    fn both_states_of_a_token_may_be_read() {
        let text =
            "rule r(q: key, k: key) {\n  state h: key\n  let kept = h\n  next h = h + k\n  out o = q * h - kept\n}";
        assert_eq!(shape(&rule(text)), [&["k"][..], &["h", "h before"], &["q"]]);
    }

    /// Of every rule that ships: the states of each token, read one by one, are what the rule reads.
    #[test]
    fn the_parts_together_are_the_rule() {
        for (name, text) in rule::BUILTIN {
            let rule = rule(text);
            let Split { advance, reading } = rule.split();
            let mut number = 0.0;
            let mut tensor = |tokens: Option<usize>, port: &Port| {
                let own = port.ty.axes.iter().filter_map(Axis::size);
                let shape: Vec<usize> = tokens.into_iter().chain(own).collect();
                let numbers = (0..shape.iter().product()).map(|_| {
                    number += 1.0;
                    0.4 * f64::sin(number) - 0.5
                });
                Tensor::new(shape, numbers.collect::<Vec<_>>())
            };
            let inputs = rule.inputs.iter().map(|port| (port.name.clone(), tensor(Some(3), port)));
            let mut given: BTreeMap<String, Tensor> = inputs.collect();
            given.extend(rule.parameters.iter().map(|port| (port.name.clone(), tensor(None, port))));
            let states: Vec<Tensor> = rule.states.iter().map(|port| tensor(None, port)).collect();
            let of = |part: &UpdateRule| -> Vec<Tensor> {
                part.inputs.iter().chain(&part.parameters).map(|port| given[&port.name].clone()).collect()
            };
            let (expected, last) = evaluate_update_rule(&rule, &of(&rule), &states, 1).unwrap();
            let (memories, advanced) = evaluate_update_rule(&advance, &of(&advance), &states, 1).unwrap();
            assert_eq!(advanced, last, "{name}");
            for token in 0..3 {
                let own = |tensor: &Tensor| Tensor::new(tensor.shape[1..].to_vec(), tensor.row(token));
                let memories: Vec<Tensor> = memories.iter().map(own).collect();
                let mut given = of(&reading);
                for input in &mut given[..reading.inputs.len()] {
                    *input = Tensor::new([&[1], &input.shape[1..]].concat(), input.row(token));
                }
                if reading.inputs.is_empty() {
                    // Without an input no token is counted; such a rule reads its state as it is.
                    assert_eq!(memories[0].data, expected[0].row(token), "{name}");
                    continue;
                }
                let (read, kept) = evaluate_update_rule(&reading, &given, &memories, 1).unwrap();
                assert_eq!(kept, memories, "{name}");
                for (read, expected) in read.iter().zip(&expected) {
                    assert_eq!(read.data, expected.row(token), "{name}");
                }
            }
        }
    }
}
