//! Small programs with every part that rewrites look at.

use std::collections::BTreeMap;

use mom_dialect::{
    diagnostic::Source as Text,
    graph::{Body, Function, Graph, OpKind, Source, UpdateRule, ValueId},
    rule,
    shape::{Axis, DType, Extent, Type},
};

use super::reading::{Form, Reading};

const HEADS: usize = 2;
const SIZES: [(&str, usize); 4] = [("key", 4), ("value", 3), ("slot", 2), ("heads", HEADS)];

/// An axis of these programs, always of the same size.
pub(super) fn axis(name: &str) -> Axis {
    let size = match name {
        "head" => HEADS,
        "key" => 4,
        "value" => 3,
        "model" => 6,
        "hidden" => 5,
        "vocab" => 7,
        _ => 2,
    };
    Axis::named(name, size)
}

fn axes(names: &[&str]) -> Vec<Axis> {
    names.iter().map(|name| axis(name)).collect()
}

/// A program that is being written.
pub(super) struct Program {
    pub(super) graph: Graph,
}

impl Program {
    pub(super) fn new(update_rules: Vec<UpdateRule>) -> Program {
        Program { graph: Graph { name: "test".into(), update_rules, body: Body::default() } }
    }

    pub(super) fn several(&mut self, kind: OpKind, operands: &[ValueId]) -> Vec<ValueId> {
        self.graph.add(kind, operands, None).expect("well typed")
    }

    pub(super) fn one(&mut self, kind: OpKind, operands: &[ValueId]) -> ValueId {
        self.several(kind, operands)[0]
    }

    pub(super) fn function(&mut self, function: Function, operands: &[ValueId]) -> ValueId {
        self.one(OpKind::Elementwise(function), operands)
    }

    pub(super) fn constant(&mut self, value: f64) -> ValueId {
        self.one(OpKind::Constant { value }, &[])
    }

    pub(super) fn output(&mut self, name: &str, value: ValueId) {
        self.several(OpKind::Output { name: name.into() }, &[value]);
    }

    /// A parameter over axes of these names.
    pub(super) fn param(&mut self, name: &str, names: &[&str]) -> ValueId {
        self.param_of(name, axes(names))
    }

    pub(super) fn param_of(&mut self, name: &str, axes: Vec<Axis>) -> ValueId {
        let shape = axes.iter().filter_map(Axis::size).collect();
        let source = Source { tensor: name.into(), shape, first_row: 0 };
        self.one(OpKind::Param { name: name.into(), ty: Type::new(DType::F32, axes), source }, &[])
    }

    /// A parameter that is there already.
    pub(super) fn known_param(&self, wanted: &str) -> Option<ValueId> {
        let mut ops = self.graph.body.ops.iter();
        ops.find_map(|op| match &op.kind {
            OpKind::Param { name, .. } if name == wanted => Some(op.results[0]),
            _ => None,
        })
    }

    /// An input of the step: `position`, `cu_seqlens`, `tokens`.
    pub(super) fn input(&mut self, name: &str) -> ValueId {
        let known = self.graph.body.ops.iter().find_map(|op| match &op.kind {
            OpKind::Input { name: other, .. } if other == name => Some(op.results[0]),
            _ => None,
        });
        let extent = if name == "cu_seqlens" { Extent::SEQUENCES.plus(1) } else { Extent::TOKENS };
        let ty = Type::i32([Axis::Rows(extent)]);
        known.unwrap_or_else(|| self.one(OpKind::Input { name: name.into(), ty }, &[]))
    }

    /// Hidden states `[T, model]`.
    pub(super) fn hidden(&mut self) -> ValueId {
        let tokens = self.input("tokens");
        let table = self.param("table", &["vocab", "model"]);
        self.one(OpKind::Embedding, &[tokens, table])
    }

    pub(super) fn linear(&mut self, x: ValueId, weight: &str, names: &[&str]) -> ValueId {
        let weight = self.param(weight, names);
        self.one(OpKind::Linear, &[x, weight])
    }

    pub(super) fn norm(&mut self, x: ValueId, weight: &str, names: &[&str]) -> ValueId {
        let weight = self.param(weight, names);
        self.one(OpKind::RmsNorm { eps: 1e-6 }, &[x, weight])
    }

    pub(super) fn route(&mut self, x: ValueId, memories: usize, top_k: usize) -> Routed {
        self.route_with(x, memories, top_k, false)
    }

