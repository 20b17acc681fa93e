//! One layer's walk over the definitions of its layer part, once for each stream of tokens.
//!
//! A projection that all memories have in common is made once for the tokens and then dispatched; one that each memory
//! has for itself is made from the dispatched hidden states. Definitions are evaluated where something uses them.

use std::{collections::BTreeMap, slice};

use mom_dialect::{
    diagnostic::Diagnostics,
    graph::{Function, OpKind, Source, ValueId},
    rule::layer::{Definition, Expression, HEAD, HIDDEN, Kind, L2_NORM_EPS, Role},
    shape::{Axis, Type},
};

use super::{
    super::{builder::Builder, names},
    Memory,
};

/// The order in which memories see tokens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stream {
    /// Memory by memory, `[kT, …]`.
    Routed { permutation: ValueId, segments: ValueId },
    /// As they come, `[T, …]`; padding is among them. `shared` if there are routed memories beside this one.
    All { shared: bool },
    /// The tokens after their memories were mixed.
    Mixed,
}

pub(super) struct Walk<'a, 'b, 'c> {
    memory: &'a Memory<'a>,
    pub(super) builder: &'b mut Builder<'c>,
    numbers: BTreeMap<String, f64>,
    layer: usize,
    prefix: &'a str,
    x: ValueId,
    /// The hidden states and positions in the order of the routed stream, once something needs them.
    dispatched: BTreeMap<ValueId, ValueId>,
    /// Projections of the tokens that were made already, by the name of their weight.
    projections: BTreeMap<String, ValueId>,
    /// Values of definitions.
    values: BTreeMap<(Stream, String), ValueId>,
    /// What the rule's output name stands for.
    readout: Option<ValueId>,
}

impl<'a, 'b, 'c> Walk<'a, 'b, 'c> {
    pub(super) fn new(
        memory: &'a Memory<'a>,
        builder: &'b mut Builder<'c>,
        numbers: BTreeMap<String, f64>,
        layer: usize,
        prefix: &'a str,
        x: ValueId,
    ) -> Self {
        let (dispatched, projections, values) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { memory, builder, numbers, layer, prefix, x, dispatched, projections, values, readout: None }
    }

    /// Advances the states of a stream and answers what its tokens read, `[rows, head, value]`.
    pub(super) fn read(&mut self, stream: &Stream) -> Result<ValueId, Diagnostics> {
        let memory = self.memory;
        let rule = &memory.update_rule;
        let inputs = (0..rule.inputs.len()).map(Role::Input);
        let taken = inputs.chain((0..rule.parameters.len()).map(Role::Parameter));
        let mut operands = Vec::new();
        for definition in taken.filter_map(|role| memory.layer.definition(role)) {
            operands.push(self.definition(definition, stream)?);
        }
        let mut names = Vec::new();
        for state in &rule.states {
            let name = match rule.states.len() {
                1 => "memory".to_owned(),
                _ => format!("memory.{}", state.name),
            };
            let name = self.state_name(&name, stream);
            let axes = [slice::from_ref(&memory.axes[HEAD]), &state.ty.axes].concat();
            operands.push(self.state(&name, &axes, stream)?);
            names.push(name);
        }
        operands.extend(self.segments(stream));
        let results = self.builder.op(OpKind::Scan { update_rule: rule.name.clone() }, &operands)?;
        let (outputs, states) = results.split_at(rule.outputs.len());
        for (name, &state) in names.iter().zip(states) {
            self.builder.set_state(name, state)?;
        }
        self.readout = Some(outputs[0]);
        match memory.layer.definition(Role::Read) {
            Some(read) => self.definition(read, stream),
            None => Ok(outputs[0]),
        }
    }

    /// What is projected back to the hidden states, made of what the tokens read from all their memories.
    pub(super) fn output(&mut self, mixed: ValueId) -> Result<ValueId, Diagnostics> {
        self.readout = Some(mixed);
        match self.memory.layer.definition(Role::Output) {
            Some(output) => self.definition(output, &Stream::Mixed),
            None => Ok(mixed),
        }
    }

    fn definition(&mut self, definition: &Definition, stream: &Stream) -> Result<ValueId, Diagnostics> {
        let key = (*stream, definition.name.clone());
        if let Some(&value) = self.values.get(&key) {
            return Ok(value);
        }
        let value = self.expression(&definition.value, definition, stream)?;
        self.values.insert(key, value);
        Ok(value)
    }

    /// The value of a name that is no weight and no number.
    fn named(&mut self, name: &str, stream: &Stream) -> Result<ValueId, Diagnostics> {
        let memory = self.memory;
        if name == HIDDEN {
            return self.once_dispatched(self.x, stream);
        }
        match (memory.layer.named(name), self.readout) {
            (Some(definition), _) => self.definition(definition, stream),
            // The rule's output is the only other name there is.
            (None, Some(readout)) => Ok(readout),
            (None, None) => Ok(self.x),
        }
    }

