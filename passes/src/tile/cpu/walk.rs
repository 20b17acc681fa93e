//! Between buffers and the tiles of a step: which tokens a step has, and where their rows lie.

use super::{
    Op, Port, Scan, Shape, shared_head,
    step::{Frame, Step, Tile},
};
use crate::emit::{Compare, Emit, Ty, V};

/// How the rows of a buffer become a tile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// The tile is what one token has.
    Token,
    /// Each row of the tile is what one token has, of so many.
    Chunk(usize),
}

/// The tokens of one step.
pub(super) struct Token {
    /// The first token's row.
    pub(super) row: V,
    /// How many there are.
    count: V,
    /// The last of them that is no padding, counted from the first; -1 where there is none.
    last: V,
    pub(super) layout: Layout,
    head: V,
    /// Heads of the scan.
    heads: usize,
    /// The buffer that tells padding.
    pub(super) position: Option<V>,
}

/// A buffer `[R, heads, …]`, or what a prologue made for the head and the tokens of the step, `[token, …]`.
pub(super) struct Rows<'p> {
    pub(super) port: &'p Port,
    pub(super) buffer: V,
    pub(super) is_made: bool,
}

impl Token {
    pub(super) fn new(emit: &mut Emit, scan: &Scan, row: V, end: V, head: V, position: Option<V>) -> Token {
        let chunk = scan.schedule.chunk;
        let layout = if chunk == 1 { Layout::Token } else { Layout::Chunk(chunk) };
        let (left, whole) = (emit.sub(end, row), emit.int(chunk as i64));
        let (count, none) = (emit.min(left, whole), emit.int(-1));
        let mut token = Token { row, count, last: emit.add(count, none), layout, head, heads: scan.heads, position };
        if position.is_some() {
            let zero = emit.int(0);
            token.last = emit.fold(zero, count, 1, &[none], |emit, number, last| {
                let row = emit.add(row, number);
                let real = token.is_real(emit, row);
                vec![emit.select(real, number, last[0])]
            })[0];
        }
        token
    }

    /// Whether any of them is no padding.
    pub(super) fn is_any_real(&self, emit: &mut Emit) -> V {
        let zero = emit.int(0);
        emit.compare(Compare::GreaterEqual, self.last, zero)
    }

    /// The row behind the last token's.
    pub(super) fn end(&self, emit: &mut Emit) -> V {
        emit.add(self.row, self.count)
    }

    /// Where the rows of the step's tokens lie.
    pub(super) fn place(&self, emit: &mut Emit, rows: &Rows<'_>) -> Tile {
        let (port, elements) = (rows.port, rows.port.shape.elements());
        if rows.is_made {
            let stride = if self.layout == Layout::Token { port.shape.columns } else { elements };
            return Tile { base: rows.buffer, stride };
        }
        let head = shared_head(emit, port, self.head, self.heads);
        let row = emit.at(self.row, port.heads, head);
        let place = emit.mul_const(row, elements);
        let stride = if self.layout == Layout::Token { port.shape.columns } else { port.heads * elements };
        Tile { base: emit.address(rows.buffer, place), stride }
    }

    /// Whether the token of this row is no padding.
    fn is_real(&self, emit: &mut Emit, row: V) -> V {
        let zero = emit.int(0);
        let place = match self.position {
            Some(position) => emit.load_index(position, row),
            None => zero,
        };
        emit.compare(Compare::GreaterEqual, place, zero)
    }

    /// For each token of the step, one case or the other.
    fn each_real(&self, emit: &mut Emit, yes: impl Fn(&mut Emit, V), no: impl Fn(&mut Emit, V)) {
        let zero = emit.int(0);
        emit.for_each(zero, self.count, 1, |emit, number| {
            let row = emit.add(self.row, number);
            let real = self.is_real(emit, row);
            emit.when_else(real, |emit| yes(emit, number), |emit| no(emit, number));
        });
    }
}

