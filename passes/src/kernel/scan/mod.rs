//! The recurrent form of any update rule whose state columns do not mix.
//!
//! An item is one segment, one head and one block of state columns, which stays in the first-level cache while the item
//! walks the segment's tokens. The rule's body decides the rest: a sum over rows ends a pass over the block, and what
//! needs the sum waits for the next pass, so a rule takes as many passes over its state a token as its sums are nested
//! (Gated DeltaNet: two). Values without a row axis are computed once a token; what has one is computed row by row,
//! never stored. Products are regrouped so that factors without a row axis are multiplied once a token, and taken out of
//! sums over rows.

use mom_dialect::{
    graph::{Function, Op, OpKind, UpdateRule, ValueId},
    shape::Extent,
};

mod analysis;
mod row;

use self::{
    analysis::{Analysis, Kind},
    row::Row,
};
use super::{Kernel, SEQUENCES, each_item, elementwise::apply, move_ns};
use crate::{
    emit::{Compare, Emit, Ty, V},
    target::Target,
};

/// How a rule runs inside a layer.
#[derive(Clone, Copy)]
pub(crate) struct Placement {
    pub(crate) heads: usize,
    pub(crate) memories: usize,
    /// Whether padding is to be skipped.
    pub(crate) masked: bool,
}

/// Buffers: the inputs, the states `[B, memory, head, …]`, segments, (position,) the outputs.
///
/// # Errors
/// What in the rule prevents it.
pub(crate) fn scan<'a>(target: &'a Target, rule: &'a UpdateRule, placement: Placement) -> Result<Kernel<'a>, String> {
    let Placement { heads, memories, masked } = placement;
    let analysis = Analysis::new(rule)?;
    let lanes = target.lanes_dividing(analysis.columns);
    // Blocks of 32 columns: with 256 rows they take 32 KB, which first-level caches hold.
    let vectors =
        [8, 4, 2, 1].into_iter().find(|vectors| vectors * lanes <= 32 && analysis.columns % (vectors * lanes) == 0);
    let vectors = vectors.unwrap_or(1);
    let block = vectors * lanes;
    let unroll = [4, 2, 1].into_iter().find(|unroll| unroll * vectors <= 8 && analysis.rows % unroll == 0).unwrap_or(1);
    let blocks = analysis.columns / block;
    let bytes = analysis.rows * block * 4 * rule.states.len();
    Ok(Kernel {
        symbol: format!(
            "momc_scan_{}_h{heads}_{}x{}_m{memories}{}",
            rule.name,
            analysis.rows,
            analysis.columns,
            if masked { "_masked" } else { "" }
        ),
        schedule: format!("columns = {block} : i64, unroll = {unroll} : i64"),
        rows: Extent::SEQUENCES.times(memories),
        chunk: 1,
        times: heads * blocks,
        item_ns: 2 * move_ns(bytes),
        body: Box::new(move |emit| {
            Writer { analysis, placement, lanes, vectors, block, unroll }.kernel(emit);
        }),
    })
}

/// Writes the kernel.
struct Writer<'a> {
    analysis: Analysis<'a>,
    placement: Placement,
    lanes: usize,
    vectors: usize,
    block: usize,
    unroll: usize,
}

/// What a token's code knows: addresses, and values computed so far.
struct Token {
    /// The block of each state.
    tiles: Vec<V>,
    /// Base address and buffer of each input for this token and head, the block's offset included where it applies.
    inputs: Vec<(V, V)>,
    /// Values without a row axis: one scalar, or a vector for each part of the block.
    known: Vec<Option<Vec<V>>>,
}

