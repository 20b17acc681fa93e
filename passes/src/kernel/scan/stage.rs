//! What is computed once a token for all blocks of columns, before the passes: the prologue's inputs, decays from their
//! logarithms and the like.

use mom_dialect::graph::{OpKind, ValueId};

use super::{Buffers, Place, Writer, prologue::Item};
use crate::{
    emit::{Emit, Ty, V},
    kernel::elementwise::apply,
};

impl Writer<'_> {
    /// Elements of a staged value.
    pub(super) fn staged_width(&self, value: ValueId) -> usize {
        if self.analysis.kind(value).row { self.analysis.rows } else { 1 }
    }

    /// Makes inputs and staged values of the tokens `first..last`.
    pub(super) fn stage(&self, emit: &mut Emit, buffers: &Buffers<'_>, item: Item, (first, last): (V, V)) {
        if let Some(prologue) = &buffers.prologue {
            prologue.turn(emit, item, (first, last));
        }
        if self.analysis.staged.is_empty() {
            return;
        }
        emit.for_each(first, last, 1, |emit, row| {
            let slot = emit.sub(row, first);
            let place = Place { row, slot, head: item.head };
            for (&value, &scratch) in self.analysis.staged.iter().zip(&buffers.staged) {
                let width = self.staged_width(value);
                let base = emit.mul_const(slot, width);
                let lanes = if self.lies_in_rows(value) { self.target.lanes_dividing(width) } else { 1 };
                let ty = if lanes == 1 { Ty::F32 } else { Ty::Vector(lanes) };
                let (zero, end) = (emit.int(0), emit.int(width as i64));
                emit.for_each(zero, end, lanes, |emit, index| {
                    let result = self.free(emit, buffers, value, (place, index), ty);
                    let to = emit.add(base, index);
                    emit.store(result, scratch, to);
                });
            }
        });
    }

    /// Whether the rows of all that a value is made from are neighbours in memory.
    fn lies_in_rows(&self, value: ValueId) -> bool {
        match (self.analysis.addresses[value.index()], self.analysis.makers[value.index()]) {
            (Some(address), _) => address.stride <= 1,
            (None, Some(op)) => op.operands.iter().all(|&operand| self.lies_in_rows(operand)),
            (None, None) => false,
        }
    }

    /// A value that inputs and parameters alone decide, in row `index` and as many after it as `ty` has lanes.
    fn free(&self, emit: &mut Emit, buffers: &Buffers<'_>, value: ValueId, at: (Place, V), ty: Ty) -> V {
        let (place, index) = at;
        if let Some(address) = self.analysis.addresses[value.index()] {
            let base = self.argument_base(emit, address.argument, place);
            let base = emit.add_const(base, address.offset);
            let at = emit.at(index, address.stride, base);
            let loaded = if self.analysis.kind(value).row { ty } else { Ty::F32 };
            let value = emit.load(buffers.arguments[address.argument], at, loaded);
            return emit.splat(value, ty);
        }
        match self.analysis.makers[value.index()].map(|op| (&op.kind, &op.operands)) {
            Some((OpKind::Elementwise(function), operands)) => {
                let arguments: Vec<V> =
                    operands.iter().map(|&operand| self.free(emit, buffers, operand, at, ty)).collect();
                apply(emit, *function, &arguments)
            }
            Some((OpKind::Constant { value }, _)) => emit.float(*value, ty),
            _ => {
                let head = self.head_number(emit, place.head);
                emit.splat(head, ty)
            }
        }
    }

    /// The number of the head as a float.
    pub(super) fn head_number(&self, emit: &mut Emit, head: V) -> V {
        let wide = emit.int_to_double(head);
        emit.narrow(wide)
    }
}
