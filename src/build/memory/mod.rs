//! A layer of memories around any update rule: of one memory that sees every token, or a mixture of memories
//! (arXiv 2502.13685).
//!
//! In a mixture each token is routed to `top_k` of the memories and, if there is one, to the shared state, which sees
//! all tokens. A [`Stream`] is the tokens of one of these kinds in the order in which their memories see them. The layer
//! part of the update rule's file is walked once for each stream, and its `output` once for the tokens themselves.

mod walk;

use std::collections::BTreeMap;

use mom_dialect::{
    diagnostic::{Diagnostic, Diagnostics},
    graph::{Function, OpKind, Source, UpdateRule, ValueId},
    rule::{
        self, codes,
        layer::{Definition, GROUP, HEAD, HIDDEN, Kind, Layer, MODEL},
    },
    shape::Axis,
};

use self::walk::{Stream, Walk};
use super::{builder::Builder, names};
use crate::spec::{MemorySpec, ModelSpec};

/// The memories of a model: how they change, and what a layer does around that.
pub(super) struct Memory<'a> {
    spec: &'a MemorySpec,
    update_rule: UpdateRule,
    layer: Layer,
    /// By the names that the layer part has for them. `group` is an axis `head` of fewer heads.
    axes: BTreeMap<String, Axis>,
    /// Rows of the tensors of a layer, by momc's names for them.
    rows: BTreeMap<String, usize>,
}

impl<'a> Memory<'a> {
    /// Reads the update rule that the description names.
    pub(super) fn read(model: &'a ModelSpec) -> Result<Self, Diagnostics> {
        let spec = &model.memory;
        let file = rule::parse(&spec.rule_source)?;
        let here = |diagnostic: Diagnostic| diagnostic.related(spec.span.clone(), "the memory is described here");
        let all_here = |found: Diagnostics| found.into_iter().map(here).collect::<Diagnostics>();
        let refuse = |message: String, help: &str| {
            vec![here(Diagnostic::error(codes::NOT_A_MEMORY, message).at(file.span().clone()).help(help))]
        };
        let mut axes: BTreeMap<String, Axis> = [
            (HEAD, Axis::named(HEAD, spec.heads)),
            (GROUP, Axis::named(HEAD, spec.head_groups)),
            (MODEL, Axis::named(MODEL, model.hidden_size)),
            ("key", Axis::named("key", spec.head_dim)),
            ("value", Axis::named("value", spec.value_dim)),
        ]
        .map(|(name, axis)| (name.to_owned(), axis))
        .into();
        let mut options = spec.options.clone();
        for (axis, default) in file.axes() {
            let size = options.remove(axis).unwrap_or(default as f64);
            if size.fract() != 0.0 || !(1.0..=f64::from(1 << 16)).contains(&size) {
                let help = "the size of an axis is a whole number from 1";
                return Err(refuse(format!("`{axis}` is an axis of `{}` and cannot be {size}", file.name()), help));
            }
            axes.insert(axis.to_owned(), Axis::named(axis, size as usize));
        }
        let layer = file.layer(&options).map_err(all_here)?;
        if let Some(layer) = &layer {
            let numbers = numbers(layer, &axes, [0.0, model.layers as f64], spec).map_err(all_here)?;
            for axis in layer.own_axes() {
                axes.insert(axis.to_owned(), Axis::named(axis, numbers[axis] as usize));
            }
        }
        options.retain(|name, _| !layer.as_ref().is_some_and(|layer| layer.has_setting(name)));
        let mut sizes = sizes(&axes);
        sizes.insert("heads".to_owned(), spec.heads);
        let update_rule = file.update_rule(&sizes, &options).map_err(all_here)?;
        if !matches!(&update_rule.outputs[..], [output] if output.ty.axes == [axes["value"].clone()]) {
            let message = format!("the memory of a layer has one output over `value`, `{}` has not", file.name());
            return Err(refuse(message, "write one `out`, and let it be a vector over the axis `value`"));
        }
        let Some(layer) = layer else {
            let message = format!("the file of `{}` does not say how a layer makes its inputs", file.name());
            return Err(refuse(message, "add `layer { … }` with one line for each input"));
        };
        let mut memory = Self { spec, update_rule, layer, axes, rows: BTreeMap::new() };
        memory.name_tensors()?;
        Ok(memory)
    }

    pub(super) fn update_rule(&self) -> &UpdateRule {
        &self.update_rule
    }