    fn expression(
        &mut self,
        expression: &Expression,
        definition: &Definition,
        stream: &Stream,
    ) -> Result<ValueId, Diagnostics> {
        match &expression.kind {
            Kind::Number(value) => self.number(*value),
            Kind::Setting(name) => self.number(self.numbers[name]),
            Kind::Weight(name) => self.weight(name),
            Kind::Name(name) => self.named(name, stream),
            Kind::Project { weight, of, per_memory } => self.project(weight, of, *per_memory, definition, stream),
            Kind::ShortConv { value, filter, function } => {
                let value = self.expression(value, definition, stream)?;
                let Some(taps) = self.memory.spec.conv_size else { return Ok(value) };
                let value = self.short_conv(value, filter, taps, definition, stream)?;
                match function {
                    Some(function) => self.builder.elementwise(*function, &[value]),
                    None => Ok(value),
                }
            }
            Kind::L2Norm(value) => {
                let value = self.expression(value, definition, stream)?;
                self.builder.one(OpKind::L2Norm { eps: L2_NORM_EPS }, &[value])
            }
            Kind::RmsNorm { value, weight, eps } => {
                let value = self.expression(value, definition, stream)?;
                let eps = eps.as_ref().map_or(self.builder.spec.norm_eps, |eps| self.numbers[eps]);
                self.rms_norm(value, weight.as_deref(), eps)
            }
            Kind::Rotary { value, base } => {
                let value = self.expression(value, definition, stream)?;
                let position = self.once_dispatched(self.builder.position, stream)?;
                self.builder.one(OpKind::Rotary { base: *base }, &[value, position])
            }
            Kind::ShareOfEarlier(name) => self.share_of_earlier(name, definition),
            Kind::Gate(value) if self.memory.spec.output_gate => self.expression(value, definition, stream),
            Kind::Gate(_) => self.number(1.0),
            Kind::Elementwise(function, operands) => {
                // A factor without an effect is left out.
                if let (Function::Mul, [left, right]) = (function, &operands[..]) {
                    for (one, other) in [(left, right), (right, left)] {
                        if self.is_one(one) {
                            return self.expression(other, definition, stream);
                        }
                    }
                }
                let mut values = Vec::new();
                for operand in operands {
                    values.push(self.expression(operand, definition, stream)?);
                }
                self.builder.elementwise(*function, &values)
            }
        }
    }

    /// A factor that the description turns off.
    fn is_one(&self, factor: &Expression) -> bool {
        match &factor.kind {
            Kind::Gate(_) => !self.memory.spec.output_gate,
            Kind::Setting(name) => self.numbers[name] == 1.0,
            _ => false,
        }
    }

    /// Σ exp(b_i) over the layers i from 1 to this one, over Σ exp(b_i) over all.
    fn share_of_earlier(&mut self, name: &str, definition: &Definition) -> Result<ValueId, Diagnostics> {
        let (axes, layers) = (self.axes(&definition.axes), self.builder.spec.layers);
        let mut part = self.number(0.0)?;
        let mut whole = part;
        for layer in 0..layers {
            let tensor = format!("{}{name}", self.builder.spec.naming.model);
            let source = Source { tensor, shape: vec![layers, super::sizes_of(&axes)], first_row: layer };
            let row = self.builder.stored(&format!("{name}.{layer}"), Type::f32(axes.clone()), source)?;
            let share = self.builder.elementwise(Function::Exp, &[row])?;
            whole = self.builder.elementwise(Function::Add, &[whole, share])?;
            if (1..=self.layer).contains(&layer) {
                part = self.builder.elementwise(Function::Add, &[part, share])?;
            }
        }
        self.builder.elementwise(Function::Div, &[part, whole])
    }

    fn number(&mut self, value: f64) -> Result<ValueId, Diagnostics> {
        self.builder.one(OpKind::Constant { value }, &[])
    }

    fn weight(&mut self, name: &str) -> Result<ValueId, Diagnostics> {
        let memory = self.memory;
        let declared = memory.layer.weights.iter().find(|weight| weight.name == name);
        let axes: Vec<Axis> = declared.iter().flat_map(|weight| self.axes(&weight.axes)).collect();
        let rows = memory.rows.get(name).copied().unwrap_or(1);
        let (name, source) = memory.stored(self.builder.spec, self.prefix, name, &[rows]);
        self.builder.stored(&name, Type::f32(axes), source)
    }

    fn rms_norm(&mut self, value: ValueId, weight: Option<&str>, eps: f64) -> Result<ValueId, Diagnostics> {
        if let Some(weight) = weight {
            let weight = self.weight(weight)?;
            return self.builder.one(OpKind::RmsNorm { eps }, &[value, weight]);
        }
        // x / sqrt(mean x² + eps) is sqrt(n) x / sqrt(sum x² + n eps).
        let width = self.builder.graph.body.ty(value).axes.last().and_then(Axis::size).unwrap_or(1) as f64;
        let value = self.builder.one(OpKind::L2Norm { eps: width * eps }, &[value])?;
        let root = self.number(width.sqrt())?;
        self.builder.elementwise(Function::Mul, &[root, value])
    }