impl Writer<'_> {
    fn ty(&self) -> Ty {
        Ty::Vector(self.lanes)
    }

    fn kernel(&self, emit: &mut Emit) {
        let rule = self.analysis.rule;
        let Placement { heads, memories, masked } = self.placement;
        let (rows, columns, block) = (self.analysis.rows, self.analysis.columns, self.block);
        let blocks = columns / block;
        let mut index = 0;
        let mut next_buffer = |emit: &mut Emit| {
            index += 1;
            emit.buffer(index - 1)
        };
        let inputs: Vec<V> = rule.inputs.iter().map(|_| next_buffer(emit)).collect();
        let states: Vec<V> = rule.states.iter().map(|_| next_buffer(emit)).collect();
        let segments = next_buffer(emit);
        let position = masked.then(|| next_buffer(emit));
        let outputs: Vec<V> = rule.outputs.iter().map(|_| next_buffer(emit)).collect();
        let tiles: Vec<V> = rule.states.iter().map(|_| emit.scratch(rows * block)).collect();
        let sequences = emit.size(SEQUENCES);

        each_item(emit, |emit, item| {
            let (outer, part) = (emit.div_const(item, blocks), emit.rem_const(item, blocks));
            let (segment, head) = (emit.div_const(outer, heads), emit.rem_const(outer, heads));
            let (memory, sequence) = (emit.div(segment, sequences), emit.rem(segment, sequences));
            let owner = emit.at(sequence, memories, memory);
            let owner = emit.at(owner, heads, head);
            let column = emit.mul_const(part, block);
            let state = emit.at(owner, rows * columns, column);
            let after = emit.add_const(segment, 1);
            let (begin, end) = (emit.load_index(segments, segment), emit.load_index(segments, after));
            let any = emit.compare(Compare::Less, begin, end);
            emit.when(any, |emit| {
                for (&buffer, &tile) in states.iter().zip(&tiles) {
                    self.copy(emit, (buffer, state, columns), (tile, block));
                }
                emit.for_each(begin, end, 1, |emit, row| {
                    let Some(position) = position else {
                        self.token(emit, &inputs, &tiles, &outputs, (row, head, column));
                        return;
                    };
                    let place = emit.load_index(position, row);
                    let zero = emit.int(0);
                    let real = emit.compare(Compare::GreaterEqual, place, zero);
                    emit.when_else(
                        real,
                        |emit| self.token(emit, &inputs, &tiles, &outputs, (row, head, column)),
                        |emit| self.silence(emit, &outputs, (row, head, column)),
                    );
                });
                for (&buffer, &tile) in states.iter().zip(&tiles) {
                    self.copy_back(emit, (tile, block), (buffer, state, columns));
                }
            });
        });
    }

    /// Brings a block of columns into the tile.
    fn copy(&self, emit: &mut Emit, from: (V, V, usize), to: (V, usize)) {
        emit.count(self.analysis.rows, |emit, row| {
            for vector in 0..self.vectors {
                let offset = emit.int((vector * self.lanes) as i64);
                let source = emit.at(row, from.2, from.1);
                let source = emit.add(source, offset);
                let value = emit.load(from.0, source, self.ty());
                let place = emit.at(row, to.1, offset);
                emit.store(value, to.0, place);
            }
        });
    }

    fn copy_back(&self, emit: &mut Emit, from: (V, usize), to: (V, V, usize)) {
        emit.count(self.analysis.rows, |emit, row| {
            for vector in 0..self.vectors {
                let offset = emit.int((vector * self.lanes) as i64);
                let source = emit.at(row, from.1, offset);
                let value = emit.load(from.0, source, self.ty());
                let place = emit.at(row, to.2, to.1);
                let place = emit.add(place, offset);
                emit.store(value, to.0, place);
            }
        });
    }

    /// Addresses of a port's values for one token and head.
    fn port(&self, emit: &mut Emit, kind: Kind, (row, head, column): (V, V, V)) -> V {
        let width = if kind.row { self.analysis.rows } else { 1 } * if kind.column { self.analysis.columns } else { 1 };
        let token = emit.at(row, self.placement.heads, head);
        let base = emit.mul_const(token, width);
        if kind.column { emit.add(base, column) } else { base }
    }

    /// Padding reads nothing: its outputs are zero.
    fn silence(&self, emit: &mut Emit, outputs: &[V], place: (V, V, V)) {
        let zero = emit.float(0.0, self.ty());
        for &output in outputs {
            let base = self.port(emit, Kind { row: false, column: true }, place);
            for vector in 0..self.vectors {
                let at = emit.add_const(base, vector * self.lanes);
                emit.store(zero, output, at);
            }
        }
    }

    fn token(&self, emit: &mut Emit, inputs: &[V], tiles: &[V], outputs: &[V], place: (V, V, V)) {
        let rule = self.analysis.rule;
        let inputs: Vec<(V, V)> = inputs
            .iter()
            .enumerate()
            .map(|(index, &buffer)| (buffer, self.port(emit, self.analysis.kinds[index], place)))
            .collect();
        let mut token = Token { tiles: tiles.to_vec(), inputs, known: vec![None; rule.body.value_count()] };
        for pass in 0..self.analysis.passes {
            self.pass(emit, &mut token, pass);
        }
        for (&read, &output) in rule.read.iter().zip(outputs) {
            let value = self.whole(emit, &mut token, read);
            let base = self.port(emit, Kind { row: false, column: true }, place);
            for vector in 0..self.vectors {
                let part = value[vector.min(value.len() - 1)];
                let part = emit.splat(part, self.ty());
                let at = emit.add_const(base, vector * self.lanes);
                emit.store(part, output, at);
            }
        }
    }

    /// One walk over the rows: the sums of this level, and the new states if it is their turn.
    fn pass(&self, emit: &mut Emit, token: &mut Token, pass: usize) {
        let rule = self.analysis.rule;
        let sums: Vec<&Op> = rule
            .body
            .ops
            .iter()
            .filter(|op| op.kind == OpKind::Contract && self.analysis.level(op.results[0]) == pass + 1)
            .collect();
        let writes = pass == self.analysis.write_pass;
        // What the rows need once a token is computed before the loop.
        let mut roots: Vec<ValueId> = sums.iter().flat_map(|op| op.operands.iter().copied()).collect();
        if writes {
            roots.extend(&rule.next);
        }
        for root in roots {
            self.prepare(emit, token, root);
        }

        let width = |op: &Op| if self.analysis.kind(op.results[0]).column { self.vectors } else { 1 };
        let zero_vector = emit.float(0.0, self.ty());
        let zero_scalar = emit.float(0.0, Ty::F32);
        let mut start = Vec::new();
        for _ in 0..self.unroll {
            for op in &sums {
                let zero = if self.analysis.kind(op.results[0]).column { zero_vector } else { zero_scalar };
                start.extend(vec![zero; width(op)]);
            }
        }
        let (zero, rows) = (emit.int(0), emit.int(self.analysis.rows as i64));
        let totals = emit.fold(zero, rows, self.unroll, &start, |emit, first, carried| {
            let mut next = Vec::with_capacity(carried.len());
            let mut carried = carried.iter().copied();
            for step in 0..self.unroll {
                let index = emit.add_const(first, step);
                let mut row = Row {
                    writer: self,
                    token,
                    index,
                    after_write: pass > self.analysis.write_pass,
                    known: vec![None; rule.body.value_count()],
                };
                for op in &sums {
                    for part in 0..width(op) {
                        let Some(sum) = carried.next() else { continue };
                        let a = row.in_rows(emit, op.operands[0], part, sum.ty);
                        let b = row.in_rows(emit, op.operands[1], part, sum.ty);
                        next.push(emit.fma(a, b, sum));
                    }
                }
                if writes {
                    row.write(emit);
                }
            }
            next
        });
        let stride: usize = sums.iter().map(|op| width(op)).sum();
        let mut offset = 0;
        for op in &sums {
            let parts = (0..width(op))
                .map(|part| {
                    let first = totals[offset + part];
                    let sum =
                        (1..self.unroll).fold(first, |sum, step| emit.fadd(sum, totals[step * stride + offset + part]));
                    // What is the same in all rows was left out of the sum.
                    op.operands.iter().fold(sum, |sum, &operand| {
                        let factors = self.factors(operand);
                        match self.hoisted(emit, token, &factors, part) {
                            Some(factor) => self.multiply(emit, factor, sum),
                            None => sum,
                        }
                    })
                })
                .collect();
            token.known[op.results[0].index()] = Some(parts);
            offset += width(op);
        }
    }

    /// Computes, once a token, what `value` needs that has no row axis.
    fn prepare(&self, emit: &mut Emit, token: &mut Token, value: ValueId) {
        if !self.analysis.kind(value).row {
            self.whole(emit, token, value);
            return;
        }
        if let Some(op) = self.analysis.makers[value.index()] {
            for &operand in &op.operands {
                self.prepare(emit, token, operand);
            }
        }
    }

    /// The factors of a product with a row axis, those without one first; just the value where it is no product.
    fn factors(&self, value: ValueId) -> Vec<ValueId> {
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
            Some(op) if op.kind == OpKind::Elementwise(Function::Mul) && self.analysis.kind(value).row => {
                for &operand in &op.operands {
                    self.collect_factors(operand, factors);
                }
            }
            _ => factors.push(value),
        }
    }

    /// The product of a product's factors without a row axis, for one part of the block.
    fn hoisted(&self, emit: &mut Emit, token: &mut Token, factors: &[ValueId], part: usize) -> Option<V> {
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

    fn multiply(&self, emit: &mut Emit, a: V, b: V) -> V {
        let ty = if a.ty == Ty::F32 { b.ty } else { a.ty };
        let (a, b) = (emit.splat(a, ty), emit.splat(b, ty));
        emit.fmul(a, b)
    }

    /// A value without a row axis: one scalar, or the parts of the block.
    fn whole(&self, emit: &mut Emit, token: &mut Token, value: ValueId) -> Vec<V> {
        if let Some(parts) = &token.known[value.index()] {
            return parts.clone();
        }
        let kind = self.analysis.kind(value);
        let count = if kind.column { self.vectors } else { 1 };
        let ty = if kind.column { self.ty() } else { Ty::F32 };
        let parts: Vec<V> = match self.analysis.makers[value.index()] {
            None => {
                let (buffer, base) = match token.inputs.get(value.index()) {
                    Some(&input) => input,
                    // A state without a row axis is one row of its block.
                    None => (token.tiles[value.index() - token.inputs.len()], emit.int(0)),
                };
                (0..count)
                    .map(|part| {
                        let place = emit.add_const(base, part * self.lanes);
                        emit.load(buffer, place, ty)
                    })
                    .collect()
            }
            Some(op) => {
                let operands: Vec<Vec<V>> = match op.kind {
                    OpKind::Elementwise(_) => {
                        op.operands.iter().map(|&operand| self.whole(emit, token, operand)).collect()
                    }
                    _ => Vec::new(),
                };
                (0..count)
                    .map(|part| match op.kind {
                        OpKind::Constant { value } => emit.float(value, ty),
                        OpKind::Elementwise(function) => {
                            let arguments: Vec<V> =
                                operands.iter().map(|parts| emit.splat(parts[part.min(parts.len() - 1)], ty)).collect();
                            apply(emit, function, &arguments)
                        }
                        // Sums are known before anything asks for them, since levels say so.
                        _ => emit.float(f64::NAN, ty),
                    })
                    .collect()
            }
        };
        token.known[value.index()] = Some(parts.clone());
        parts
    }
}
