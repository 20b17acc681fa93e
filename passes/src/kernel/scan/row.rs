//! The code of one row of the state: values with a row axis, computed where they are needed and never stored.

use mom_dialect::graph::{Function, Op, OpKind, ValueId};

use super::{Writer, token::Token};
use crate::{
    emit::{Emit, Ty, V},
    kernel::elementwise::apply,
};

/// What the code of one row knows.
pub(super) struct Row<'w, 'a, 't> {
    writer: &'w Writer<'a>,
    token: &'w mut Token<'t>,
    index: V,
    /// The memory of the states holds the new ones already.
    after_write: bool,
    known: Vec<Option<Vec<Option<V>>>>,
}

impl<'w, 'a, 't> Row<'w, 'a, 't> {
    pub(super) fn new(writer: &'w Writer<'a>, token: &'w mut Token<'t>, index: V, after_write: bool) -> Self {
        let known = vec![None; writer.analysis.rule.body.value_count()];
        Row { writer, token, index, after_write, known }
    }

    /// Adds this row to running sums; those without columns go with the first part.
    pub(super) fn accumulate(&mut self, emit: &mut Emit, sums: &[&Op], part: usize, running: &mut [V]) {
        let mut at = 0;
        for sum in sums {
            let has_columns = self.writer.analysis.kind(sum.results[0]).column;
            if has_columns || part == 0 {
                let total = running[at + part];
                let mut factors = Vec::new();
                for &operand in &sum.operands {
                    factors.extend(self.in_rows(emit, operand, part, total.ty));
                }
                let one = emit.float(1.0, total.ty);
                let left = factors.first().copied().unwrap_or(one);
                let right = factors.get(1).copied().unwrap_or(one);
                running[at + part] = emit.fma(left, right, total);
            }
            at += if has_columns { self.token.block.vectors } else { 1 };
        }
    }

    /// Tells the same row of the following token its old states, which are the new ones of this token.
    pub(super) fn hand_over(&mut self, emit: &mut Emit, following: &mut Self, part: usize) {
        for (state, &next) in self.writer.analysis.rule.next.iter().enumerate() {
            let value = self.part(emit, next, part, self.writer.ty());
            let old = self.writer.analysis.old(state);
            following.remember(old, part, value);
        }
    }

    fn remember(&mut self, value: ValueId, part: usize, made: V) {
        self.known[value.index()].get_or_insert_with(|| vec![None; self.token.block.vectors])[part] = Some(made);
    }

    /// Part `part` of a value in this row, in the form of `ty`.
    pub(super) fn part(&mut self, emit: &mut Emit, value: ValueId, part: usize, ty: Ty) -> V {
        let kind = self.writer.analysis.kind(value);
        let part = if kind.column { part } else { 0 };
        let raw = if kind.row {
            match self.known[value.index()].as_ref().and_then(|parts| parts[part]) {
                Some(known) => known,
                None => {
                    let made = self.make(emit, value, part);
                    self.remember(value, part, made);
                    made
                }
            }
        } else {
            let parts = self.writer.whole(emit, self.token, value);
            parts[part.min(parts.len() - 1)]
        };
        emit.splat(raw, ty)
    }

    /// The product of a value's factors that have a row axis: what is left of it in a sum over rows.
    fn in_rows(&mut self, emit: &mut Emit, value: ValueId, part: usize, ty: Ty) -> Option<V> {
        let factors = self.writer.factors(value);
        let mut product: Option<V> = None;
        for factor in factors.into_iter().filter(|&factor| self.writer.analysis.kind(factor).row) {
            let factor = self.part(emit, factor, part, ty);
            product = Some(match product {
                None => factor,
                Some(product) => emit.fmul(product, factor),
            });
        }
        product
    }

