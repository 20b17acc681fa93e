//! A mixture-of-memories layer (arXiv 2502.13685) around any update rule.
//!
//! Each token is routed to `top_k` of the memories and, if there is one, to the shared state, which sees all tokens.
//! A *stream* is the tokens of one of these two kinds in the order in which their memories see them: the routed stream
//! memory by memory, the shared stream as the tokens come. The layer part of the update rule's file is walked once for
//! each stream. A projection that all memories have in common is made once for the tokens and then dispatched; one
//! that each memory has for itself is made from the dispatched hidden states.

use std::{collections::BTreeMap, slice};

use mom_dialect::{
    diagnostic::{Diagnostic, Diagnostics},
    graph::{Function, OpKind, UpdateRule, ValueId},
    rule::{
        self, codes,
        layer::{Expression, Input, Kind, L2_NORM_EPS, Layer},
    },
    shape::{Axis, Type},
};

use super::{builder::Builder, names};
use crate::spec::MemorySpec;

/// The memories of a model: how they change, and how a layer makes what changes them.
pub(super) struct Memory<'a> {
    spec: &'a MemorySpec,
    update_rule: UpdateRule,
    inputs: Layer,
    /// `head` and the axes that an update rule can have.
    axes: [Axis; 3],
}

impl<'a> Memory<'a> {
    /// Reads the update rule that the description names.
    pub(super) fn read(spec: &'a MemorySpec) -> Result<Self, Diagnostics> {
        let file = rule::parse(&spec.rule_source)?;
        let axes = [("head", spec.heads), ("key", spec.head_dim), ("value", spec.value_dim)];
        let sizes = axes[1..].iter().map(|&(axis, size)| (axis.to_owned(), size)).collect();
        let axes = axes.map(|(axis, size)| Axis::named(axis, size));
        let here = |diagnostic: Diagnostic| diagnostic.related(spec.span.clone(), "the memory is described here");
        let update_rule = file.update_rule(&sizes, &spec.options);
        let update_rule = update_rule.map_err(|found| found.into_iter().map(here).collect::<Diagnostics>())?;
        let refuse = |message: String, help: &str| {
            vec![here(Diagnostic::error(codes::NOT_A_MEMORY, message).at(file.span().clone()).help(help))]
        };
        if !matches!(&update_rule.outputs[..], [output] if output.ty.axes == axes[2..]) {
            let message = format!("the memory of a layer has one output over `value`, `{}` has not", file.name());
            return Err(refuse(message, "write one `out`, and let it be a vector over the axis `value`"));
        }
        let Some(inputs) = file.layer.clone() else {
            let message = format!("the file of `{}` does not say how a layer makes its inputs", file.name());
            return Err(refuse(message, "add `layer { … }` with one line for each input"));
        };
        check_names(&inputs)?;
        Ok(Self { spec, update_rule, inputs, axes })
    }

    pub(super) fn update_rule(&self) -> &UpdateRule {
        &self.update_rule
    }

    /// Appends the layer number `layer`, whose parameters' names start with `prefix`, for its input `x` `[T, model]`.
    pub(super) fn layer(
        &self,
        builder: &mut Builder<'_>,
        layer: usize,
        prefix: &str,
        x: ValueId,
    ) -> Result<ValueId, Diagnostics> {
        let outer = std::mem::replace(&mut builder.span, self.spec.span.clone());
        let model = [builder.model_axis()];
        let memories = self.spec.memories;

        let gate = builder.matrix(&format!("{prefix}gate.weight"), &[Axis::named("memory", memories)], &model)?;
        let logits = builder.one(OpKind::Linear, &[x, gate])?;
        builder.output(&format!("router_logits.{layer}"), logits)?;
        let [selected, weight] = builder.results(OpKind::Router { top_k: self.spec.top_k }, &[logits])?;
        let sort = [selected, builder.position, builder.cu_seqlens];
        let [permutation, slot, segments] = builder.results(OpKind::Sort { memories }, &sort)?;

        let mut walk = Walk { memory: self, builder, layer, prefix, x, dispatched: None, projections: BTreeMap::new() };
        let routed = walk.read(&Stream::Routed { permutation, segments })?;
        let mut mixed = walk.builder.one(OpKind::Combine, &[routed, slot, weight])?;
        if self.spec.shared_state {
            let shared = walk.read(&Stream::Shared)?;
            mixed = walk.builder.elementwise(Function::Add, &[mixed, shared])?;
        }

        let [head, _, value] = self.axes.clone();
        let values = [head, value];
        let mut y = builder.rms_norm(mixed, &format!("{prefix}o_norm.weight"))?;
        if self.spec.output_gate {
            let g_proj = builder.matrix(&format!("{prefix}g_proj.weight"), &values, &model)?;
            let gate = builder.one(OpKind::Linear, &[x, g_proj])?;
            let gate = builder.elementwise(Function::Silu, &[gate])?;
            y = builder.elementwise(Function::Mul, &[y, gate])?;
        }
        let o_proj = builder.matrix(&format!("{prefix}o_proj.weight"), &model, &values)?;
        let y = builder.one(OpKind::Linear, &[y, o_proj])?;
        builder.span = outer;
        Ok(y)
    }
}

