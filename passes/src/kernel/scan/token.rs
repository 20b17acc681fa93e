//! The code of one token: its values without a row axis, and the walk from token to token.

use mom_dialect::graph::{Function, OpKind, ValueId};

use super::{AHEAD, Block, Buffers, LINE, Place, TURN, Writer, analysis::Kind, is_scalar};
use crate::{
    emit::{Compare, Emit, Ty, V},
    kernel::elementwise::apply,
};

const ROWS: Kind = Kind { row: true, column: false };
const COLUMNS: Kind = Kind { row: false, column: true };

/// What a token's code knows: addresses, and values computed so far.
pub(super) struct Token<'b> {
    pub(super) block: &'b Block,
    pub(super) buffers: &'b Buffers<'b>,
    place: Place,
    /// Values without a row axis: one scalar, or a vector for each part of the block.
    pub(super) known: Vec<Option<Vec<V>>>,
}

impl Writer<'_> {
    /// Takes one block through tokens that follow each other. In a long segment, which has an `end`, the first pass of
    /// a token is done within the last pass of the token before where that can be, and inputs are asked for ahead.
    pub(super) fn walk(
        &self,
        emit: &mut Emit,
        buffers: &Buffers<'_>,
        block: &Block,
        head: V,
        (first, last): (V, V),
        end: Option<V>,
    ) {
        let overlap = end.is_some() && self.analysis.overlaps();
        let token = |emit: &mut Emit, row: V| Token {
            block,
            buffers,
            place: Place { row, slot: emit.sub(row, first), head },
            known: vec![None; self.analysis.rule.body.value_count()],
        };
        // The sums of the first token's first pass.
        let mut start = Vec::new();
        if overlap {
            let mut token = token(emit, first);
            start = self.rows(emit, 0, &mut token, None);
        }
        let types: Vec<Ty> = start.iter().map(|sum| sum.ty).collect();
        emit.fold(first, last, 1, &start, |emit, row, carried| {
            // What is summed behind the last token is thrown away.
            let after = emit.add_const(row, 1);
            let more = emit.compare(Compare::Less, after, last);
            let following = emit.select(more, after, row);
            if let Some(end) = end {
                for (distance, kind) in [(AHEAD, COLUMNS), (TURN, ROWS)] {
                    let ahead = emit.add_const(row, distance);
                    let inside = emit.compare(Compare::Less, ahead, end);
                    let ahead = emit.select(inside, ahead, row);
                    let ahead = token(emit, ahead);
                    self.fetch(emit, &ahead, kind);
                }
            }
            let work = |emit: &mut Emit| {
                let mut current = token(emit, row);
                let mut following = token(emit, following);
                self.token(emit, &mut current, carried, overlap.then_some(&mut following))
            };
            let Some(position) = buffers.position else { return work(emit) };
            let place = emit.load_index(position, row);
            let zero = emit.int(0);
            let real = emit.compare(Compare::GreaterEqual, place, zero);
            emit.either(real, &types, work, |emit| {
                let padding = token(emit, row);
                self.silence(emit, &padding);
                let mut following = token(emit, following);
                if overlap { self.rows(emit, 0, &mut following, None) } else { Vec::new() }
            })
        });
    }

    /// One token; gives the sums of the first pass of the one that follows.
    fn token<'t>(
        &self,
        emit: &mut Emit,
        token: &mut Token<'t>,
        carried: &[V],
        mut following: Option<&mut Token<'t>>,
    ) -> Vec<V> {
        let mut first = 0;
        if following.is_some() {
            self.adopt(emit, token, 0, carried);
            first = 1;
        }
        let mut ahead = Vec::new();
        for pass in first..self.analysis.passes {
            let is_last = pass + 1 == self.analysis.passes;
            let mut sums = self.rows(emit, pass, token, if is_last { following.take() } else { None });
            ahead = sums.split_off(self.count(token.block, pass));
            self.adopt(emit, token, pass, &sums);
        }
        self.output(emit, token);
        ahead
    }

    fn output(&self, emit: &mut Emit, token: &mut Token<'_>) {
        for (output, &read) in self.analysis.rule.read.iter().enumerate() {
            let value = self.whole(emit, token, read);
            let place = self.output_place(emit, token);
            for (part, &value) in value.iter().enumerate() {
                let at = emit.add_const(place, part * self.tiling.lanes);
                emit.store(value, token.buffers.outputs[output], at);
            }
        }
    }

    /// Padding reads nothing: its outputs are zero.
    fn silence(&self, emit: &mut Emit, token: &Token<'_>) {
        let zero = emit.float(0.0, self.ty());
        let place = self.output_place(emit, token);
        for &output in &token.buffers.outputs {
            for part in 0..token.block.vectors {
                let at = emit.add_const(place, part * self.tiling.lanes);
                emit.store(zero, output, at);
            }
        }
    }

    fn output_place(&self, emit: &mut Emit, token: &Token<'_>) -> V {
        let owner = emit.at(token.place.row, self.placement.heads, token.place.head);
        emit.at(owner, self.analysis.columns, token.block.column)
    }

    /// Asks for what a later token will use: the block's columns of inputs and outputs, or the block's share of inputs
    /// without columns.
    fn fetch(&self, emit: &mut Emit, token: &Token<'_>, kind: Kind) {
        let lines = |emit: &mut Emit, buffer: V, base: V, elements: usize| {
            for first in (0..elements).step_by(LINE) {
                let place = emit.add_const(base, first);
                emit.prefetch(buffer, place);
            }
        };
        let columns = token.block.vectors * self.tiling.lanes;
        for (argument, port) in self.analysis.rule.inputs.iter().enumerate() {
            if self.analysis.kinds[argument] != kind || self.wiring.is_made(argument) {
                continue;
            }
            let base = self.argument_base(emit, argument, token.place);
            let (offset, elements) = match kind.column {
                true => (token.block.column, columns),
                false => {
                    let share = port.ty.row_elements().div_ceil(self.tiling.blocks);
                    (emit.mul_const(token.block.index, share), share)
                }
            };
            let base = emit.add(base, offset);
            lines(emit, token.buffers.arguments[argument], base, elements);
        }
        if kind.column {
            let place = self.output_place(emit, token);
            for &output in &token.buffers.outputs {
                lines(emit, output, place, columns);
            }
        }
    }

    /// The factors of a product with a row axis, those without one first; just the value where it is no product.
    pub(super) fn factors(&self, value: ValueId) -> Vec<ValueId> {
        let mut factors = Vec::new();
        self.collect_factors(value, &mut factors);
        factors.sort_by_key(|&factor| {
            let kind = self.analysis.kind(factor);
            (kind.row, kind.row && kind.column, kind.column)
        });
        factors
    }

    fn collect_factors(&self, value: ValueId, factors: &mut Vec<ValueId>) {
        match self.analysis.makers[value.index()] {
            Some(op)
                if op.kind == OpKind::Elementwise(Function::Mul)
                    && self.analysis.kind(value).row
                    && !self.analysis.is_staged(value) =>
            {
                for &operand in &op.operands {
                    self.collect_factors(operand, factors);
                }
            }
            _ => factors.push(value),
        }
    }

    /// The product of a product's factors without a row axis, for one part of the block.
    pub(super) fn hoisted(
        &self,
        emit: &mut Emit,
        token: &mut Token<'_>,
        factors: &[ValueId],
        part: usize,
    ) -> Option<V> {
        let mut product: Option<V> = None;
        for &factor in factors.iter().filter(|&&factor| !self.analysis.kind(factor).row) {
            let parts = self.whole(emit, token, factor);
            let value = parts[part.min(parts.len() - 1)];
            product = Some(match product {
                None => value,
                Some(other) => self.multiply(emit, other, value),
            });
        }
        product
    }

    pub(super) fn multiply(&self, emit: &mut Emit, a: V, b: V) -> V {
        let ty = if a.ty == Ty::F32 { b.ty } else { a.ty };
        let (a, b) = (emit.splat(a, ty), emit.splat(b, ty));
        emit.fmul(a, b)
    }

    /// Where a token's part of an argument starts: buffer and element, the block's columns and the slice included.
    pub(super) fn argument(&self, emit: &mut Emit, token: &Token<'_>, value: ValueId) -> Option<(V, V, usize)> {
        let address = self.analysis.addresses[value.index()]?;
        let mut base = self.argument_base(emit, address.argument, token.place);
        if self.analysis.kind(value).column {
            base = emit.add(base, token.block.column);
        }
        let base = emit.add_const(base, address.offset);
        Some((token.buffers.arguments[address.argument], base, address.stride))
    }

    /// Where a staged value of a token starts.
    pub(super) fn staged(&self, emit: &mut Emit, token: &Token<'_>, value: ValueId) -> Option<(V, V)> {
        let index = self.analysis.staged.iter().position(|&staged| staged == value)?;
        Some((token.buffers.staged[index], emit.mul_const(token.place.slot, self.staged_width(value))))
    }

    /// A value without a row axis: one scalar, or the parts of the block.
    pub(super) fn whole(&self, emit: &mut Emit, token: &mut Token<'_>, value: ValueId) -> Vec<V> {
        if let Some(parts) = &token.known[value.index()] {
            return parts.clone();
        }
        let parts = self.make_whole(emit, token, value);
        token.known[value.index()] = Some(parts.clone());
        parts
    }

    fn make_whole(&self, emit: &mut Emit, token: &mut Token<'_>, value: ValueId) -> Vec<V> {
        let (count, ty) = match is_scalar(self.analysis.kind(value)) {
            true => (1, Ty::F32),
            false => (token.block.vectors, self.ty()),
        };
        if let Some((buffer, base)) = self.staged(emit, token, value) {
            return vec![emit.load(buffer, base, ty)];
        }
        let argument = self.argument(emit, token, value).map(|(buffer, base, _)| (buffer, base));
        let state = self.analysis.state(value).map(|state| (token.block.states[state], token.block.base));
        if let Some((buffer, base)) = argument.or(state) {
            let parts = (0..count).map(|part| {
                let place = emit.add_const(base, part * self.tiling.lanes);
                emit.load(buffer, place, ty)
            });
            return parts.collect();
        }
        match self.analysis.makers[value.index()].map(|op| (&op.kind, &op.operands)) {
            Some((OpKind::Constant { value }, _)) => vec![emit.float(*value, ty); count],
            Some((OpKind::HeadIndex, _)) => vec![self.head_number(emit, token.place.head)],
            Some((OpKind::Elementwise(function), operands)) => {
                let operands: Vec<Vec<V>> = operands.iter().map(|&operand| self.whole(emit, token, operand)).collect();
                let parts = (0..count).map(|part| {
                    let arguments: Vec<V> =
                        operands.iter().map(|parts| emit.splat(parts[part.min(parts.len() - 1)], ty)).collect();
                    apply(emit, *function, &arguments)
                });
                parts.collect()
            }
            // Sums are known before anything asks for them, since levels say so.
            _ => vec![emit.float(f64::NAN, ty); count],
        }
    }
}