impl Step<'_> {
    /// Brings the rows of the step's tokens into the tiles of the inputs and then of the cotangents, and fills
    /// [`Op::Real`].
    pub(super) fn load_inputs(
        &self,
        emit: &mut Emit,
        frame: &Frame,
        inputs: &[Rows<'_>],
        cotangents: &[Rows<'_>],
        token: &Token,
    ) {
        for (number, rows) in inputs.iter().chain(cotangents).enumerate() {
            let Some(value) = self.argument(&Op::Input(number)) else { continue };
            let (from, to) = (token.place(emit, rows), self.tile(emit, frame, value));
            let (shape, elements) = (rows.port.shape, rows.port.shape.elements());
            let Layout::Chunk(chunk) = token.layout else {
                self.copy(emit, from, to, shape);
                continue;
            };
            let (zero, one, chunk) = (emit.int(0), emit.int(1), emit.int(chunk as i64));
            let copy = |emit: &mut Emit, row: V, number: V| {
                let (from, to) = (from.from(emit, row, zero), to.from(emit, number, zero));
                self.copy_rows(emit, from, to, one, elements);
            };
            let absent = |emit: &mut Emit, row: V| match number < inputs.len() {
                true => copy(emit, token.last, row),
                false => {
                    let to = to.from(emit, row, zero);
                    self.clear_rows(emit, to, (zero, one), elements);
                }
            };
            match token.position {
                None => self.copy_rows(emit, from, to, token.count, elements),
                Some(_) => token.each_real(emit, |emit, number| copy(emit, number, number), absent),
            }
            emit.for_each(token.count, chunk, 1, absent);
        }
        if let Some(value) = self.argument(&Op::Real) {
            let tile = self.tile(emit, frame, value);
            self.load_real(emit, tile, token);
        }
    }

    fn load_real(&self, emit: &mut Emit, tile: Tile, token: &Token) {
        let (one, zero) = (emit.float(1.0, Ty::F32), emit.float(0.0, Ty::F32));
        let Layout::Chunk(chunk) = token.layout else {
            let first = emit.int(0);
            return emit.store(one, tile.base, first);
        };
        let store = |value: V| move |emit: &mut Emit, number: V| emit.store(value, tile.base, number);
        token.each_real(emit, store(one), store(zero));
        let end = emit.int(chunk as i64);
        emit.for_each(token.count, end, 1, store(zero));
    }

    /// Brings the rows of a tile to the step's tokens; padding becomes zero.
    pub(super) fn store_rows(&self, emit: &mut Emit, tile: Tile, rows: &Rows<'_>, token: &Token) {
        let place = token.place(emit, rows);
        let (shape, elements) = (rows.port.shape, rows.port.shape.elements());
        if token.layout == Layout::Token {
            return self.copy(emit, tile, place, shape);
        }
        if token.position.is_none() {
            return self.copy_rows(emit, tile, place, token.count, elements);
        }
        let (zero, one) = (emit.int(0), emit.int(1));
        token.each_real(
            emit,
            |emit, number| {
                let (from, to) = (tile.from(emit, number, zero), place.from(emit, number, zero));
                self.copy_rows(emit, from, to, one, elements);
            },
            |emit, number| {
                let to = place.from(emit, number, zero);
                self.clear_rows(emit, to, (zero, one), elements);
            },
        );
    }

    /// Makes the rows of the step's tokens zero.
    pub(super) fn clear_tokens(&self, emit: &mut Emit, rows: &Rows<'_>, token: &Token) {
        let place = token.place(emit, rows);
        if token.layout == Layout::Token {
            return self.clear(emit, place, rows.port.shape);
        }
        let zero = emit.int(0);
        self.clear_rows(emit, place, (zero, token.count), rows.port.shape.elements());
    }

    /// Brings what the head has of each parameter into its tile.
    pub(super) fn load_parameters(&self, emit: &mut Emit, ports: &[Port], buffers: &[V], frame: &Frame, heads: usize) {
        for ((port, &buffer), &tile) in ports.iter().zip(buffers).zip(&frame.parameters) {
            let head = shared_head(emit, port, frame.head, heads);
            let from = super::of(emit, port, buffer, head);
            self.copy(emit, from, tile, port.shape);
        }
    }

    /// Adds to what a tile holds.
    pub(super) fn add_to(&self, emit: &mut Emit, from: Tile, to: Tile, shape: Shape) {
        let shape = self.flat(shape);
        let (zero, rows) = (emit.int(0), emit.int(shape.rows as i64));
        self.each_part(emit, (zero, rows), shape.columns, |emit, row, column, ty| {
            let (part, so_far) = (from.load(emit, row, column, ty), to.load(emit, row, column, ty));
            let sum = emit.fadd(so_far, part);
            to.store(emit, sum, row, column);
        });
    }
}