/// Refuses a layer part of which two weights, or one and a weight that every memory layer has, would be one tensor.
fn check_names(inputs: &Layer) -> Result<(), Diagnostics> {
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    let mut diagnostics = Diagnostics::new();
    for part in inputs.inputs.iter().flat_map(|input| input.value.parts()) {
        let (role, tensor) = match &part.kind {
            Kind::Project { weight, per_memory: true } => (weight, names::of_shared(weight)),
            Kind::Project { weight, per_memory: false } => (weight, names::of_all(weight)),
            Kind::ShortConv { filter, .. } => (filter, names::of_all(filter)),
            _ => continue,
        };
        let taken = names::AROUND_UPDATE_RULE.contains(&tensor.as_str());
        if taken || owners.get(&tensor).is_some_and(|owner| *owner != role) {
            let message = format!("the layer keeps another weight in the tensor `{tensor}`");
            let help = format!("call `{role}` by another name");
            diagnostics.push(Diagnostic::error(codes::NOT_A_MEMORY, message).at(part.span.clone()).help(help));
        }
        owners.insert(tensor, role);
    }
    if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
}

/// The order in which memories see tokens.
enum Stream {
    /// Memory by memory, `[kT, …]`.
    Routed { permutation: ValueId, segments: ValueId },
    /// As they come, `[T, …]`; padding is among them.
    Shared,
}

/// One layer's walk over the definitions of its update rule's inputs.
struct Walk<'a, 'b, 'c> {
    memory: &'a Memory<'a>,
    builder: &'b mut Builder<'c>,
    layer: usize,
    prefix: &'a str,
    x: ValueId,
    /// The hidden states in the order of the routed stream, once something needs them.
    dispatched: Option<ValueId>,
    /// Projections of the tokens that were made already, by the name of their weight.
    projections: BTreeMap<String, ValueId>,
}