    /// Appends the layer number `number`, whose parameters' names start with `prefix`, for its input `x` `[T, model]`.
    pub(super) fn layer(
        &self,
        builder: &mut Builder<'_>,
        number: usize,
        prefix: &str,
        x: ValueId,
    ) -> Result<ValueId, Diagnostics> {
        let outer = std::mem::replace(&mut builder.span, self.spec.span.clone());
        let model = [builder.model_axis()];
        let known = [number as f64, builder.spec.layers as f64];
        let numbers = numbers(&self.layer, &self.axes, known, self.spec)?;
        let mut walk = Walk::new(self, builder, numbers, number, prefix, x);
        let read = match self.spec.routing {
            None => walk.read(&Stream::All { shared: false })?,
            Some(routing) => {
                let memories = Axis::named("memory", routing.memories);
                let gate = walk.builder.matrix(&format!("{prefix}gate.weight"), &[memories], &model)?;
                let logits = walk.builder.one(OpKind::Linear, &[x, gate])?;
                walk.builder.output(&format!("router_logits.{number}"), logits)?;
                let [selected, weight] =
                    walk.builder.results(OpKind::Router { top_k: routing.top_k, shared_state: false }, &[logits])?;
                let sort = [selected, walk.builder.position, walk.builder.cu_seqlens];
                let sorted = OpKind::Sort { memories: routing.memories };
                let [permutation, slot, segments] = walk.builder.results(sorted, &sort)?;
                let routed = walk.read(&Stream::Routed { permutation, segments })?;
                let mixed = walk.builder.one(OpKind::Combine, &[routed, slot, weight])?;
                match routing.shared_state {
                    false => mixed,
                    true => {
                        let shared = walk.read(&Stream::All { shared: true })?;
                        walk.builder.elementwise(Function::Add, &[mixed, shared])?
                    }
                }
            }
        };
        let y = walk.output(read)?;
        let values = [self.axes[HEAD].clone(), self.axes["value"].clone()];
        let (name, source) = self.stored(builder.spec, prefix, "o_proj.weight", &[sizes_of(&model), sizes_of(&values)]);
        let ty = builder.matrix_type(&model, &values);
        let o_proj = builder.stored(&name, ty, source)?;
        let y = builder.one(OpKind::Linear, &[y, o_proj])?;
        builder.span = outer;
        Ok(y)
    }

    /// A layer's tensors and their rows. Refuses a layer part of which two weights, or one and a weight that every layer
    /// has, would be one tensor.
    fn name_tensors(&mut self) -> Result<(), Diagnostics> {
        let mut owners: BTreeMap<String, &str> = BTreeMap::new();
        let mut diagnostics = Diagnostics::new();
        let rows = |axes: &[String]| axes.iter().filter_map(|axis| self.axes[axis].size()).product::<usize>();
        for weight in &self.layer.weights {
            self.rows.insert(weight.name.clone(), rows(&weight.axes));
        }
        let parts = self.layer.definitions.iter();
        let parts =
            parts.flat_map(|definition| definition.value.parts().into_iter().map(move |part| (definition, part)));
        for (definition, part) in parts {
            let (role, tensor, rows) = match &part.kind {
                Kind::Project { weight, of, per_memory } => {
                    let own = if *per_memory && self.spec.routing.is_some() {
                        names::of_shared(weight)
                    } else {
                        names::of_all(weight)
                    };
                    (weight, own, rows(&self.split(definition, of).0))
                }
                Kind::ShortConv { filter, .. } => (filter, names::of_all(filter), rows(&definition.axes)),
                _ => continue,
            };
            let taken = names::AROUND_LAYER_PART.contains(&tensor.as_str());
            if taken || owners.get(&tensor).is_some_and(|owner| *owner != role) {
                let message = format!("the layer keeps another weight in the tensor `{tensor}`");
                let help = format!("call `{role}` by another name");
                diagnostics.push(Diagnostic::error(codes::NOT_A_MEMORY, message).at(part.span.clone()).help(help));
            }
            owners.insert(tensor.clone(), role);
            self.rows.insert(tensor, rows);
        }
        if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
    }

    /// The axes that a projection of `of` makes within a definition, and those that it takes away.
    fn split(&self, definition: &Definition, of: &str) -> (Vec<String>, Vec<String>) {
        let value = match self.layer.named(of) {
            _ if of == HIDDEN => vec![MODEL.to_owned()],
            Some(value) => value.axes.clone(),
            None => vec![HEAD.to_owned(), "value".to_owned()],
        };
        let only =
            |own: &[String], other: &[String]| own.iter().filter(|axis| !other.contains(axis)).cloned().collect();
        (only(&definition.axes, &value), only(&value, &definition.axes))
    }

    /// Where the checkpoint keeps the weight that momc calls `name`, of this shape, and the name of the parameter.
    fn stored(&self, model: &ModelSpec, prefix: &str, name: &str, shape: &[usize]) -> (String, Source) {
        let naming = model.naming;
        let full = format!("{prefix}{name}");
        if let Some((tensor, parts)) = naming.stacked.iter().find(|(_, parts)| parts.contains(&name)) {
            let rows = |part: &&str| self.rows.get(*part).copied().unwrap_or(0);
            let before = parts.iter().take_while(|part| **part != name).map(rows).sum();
            let mut shape = shape.to_vec();
            shape[0] = parts.iter().map(rows).sum();
            return (full, Source { tensor: format!("{prefix}{tensor}"), shape, first_row: before });
        }
        let renamed = naming.renamed.iter().find(|(ours, _)| *ours == name).map_or(name, |(_, theirs)| theirs);
        (full, Source { tensor: format!("{prefix}{renamed}"), shape: shape.to_vec(), first_row: 0 })
    }
}

fn sizes(axes: &BTreeMap<String, Axis>) -> BTreeMap<String, usize> {
    axes.iter().filter_map(|(name, axis)| Some((name.clone(), axis.size()?))).collect()
}

fn sizes_of(axes: &[Axis]) -> usize {
    axes.iter().filter_map(Axis::size).product()
}

/// The numbers of the layer part, as the description sets them.
fn numbers(
    layer: &Layer,
    axes: &BTreeMap<String, Axis>,
    known: [f64; 2],
    spec: &MemorySpec,
) -> Result<BTreeMap<String, f64>, Diagnostics> {
    layer.numbers(&sizes(axes), known, &spec.options)
}
