//! The recurrent form of any update rule whose state columns do not mix.
//!
//! The rule's body decides what a token costs: a sum over rows ends a pass over the state, and what needs the sum waits
//! for the next pass. The first pass of a token reads only states and inputs, so it is done within the last pass of the
//! token before, while that writes each row (Gated DeltaNet: one pass a token). Values without a row axis are computed
//! once a token; what has one is computed row by row, never stored. Products are regrouped so that factors without a
//! row axis are multiplied once a token, and taken out of sums over rows.
//!
//! An item is one segment, one head and a group of blocks of state columns. A block is as wide as registers allow and
//! small enough for the first-level cache; the blocks of a group take turns, some tokens each, so that what they all
//! read of these tokens comes from the second-level cache. Segments of a token or two work on the state in place.
//! Whichever way, each column's arithmetic is the same, bit by bit.
//!
//! Where the inputs lie is not this kernel's matter ([`wiring`]): in buffers, or in rows that a [`prologue`] makes for
//! the tokens of a turn. A prologue with windows makes an item of all blocks of a head.

use mom_dialect::{graph::UpdateRule, shape::Extent};

mod analysis;
mod pass;
pub(crate) mod prologue;
mod row;
mod stage;
mod token;
pub(crate) mod wiring;

use self::{
    analysis::{Analysis, Kind},
    prologue::{Item, Ready},
    wiring::Wiring,
};
use super::{Kernel, SEQUENCES, each_item, move_ns};
use crate::{
    emit::{Compare, Emit, Ty, V},
    target::Target,
};

/// How a rule runs inside a layer.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    pub(crate) heads: usize,
    /// Heads of each input and parameter, which divide `heads`.
    pub(crate) port_heads: Vec<usize>,
    pub(crate) memories: usize,
}

/// Tokens that a block is given at a turn.
const TURN: usize = 64;
/// The longest segments that work on the state in place.
const IN_PLACE: usize = 2;
/// How many tokens ahead a block asks for its columns of inputs and outputs: memory answers within the time that these
/// take.
const AHEAD: usize = 4;
/// f32 elements of a cache line.
const LINE: usize = 16;
/// Bytes of a block of all states: half of a first-level cache of 32 KB, beside which inputs stream.
const BLOCK_BYTES: usize = 16 << 10;
/// Bytes of a group of blocks, within the second-level cache and the stack.
const GROUP_BYTES: usize = 128 << 10;
/// Items of a segment that groups are kept small for, so that one segment is work for some threads.
const LEAST_ITEMS: usize = 4;

/// Sizes of the kernel's loops.
#[derive(Clone, Copy, Debug)]
struct Tiling {
    lanes: usize,
    /// Vectors side by side in a block.
    vectors: usize,
    /// The same for a state that is worked on in place.
    wide: usize,
    /// Sums run in so many interleaved parts, so that additions need not wait for each other.
    parts: usize,
    /// Rows of one turn of the inner loop; a multiple of `parts`.
    unroll: usize,
    /// Blocks of a group.
    blocks: usize,
}