    /// Routing with the shared state as one more choice, or without.
    pub(super) fn route_with(&mut self, x: ValueId, memories: usize, top_k: usize, shared_state: bool) -> Routed {
        let axes = vec![Axis::named("memory", memories), axis("model")];
        let gate = self.known_param("gate").unwrap_or_else(|| self.param_of("gate", axes));
        let logits = self.one(OpKind::Linear, &[x, gate]);
        let router = self.several(OpKind::Router { top_k, shared_state }, &[logits]);
        let memories = memories + usize::from(shared_state);
        let (position, cu_seqlens) = (self.input("position"), self.input("cu_seqlens"));
        let sort = self.several(OpKind::Sort { memories }, &[router[0], position, cu_seqlens]);
        let [permutation, slot, segments] = sort[..] else { panic!("a sort has three results") };
        Routed { memories, permutation, slot, segments, weight: router[1], position, cu_seqlens }
    }

    pub(super) fn dispatch(&mut self, x: ValueId, routed: &Routed) -> ValueId {
        self.one(OpKind::Dispatch, &[x, routed.permutation, routed.segments])
    }

    pub(super) fn combine(&mut self, x: ValueId, routed: &Routed) -> ValueId {
        self.one(OpKind::Combine, &[x, routed.slot, routed.weight])
    }

    /// Products with a weight for each memory.
    pub(super) fn grouped(&mut self, x: ValueId, routed: &Routed, weight: &str, names: &[&str]) -> ValueId {
        let weights = (0..routed.memories).map(|memory| self.param(&format!("{weight}.{memory}"), names));
        let operands: Vec<ValueId> = [x, routed.segments].into_iter().chain(weights.collect::<Vec<_>>()).collect();
        self.one(OpKind::GroupedLinear, &operands)
    }
}

/// What routing gives.
#[derive(Clone, Copy)]
pub(super) struct Routed {
    pub(super) memories: usize,
    pub(super) permutation: ValueId,
    pub(super) slot: ValueId,
    pub(super) segments: ValueId,
    pub(super) weight: ValueId,
    pub(super) position: ValueId,
    pub(super) cu_seqlens: ValueId,
}

pub(super) fn update_rule(name: &str) -> UpdateRule {
    let (_, text) = rule::BUILTIN.iter().find(|(known, _)| *known == name).expect("an update rule that ships");
    let file = rule::parse(&Text::new("rule.mom", *text)).expect("an update rule that ships");
    let sizes: BTreeMap<String, usize> = SIZES.iter().map(|(name, size)| ((*name).to_owned(), *size)).collect();
    file.update_rule(&sizes, &BTreeMap::new()).expect("an update rule that ships")
}

/// A model of one layer.
#[derive(Clone, Copy)]
pub(super) struct Mixture {
    pub(super) update_rule: &'static str,
    pub(super) memories: usize,
    pub(super) top_k: usize,
    pub(super) shared_state: bool,
    /// Rotary embedding of queries.
    pub(super) rotary: bool,
}

impl Mixture {
    pub(super) const GATED_DELTA: Mixture =
        Mixture { update_rule: "gated_delta_rule", memories: 4, top_k: 2, shared_state: true, rotary: false };

    /// Norm, router, projections of which the first is one for all memories, convolutions, gates, scan, shared state,
    /// gated norm, projection, residual; then a feed-forward part.
    pub(super) fn program(self) -> Graph {
        let rule = update_rule(self.update_rule);
        let mut layer = Layer { rule: rule.clone(), mixture: self, program: Program::new(vec![rule]), first: None };
        let hidden = layer.program.hidden();
        let x = layer.program.norm(hidden, "norm", &["model"]);
        let routed = layer.program.route(x, self.memories, self.top_k);
        let read = layer.read(x, &routed, false);
        let mut mixed = layer.program.combine(read, &routed);
        if self.shared_state {
            let shared = layer.read(x, &routed, true);
            mixed = layer.program.function(Function::Add, &[mixed, shared]);
        }
        let program = &mut layer.program;
        let normed = program.norm(mixed, "o_norm", &["value"]);
        let gate = program.linear(x, "g_proj", &["head", "value", "model"]);
        let gate = program.function(Function::Silu, &[gate]);
        let gated = program.function(Function::Mul, &[normed, gate]);
        let y = program.linear(gated, "o_proj", &["model", "head", "value"]);
        let hidden = program.function(Function::Add, &[hidden, y]);
        feed_forward(program, hidden);
        layer.program.graph
    }
}