    /// A value of the stream times the weight called `role`, `[rows, …]`.
    fn project(
        &mut self,
        role: &str,
        of: &str,
        per_memory: bool,
        definition: &Definition,
        stream: &Stream,
    ) -> Result<ValueId, Diagnostics> {
        let (outputs, inputs) = self.memory.split(definition, of);
        let (outputs, inputs) = (self.axes(&outputs), self.axes(&inputs));
        let routing = self.memory.spec.routing;
        if let (Stream::Routed { segments, .. }, Some(routing)) = (stream, routing)
            && per_memory
            && !routing.single_kv_proj
        {
            let mut operands = vec![self.named(of, stream)?, *segments];
            for memory in 0..routing.memories {
                operands.push(self.matrix(&names::of_memory(role, memory), &outputs, &inputs)?);
            }
            return self.builder.one(OpKind::GroupedLinear, &operands);
        }
        let name = if per_memory && routing.is_some() { names::of_shared(role) } else { names::of_all(role) };
        if of != HIDDEN {
            let value = self.named(of, stream)?;
            let weight = self.matrix(&name, &outputs, &inputs)?;
            return self.builder.one(OpKind::Linear, &[value, weight]);
        }
        let tokens = match self.projections.get(&name) {
            Some(&value) => value,
            None => {
                let weight = self.matrix(&name, &outputs, &inputs)?;
                let value = self.builder.one(OpKind::Linear, &[self.x, weight])?;
                self.projections.insert(name, value);
                value
            }
        };
        self.dispatch(tokens, stream)
    }

    fn matrix(&mut self, name: &str, outputs: &[Axis], inputs: &[Axis]) -> Result<ValueId, Diagnostics> {
        let shape = [super::sizes_of(outputs), super::sizes_of(inputs)];
        let (name, source) = self.memory.stored(self.builder.spec, self.prefix, name, &shape);
        let ty = self.builder.matrix_type(outputs, inputs);
        self.builder.stored(&name, ty, source)
    }

    /// Brings rows of the tokens into the order of the stream.
    fn dispatch(&mut self, tokens: ValueId, stream: &Stream) -> Result<ValueId, Diagnostics> {
        match stream {
            Stream::Routed { permutation, segments } => {
                self.builder.one(OpKind::Dispatch, &[tokens, *permutation, *segments])
            }
            Stream::All { .. } | Stream::Mixed => Ok(tokens),
        }
    }

    /// As [`Walk::dispatch`], for what is used in several places.
    fn once_dispatched(&mut self, tokens: ValueId, stream: &Stream) -> Result<ValueId, Diagnostics> {
        if !matches!(stream, Stream::Routed { .. }) {
            return Ok(tokens);
        }
        if let Some(&value) = self.dispatched.get(&tokens) {
            return Ok(value);
        }
        let value = self.dispatch(tokens, stream)?;
        self.dispatched.insert(tokens, value);
        Ok(value)
    }

    fn short_conv(
        &mut self,
        value: ValueId,
        filter: &str,
        taps: usize,
        definition: &Definition,
        stream: &Stream,
    ) -> Result<ValueId, Diagnostics> {
        let channels = self.axes(&definition.axes);
        let tap = Axis::named("tap", taps);
        let name = self.state_name(&format!("conv_{}", definition.name), stream);
        let window = self.state(&name, &[slice::from_ref(&tap), &channels].concat(), stream)?;
        let shape = [super::sizes_of(&channels), 1, taps];
        let (weight, source) = self.memory.stored(self.builder.spec, self.prefix, &names::of_all(filter), &shape);
        let weight = self.builder.stored(&weight, Type::f32([&channels[..], &[tap]].concat()), source)?;
        let operands = [&[value, weight, window], &self.segments(stream)[..]].concat();
        let [y, window] = self.builder.results(OpKind::ShortConv, &operands)?;
        self.builder.set_state(&name, window)?;
        Ok(y)
    }

    /// Where the stream's segments lie and, if padding is among its rows, which rows are padding.
    fn segments(&self, stream: &Stream) -> Vec<ValueId> {
        match stream {
            Stream::Routed { segments, .. } => vec![*segments],
            Stream::All { .. } | Stream::Mixed => vec![self.builder.cu_seqlens, self.builder.position],
        }
    }

    fn state_name(&self, name: &str, stream: &Stream) -> String {
        let shared = if *stream == (Stream::All { shared: true }) { "shared_" } else { "" };
        format!("layers.{}.{shared}{name}", self.layer)
    }

    fn state(&mut self, name: &str, axes: &[Axis], stream: &Stream) -> Result<ValueId, Diagnostics> {
        match (stream, self.memory.spec.routing) {
            (Stream::Routed { .. }, Some(routing)) => {
                let memory = Axis::named("memory", routing.memories);
                self.builder.state(name, &[&[memory], axes].concat())
            }
            _ => self.builder.state(name, axes),
        }
    }

    fn axes(&self, names: &[String]) -> Vec<Axis> {
        names.iter().filter_map(|name| self.memory.axes.get(name).cloned()).collect()
    }
}
