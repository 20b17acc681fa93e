//! Mixtures of what is read of memories, and readings of mixed memories.

use std::collections::BTreeMap;

use mom_dialect::{
    diagnostic::Source as Text,
    graph::{Function, Graph, OpKind, Port, UpdateRule, ValueId},
    rule,
    shape::{Axis, Extent, Type},
};

use super::{
    numeric::saturated,
    programs::{self, Program, Routed},
};
use crate::fuse::rewrites;

/// Where what is read with comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Query {
    /// Rows of tokens.
    OfTokens,
    /// The projections of each memory.
    OfMemories,
    /// The rows before it in the memory's segment, too.
    Convolved,
    /// Rows of tokens in the order of another routing.
    OfOtherTokens,
}

/// What the program does with memories.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A scan, of which a mixture is made.
    Scan,
    /// A scan that no mixture follows.
    Alone,
    /// The two parts of a scan, of which a mixture is made.
    Split,
    /// As `Split`, but what advances the states differs from what they are read with.
    Torn,
    /// Mixed states, read.
    Mixed,
    /// As `Mixed`, but of two states one is mixed by other weights.
    MixedUnevenly,
    /// A scan along tokens instead of a routed stream.
    AlongTokens,
    /// The two parts of a scan along tokens.
    SplitAlongTokens,
}

#[derive(Clone, Copy)]
pub(super) struct Reading {
    pub(super) update_rule: &'static str,
    pub(super) query: Query,
    pub(super) form: Form,
    pub(super) shared_state: bool,
}

/// Reads two states together.
const SUM_OF_TWO: &str = "rule sum_of_two(q: key, k: key, v: value, g: scalar <= 0) {
  state slow: key x value
  state fast: key x value
  next slow = slow + k v^T
  next fast = exp(g) * fast + k v^T
  out o = slow^T q - fast^T q
}";

/// Has two readings, of which the second is not one of the states.
const TWO_READINGS: &str = "rule two_readings(q: key, k: key, v: value) {
  parameter c: scalar
  state h: key x value
  next h = h + k v^T
  out o = h^T (c * q) / (1 + c * c)
  out p = q
}";

fn update_rule(name: &str) -> UpdateRule {
    let text = match name {
        "sum_of_two" => SUM_OF_TWO,
        "two_readings" => TWO_READINGS,
        _ => return programs::update_rule(name),
    };
    let file = rule::parse(&Text::new("rule.mom", text)).expect("an update rule");
    let sizes = [("key", 4), ("value", 3)].map(|(name, size)| (name.to_owned(), size)).into();
    file.update_rule(&sizes, &BTreeMap::new()).expect("an update rule")
}

impl Reading {
    pub(super) const PLAIN: Reading =
        Reading { update_rule: "simple_gla", query: Query::OfTokens, form: Form::Scan, shared_state: false };

    pub(super) fn of(update_rule: &'static str, form: Form) -> Graph {
        Reading { update_rule, form, ..Reading::PLAIN }.program()
    }

    pub(super) fn with(query: Query, form: Form) -> Graph {
        Reading { query, form, ..Reading::PLAIN }.program()
    }

    /// Routing, projections, scan or its parts, mixture.
    pub(super) fn program(self) -> Graph {
        let rule = update_rule(self.update_rule);
        let mut writer = Writer { reading: self, rule: rule.clone(), program: Program::new(vec![rule]) };
        let x = writer.program.hidden();
        let routed = writer.program.route_with(x, 3, 2, self.shared_state);
        let needs_other = self.query == Query::OfOtherTokens || self.form == Form::MixedUnevenly;
        let other = match needs_other {
            true => {
                let other = writer.program.function(Function::Neg, &[x]);
                writer.program.route_with(other, 3, 2, self.shared_state)
            }
            false => routed,
        };
        let outputs = match self.form {
            Form::AlongTokens | Form::SplitAlongTokens => {
                // Of one choice there are as many rows as tokens.
                let routed = writer.program.route_with(x, 3, 1, false);
                writer.along_tokens(x, &routed)
            }
            _ => writer.along_stream(x, &routed, &other),
        };
        for (number, output) in outputs.into_iter().enumerate() {
            writer.program.output(&format!("y.{number}"), output);
        }
        writer.program.graph
    }
}

struct Writer {
    reading: Reading,
    rule: UpdateRule,
    program: Program,
}