fn feed_forward(program: &mut Program, hidden: ValueId) {
    let x = program.norm(hidden, "mlp_norm", &["model"]);
    let gate = program.linear(x, "gate_proj", &["hidden", "model"]);
    let gate = program.function(Function::Silu, &[gate]);
    let up = program.linear(x, "up_proj", &["hidden", "model"]);
    let inner = program.function(Function::Mul, &[gate, up]);
    let down = program.linear(inner, "down_proj", &["model", "hidden"]);
    let hidden = program.function(Function::Add, &[hidden, down]);
    program.output("hidden", hidden);
}

struct Layer {
    rule: UpdateRule,
    mixture: Mixture,
    program: Program,
    /// The first input's projection of the tokens.
    first: Option<ValueId>,
}

impl Layer {
    /// What the memories read, or the shared state.
    fn read(&mut self, x: ValueId, routed: &Routed, shared: bool) -> ValueId {
        let prefix = if shared { "shared_" } else { "" };
        let own = if shared { x } else { self.program.dispatch(x, routed) };
        let position = match shared {
            true => routed.position,
            false => self.program.one(OpKind::Dispatch, &[routed.position, routed.permutation, routed.segments]),
        };
        let mut operands = Vec::new();
        for (number, port) in self.rule.inputs.clone().into_iter().enumerate() {
            let names: Vec<String> = port.ty.axes.iter().map(Axis::name).collect();
            let names: Vec<&str> = [&["head"], &names.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat();
            let weight = [&names[..], &["model"]].concat();
            let made = match (number, shared) {
                (0, _) => {
                    let first =
                        self.first.unwrap_or_else(|| self.program.linear(x, &format!("{}_proj", port.name), &weight));
                    self.first = Some(first);
                    if shared { first } else { self.program.dispatch(first, routed) }
                }
                (_, true) => self.program.linear(own, &format!("shared_{}", port.name), &weight),
                (_, false) => self.program.grouped(own, routed, &format!("{}_proj", port.name), &weight),
            };
            operands.push(match (&names[..], port.at_most) {
                (["head"], Some(_)) => self.decay(made, &port.name),
                (["head"], None) => self.program.function(Function::Sigmoid, &[made]),
                (names, _) => {
                    let convolved = self.short_conv(made, routed, shared, &port.name, names);
                    let active = self.program.function(Function::Silu, &[convolved]);
                    match number {
                        0 if self.mixture.rotary && names.last() == Some(&"key") => {
                            self.program.one(OpKind::Rotary { base: 100.0 }, &[active, position])
                        }
                        0 | 1 => self.program.one(OpKind::L2Norm { eps: 1e-6 }, &[active]),
                        _ => active,
                    }
                }
            });
        }
        for port in self.rule.parameters.clone() {
            let axes = [vec![axis("head")], port.ty.axes.clone()].concat();
            let known = self.program.known_param(&port.name);
            operands.push(known.unwrap_or_else(|| self.program.param_of(&port.name, axes)));
        }
        let states = self.rule.states.clone();
        for port in &states {
            let axes = [vec![axis("head")], port.ty.axes.clone()].concat();
            operands.push(self.state(&format!("{prefix}memory.{}", port.name), shared, axes));
        }
        self.segments(&mut operands, routed, shared);
        let results = self.program.several(OpKind::Scan { update_rule: self.rule.name.clone() }, &operands);
        for (port, &state) in states.iter().zip(&results[self.rule.outputs.len()..]) {
            let name = format!("{prefix}memory.{}", port.name);
            self.program.several(OpKind::SetState { name }, &[state]);
        }
        results[0]
    }

    fn decay(&mut self, x: ValueId, name: &str) -> ValueId {
        let (log, bias) = (format!("{name}_log"), format!("{name}_bias"));
        let log = self.program.known_param(&log).unwrap_or_else(|| self.program.param(&log, &["head"]));
        let bias = self.program.known_param(&bias).unwrap_or_else(|| self.program.param(&bias, &["head"]));
        let strength = self.program.function(Function::Exp, &[log]);
        let strength = self.program.function(Function::Neg, &[strength]);
        let moved = self.program.function(Function::Add, &[x, bias]);
        let moved = self.program.function(Function::Softplus, &[moved]);
        self.program.function(Function::Mul, &[strength, moved])
    }

    fn short_conv(&mut self, x: ValueId, routed: &Routed, shared: bool, name: &str, names: &[&str]) -> ValueId {
        let filter = format!("{name}_conv1d");
        let taps = [names, &["tap"]].concat();
        let filter = self.program.known_param(&filter).unwrap_or_else(|| self.program.param(&filter, &taps));
        let state = format!("{}conv.{name}", if shared { "shared_" } else { "" });
        let window = self.state(&state, shared, axes(&[&["tap"], names].concat()));
        let mut operands = vec![x, filter, window];
        self.segments(&mut operands, routed, shared);
        let results = self.program.several(OpKind::ShortConv, &operands);
        self.program.several(OpKind::SetState { name: state }, &[results[1]]);
        results[0]
    }

    fn state(&mut self, name: &str, shared: bool, rest: Vec<Axis>) -> ValueId {
        let memory = (!shared).then(|| Axis::named("memory", self.mixture.memories));
        let axes: Vec<Axis> = [Axis::Rows(Extent::SEQUENCES)].into_iter().chain(memory).chain(rest).collect();
        self.program.one(OpKind::State { name: name.into(), ty: Type::f32(axes) }, &[])
    }

    fn segments(&self, operands: &mut Vec<ValueId>, routed: &Routed, shared: bool) {
        match shared {
            true => operands.extend([routed.cu_seqlens, routed.position]),
            false => operands.push(routed.segments),
        }
    }
}

/// Programs that between them hold all that rewrites look at.
pub(super) fn all() -> Vec<(&'static str, Graph)> {
    let gated_delta = Mixture::GATED_DELTA;
    vec![
        ("a mixture of memories", gated_delta.program()),
        ("without a shared state", Mixture { shared_state: false, ..gated_delta }.program()),
        ("one choice", Mixture { top_k: 1, ..gated_delta }.program()),
        ("all memories", Mixture { memories: 2, ..gated_delta }.program()),
        ("one memory", Mixture { memories: 1, top_k: 1, shared_state: false, ..gated_delta }.program()),
        ("one memory and a shared state", Mixture { memories: 1, top_k: 1, ..gated_delta }.program()),
        ("two states", Mixture { update_rule: "gsa", ..gated_delta }.program()),
        ("parameters", Mixture { update_rule: "ttt_linear", ..gated_delta }.program()),
        ("positions", Mixture { update_rule: "linear_attn", rotary: true, ..gated_delta }.program()),
        ("a query of tokens", Reading { shared_state: true, ..Reading::PLAIN }.program()),
        ("mixed memories", Reading::of("gated_delta_rule", Form::Mixed)),
        ("mixed memories of two states", Reading::of("sum_of_two", Form::Mixed)),
        ("states and what is read of them", Reading::of("two_readings", Form::Split)),
        ("arithmetic", arithmetic()),
        ("linear maps around a mixture", linear_maps()),
    ]
}

/// Arithmetic that changes nothing, and some that looks like it.
fn arithmetic() -> Graph {
    let mut program = Program::new(Vec::new());
    let x = program.hidden();
    let [zero, one, two] = [0.0, 1.0, 2.0].map(|value| program.constant(value));
    let negated = program.function(Function::Neg, &[x]);
    let neutral = [
        program.function(Function::Mul, &[one, x]),
        program.function(Function::Mul, &[x, one]),
        program.function(Function::Div, &[x, one]),
        program.function(Function::Add, &[zero, x]),
        program.function(Function::Sub, &[x, zero]),
        program.function(Function::Neg, &[negated]),
        program.function(Function::Sub, &[zero, x]),
        program.function(Function::Div, &[one, x]),
        program.function(Function::Mul, &[x, two]),
    ];
    for (number, value) in neutral.into_iter().enumerate() {
        let active = program.function(Function::Silu, &[value]);
        program.output(&format!("y.{number}"), active);
    }
    program.graph
}

/// Products and factors on either side of dispatch and combine.
fn linear_maps() -> Graph {
    let mut program = Program::new(Vec::new());
    let x = program.hidden();
    let routed = program.route(x, 3, 2);
    let scale = program.param("scale", &["model"]);
    let scaled = program.function(Function::Mul, &[scale, x]);
    let dispatched = program.dispatch(scaled, &routed);
    let own = program.grouped(dispatched, &routed, "own", &["hidden", "model"]);
    let inner = program.function(Function::Silu, &[own]);
    let down = program.linear(inner, "down", &["model", "hidden"]);
    let mixed = program.combine(down, &routed);
    let scaled = program.function(Function::Div, &[mixed, scale]);
    let projected = program.linear(scaled, "out", &["value", "model"]);
    program.output("y", projected);
    program.graph
}
