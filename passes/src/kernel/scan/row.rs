//! The code of one row of the state: values with a row axis, computed where they are needed and never stored.

use mom_dialect::graph::{Function, Op, OpKind, ValueId};

use super::{Token, Writer};
use crate::{
    emit::{Emit, Ty, V},
    kernel::elementwise::apply,
};

/// What the code of one row knows.
pub(super) struct Row<'w, 'a> {
    pub(super) writer: &'w Writer<'a>,
    pub(super) token: &'w mut Token,
    pub(super) index: V,
    /// The tiles hold the new states already.
    pub(super) after_write: bool,
    pub(super) known: Vec<Option<Vec<Option<V>>>>,
}

impl Row<'_, '_> {
    /// Part `part` of a value in this row, in the form of `ty`.
    pub(super) fn part(&mut self, emit: &mut Emit, value: ValueId, part: usize, ty: Ty) -> V {
        let kind = self.writer.analysis.kind(value);
        let part = if kind.column { part } else { 0 };
        let raw = if kind.row {
            match self.known[value.index()].as_ref().and_then(|parts| parts[part]) {
                Some(known) => known,
                None => {
                    let made = self.make(emit, value, part);
                    self.known[value.index()].get_or_insert_with(|| vec![None; self.writer.vectors])[part] = Some(made);
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
    pub(super) fn in_rows(&mut self, emit: &mut Emit, value: ValueId, part: usize, ty: Ty) -> V {
        let factors = self.writer.factors(value);
        let mut product: Option<V> = None;
        for factor in factors.into_iter().filter(|&factor| self.writer.analysis.kind(factor).row) {
            let factor = self.part(emit, factor, part, ty);
            product = Some(match product {
                None => factor,
                Some(product) => emit.fmul(product, factor),
            });
        }
        match product {
            Some(product) => product,
            None => emit.float(1.0, ty),
        }
    }

    fn make(&mut self, emit: &mut Emit, value: ValueId, part: usize) -> V {
        let writer = self.writer;
        let rule = writer.analysis.rule;
        let kind = writer.analysis.kind(value);
        let ty = if kind.column { writer.ty() } else { Ty::F32 };
        let inputs = rule.inputs.len();
        if self.after_write
            && let Some(state) = rule.next.iter().position(|&next| next == value)
        {
            return self.load_state(emit, state, part);
        }
        if let Some(state) = value.index().checked_sub(inputs).filter(|&state| state < rule.states.len()) {
            return self.load_state(emit, state, part);
        }
        let Some(op) = writer.analysis.makers[value.index()] else {
            let (buffer, base) = self.token.inputs[value.index()];
            // A row of an input that has columns too lies among the rows of all its columns.
            let stride = if kind.column { writer.analysis.columns } else { 1 };
            let place = emit.at(self.index, stride, base);
            let place = emit.add_const(place, part * writer.lanes);
            return emit.load(buffer, place, ty);
        };
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

    fn state_place(&self, emit: &mut Emit, part: usize) -> V {
        let offset = emit.int((part * self.writer.lanes) as i64);
        emit.at(self.index, self.writer.block, offset)
    }

    fn load_state(&mut self, emit: &mut Emit, state: usize, part: usize) -> V {
        let place = self.state_place(emit, part);
        emit.load(self.token.tiles[state], place, self.writer.ty())
    }

    /// Stores the new states of this row, after all of them are computed.
    pub(super) fn write(&mut self, emit: &mut Emit) {
        let writer = self.writer;
        let mut stores = Vec::new();
        for (state, &next) in writer.analysis.rule.next.iter().enumerate() {
            for part in 0..writer.vectors {
                let value = self.part(emit, next, part, writer.ty());
                stores.push((state, part, value));
            }
        }
        for (state, part, value) in stores {
            let place = self.state_place(emit, part);
            emit.store(value, self.token.tiles[state], place);
        }
    }
}