impl Walk<'_, '_, '_> {
    /// Advances the states of a stream and answers what its tokens read, `[rows, head, value]`.
    fn read(&mut self, stream: &Stream) -> Result<ValueId, Diagnostics> {
        let memory = self.memory;
        let rule = &memory.update_rule;
        let mut operands = Vec::new();
        for input in &memory.inputs.inputs {
            operands.push(self.expression(&input.value, input, stream)?);
        }
        let mut names = Vec::new();
        for state in &rule.states {
            let name = match rule.states.len() {
                1 => "memory".to_owned(),
                _ => format!("memory.{}", state.name),
            };
            let name = self.state_name(&name, stream);
            let axes = [&memory.axes[..1], &state.ty.axes].concat();
            operands.push(self.state(&name, &axes, stream)?);
            names.push(name);
        }
        operands.extend(self.segments(stream));
        let results = self.builder.op(OpKind::Scan { update_rule: rule.name.clone() }, &operands)?;
        let (outputs, states) = results.split_at(rule.outputs.len());
        for (name, &state) in names.iter().zip(states) {
            self.builder.set_state(name, state)?;
        }
        Ok(outputs[0])
    }

    fn expression(&mut self, expression: &Expression, input: &Input, stream: &Stream) -> Result<ValueId, Diagnostics> {
        match &expression.kind {
            Kind::Number(value) => self.builder.one(OpKind::Constant { value: *value }, &[]),
            Kind::Weight(name) => self.weight(name),
            Kind::Project { weight, per_memory } => self.project(weight, *per_memory, input, stream),
            Kind::ShortConv { value, filter } => {
                let value = self.expression(value, input, stream)?;
                match self.memory.spec.conv_size {
                    Some(taps) => self.short_conv(value, filter, taps, input, stream),
                    None => Ok(value),
                }
            }
            Kind::L2Norm(value) => {
                let value = self.expression(value, input, stream)?;
                self.builder.one(OpKind::L2Norm { eps: L2_NORM_EPS }, &[value])
            }
            Kind::Elementwise(function, operands) => {
                let mut values = Vec::new();
                for operand in operands {
                    values.push(self.expression(operand, input, stream)?);
                }
                self.builder.elementwise(*function, &values)
            }
        }
    }

    fn weight(&mut self, name: &str) -> Result<ValueId, Diagnostics> {
        let memory = self.memory;
        let declared = memory.inputs.weights.iter().find(|weight| weight.name == name);
        let axes: Vec<Axis> = declared.iter().flat_map(|weight| self.axes(&weight.axes)).collect();
        let shape: Vec<usize> = axes.iter().filter_map(Axis::size).collect();
        self.builder.param(&format!("{}{name}", self.prefix), Type::f32(axes), &shape)
    }

    /// The hidden states of the stream times the weight called `role`, `[rows, head, …]`.
    fn project(
        &mut self,
        role: &str,
        per_memory: bool,
        input: &Input,
        stream: &Stream,
    ) -> Result<ValueId, Diagnostics> {
        let outputs = self.axes(&input.axes);
        let model = [self.builder.model_axis()];
        let spec = self.memory.spec;
        if let Stream::Routed { segments, .. } = stream
            && per_memory
            && !spec.single_kv_proj
        {
            let x = match self.dispatched {
                Some(x) => x,
                None => self.dispatch(self.x, stream)?,
            };
            self.dispatched = Some(x);
            let mut operands = vec![x, *segments];
            for memory in 0..spec.memories {
                let name = format!("{}{}", self.prefix, names::of_memory(role, memory));
                operands.push(self.builder.matrix(&name, &outputs, &model)?);
            }
            return self.builder.one(OpKind::GroupedLinear, &operands);
        }
        let name = if per_memory { names::of_shared(role) } else { names::of_all(role) };
        let tokens = match self.projections.get(&name) {
            Some(&value) => value,
            None => {
                let weight = self.builder.matrix(&format!("{}{name}", self.prefix), &outputs, &model)?;
                let value = self.builder.one(OpKind::Linear, &[self.x, weight])?;
                self.projections.insert(name, value);
                value
            }
        };
        self.dispatch(tokens, stream)
    }

    /// Brings rows of the tokens into the order of the stream.
    fn dispatch(&mut self, tokens: ValueId, stream: &Stream) -> Result<ValueId, Diagnostics> {
        match stream {
            Stream::Routed { permutation, segments } => {
                self.builder.one(OpKind::Dispatch, &[tokens, *permutation, *segments])
            }
            Stream::Shared => Ok(tokens),
        }
    }

    fn short_conv(
        &mut self,
        value: ValueId,
        filter: &str,
        taps: usize,
        input: &Input,
        stream: &Stream,
    ) -> Result<ValueId, Diagnostics> {
        let channels = self.axes(&input.axes);
        let tap = Axis::named("tap", taps);
        let name = self.state_name(&format!("conv_{}", input.name), stream);
        let window = self.state(&name, &[slice::from_ref(&tap), &channels].concat(), stream)?;
        let rows = channels.iter().filter_map(Axis::size).product();
        let ty = Type::f32([&channels[..], &[tap]].concat());
        let weight = self.builder.param(&format!("{}{}", self.prefix, names::of_all(filter)), ty, &[rows, 1, taps])?;
        let operands = [&[value, weight, window], &self.segments(stream)[..]].concat();
        let [y, window] = self.builder.results(OpKind::ShortConv, &operands)?;
        self.builder.set_state(&name, window)?;
        Ok(y)
    }

    /// Where the stream's segments lie and, if padding is among its rows, which rows are padding.
    fn segments(&self, stream: &Stream) -> Vec<ValueId> {
        match stream {
            Stream::Routed { segments, .. } => vec![*segments],
            Stream::Shared => vec![self.builder.cu_seqlens, self.builder.position],
        }
    }

    fn state_name(&self, name: &str, stream: &Stream) -> String {
        let shared = if matches!(stream, Stream::Shared) { "shared_" } else { "" };
        format!("layers.{}.{shared}{name}", self.layer)
    }

    fn state(&mut self, name: &str, axes: &[Axis], stream: &Stream) -> Result<ValueId, Diagnostics> {
        match stream {
            Stream::Routed { .. } => {
                let memory = Axis::named("memory", self.memory.spec.memories);
                self.builder.state(name, &[&[memory], axes].concat())
            }
            Stream::Shared => self.builder.state(name, axes),
        }
    }

    fn axes(&self, names: &[String]) -> Vec<Axis> {
        let axis = |name: &String| self.memory.axes.iter().find(|axis| axis.name() == *name).cloned();
        names.iter().filter_map(axis).collect()
    }
}