    fn make(&mut self, emit: &mut Emit, value: ValueId, part: usize) -> V {
        let writer = self.writer;
        let rule = writer.analysis.rule;
        let kind = writer.analysis.kind(value);
        let ty = if kind.column { writer.ty() } else { Ty::F32 };
        if self.after_write
            && let Some(state) = rule.next.iter().position(|&next| next == value)
        {
            return self.load_state(emit, state, part);
        }
        if let Some(state) = writer.analysis.state(value) {
            return self.load_state(emit, state, part);
        }
        if let Some((scratch, base)) = writer.staged(emit, self.token, value) {
            let place = emit.add(base, self.index);
            return emit.load(scratch, place, ty);
        }
        if let Some((buffer, base, stride)) = writer.argument(emit, self.token, value) {
            let base = emit.add_const(base, part * writer.tiling.lanes);
            let place = emit.at(self.index, stride, base);
            return emit.load(buffer, place, ty);
        }
        let Some(op) = writer.analysis.makers[value.index()] else { return emit.float(f64::NAN, ty) };
        match op.kind {
            OpKind::Elementwise(Function::Mul) => self.product(emit, value, part, ty),
            OpKind::Elementwise(function @ (Function::Add | Function::Sub)) => self.sum(emit, function, op, part, ty),
            OpKind::Elementwise(function) => {
                let arguments: Vec<V> = op.operands.iter().map(|&operand| self.part(emit, operand, part, ty)).collect();
                apply(emit, function, &arguments)
            }
            _ => emit.float(f64::NAN, ty),
        }
    }

    /// `a + b` or `a - b`; a product in it is not rounded on its own.
    fn sum(&mut self, emit: &mut Emit, function: Function, op: &Op, part: usize, ty: Ty) -> V {
        let (a, b) = (op.operands[0], op.operands[1]);
        let is_product = |row: &Self, value: ValueId| {
            row.writer.analysis.kind(value).row
                && row.writer.factors(value).len() > 1
                && row.known[value.index()].is_none()
        };
        if is_product(self, b) {
            let (mut left, right) = self.two_factors(emit, b, part, ty);
            if function == Function::Sub {
                left = emit.fneg(left);
            }
            let a = self.part(emit, a, part, ty);
            return emit.fma(left, right, a);
        }
        let (a, b) = (self.part(emit, a, part, ty), self.part(emit, b, part, ty));
        apply(emit, function, &[a, b])
    }

    fn product(&mut self, emit: &mut Emit, value: ValueId, part: usize, ty: Ty) -> V {
        let (left, right) = self.two_factors(emit, value, part, ty);
        emit.fmul(left, right)
    }

    /// A product as two factors: what is the same in all rows, or all but the last factor, and the rest.
    fn two_factors(&mut self, emit: &mut Emit, value: ValueId, part: usize, ty: Ty) -> (V, V) {
        let factors = self.writer.factors(value);
        let hoisted = self.writer.hoisted(emit, self.token, &factors, part);
        let mut in_rows: Vec<ValueId> =
            factors.into_iter().filter(|&factor| self.writer.analysis.kind(factor).row).collect();
        let Some(last) = in_rows.pop() else {
            let one = emit.float(1.0, ty);
            return (one, one);
        };
        let mut left = hoisted;
        for factor in in_rows {
            let kind = self.writer.analysis.kind(factor);
            let value = self.part(emit, factor, part, if kind.column { self.writer.ty() } else { Ty::F32 });
            left = Some(match left {
                None => value,
                Some(other) => self.writer.multiply(emit, other, value),
            });
        }
        let right = self.part(emit, last, part, ty);
        let left = match left {
            None => emit.float(1.0, ty),
            Some(left) => emit.splat(left, ty),
        };
        (left, right)
    }

    fn load_state(&mut self, emit: &mut Emit, state: usize, part: usize) -> V {
        let place = self.writer.state_place(emit, self.token.block, self.index, part);
        emit.load(self.token.block.states[state], place, self.writer.ty())
    }

    /// Stores one part of the new states, after it is computed for all of them.
    pub(super) fn write(&mut self, emit: &mut Emit, part: usize) {
        let writer = self.writer;
        let next = &writer.analysis.rule.next;
        let values: Vec<V> = next.iter().map(|&next| self.part(emit, next, part, writer.ty())).collect();
        for (state, value) in values.into_iter().enumerate() {
            let place = writer.state_place(emit, self.token.block, self.index, part);
            emit.store(value, self.token.block.states[state], place);
        }
    }
}