impl Writer {
    fn along_stream(&mut self, x: ValueId, routed: &Routed, other: &Routed) -> Vec<ValueId> {
        let parts = self.rule.split();
        let form = self.reading.form;
        let own = self.program.dispatch(x, routed);
        let mut advanced: BTreeMap<String, ValueId> = BTreeMap::new();
        let mut read: BTreeMap<String, ValueId> = BTreeMap::new();
        for port in self.rule.inputs.clone() {
            let is_read = parts.reading.inputs.contains(&port);
            let value =
                if is_read { self.query(x, own, (routed, other), &port) } else { self.given(own, routed, &port) };
            let of_tokens = is_read && matches!(form, Form::Mixed | Form::MixedUnevenly);
            read.insert(port.name.clone(), if of_tokens { self.of_tokens(x, &port) } else { value });
            let torn = form == Form::Torn && parts.advance.inputs.contains(&port);
            advanced.insert(port.name.clone(), if torn { self.given(own, routed, &port) } else { value });
        }
        for port in self.rule.parameters.clone() {
            let value = self.parameter(&port);
            advanced.insert(port.name.clone(), value);
            read.insert(port.name.clone(), value);
        }
        let memory = Some(Axis::named("memory", routed.memories));
        let states: Vec<ValueId> =
            self.rule.states.clone().iter().map(|port| self.state(port, memory.clone())).collect();
        let picked = |part: &UpdateRule, values: &BTreeMap<String, ValueId>| -> Vec<ValueId> {
            part.inputs.iter().chain(&part.parameters).map(|port| values[&port.name]).collect()
        };
        let along = [&states[..], &[routed.segments]].concat();
        let whole = [&picked(&self.rule, &advanced)[..], &along].concat();
        let name = || self.reading.update_rule.to_owned();
        let (scan, read_states) = (OpKind::Scan { update_rule: name() }, OpKind::ReadStates { update_rule: name() });
        let advance = [&picked(&parts.advance, &advanced)[..], &along].concat();
        let given = picked(&parts.reading, &read);
        let program = &mut self.program;
        let mixtures = |program: &mut Program, values: &[ValueId]| -> Vec<ValueId> {
            values.iter().map(|&value| program.combine(value, routed)).collect()
        };
        let results = program.several(scan, &whole);
        let (outputs, after) = results.split_at(self.rule.outputs.len());
        for (port, &state) in self.rule.states.iter().zip(after) {
            program.several(OpKind::SetState { name: port.name.clone() }, &[state]);
        }
        if form == Form::Alone {
            return outputs.iter().map(|&output| program.function(Function::Silu, &[output])).collect();
        }
        if form == Form::Scan {
            return mixtures(program, outputs);
        }
        let states = program.several(OpKind::ScanStates { update_rule: name() }, &advance);
        if matches!(form, Form::Split | Form::Torn) {
            let outputs = program.several(read_states, &[given, states].concat());
            return mixtures(program, &outputs);
        }
        let mut mixed = mixtures(program, &states);
        if form == Form::MixedUnevenly {
            mixed[0] = program.one(OpKind::Combine, &[states[0], routed.slot, other.weight]);
        }
        program.several(read_states, &[given, mixed].concat())
    }

    fn along_tokens(&mut self, x: ValueId, routed: &Routed) -> Vec<ValueId> {
        let parts = self.rule.split();
        let mut values: BTreeMap<String, ValueId> = BTreeMap::new();
        for port in self.rule.inputs.clone() {
            values.insert(port.name.clone(), self.of_tokens(x, &port));
        }
        for port in self.rule.parameters.clone() {
            values.insert(port.name.clone(), self.parameter(&port));
        }
        let states: Vec<ValueId> = self.rule.states.clone().iter().map(|port| self.state(port, None)).collect();
        let along = [&states[..], &[routed.cu_seqlens, routed.position]].concat();
        let operands = |part: &UpdateRule, rest: &[ValueId]| -> Vec<ValueId> {
            let given = part.inputs.iter().chain(&part.parameters).map(|port| values[&port.name]);
            given.chain(rest.iter().copied()).collect()
        };
        let name = self.reading.update_rule.to_owned();
        let program = &mut self.program;
        let outputs = match self.reading.form {
            Form::SplitAlongTokens => {
                let states = OpKind::ScanStates { update_rule: name.clone() };
                let states = program.several(states, &operands(&parts.advance, &along));
                program.several(OpKind::ReadStates { update_rule: name }, &operands(&parts.reading, &states))
            }
            _ => program.several(OpKind::Scan { update_rule: name }, &operands(&self.rule, &along)),
        };
        outputs[..self.rule.outputs.len()].iter().map(|&output| program.combine(output, routed)).collect()
    }

    fn names(port: &Port) -> Vec<String> {
        ["head".to_owned()].into_iter().chain(port.ty.axes.iter().map(Axis::name)).collect()
    }

    /// An input as one projection of tokens.
    fn of_tokens(&mut self, x: ValueId, port: &Port) -> ValueId {
        let weight = self.weight(port);
        let made = self.program.one(OpKind::Linear, &[x, weight]);
        self.bounded(made, port)
    }

    fn weight(&mut self, port: &Port) -> ValueId {
        let name = format!("{}_proj", port.name);
        let known = self.program.known_param(&name);
        let axes: Vec<Axis> =
            Writer::names(port).iter().chain([&"model".to_owned()]).map(|name| programs::axis(name)).collect();
        known.unwrap_or_else(|| self.program.param_of(&name, axes))
    }