impl Tiling {
    /// `whole`: one item does all columns of a head.
    fn new(target: &Target, analysis: &Analysis<'_>, heads: usize, whole: bool) -> Tiling {
        let lanes = target.lanes_dividing(analysis.columns);
        let (rows, columns, states) = (analysis.rows, analysis.columns, analysis.rule.states.len());
        let divides = |vectors: usize| columns.is_multiple_of(vectors * lanes);
        let bytes = |vectors: usize| rows * vectors * lanes * 4 * states;
        let last = analysis.passes - 1;
        let vector_sums =
            |pass: usize| analysis.sums(pass).iter().filter(|sum| analysis.kind(sum.results[0]).column).count();
        let sums = match analysis.overlaps() {
            true => vector_sums(0) + vector_sums(last),
            false => (0..=last).map(vector_sums).max().unwrap_or(0),
        };
        // Eight additions under way hide the latency of two a cycle.
        let parts = |vectors: usize| match vectors * sums {
            8.. => 1,
            4.. => 2,
            _ => 4,
        };
        // Running sums, a coefficient and the state for each vector, and what is broadcast to all lanes.
        let registers = |vectors: usize| vectors * (sums * parts(vectors) + 1 + states) + 4;
        let vectors = [8, 4, 2, 1].into_iter().find(|&vectors| {
            divides(vectors) && bytes(vectors) <= BLOCK_BYTES && registers(vectors) <= target.registers
        });
        let vectors = vectors.unwrap_or(1);
        let parts = [4, 2, 1].into_iter().find(|&some| some <= parts(vectors) && rows.is_multiple_of(some));
        let parts = parts.unwrap_or(1);
        let unroll = [8, 4, 2, 1]
            .into_iter()
            .find(|&unroll| unroll * vectors <= 16 && unroll.is_multiple_of(parts) && rows.is_multiple_of(unroll));
        // The wider, the longer the stretches of memory that are read one after the other.
        let wide = [16, 8, 4, 2].map(|times| times * vectors);
        let wide = wide.into_iter().find(|&wide| divides(wide) && 2 * wide * parts <= target.registers);
        let wide = wide.unwrap_or(vectors);
        let blocks = [16, 8, 4, 2, 1].into_iter().find(|&blocks| {
            let group = blocks * vectors;
            divides(group)
                && group.is_multiple_of(wide)
                && blocks * bytes(vectors) <= GROUP_BYTES
                && (group == wide || columns / (group * lanes) * heads >= LEAST_ITEMS)
        });
        let (wide, blocks) = match blocks {
            _ if whole => (if divides(wide) { wide } else { vectors }, columns / (vectors * lanes)),
            Some(blocks) => (wide, blocks),
            None => (vectors, 1),
        };
        Tiling { lanes, vectors, wide, parts, unroll: unroll.unwrap_or(parts), blocks }
    }

    /// Columns of a block and of a group.
    fn block(&self) -> usize {
        self.vectors * self.lanes
    }

    fn group(&self) -> usize {
        self.blocks * self.block()
    }
}

/// Buffers are those that `wiring` names; states are `[B, memory, head, …]`.
///
/// # Errors
/// What in the rule prevents it.
pub(crate) fn scan<'a>(
    target: &'a Target,
    rule: &'a UpdateRule,
    placement: Placement,
    wiring: Wiring,
) -> Result<Kernel<'a>, String> {
    let analysis = Analysis::new(rule, &wiring)?;
    let tiling = Tiling::new(target, &analysis, placement.heads, wiring.is_whole());
    let Placement { heads, memories, port_heads } = &placement;
    let groups = analysis.columns / tiling.group();
    let bytes = analysis.rows * tiling.group() * 4 * rule.states.len();
    let shared: Vec<String> = port_heads.iter().map(|own| format!("_{own}")).collect();
    let shared = if port_heads.iter().all(|own| own == heads) { String::new() } else { shared.concat() };
    Ok(Kernel {
        symbol: format!(
            "momc_scan_{}_h{heads}{shared}_{}x{}_m{memories}{}",
            rule.name,
            analysis.rows,
            analysis.columns,
            if wiring.position.is_some() { "_masked" } else { "" }
        ),
        schedule: format!(
            "columns = {} : i64, blocks = {} : i64, parts = {} : i64, unroll = {} : i64, tokens = {TURN} : i64",
            tiling.block(),
            tiling.blocks,
            tiling.parts,
            tiling.unroll
        ),
        rows: Extent::SEQUENCES.times(*memories),
        chunk: 1,
        times: heads * groups,
        item_ns: 2 * move_ns(bytes),
        token_ns: (heads * groups) as u64 * (move_ns(bytes) / 4 + wiring.token_ns()),
        body: Box::new(move |emit| Writer { target, analysis, placement, tiling, wiring }.kernel(emit)),
    })
}

/// Writes the kernel.
struct Writer<'a> {
    target: &'a Target,
    analysis: Analysis<'a>,
    placement: Placement,
    tiling: Tiling,
    wiring: Wiring,
}

