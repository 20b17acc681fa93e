//! Random programs: a few numbers that become operations one after the other, each on values that are there already.
//!
//! Every step takes what fits it; a step that nothing fits is left out. So any part of a program is a program too, which
//! is how a failing one is made small.

use std::collections::BTreeMap;

use mom_dialect::{
    diagnostic::Source as Text,
    graph::{Body, Function, Graph, OpKind, Source, UpdateRule, ValueId},
    rule::{self, BUILTIN},
    shape::{Axis, DType, Extent, Type},
};
use proptest::{collection::vec, prelude::*};

pub(super) const VOCABULARY: usize = 24;

/// A random program to be.
#[derive(Clone, Debug)]
pub(super) struct Sketch {
    sizes: Sizes,
    /// The update rule, by its place among those that ship.
    rule: usize,
    memories: usize,
    top_k: usize,
    half_weights: bool,
    steps: Vec<Step>,
}

/// What every program has an axis of.
#[derive(Clone, Debug)]
struct Sizes {
    model: usize,
    hidden: usize,
    wide: usize,
    heads: usize,
    value: usize,
}

#[derive(Clone, Debug)]
struct Step {
    what: What,
    /// Which of all that fits is meant.
    picks: [usize; 4],
    flags: [bool; 6],
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// A function of one value.
    Unary,
    /// A function of a value and a parameter, a number or another value.
    Binary,
    /// The sum of two values that were made of tokens alike.
    Residual,
    RmsNorm,
    L2Norm,
    Rotary,
    /// One to three products of one value.
    Products,
    /// A router and the sort of its choices.
    Route,
    Dispatch,
    Combine,
    Grouped,
    ShortConv,
    /// Memories that are written and read, and perhaps a shared state.
    Mixture,
    /// A value that the world sees.
    Output,
    /// What is computed for the rows whose logits are asked for.
    Selected,
}

pub(super) fn sketch() -> impl Strategy<Value = Sketch> {
    let any_of = |whats: &'static [What]| prop::sample::select(whats);
    let rows = any_of(&[What::Unary, What::Binary, What::Residual, What::RmsNorm, What::L2Norm, What::Rotary]);
    let others = any_of(&[What::Products, What::ShortConv, What::Output, What::Selected, What::Products]);
    let routing = any_of(&[What::Route, What::Dispatch, What::Combine, What::Grouped, What::Dispatch, What::Combine]);
    let what = prop_oneof![4 => rows, 3 => others, 4 => routing, 1 => Just(What::Mixture)];
    let step = (what, any::<[u8; 4]>(), any::<[bool; 6]>());
    let step = step.prop_map(|(what, picks, flags)| Step { what, picks: picks.map(usize::from), flags });
    let sizes = (prop::sample::select(&[4, 7, 16, 17][..]), 1..=20usize, 1..=40usize, 1..=3usize, 1..=12usize);
    let sizes = sizes.prop_map(|(model, hidden, wide, heads, value)| Sizes { model, hidden, wide, heads, value });
    let routing = (1..=4usize).prop_flat_map(|memories| (Just(memories), 1..=memories));
    (sizes, 0..BUILTIN.len(), routing, prop::bool::weighted(0.2), vec(step, 1..=14)).prop_map(
        |(sizes, rule, (memories, top_k), half_weights, steps)| Sketch {
            sizes,
            rule,
            memories,
            top_k,
            half_weights,
            steps,
        },
    )
}

impl Sketch {
    /// The program.
    ///
    /// # Errors
    /// What every program begins and ends with does not fit, which is a fault of the writer.
    pub(super) fn program(&self) -> Result<Graph, String> {
        let rule = update_rule(BUILTIN[self.rule].1, &self.sizes)?;
        let graph = Graph { name: "random".into(), update_rules: vec![rule.clone()], body: Body::default() };
        let mut writer = Writer { sketch: self, rule, graph, pool: Vec::new(), routings: Vec::new(), names: 0 };
        let tokens = writer.input("tokens")?;
        let table = writer.param("table", &[Axis::named("vocab", VOCABULARY), writer.axis("model")], DType::F32)?;
        let hidden = writer.one(OpKind::Embedding, &[tokens, table])?;
        writer.pool.push(Value { id: hidden, stream: None });
        for step in &self.steps {
            // What does not fit is left out.
            let _ = writer.step(step);
        }
        writer.end()?;
        Ok(writer.graph)
    }
}