    /// An input by the projections of each memory.
    fn given(&mut self, own: ValueId, routed: &Routed, port: &Port) -> ValueId {
        let names = [Writer::names(port), vec!["model".to_owned()]].concat();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let made = self.program.grouped(own, routed, &format!("own.{}", port.name), &names);
        self.bounded(made, port)
    }

    /// A logarithm of a decay is never positive.
    fn bounded(&mut self, made: ValueId, port: &Port) -> ValueId {
        if port.at_most.is_none() {
            return made;
        }
        let positive = self.program.function(Function::Softplus, &[made]);
        self.program.function(Function::Neg, &[positive])
    }

    fn query(&mut self, x: ValueId, own: ValueId, (routed, other): (&Routed, &Routed), port: &Port) -> ValueId {
        match self.reading.query {
            Query::OfMemories => self.given(own, routed, port),
            Query::OfTokens | Query::OfOtherTokens => {
                let order = if self.reading.query == Query::OfTokens { routed } else { other };
                let made = self.of_tokens(x, port);
                self.program.dispatch(made, order)
            }
            Query::Convolved => {
                let made = self.of_tokens(x, port);
                let made = self.program.dispatch(made, routed);
                let names = Writer::names(port);
                let axes = |front: &[&str], back: &[&str]| -> Vec<Axis> {
                    let names =
                        front.iter().copied().chain(names.iter().map(String::as_str)).chain(back.iter().copied());
                    names.map(programs::axis).collect()
                };
                let filter = self.program.param_of("filter", axes(&[], &["tap"]));
                let frame = [Axis::Rows(Extent::SEQUENCES), Axis::named("memory", routed.memories)];
                let ty = Type::f32([&frame[..], &axes(&["tap"], &[])].concat());
                let window = self.program.one(OpKind::State { name: "conv".into(), ty }, &[]);
                let results = self.program.several(OpKind::ShortConv, &[made, filter, window, routed.segments]);
                self.program.several(OpKind::SetState { name: "conv".into() }, &[results[1]]);
                results[0]
            }
        }
    }

    fn parameter(&mut self, port: &Port) -> ValueId {
        let axes = [vec![programs::axis("head")], port.ty.axes.clone()].concat();
        self.program.param_of(&port.name, axes)
    }

    fn state(&mut self, port: &Port, memory: Option<Axis>) -> ValueId {
        let frame = [Axis::Rows(Extent::SEQUENCES)].into_iter().chain(memory).chain([programs::axis("head")]);
        let ty = Type::f32(frame.chain(port.ty.axes.clone()).collect::<Vec<_>>());
        self.program.one(OpKind::State { name: port.name.clone(), ty }, &[])
    }
}

/// How often a rewrite finds something among all others.
fn uses(name: &str, graph: &Graph) -> usize {
    let phases = rewrites::PHASES.map(|lists| lists.iter().copied().flatten().collect());
    let number = rewrites::all().position(|rewrite| rewrite.name == name).expect("a rewrite");
    saturated(graph, &phases).1.uses[number]
}

/// A program that says nothing of states has its mixture read as the paper says, under the conditions of that alone.
#[test]
fn the_mixture_of_a_scan_is_read_as_one() {
    let plain = Reading::PLAIN;
    let programs = [
        (plain, 1),
        (Reading { update_rule: "linear_attn", ..plain }, 1),
        (Reading { update_rule: "gated_delta_rule", ..plain }, 1),
        (Reading { update_rule: "titans_l2", ..plain }, 1),
        (Reading { update_rule: "hgrn", ..plain }, 1),
        (Reading { update_rule: "sum_of_two", ..plain }, 1),
        // One of its outputs.
        (Reading { update_rule: "two_readings", ..plain }, 1),
        // The shared state as one more choice, of weight 1.
        (Reading { update_rule: "gated_delta_rule", shared_state: true, ..plain }, 1),
        (Reading { query: Query::Convolved, ..plain }, 0),
        (Reading { query: Query::OfMemories, ..plain }, 0),
        (Reading { query: Query::OfOtherTokens, ..plain }, 0),
        (Reading { update_rule: "linear_attn_norm", ..plain }, 0),
        (Reading { update_rule: "gsa", ..plain }, 0),
        (Reading { update_rule: "mesa_net", ..plain }, 0),
        (Reading { update_rule: "ttt_linear", ..plain }, 0),
        // What a token adds to its reading would be weighed once for each choice.
        (Reading { update_rule: "rwkv6", ..plain }, 0),
        (Reading { update_rule: "mamba2_ssd", ..plain }, 0),
    ];
    for (reading, expected) in programs {
        let found = uses("combine-before-read", &reading.program());
        assert_eq!(found, expected, "{}", reading.update_rule);
    }
}
