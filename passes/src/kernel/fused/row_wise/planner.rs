//! Makes the steps of a row from operations.

use std::collections::{BTreeMap, BTreeSet};

use mom_dialect::{
    graph::{Body, Op, OpKind, ValueId},
    ops,
    shape::{Axis, DType, Type},
};

use super::{Lies, Reader, RowWise, Slice, Source, Step, Work};
use crate::{
    kernel::{
        attention::Rotation,
        elementwise::{Expression, RowExpression},
        move_ns,
        norm::Vectors,
    },
    target::Target,
};

/// Scratch rows begin at multiples of so many elements, a cache line.
const LINE: usize = 16;

/// The steps so far, and what is known of the body.
pub(super) struct Planner<'b> {
    body: &'b Body,
    made: &'b [ValueId],
    wanted: &'b [ValueId],
    slice: Option<&'b Slice>,
    makers: BTreeMap<ValueId, &'b Op>,
    /// The operations that the wanted values need, by the operand that they read; wanting counts as reading.
    uses: BTreeMap<ValueId, Vec<Option<&'b Op>>>,
    sources: BTreeMap<(ValueId, usize), Source>,
    row_wise: RowWise,
}

impl<'b> Planner<'b> {
    pub(super) fn new(
        target: &Target,
        body: &'b Body,
        wanted: &'b [ValueId],
        made: &'b [ValueId],
        slice: Option<&'b Slice>,
    ) -> Planner<'b> {
        let makers: BTreeMap<ValueId, &Op> =
            body.ops.iter().flat_map(|op| op.results.iter().map(move |&result| (result, op))).collect();
        let mut uses: BTreeMap<ValueId, Vec<Option<&Op>>> = BTreeMap::new();
        let mut seen: BTreeSet<ValueId> = BTreeSet::new();
        let mut open: Vec<ValueId> = wanted.to_vec();
        wanted.iter().for_each(|&value| uses.entry(value).or_default().push(None));
        while let Some(value) = open.pop() {
            let Some(&op) = makers.get(&value) else { continue };
            if made.contains(&value) || !seen.insert(value) {
                continue;
            }
            for &operand in &op.operands {
                uses.entry(operand).or_default().push(Some(op));
                open.push(operand);
            }
        }
        let row_wise = RowWise {
            target: target.clone(),
            heads: slice.map_or(1, |slice| slice.heads),
            readers: vec![Reader::Own],
            given: BTreeMap::new(),
            steps: Vec::new(),
            scratch: 0,
            cost_ns: 0,
        };
        Planner { body, made, wanted, slice, makers, uses, sources: BTreeMap::new(), row_wise }
    }

    /// All steps.
    pub(super) fn plan(mut self) -> Result<RowWise, String> {
        for (number, &value) in self.wanted.iter().enumerate() {
            match self.source(value, 0)? {
                Source::Wanted(own) if own == number => {}
                x => {
                    let elements = self.elements(value)?;
                    self.push(Work::Copy { elements, x }, Source::Wanted(number), move_ns(elements * 8));
                }
            }
        }
        Ok(self.row_wise)
    }

    /// The operation that makes a value, unless it is given.
    fn maker(&self, value: ValueId) -> Option<&'b Op> {
        if self.made.contains(&value) { None } else { self.makers.get(&value).copied() }
    }

    /// The axes of a row of a value, without that of the heads where sliced.
    fn axes(&self, value: ValueId) -> Result<&'b [Axis], String> {
        let ty: &'b Type = self.body.ty(value);
        let mut axes = &ty.axes[usize::from(ty.rows().is_some())..];
        if let (Some(slice), [Axis::Named { name, .. }, rest @ ..]) = (self.slice, axes)
            && *name == slice.axis
        {
            axes = rest;
        }
        let wrong = axes.iter().any(|axis| match axis {
            Axis::Rows(_) => true,
            Axis::Named { name, .. } => self.slice.is_some_and(|slice| slice.axis == *name),
        });
        if wrong {
            return Err(format!("a value with the axes {} is not read row by row", ty.describe()));
        }
        Ok(axes)
    }

    fn elements(&self, value: ValueId) -> Result<usize, String> {
        Ok(self.axes(value)?.iter().filter_map(Axis::size).product())
    }

    fn push(&mut self, work: Work, out: Source, cost_ns: u64) {
        self.row_wise.cost_ns += cost_ns;
        self.row_wise.steps.push(Step { work, out });
    }

    /// Where the row of `value` lies that `reader` reads; made there by steps, if need be.
    fn source(&mut self, value: ValueId, reader: usize) -> Result<Source, String> {
        if let Some(&known) = self.sources.get(&(value, reader)) {
            return Ok(known);
        }
        let source = match self.maker(value) {
            None => self.given(value, reader)?,
            Some(op) => self.computed(op, value, reader)?,
        };
        self.sources.insert((value, reader), source);
        Ok(source)
    }

    fn given(&mut self, value: ValueId, reader: usize) -> Result<Source, String> {
        let slice = self.elements(value)?;
        let ty = self.body.ty(value);
        if ty.dtype == DType::BF16 {
            return Err("weights in bf16 are read by products only".into());
        }
        if reader > 0 && self.made.contains(&value) {
            return Err("a row that is made on the spot is read at another place".into());
        }
        let heads = self.slice.and_then(|slice| ty.axis(&slice.axis)).and_then(Axis::size).unwrap_or(1);
        let lies = Lies { has_rows: ty.rows().is_some(), row: ty.row_elements(), slice, heads };
        self.row_wise.given.insert(value, lies);
        Ok(Source::Given(value, reader))
    }

    /// The reader of the row whose number is entry `entry` of `numbers`.
    fn picked(&mut self, numbers: ValueId, reader: usize, entry: usize) -> Result<usize, String> {
        let Source::Given(numbers, of) = self.source(numbers, reader)? else {
            return Err("row numbers must not be computed on the spot".into());
        };
        let picked = Reader::Picked { numbers, of, entry };
        let readers = &mut self.row_wise.readers;
        Ok(readers.iter().position(|&known| known == picked).unwrap_or_else(|| {
            readers.push(picked);
            readers.len() - 1
        }))
    }

    fn computed(&mut self, op: &'b Op, value: ValueId, reader: usize) -> Result<Source, String> {
        let operand = |number: usize| op.operands[number];
        let target = self.row_wise.target.clone();
        let elements = self.elements(value)?;
        let (work, cost_ns) = match &op.kind {
            OpKind::Dispatch | OpKind::SelectRows => {
                let reader = self.picked(operand(1), reader, 0)?;
                return self.source(operand(0), reader);
            }
            OpKind::Constant { .. } | OpKind::Elementwise(_) => {
                let mut operands = Vec::new();
                let expression = self.expression(op, value, reader, &mut operands)?;
                let (sources, axes): (Vec<Source>, Vec<&[Axis]>) = operands.into_iter().unzip();
                let expression = RowExpression::new(expression, &axes, self.axes(value)?);
                let cost_ns = expression.cost_ns(sources.len());
                (Work::Expression { expression, operands: sources }, cost_ns)
            }
            OpKind::RmsNorm { eps } => {
                let width = self.body.ty(operand(1)).row_elements();
                if self.elements(operand(1))? != width {
                    return Err("a norm over the axis of heads is not a matter of one head".into());
                }
                let (x, weight) = (self.source(operand(0), reader)?, self.source(operand(1), reader)?);
                let vectors = Vectors::new(&target, width, elements / width);
                (Work::RmsNorm { eps: *eps, vectors, x, weight }, move_ns(elements * 16))
            }
            OpKind::L2Norm { eps } => {
                let width = self.last(value)?;
                let x = self.source(operand(0), reader)?;
                let vectors = Vectors::new(&target, width, elements / width);
                (Work::L2Norm { eps: *eps, vectors, x }, move_ns(elements * 16))
            }
            OpKind::Rotary { base } => {
                let width = self.last(value)?;
                let rotation = Rotation { vectors: elements / width, width, base: *base };
                let (x, position) = (self.source(operand(0), reader)?, self.source(operand(1), reader)?);
                (Work::Rotary { rotation, x, position }, rotation.cost_ns())
            }
            OpKind::Combine => {
                let choices = self.body.ty(operand(1)).row_elements();
                let slot = self.source(operand(1), reader)?;
                let weight = self.source(operand(2), reader)?;
                let mut parts = Vec::new();
                for choice in 0..choices {
                    let reader = self.picked(operand(1), reader, choice)?;
                    parts.push(self.source(operand(0), reader)?);
                }
                (Work::Combine { elements, slot, weight, parts }, move_ns(elements * 4 * (choices + 1)))
            }
            // The table may be wanted in panels as well, by the product that computes logits; only the scheduler knows.
            OpKind::Embedding => return Err("rows of embeddings are read by a kernel of their own".into()),
            kind => return Err(format!("`{}` does not work row by row", ops::name(kind).trim_start_matches("mom."))),
        };
        let out = self.room(value, reader, elements);
        self.push(work, out, cost_ns);
        Ok(out)
    }

    /// The size of the last axis, which must not be that of the heads where sliced.
    fn last(&self, value: ValueId) -> Result<usize, String> {
        let last = self.axes(value)?.last().and_then(Axis::size);
        last.ok_or_else(|| "an operation along the axis of heads is not a matter of one head".into())
    }

    /// Where a value's row is to be made.
    fn room(&mut self, value: ValueId, reader: usize, elements: usize) -> Source {
        match self.wanted.iter().position(|&wanted| wanted == value) {
            Some(number) if reader == 0 => Source::Wanted(number),
            _ => {
                let first = self.row_wise.scratch;
                self.row_wise.scratch += elements.next_multiple_of(LINE);
                Source::Scratch(first)
            }
        }
    }

    /// A constant or an elementwise operation, with all those before it that only it reads.
    fn expression(
        &mut self,
        op: &'b Op,
        value: ValueId,
        reader: usize,
        operands: &mut Vec<(Source, &'b [Axis])>,
    ) -> Result<Expression, String> {
        let function = match op.kind {
            OpKind::Constant { value } => return Ok(Expression::Constant(value)),
            OpKind::Elementwise(function) => function,
            _ => return Err("only elementwise operations are expressions".into()),
        };
        let mut arguments = Vec::new();
        for &operand in &op.operands {
            if let Some(op) = self.inlined(operand, value) {
                arguments.push(self.expression(op, operand, reader, operands)?);
                continue;
            }
            let axes = self.axes(operand)?;
            let mut places = self.axes(value)?.iter();
            if !axes.iter().all(|axis| places.any(|place| place == axis)) {
                return Err(format!(
                    "{} cannot be broadcast to {}: the axes come in another order",
                    self.body.ty(operand).describe(),
                    self.body.ty(value).describe()
                ));
            }
            let source = self.source(operand, reader)?;
            arguments.push(Expression::Operand(operands.len()));
            operands.push((source, axes));
        }
        Ok(Expression::Apply(function, arguments))
    }

    /// The operation that makes `operand`, if that is computed where `user` is: a constant, or an elementwise operation
    /// that nobody else reads and that has as many elements.
    fn inlined(&self, operand: ValueId, user: ValueId) -> Option<&'b Op> {
        let op = self.maker(operand)?;
        let alone = self.uses.get(&operand).is_some_and(|uses| uses.len() == 1);
        match op.kind {
            OpKind::Constant { .. } => Some(op),
            OpKind::Elementwise(_) if alone && self.body.ty(operand) == self.body.ty(user) => Some(op),
            _ => None,
        }
    }
}