fn update_rule(text: &str, sizes: &Sizes) -> Result<UpdateRule, String> {
    let file = rule::parse(&Text::new("rule.mom", text)).map_err(|found| format!("{found:?}"))?;
    let sizes = [("key", 8), ("value", sizes.value), ("slot", 3), ("step", 2), ("heads", sizes.heads)];
    let sizes: BTreeMap<String, usize> = sizes.into_iter().map(|(name, size)| (name.to_owned(), size)).collect();
    file.update_rule(&sizes, &BTreeMap::new()).map_err(|found| format!("{found:?}"))
}

/// A value that has a row for each token, or for each row of a routed stream.
#[derive(Clone, Copy)]
struct Value {
    id: ValueId,
    /// Which routing the stream is of.
    stream: Option<usize>,
}

/// What routing gives.
#[derive(Clone, Copy)]
struct Routed {
    permutation: ValueId,
    slot: ValueId,
    segments: ValueId,
    weight: ValueId,
}

struct Writer<'a> {
    sketch: &'a Sketch,
    rule: UpdateRule,
    graph: Graph,
    pool: Vec<Value>,
    routings: Vec<Routed>,
    names: usize,
}

type Written<T = ()> = Result<T, String>;

impl Writer<'_> {
    fn axis(&self, name: &str) -> Axis {
        let Sizes { model, hidden, wide, heads, value } = self.sketch.sizes;
        let sizes = [("model", model), ("hidden", hidden), ("wide", wide), ("head", heads), ("value", value)];
        let size = sizes.iter().find(|(known, _)| *known == name).map_or(8, |(_, size)| *size);
        Axis::named(name, size)
    }

    fn several(&mut self, kind: OpKind, operands: &[ValueId]) -> Written<Vec<ValueId>> {
        self.graph.add(kind, operands, None)
    }

    fn one(&mut self, kind: OpKind, operands: &[ValueId]) -> Written<ValueId> {
        Ok(self.several(kind, operands)?[0])
    }

    fn function(&mut self, function: Function, operands: &[ValueId]) -> Written<ValueId> {
        self.one(OpKind::Elementwise(function), operands)
    }

    fn fresh(&mut self, what: &str) -> String {
        self.names += 1;
        format!("{what}.{}", self.names)
    }

    fn param(&mut self, what: &str, axes: &[Axis], dtype: DType) -> Written<ValueId> {
        let shape = axes.iter().filter_map(Axis::size).collect();
        self.param_in(what, axes, dtype, shape)
    }

    /// A parameter whose tensor has another shape.
    fn param_in(&mut self, what: &str, axes: &[Axis], dtype: DType, shape: Vec<usize>) -> Written<ValueId> {
        let name = self.fresh(what);
        let source = Source { tensor: name.clone(), shape, first_row: 0 };
        self.one(OpKind::Param { name, ty: Type::new(dtype, axes), source }, &[])
    }

    /// What it maps to, then what it maps; in the checkpoint a matrix, or every second time with all its axes.
    fn weight(&mut self, out: &[Axis], of: &[Axis]) -> Written<ValueId> {
        let size = |axes: &[Axis]| axes.iter().filter_map(Axis::size).product();
        let dtype = if self.sketch.half_weights { DType::BF16 } else { DType::F32 };
        let axes = [out, of].concat();
        match self.names.is_multiple_of(2) {
            true => self.param("weight", &axes, dtype),
            false => self.param_in("weight", &axes, dtype, vec![size(out), size(of)]),
        }
    }

    /// An input of the step.
    fn input(&mut self, wanted: &str) -> Written<ValueId> {
        let known = self.graph.body.ops.iter().find_map(|op| match &op.kind {
            OpKind::Input { name, .. } if name == wanted => Some(op.results[0]),
            _ => None,
        });
        let extent = match wanted {
            "cu_seqlens" => Extent::SEQUENCES.plus(1),
            "rows" => Extent::ROWS,
            _ => Extent::TOKENS,
        };
        let kind = OpKind::Input { name: wanted.into(), ty: Type::i32([Axis::Rows(extent)]) };
        known.map_or_else(|| self.one(kind, &[]), Ok)
    }

    fn axes(&self, value: ValueId) -> &[Axis] {
        self.graph.body.ty(value).axes.get(1..).unwrap_or_default()
    }

    /// One of the values that fit, the newest first.
    fn pick(&self, number: usize, fits: impl Fn(&Self, Value) -> bool) -> Written<Value> {
        let fitting: Vec<Value> = self.pool.iter().rev().copied().filter(|value| fits(self, *value)).collect();
        let index = number.checked_rem(fitting.len()).ok_or("nothing fits")?;
        Ok(fitting[index])
    }

    fn routing(&self, value: Value) -> Written<Routed> {
        value.stream.map(|number| self.routings[number]).ok_or_else(|| "no routed stream".into())
    }

    fn keep(&mut self, id: ValueId, stream: Option<usize>) {
        self.pool.push(Value { id, stream });
    }

    fn step(&mut self, step: &Step) -> Written {
        let &Step { what, picks: [first, second, third, fourth], flags } = step;
        let is_token = |_: &Self, value: Value| value.stream.is_none();
        match what {
            What::Unary => {
                let x = self.pick(first, |_, _| true)?;
                let functions = [Function::Silu, Function::Neg, Function::Sigmoid, Function::Softplus];
                let y = self.function(functions[second % functions.len()], &[x.id])?;
                self.keep(y, x.stream);
            }
            What::Binary => self.binary(first, second, third, fourth)?,
            What::Residual => {
                let a = self.pick(first, |_, _| true)?;
                let alike = |own: &Self, b: Value| b.stream == a.stream && own.axes(b.id) == own.axes(a.id);
                let b = self.pick(second, alike)?;
                let y = self.function(Function::Add, &[a.id, b.id])?;
                self.keep(y, a.stream);
            }
            What::RmsNorm => {
                let x = self.pick(first, |_, _| true)?;
                let axes = self.axes(x.id).to_vec();
                let from = if flags[0] { 0 } else { axes.len().saturating_sub(1) };
                let weight = self.param("norm", &axes[from..], DType::F32)?;
                let y = self.one(OpKind::RmsNorm { eps: 1e-3 }, &[x.id, weight])?;
                self.keep(y, x.stream);
            }
            What::L2Norm => {
                let x = self.pick(first, |_, _| true)?;
                let y = self.one(OpKind::L2Norm { eps: 1e-3 }, &[x.id])?;
                self.keep(y, x.stream);
            }
            What::Rotary => {
                let even = |own: &Self, x: Value| {
                    own.axes(x.id).last().and_then(Axis::size).is_some_and(|size| size.is_multiple_of(2))
                };
                let x = self.pick(first, even)?;
                let position = self.position(x)?;
                let y = self.one(OpKind::Rotary { base: 100.0 }, &[x.id, position])?;
                self.keep(y, x.stream);
            }
            What::Products => {
                let x = self.pick(first, |_, _| true)?;
                for (number, grouped) in flags.into_iter().enumerate().take(1 + second % 3) {
                    let out = self.columns(x, third / 3 + number)?;
                    let y = self.product(x, &out, grouped)?;
                    self.keep(y, x.stream);
                }
            }
            What::Route => {
                let x = self.pick(first, is_token)?;
                self.route(x)?;
            }
            What::Dispatch => {
                let x = self.pick(first, is_token)?;
                let number = self.some_routing(second)?;
                let y = self.dispatch(x.id, number)?;
                self.keep(y, Some(number));
            }
            What::Combine => {
                let x = self.pick(first, |_, x| x.stream.is_some())?;
                let routed = self.routing(x)?;
                let y = self.one(OpKind::Combine, &[x.id, routed.slot, routed.weight])?;
                self.keep(y, None);
            }
            What::Grouped => {
                let x = self.pick(first, |_, x| x.stream.is_some())?;
                for number in 0..=second % 2 {
                    let out = self.columns(x, third / 3 + number)?;
                    let y = self.product(x, &out, true)?;
                    self.keep(y, x.stream);
                }
            }
            What::ShortConv => {
                let x = self.pick(first, |_, _| true)?;
                let y = self.short_conv(x, 2 + second % 3)?;
                self.keep(y, x.stream);
            }
            What::Mixture => self.mixture(first, second, flags)?,
            What::Output => {
                let x = self.pick(first, is_token)?;
                self.output(x.id)?;
            }
            What::Selected => {
                let x = self.pick(first, is_token)?;
                let rows = self.input("rows")?;
                let selected = self.one(OpKind::SelectRows, &[x.id, rows])?;
                let selected = Value { id: selected, stream: None };
                let out = self.columns(selected, second)?;
                let y = self.product(selected, &out, false)?;
                self.output(y)?;
            }
        }
        Ok(())
    }

    fn binary(&mut self, first: usize, second: usize, third: usize, fourth: usize) -> Written {
        let a = self.pick(first, |_, _| true)?;
        let functions = [Function::Add, Function::Mul, Function::Sub, Function::Max, Function::Min];
        let function = functions[second % functions.len()];
        let axes = self.axes(a.id).to_vec();
        let b = match third % 4 {
            0 => self.pick(fourth, |own, b| b.stream == a.stream && own.axes(b.id) == own.axes(a.id))?.id,
            // A value with fewer axes is the same along the others.
            1 => {
                let fewer = |own: &Self, b: Value| {
                    b.stream == a.stream && own.axes(b.id).iter().all(|axis| axes.contains(axis))
                };
                self.pick(fourth, fewer)?.id
            }
            2 => self.param("factor", &axes[fourth % (axes.len() + 1)..], DType::F32)?,
            _ => {
                let value = [0.0, 1.0, -0.5, 2.0][fourth % 4];
                self.one(OpKind::Constant { value }, &[])?
            }
        };
        let operands = if fourth.is_multiple_of(2) { [a.id, b] } else { [b, a.id] };
        let y = self.function(function, &operands)?;
        if self.graph.body.ty(y) == self.graph.body.ty(a.id) {
            self.keep(y, a.stream);
        }
        Ok(())
    }

    /// Columns that a product of `x` may have: axes that `x` has not.
    fn columns(&self, x: Value, number: usize) -> Written<Vec<Axis>> {
        let all: [&[&str]; 6] = [&["model"], &["hidden"], &["wide"], &["head", "key"], &["head", "value"], &["head"]];
        let has = |name: &str| self.axes(x.id).iter().any(|axis| axis.name() == name);
        let free: Vec<&[&str]> = all.into_iter().filter(|names| !names.iter().any(|name| has(name))).collect();
        let index = number.checked_rem(free.len()).ok_or("no columns are left")?;
        Ok(free[index].iter().map(|name| self.axis(name)).collect())
    }

    /// The product with a weight, or with one for each memory of a routed stream.
    fn product(&mut self, x: Value, out: &[Axis], grouped: bool) -> Written<ValueId> {
        let of = self.axes(x.id).to_vec();
        if !grouped || x.stream.is_none() {
            let weight = self.weight(out, &of)?;
            return self.one(OpKind::Linear, &[x.id, weight]);
        }
        let mut operands = vec![x.id, self.routing(x)?.segments];
        for _ in 0..self.sketch.memories {
            operands.push(self.weight(out, &of)?);
        }
        self.one(OpKind::GroupedLinear, &operands)
    }

    fn route(&mut self, x: Value) -> Written<usize> {
        let Sketch { memories, top_k, .. } = *self.sketch;
        let logits = self.product(x, &[Axis::named("memory", memories)], false)?;
        let name = format!("router_logits.{}", self.routings.len());
        self.several(OpKind::Output { name }, &[logits])?;
        let chosen = self.several(OpKind::Router { top_k, shared_state: false }, &[logits])?;
        let (position, cu_seqlens) = (self.input("position")?, self.input("cu_seqlens")?);
        let sorted = self.several(OpKind::Sort { memories }, &[chosen[0], position, cu_seqlens])?;
        let &[permutation, slot, segments] = &sorted[..] else { return Err("a sort has three results".into()) };
        self.routings.push(Routed { permutation, slot, segments, weight: chosen[1] });
        Ok(self.routings.len() - 1)
    }

    fn some_routing(&self, number: usize) -> Written<usize> {
        number.checked_rem(self.routings.len()).ok_or_else(|| "nothing is routed".into())
    }

    fn dispatch(&mut self, x: ValueId, routing: usize) -> Written<ValueId> {
        let Routed { permutation, segments, .. } = self.routings[routing];
        self.one(OpKind::Dispatch, &[x, permutation, segments])
    }

    /// The position of each row of a stream.
    fn position(&mut self, x: Value) -> Written<ValueId> {
        let position = self.input("position")?;
        x.stream.map_or(Ok(position), |routing| self.dispatch(position, routing))
    }

    /// The operands with which an operation advances states along a stream.
    fn along(&mut self, x: Value) -> Written<Vec<ValueId>> {
        match x.stream {
            Some(routing) => Ok(vec![self.routings[routing].segments]),
            None => Ok(vec![self.input("cu_seqlens")?, self.input("position")?]),
        }
    }

    fn state(&mut self, x: Value, rest: &[Axis]) -> Written<(String, ValueId)> {
        let name = self.fresh("state");
        let memory = x.stream.map(|_| Axis::named("memory", self.sketch.memories));
        let axes: Vec<Axis> =
            [Axis::Rows(Extent::SEQUENCES)].into_iter().chain(memory).chain(rest.iter().cloned()).collect();
        let state = self.one(OpKind::State { name: name.clone(), ty: Type::f32(axes) }, &[])?;
        Ok((name, state))
    }

    fn short_conv(&mut self, x: Value, taps: usize) -> Written<ValueId> {
        let (channels, tap) = (self.axes(x.id).to_vec(), Axis::named("tap", taps));
        let filter = self.param("filter", &[&channels[..], std::slice::from_ref(&tap)].concat(), DType::F32)?;
        let (name, window) = self.state(x, &[&[tap], &channels[..]].concat())?;
        let operands = [vec![x.id, filter, window], self.along(x)?].concat();
        let results = self.several(OpKind::ShortConv, &operands)?;
        self.several(OpKind::SetState { name }, &[results[1]])?;
        Ok(results[0])
    }

    /// Memories over a routed stream, and perhaps beside them a shared state over all tokens with weights of its own.
    fn mixture(&mut self, first: usize, second: usize, flags: [bool; 6]) -> Written {
        let heads = |own: &Self, x: Value| {
            let port_axes = ["head", "key", "value", "slot", "step"];
            x.stream.is_none() && !own.axes(x.id).iter().any(|axis| port_axes.contains(&axis.name().as_str()))
        };
        let x = self.pick(first, heads)?;
        let [shared_state, routed_alone, own_projections, conv, rotary, parameters] = flags;
        let routing = if self.routings.is_empty() || second.is_multiple_of(2) {
            self.route(x)?
        } else {
            self.some_routing(second)?
        };
        let parameters = if parameters { self.parameters()? } else { Vec::new() };
        let routed = Value { id: self.dispatch(x.id, routing)?, stream: Some(routing) };
        let streams = [(true, routed), (shared_state || !routed_alone, x)];
        let mut read = Vec::new();
        for (_, stream) in streams.into_iter().filter(|(wanted, _)| *wanted) {
            let parameters = if parameters.is_empty() { self.parameters()? } else { parameters.clone() };
            read.push(self.read(x, stream, [own_projections, conv, rotary], parameters)?);
        }
        let Routed { slot, weight, .. } = self.routings[routing];
        let mixed = self.one(OpKind::Combine, &[read[0], slot, weight])?;
        self.keep(mixed, None);
        if let &[_, shared] = &read[..] {
            self.keep(shared, None);
            if shared_state {
                let sum = self.function(Function::Add, &[mixed, shared])?;
                self.keep(sum, None);
            }
        }
        Ok(())
    }

    fn parameters(&mut self) -> Written<Vec<ValueId>> {
        let ports = self.rule.parameters.clone();
        let axes = |own: &Self, ty: &Type| [&[own.axis("head")], &ty.axes[..]].concat();
        ports.into_iter().map(|port| self.param("parameter", &axes(self, &port.ty), DType::F32)).collect()
    }

    /// What the update rule reads along a stream, and its states advanced.
    fn read(&mut self, x: Value, stream: Value, flags: [bool; 3], parameters: Vec<ValueId>) -> Written<ValueId> {
        let [own_projections, conv, rotary] = flags;
        let head = self.axis("head");
        let mut operands = Vec::new();
        for (number, port) in self.rule.inputs.clone().into_iter().enumerate() {
            let out = [std::slice::from_ref(&head), &port.ty.axes[..]].concat();
            let made = match (stream.stream, own_projections && number > 0) {
                (Some(routing), false) => {
                    let made = self.product(x, &out, false)?;
                    self.dispatch(made, routing)?
                }
                _ => self.product(stream, &out, true)?,
            };
            let own = Value { id: made, ..stream };
            operands.push(match (port.at_most, port.ty.axes.last()) {
                (Some(_), _) => {
                    let positive = self.function(Function::Softplus, &[made])?;
                    self.function(Function::Neg, &[positive])?
                }
                (None, None) => self.function(Function::Sigmoid, &[made])?,
                (None, Some(last)) => {
                    let made = if conv { self.short_conv(own, 3)? } else { made };
                    let active = self.function(Function::Silu, &[made])?;
                    match (rotary && number == 0, last.name() == "key") {
                        (true, true) => {
                            let position = self.position(stream)?;
                            self.one(OpKind::Rotary { base: 100.0 }, &[active, position])?
                        }
                        (_, true) => self.one(OpKind::L2Norm { eps: 1e-3 }, &[active])?,
                        (_, false) => active,
                    }
                }
            });
        }
        operands.extend(parameters);
        let mut names = Vec::new();
        for port in self.rule.states.clone() {
            let (name, state) = self.state(stream, &[std::slice::from_ref(&head), &port.ty.axes[..]].concat())?;
            names.push(name);
            operands.push(state);
        }
        operands.extend(self.along(stream)?);
        let results = self.several(OpKind::Scan { update_rule: self.rule.name.clone() }, &operands)?;
        for (name, &state) in names.into_iter().zip(&results[self.rule.outputs.len()..]) {
            self.several(OpKind::SetState { name }, &[state])?;
        }
        Ok(results[0])
    }

    fn output(&mut self, value: ValueId) -> Written {
        let known =
            self.graph.body.ops.iter().any(|op| matches!(op.kind, OpKind::Output { .. }) && op.operands == [value]);
        if known {
            return Err("it is an output already".into());
        }
        let name = self.fresh("output");
        self.several(OpKind::Output { name }, &[value]).map(drop)
    }

    /// The newest value of the tokens, and what became of the newest routed one, are outputs.
    fn end(&mut self) -> Written {
        let mut last = vec![self.pick(0, |_, value| value.stream.is_none())?.id];
        if let Ok(routed) = self.pick(0, |_, value| value.stream.is_some()) {
            let Routed { slot, weight, .. } = self.routing(routed)?;
            last.push(self.one(OpKind::Combine, &[routed.id, slot, weight])?);
        }
        for value in last {
            let _ = self.output(value);
        }
        Ok(())
    }
}