/// The launch's buffers.
struct Buffers<'w> {
    /// Inputs, then parameters.
    arguments: Vec<V>,
    states: Vec<V>,
    outputs: Vec<V>,
    position: Option<V>,
    /// Where staged values of the tokens of a turn lie.
    staged: Vec<V>,
    prologue: Option<Ready<'w>>,
}

/// Where a token lies.
#[derive(Clone, Copy)]
struct Place {
    /// Its row in the launch's inputs and outputs.
    row: V,
    /// Its number among the tokens of the turn.
    slot: V,
    head: V,
}

/// Columns that are worked on together, and where they lie.
#[derive(Clone)]
struct Block {
    vectors: usize,
    /// The first column.
    column: V,
    /// Memory of each state; row 0 starts at `base`.
    states: Vec<V>,
    base: V,
    /// Elements from one row to the next.
    stride: usize,
    /// Its number in the group.
    index: V,
}

impl Writer<'_> {
    fn ty(&self) -> Ty {
        Ty::Vector(self.tiling.lanes)
    }

    fn kernel(&self, emit: &mut Emit) {
        let Placement { heads, memories, .. } = self.placement;
        let (rows, columns) = (self.analysis.rows, self.analysis.columns);
        let groups = columns / self.tiling.group();
        let states: Vec<V> = self.wiring.states.iter().map(|&number| emit.buffer(number)).collect();
        let widths = self.analysis.staged.iter().map(|&value| self.staged_width(value));
        let staged = widths.map(|width| emit.scratch(TURN * width)).collect();
        let (prologue, tiles) = self.memory(emit, rows * self.tiling.group(), states.len());
        let mut arguments = self.wiring.inputs(emit, prologue.as_ref());
        arguments.extend(self.wiring.parameters.iter().map(|&number| emit.buffer(number)));
        let segments = emit.buffer(self.wiring.segments);
        let position = self.wiring.position.map(|number| emit.buffer(number));
        let outputs = self.wiring.outputs.iter().map(|&number| emit.buffer(number)).collect();
        let buffers = Buffers { arguments, states, outputs, position, staged, prologue };
        let sequences = emit.size(SEQUENCES);

        each_item(emit, |emit, item| {
            let (outer, part) = (emit.div_const(item, groups), emit.rem_const(item, groups));
            let (segment, head) = (emit.div_const(outer, heads), emit.rem_const(outer, heads));
            let (memory, sequence) = (emit.div(segment, sequences), emit.rem(segment, sequences));
            let owner = emit.at(sequence, memories, memory);
            let item = Item { head, owner };
            let owner = emit.at(owner, heads, head);
            let column = emit.mul_const(part, self.tiling.group());
            let state = emit.at(owner, rows * columns, column);
            let after = emit.add_const(segment, 1);
            let (begin, end) = (emit.load_index(segments, segment), emit.load_index(segments, after));
            let any = emit.compare(Compare::Less, begin, end);
            emit.when(any, |emit| {
                if let Some(prologue) = &buffers.prologue {
                    prologue.open(emit, item);
                }
                let most = emit.add_const(begin, IN_PLACE);
                let short = emit.compare(Compare::LessEqual, end, most);
                emit.when_else(
                    short,
                    |emit| self.in_place(emit, &buffers, item, (begin, end), (state, column)),
                    |emit| self.in_turns(emit, &buffers, item, (begin, end), (state, column), &tiles),
                );
                if let Some(prologue) = &buffers.prologue {
                    prologue.close(emit, item);
                }
            });
        });
    }

    /// Scratch memory of the prologue, and of a tile of `elements` for each state. Stacks of threads are small, so it is
    /// not there where a prologue needs more.
    fn memory(&self, emit: &mut Emit, elements: usize, states: usize) -> (Option<Ready<'_>>, Vec<V>) {
        let Some(prologue) = &self.wiring.prologue else {
            return (None, (0..states).map(|_| emit.scratch(elements)).collect());
        };
        let room = prologue.room(TURN);
        let scratch = emit.thread_scratch(room + states * elements);
        let tiles = (0..states).map(|state| {
            let place = emit.int((room + state * elements) as i64);
            emit.address(scratch, place)
        });
        let tiles = tiles.collect();
        (Some(prologue.ready(emit, self.target, scratch, TURN)), tiles)
    }

    /// A segment of few tokens.
    fn in_place(&self, emit: &mut Emit, buffers: &Buffers<'_>, item: Item, tokens: (V, V), (state, column): (V, V)) {
        self.stage(emit, buffers, item, tokens);
        let width = self.tiling.wide * self.tiling.lanes;
        let (zero, group) = (emit.int(0), emit.int(self.tiling.group() as i64));
        emit.for_each(zero, group, width, |emit, offset| {
            let block = Block {
                vectors: self.tiling.wide,
                column: emit.add(column, offset),
                states: buffers.states.clone(),
                base: emit.add(state, offset),
                stride: self.analysis.columns,
                index: zero,
            };
            self.walk(emit, buffers, &block, item.head, tokens, None);
        });
    }

    /// A long segment: the group lies in tiles while the item walks.
    fn in_turns(
        &self,
        emit: &mut Emit,
        buffers: &Buffers<'_>,
        item: Item,
        (begin, end): (V, V),
        (state, column): (V, V),
        tiles: &[V],
    ) {
        let (size, blocks) = (self.analysis.rows * self.tiling.block(), self.tiling.blocks);
        let block = |emit: &mut Emit, index: V| Block {
            vectors: self.tiling.vectors,
            column: emit.at(index, self.tiling.block(), column),
            states: tiles.to_vec(),
            base: emit.mul_const(index, size),
            stride: self.tiling.block(),
            index,
        };
        let outside = |emit: &mut Emit, index: V| Block {
            base: emit.at(index, self.tiling.block(), state),
            states: buffers.states.clone(),
            stride: self.analysis.columns,
            ..block(emit, index)
        };
        emit.count(blocks, |emit, index| {
            let (from, to) = (outside(emit, index), block(emit, index));
            self.copy(emit, &from, &to);
        });
        emit.for_each(begin, end, TURN, |emit, first| {
            let last = emit.add_const(first, TURN);
            let last = emit.min(last, end);
            self.stage(emit, buffers, item, (first, last));
            emit.count(blocks, |emit, index| {
                let block = block(emit, index);
                self.walk(emit, buffers, &block, item.head, (first, last), Some(end));
            });
        });
        emit.count(blocks, |emit, index| {
            let (from, to) = (block(emit, index), outside(emit, index));
            self.copy(emit, &from, &to);
        });
    }

    fn copy(&self, emit: &mut Emit, from: &Block, to: &Block) {
        emit.count(self.analysis.rows, |emit, row| {
            for state in 0..from.states.len() {
                for part in 0..from.vectors {
                    let place = self.state_place(emit, from, row, part);
                    let value = emit.load(from.states[state], place, self.ty());
                    let place = self.state_place(emit, to, row, part);
                    emit.store(value, to.states[state], place);
                }
            }
        });
    }

    fn state_place(&self, emit: &mut Emit, block: &Block, row: V, part: usize) -> V {
        let base = emit.add_const(block.base, part * self.tiling.lanes);
        emit.at(row, block.stride, base)
    }

    /// The first element of what argument `argument` holds for a token and head.
    fn argument_base(&self, emit: &mut Emit, argument: usize, place: Place) -> V {
        let rule = self.analysis.rule;
        let input = rule.inputs.get(argument).map(|port| port.ty.row_elements());
        if let Some(elements) = input.filter(|_| self.wiring.is_made(argument)) {
            return emit.mul_const(place.slot, elements);
        }
        let (heads, own) = (self.placement.heads, self.placement.port_heads[argument]);
        let head = emit.mul_const(place.head, own);
        let head = emit.div_const(head, heads);
        match input {
            Some(elements) => {
                let token = emit.at(place.row, own, head);
                emit.mul_const(token, elements)
            }
            None => emit.mul_const(head, rule.parameters[argument - rule.inputs.len()].ty.row_elements()),
        }
    }
}

/// Whether a value is one number for all rows and columns.
fn is_scalar(kind: Kind) -> bool {
    !kind.row && !kind.column
}
