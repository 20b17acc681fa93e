//! One walk over the rows of a block: the sums of a pass, the new states if it is their turn, and the sums of the
//! following token's first pass.

use mom_dialect::graph::{Op, ValueId};

use super::{Block, Writer, row::Row, token::Token};
use crate::emit::{Emit, Ty, V};

impl Writer<'_> {
    /// Vectors (or scalars) that a sum takes.
    fn width(&self, block: &Block, sum: &Op) -> usize {
        if self.analysis.kind(sum.results[0]).column { block.vectors } else { 1 }
    }

    /// Vectors and scalars that the sums of a pass take.
    pub(super) fn count(&self, block: &Block, pass: usize) -> usize {
        self.analysis.sums(pass).iter().map(|sum| self.width(block, sum)).sum()
    }

    /// Walks over the rows for pass `pass` of `token`, and for the first pass of `following` if there is one. Gives the
    /// sums of both, in which what is the same in all rows is not yet multiplied.
    pub(super) fn rows<'t>(
        &self,
        emit: &mut Emit,
        pass: usize,
        token: &mut Token<'t>,
        mut following: Option<&mut Token<'t>>,
    ) -> Vec<V> {
        let block = token.block;
        let writes = pass == self.analysis.write_pass;
        let after_write = pass > self.analysis.write_pass;
        let sums = self.analysis.sums(pass);
        let ahead = if following.is_some() { self.analysis.sums(0) } else { Vec::new() };

        // What the rows need once a token is computed before the loop.
        let operands = |sums: &[&Op]| -> Vec<ValueId> { sums.iter().flat_map(|sum| sum.operands.clone()).collect() };
        for value in
            operands(&sums).into_iter().chain(if writes { self.analysis.rule.next.clone() } else { Vec::new() })
        {
            self.prepare(emit, token, value);
        }
        if let Some(following) = following.as_deref_mut() {
            for value in operands(&ahead) {
                self.prepare(emit, following, value);
            }
        }

        let mut start = Vec::new();
        for sum in sums.iter().chain(&ahead) {
            let ty = if self.analysis.kind(sum.results[0]).column { self.ty() } else { Ty::F32 };
            let zero = emit.float(0.0, ty);
            start.extend(vec![zero; self.width(block, sum)]);
        }
        let stride = start.len();
        let start = start.repeat(self.tiling.parts);
        let (zero, rows) = (emit.int(0), emit.int(self.analysis.rows as i64));
        let totals = emit.fold(zero, rows, self.tiling.unroll, &start, |emit, first, carried| {
            let mut running = carried.to_vec();
            for step in 0..self.tiling.unroll {
                let index = emit.add_const(first, step);
                let running = &mut running[step % self.tiling.parts * stride..][..stride];
                let mut row = Row::new(self, token, index, after_write);
                let mut next_row = following.as_deref_mut().map(|token| Row::new(self, token, index, true));
                for part in 0..block.vectors {
                    row.accumulate(emit, &sums, part, running);
                    if writes {
                        row.write(emit, part);
                    }
                    if let Some(next_row) = &mut next_row {
                        row.hand_over(emit, next_row, part);
                        next_row.accumulate(emit, &ahead, part, &mut running[self.count(block, pass)..]);
                    }
                }
            }
            running
        });
        (0..stride)
            .map(|at| (1..self.tiling.parts).fold(totals[at], |sum, part| emit.fadd(sum, totals[part * stride + at])))
            .collect()
    }

    /// Takes the sums of a pass as values of the token.
    pub(super) fn adopt(&self, emit: &mut Emit, token: &mut Token<'_>, pass: usize, totals: &[V]) {
        let mut totals = totals.iter().copied();
        for sum in self.analysis.sums(pass) {
            let mut parts = Vec::new();
            for (part, total) in totals.by_ref().take(self.width(token.block, sum)).enumerate() {
                // What is the same in all rows was left out of the sum.
                parts.push(sum.operands.iter().fold(total, |total, &operand| {
                    let factors = self.factors(operand);
                    match self.hoisted(emit, token, &factors, part) {
                        Some(factor) => self.multiply(emit, factor, total),
                        None => total,
                    }
                }));
            }
            token.known[sum.results[0].index()] = Some(parts);
        }
    }

    /// Computes, once a token, what `value` needs that has no row axis.
    fn prepare(&self, emit: &mut Emit, token: &mut Token<'_>, value: ValueId) {
        if !self.analysis.kind(value).row {
            self.whole(emit, token, value);
            return;
        }
        if self.analysis.is_staged(value) || self.analysis.addresses[value.index()].is_some() {
            return;
        }
        if let Some(op) = self.analysis.makers[value.index()] {
            for &operand in &op.operands {
                self.prepare(emit, token, operand);
            }
        }
    }
}
