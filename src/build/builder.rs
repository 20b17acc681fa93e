//! Appends operations to a program, with the place in the description that asks for them.

use std::collections::BTreeMap;

use mom_dialect::{
    diagnostic::{Code, Diagnostic, Diagnostics, Span},
    graph::{Body, Function, Graph, OpKind, Source, UpdateRule, ValueId},
    shape::{Axis, Extent, Type},
};

use crate::spec::ModelSpec;

/// A program that does not fit together. The description was checked, so this is a fault of momc.
const ILL_TYPED: Code = Code(200);

pub(super) struct Builder<'a> {
    pub spec: &'a ModelSpec,
    pub graph: Graph,
    /// What asks for the operations that are being appended.
    pub span: Span,
    pub tokens: ValueId,
    pub position: ValueId,
    pub cu_seqlens: ValueId,
    params: BTreeMap<String, ValueId>,
}

impl<'a> Builder<'a> {
    /// A program with one update rule and the inputs that every step has.
    pub(super) fn new(spec: &'a ModelSpec, update_rule: &UpdateRule) -> Result<Self, Diagnostics> {
        let graph = Graph { name: spec.name.clone(), update_rules: vec![update_rule.clone()], body: Body::default() };
        let nothing = ValueId(0);
        let mut builder = Self {
            spec,
            graph,
            span: spec.span.clone(),
            tokens: nothing,
            position: nothing,
            cu_seqlens: nothing,
            params: BTreeMap::new(),
        };
        builder.tokens = builder.input("tokens", Extent::TOKENS)?;
        builder.position = builder.input("position", Extent::TOKENS)?;
        builder.cu_seqlens = builder.input("cu_seqlens", Extent::SEQUENCES.plus(1))?;
        Ok(builder)
    }

    pub(super) fn model_axis(&self) -> Axis {
        Axis::named("model", self.spec.hidden_size)
    }

    /// Appends an operation and answers its results.
    pub(super) fn op(&mut self, kind: OpKind, operands: &[ValueId]) -> Result<Vec<ValueId>, Diagnostics> {
        let span = self.span.clone();
        let added = self.graph.add(kind, operands, Some(span.clone()));
        added.map_err(|message| vec![Diagnostic::bug(ILL_TYPED, message).at(span)])
    }

    /// Appends an operation with `N` results.
    pub(super) fn results<const N: usize>(
        &mut self,
        kind: OpKind,
        operands: &[ValueId],
    ) -> Result<[ValueId; N], Diagnostics> {
        let name = mom_dialect::ops::name(&kind);
        <[ValueId; N]>::try_from(self.op(kind, operands)?).map_err(|results| {
            let message = format!("`{name}` has {} results, not {N}", results.len());
            vec![Diagnostic::bug(ILL_TYPED, message).at(self.span.clone())]
        })
    }

    /// Appends an operation with one result.
    pub(super) fn one(&mut self, kind: OpKind, operands: &[ValueId]) -> Result<ValueId, Diagnostics> {
        self.results(kind, operands).map(|[result]| result)
    }

    pub(super) fn elementwise(&mut self, function: Function, operands: &[ValueId]) -> Result<ValueId, Diagnostics> {
        self.one(OpKind::Elementwise(function), operands)
    }

    /// A step's input: one i32 for each of `extent`.
    pub(super) fn input(&mut self, name: &str, extent: Extent) -> Result<ValueId, Diagnostics> {
        self.one(OpKind::Input { name: name.to_owned(), ty: Type::i32([Axis::Rows(extent)]) }, &[])
    }

    pub(super) fn output(&mut self, name: &str, value: ValueId) -> Result<(), Diagnostics> {
        self.op(OpKind::Output { name: name.to_owned() }, &[value]).map(drop)
    }

    /// The parameter of this name, which is a part of a tensor of the checkpoint.
    pub(super) fn stored(&mut self, name: &str, ty: Type, source: Source) -> Result<ValueId, Diagnostics> {
        if let Some(&value) = self.params.get(name) {
            return Ok(value);
        }
        let value = self.one(OpKind::Param { name: name.to_owned(), ty, source }, &[])?;
        self.params.insert(name.to_owned(), value);
        Ok(value)
    }

    /// The parameter of this name, which is a tensor of the checkpoint with the same name and the given shape.
    pub(super) fn param(&mut self, name: &str, ty: Type, shape: &[usize]) -> Result<ValueId, Diagnostics> {
        self.stored(name, ty, Source { tensor: name.to_owned(), shape: shape.to_vec(), first_row: 0 })
    }

    /// The matrix that maps `inputs` to `outputs`; stored as `[outputs, inputs]`, where each is the product of its
    /// axes.
    pub(super) fn matrix(&mut self, name: &str, outputs: &[Axis], inputs: &[Axis]) -> Result<ValueId, Diagnostics> {
        let size = |axes: &[Axis]| axes.iter().filter_map(Axis::size).product::<usize>();
        let ty = self.matrix_type(outputs, inputs);
        self.param(name, ty, &[size(outputs), size(inputs)])
    }

    pub(super) fn matrix_type(&self, outputs: &[Axis], inputs: &[Axis]) -> Type {
        Type::new(self.spec.weights, [outputs, inputs].concat())
    }

    /// `x` normalised over its last axis, with the weight of this name.
    pub(super) fn rms_norm(&mut self, x: ValueId, weight: &str) -> Result<ValueId, Diagnostics> {
        let axis: Vec<Axis> = self.graph.body.ty(x).axes.last().cloned().into_iter().collect();
        let shape: Vec<usize> = axis.iter().filter_map(Axis::size).collect();
        let weight = self.param(weight, Type::f32(axis), &shape)?;
        self.one(OpKind::RmsNorm { eps: self.spec.norm_eps }, &[x, weight])
    }

    /// Reads a state with one entry of `axes` per sequence.
    pub(super) fn state(&mut self, name: &str, axes: &[Axis]) -> Result<ValueId, Diagnostics> {
        let ty = Type::f32([&[Axis::Rows(Extent::SEQUENCES)], axes].concat());
        self.one(OpKind::State { name: name.to_owned(), ty }, &[])
    }

    pub(super) fn set_state(&mut self, name: &str, value: ValueId) -> Result<(), Diagnostics> {
        self.op(OpKind::SetState { name: name.to_owned() }, &[value]).map(drop)
    }
}
