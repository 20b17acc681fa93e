//! Dense products with weights packed in panels: `y[row, n] = Σ_k x[row, k] · w[n, k]`, for one weight or several.
//!
//! A panel holds the weights of some output columns, `[k][column]`, so that the inner loop streams it. A register tile
//! of `ROWS × panel` accumulates over all of k in one chain of fused multiply-adds per output. The chain is the same
//! whatever the number of rows, so a token's result does not depend on the tokens beside it. The grouped form gives
//! each memory's rows the weight of that memory.
//!
//! An item is one panel and a chunk of rows; items of one chunk follow one another. Several weights are one launch over
//! the panels of all of them, or, where something is made of all their sums ([`Finish`]), over the panels that they have
//! side by side. Rows may be made on the spot ([`Rows::Made`]): a thread makes those of a chunk when it comes to the
//! chunk's first item that it does in a launch, whatever panels follow and however the launch is cut into tasks.

use std::fmt;

use mom_dialect::shape::{DType, Extent};

use super::{Kernel, LAUNCH, Place, SEQUENCES, extent_symbol, move_ns, pick};
use crate::{
    emit::{Compare, Emit, Ty, V},
    target::Target,
};

/// Bytes of input rows that an item keeps in the second-level cache while the panels pass by.
const ROWS_BYTES: usize = 768 * 1024;
/// Floating-point operations of a core in a nanosecond, roughly.
const FLOPS_PER_NS: usize = 40;

/// `x [rows, depth]` with weights `[columns, depth]`, one for each number of columns.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    pub(crate) rows: Extent,
    pub(crate) depth: usize,
    pub(crate) columns: Vec<usize>,
    pub(crate) dtype: DType,
    /// Memories whose rows have weights of their own, if the rows are a routed stream.
    pub(crate) memories: Option<usize>,
}

impl Product {
    /// The width of all panels: that of the weight with most columns.
    pub(crate) fn panel_width(&self, target: &Target) -> usize {
        panel_width(target, self.columns.iter().copied().max().unwrap_or(1))
    }
}

impl fmt::Display for Product {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Product { rows, depth, columns, dtype, memories } = self;
        let columns: Vec<String> = columns.iter().map(usize::to_string).collect();
        write!(formatter, "{}_{depth}x{}_{dtype}", extent_symbol(*rows), columns.join("_"))?;
        memories.map_or(Ok(()), |memories| write!(formatter, "_m{memories}"))
    }
}

/// Columns of a panel: two vectors, or fewer where there are fewer columns.
pub(crate) fn panel_width(target: &Target, columns: usize) -> usize {
    columns.next_power_of_two().min(2 * target.lanes)
}

/// The launch's buffers, by number.
#[derive(Clone, Debug)]
pub(crate) struct Buffers {
    pub(crate) segments: Option<usize>,
    /// The weights of the first product, memory by memory, then those of the second and so on.
    pub(crate) weights: Vec<usize>,
    /// Where each product goes; not needed where something is made of the sums.
    pub(crate) results: Vec<usize>,
}

/// The rows of x.
pub(crate) enum Rows<'e> {
    /// Each lies where this says.
    Lie(&'e dyn Fn(&mut Emit, V) -> Place),
    /// Each is made in the place given; `scratch` has room for those of a chunk, which stay there for the thread's next
    /// task. `mark` is room for two words that tell what lies there: the launch, and the chunk's number.
    Made { scratch: V, mark: V, make: &'e dyn Fn(&mut Emit, V, Place) },
}

/// What is made of the sums of a panel before anything is stored.
pub(crate) struct Finish<'e> {
    /// Room for the sums of all products: a panel and a chunk of rows for each.
    pub(crate) scratch: V,
    pub(crate) finish: &'e dyn Fn(&mut Emit, &Panel),
}

/// The sums of one panel of columns of each product.
pub(crate) struct Panel {
    pub(crate) begin: V,
    pub(crate) end: V,
    /// The panel's first column.
    pub(crate) column: V,
    /// The panel's columns that exist, where that may be fewer than it has.
    pub(crate) exist: Option<V>,
    /// The sums of each product for row `begin`, followed by those of the next rows.
    pub(crate) sums: Vec<Place>,
}

/// How the work is cut.
#[derive(Clone, Debug)]
pub(crate) struct Tiling {
    product: Product,
    /// Whether an item has a panel of every product.
    together: bool,
    panel: usize,
    /// Vectors of a panel's row and the lanes of each.
    vectors: usize,
    lanes: usize,
    /// Rows of the register tile.
    tile: usize,
    /// Rows of an item.
    chunk: usize,
}

/// Where sums go: element `first + row · stride` of a buffer and those after it.
#[derive(Clone, Copy)]
struct Out {
    pointer: V,
    first: V,
    stride: V,
    /// The panel's columns that exist, where that may be fewer than it has.
    exist: Option<V>,
    /// Room for a tile, to store part of it from.
    spill: V,
}

/// The rows of a chunk: `begin..end`, all of one memory.
#[derive(Clone, Copy)]
struct Chunk {
    memory: V,
    begin: V,
    end: V,
}

impl Tiling {
    /// With `together` an item has a panel of every product, which then have equal columns.
    pub(crate) fn new(target: &Target, product: Product, together: bool) -> Tiling {
        let panel = product.panel_width(target);
        let lanes = panel.min(target.lanes);
        let vectors = panel / lanes;
        // Accumulators, the panel's row and one broadcast must fit the registers.
        let tile = (target.registers - vectors - 1) / vectors;
        let tile = if tile > 12 { 12 } else { tile.min(6) };
        let chunk = (ROWS_BYTES / (4 * product.depth.max(1)) / tile).clamp(1, 32) * tile;
        Tiling { product, together, panel, vectors, lanes, tile, chunk }
    }

    /// The kernel called `symbol`; making a row of x costs `row_ns`.
    pub(crate) fn kernel<'a>(&self, symbol: String, row_ns: u64, body: impl FnOnce(&mut Emit) + 'a) -> Kernel<'a> {
        let Product { rows, depth, columns, dtype, memories } = &self.product;
        let weights = if self.together { columns.len() } else { 1 };
        let panels: usize = columns.iter().map(|columns| columns.div_ceil(self.panel)).sum();
        let row_flops = 2 * depth * panels * self.panel;
        Kernel {
            symbol,
            schedule: format!("tile = [{} : i64, {} : i64], chunk = {} : i64", self.tile, self.panel, self.chunk),
            // A split of all rows at the memories' boundaries makes at most so many more chunks.
            rows: rows.plus((memories.unwrap_or(1) - 1) * self.chunk),
            chunk: self.chunk,
            times: self.times(),
            item_ns: move_ns(weights * depth * self.panel * dtype.bytes()) + row_ns,
            token_ns: rows.tokens as u64 * ((row_flops / FLOPS_PER_NS) as u64 + row_ns),
            body: Box::new(body),
        }
    }

    /// Items of a chunk of rows.
    fn times(&self) -> usize {
        let panels = self.product.columns.iter().map(|columns| columns.div_ceil(self.panel));
        if self.together { panels.max().unwrap_or(0) } else { panels.sum() }
    }

    /// f32 elements of the rows of a chunk.
    pub(crate) fn made_elements(&self) -> usize {
        self.chunk * self.product.depth
    }

    /// f32 elements of the sums that [`Finish`] has room for.
    pub(crate) fn sums_elements(&self) -> usize {
        self.product.columns.len() * self.chunk * self.panel
    }

    /// Columns of a panel, and how many of them a vector has.
    pub(crate) fn panel(&self) -> (usize, usize) {
        (self.panel, self.lanes)
    }

    /// Writes the loop over the launch's items.
    pub(crate) fn emit(&self, emit: &mut Emit, buffers: &Buffers, rows: &Rows<'_>, finish: Option<&Finish<'_>>) {
        let spill = emit.scratch(self.tile * self.panel);
        let (begin, end) = (emit.begin, emit.end);
        // The chunk whose rows are made.
        let carried = match rows {
            Rows::Lie(_) => vec![],
            Rows::Made { mark, .. } => {
                let (launch, marked) = (emit.size(LAUNCH), emit.load_word(*mark, 0));
                let others = emit.differ(launch, marked);
                let (none, number) = (emit.int(-1), emit.load_word(*mark, 1));
                vec![emit.select(others, none, number)]
            }
        };
        let made = emit.fold(begin, end, 1, &carried, |emit, item, made| {
            let (number, panel) = (emit.div_const(item, self.times()), emit.rem_const(item, self.times()));
            let chunk = self.chunk(emit, buffers.segments, number);
            let in_scratch = |emit: &mut Emit, scratch: V, row: V| {
                let row = emit.sub(row, chunk.begin);
                Place::row(emit, scratch, row, self.product.depth)
            };
            match rows {
                Rows::Lie(locate) => self.item(emit, buffers, *locate, (panel, chunk), (spill, finish)),
                Rows::Made { scratch, make, .. } => {
                    let others = emit.differ(number, made[0]);
                    emit.when(others, |emit| {
                        emit.for_each(chunk.begin, chunk.end, 1, |emit, row| {
                            let place = in_scratch(emit, *scratch, row);
                            make(emit, row, place);
                        });
                    });
                    let locate = |emit: &mut Emit, row: V| in_scratch(emit, *scratch, row);
                    self.item(emit, buffers, &locate, (panel, chunk), (spill, finish));
                }
            }
            if made.is_empty() { vec![] } else { vec![number] }
        });
        if let Rows::Made { mark, .. } = rows {
            let launch = emit.size(LAUNCH);
            emit.store_word(launch, *mark, 0);
            emit.store_word(made[0], *mark, 1);
        }
    }

    /// Chunk number `number`. Each memory's rows are cut into chunks of their own; the launch has room for the chunks
    /// that a split of all rows at the memories' boundaries can make, and those that are not needed have no rows.
    fn chunk(&self, emit: &mut Emit, segments: Option<usize>, number: V) -> Chunk {
        let zero = emit.int(0);
        let (Some(segments), Some(memories)) = (segments, self.product.memories) else {
            let total = super::rows_of(emit, self.product.rows);
            let begin = emit.mul_const(number, self.chunk);
            let end = emit.add_const(begin, self.chunk);
            return Chunk { memory: zero, begin, end: emit.min(end, total) };
        };
        let segments = emit.buffer(segments);
        let sequences = emit.size(SEQUENCES);
        let last = emit.int(memories as i64);
        // `number` counts down past the memories before that of the chunk.
        let found = emit.fold(zero, last, 1, &[number, zero, zero, zero], |emit, memory, found| {
            let number = found[0];
            let segment = emit.mul(memory, sequences);
            let next = emit.add(segment, sequences);
            let (first, last) = (emit.load_index(segments, segment), emit.load_index(segments, next));
            let count = emit.sub(last, first);
            let rounded = emit.add_const(count, self.chunk - 1);
            let chunks = emit.div_const(rounded, self.chunk);
            let not_before = emit.compare(Compare::GreaterEqual, number, zero);
            let within = emit.compare(Compare::Less, number, chunks);
            let here = emit.and(not_before, within);
            let from = emit.at(number, self.chunk, first);
            let to = emit.add_const(from, self.chunk);
            let to = emit.min(to, last);
            vec![
                emit.sub(number, chunks),
                emit.select(here, memory, found[1]),
                emit.select(here, from, found[2]),
                emit.select(here, to, found[3]),
            ]
        });
        Chunk { memory: found[1], begin: found[2], end: found[3] }
    }

    /// A chunk times panel `panel`: one of a product's, or one of each.
    fn item(
        &self,
        emit: &mut Emit,
        buffers: &Buffers,
        locate: &dyn Fn(&mut Emit, V) -> Place,
        (panel, chunk): (V, Chunk),
        (spill, finish): (V, Option<&Finish<'_>>),
    ) {
        let memories = self.product.memories.unwrap_or(1);
        let Some(finish) = finish else {
            let (which, panel, columns) = self.panel_of(emit, panel);
            let number = emit.at(which, memories, chunk.memory);
            let (weight, pointer) = (pick(emit, &buffers.weights, number), pick(emit, &buffers.results, which));
            let first = emit.mul_const(panel, self.panel);
            let exist = self.exist(emit, columns, first);
            self.rows(emit, locate, (weight, panel), chunk, Out { pointer, first, stride: columns, exist, spill });
            return;
        };
        let stride = emit.int(self.panel as i64);
        let mut sums = Vec::new();
        for product in 0..self.product.columns.len() {
            let number = emit.add_const(chunk.memory, product * memories);
            let weight = pick(emit, &buffers.weights, number);
            let room = emit.int((product * self.chunk * self.panel) as i64);
            sums.push(Place { pointer: finish.scratch, first: room });
            let before = emit.mul(chunk.begin, stride);
            let first = emit.sub(room, before);
            let out = Out { pointer: finish.scratch, first, stride, exist: None, spill };
            self.rows(emit, locate, (weight, panel), chunk, out);
        }
        let columns = emit.int(self.product.columns.first().map_or(0, |&columns| columns as i64));
        let column = emit.mul_const(panel, self.panel);
        let exist = self.exist(emit, columns, column);
        (finish.finish)(emit, &Panel { begin: chunk.begin, end: chunk.end, column, exist, sums });
    }

    /// The product that panel `panel` of all belongs to, its number among the product's panels, and the product's columns.
    fn panel_of(&self, emit: &mut Emit, panel: V) -> (V, V, V) {
        let columns = &self.product.columns;
        let mut found = (emit.int(0), panel, emit.int(columns.first().map_or(0, |&columns| columns as i64)));
        let mut before = 0;
        for (product, pair) in columns.windows(2).enumerate() {
            before += pair[0].div_ceil(self.panel);
            let start = emit.int(before as i64);
            let here = emit.compare(Compare::GreaterEqual, panel, start);
            let (number, own) = (emit.int(product as i64 + 1), emit.sub(panel, start));
            found.0 = emit.select(here, number, found.0);
            found.1 = emit.select(here, own, found.1);
            if columns.iter().any(|other| *other != columns[0]) {
                let columns = emit.int(pair[1] as i64);
                found.2 = emit.select(here, columns, found.2);
            }
        }
        found
    }

    /// How many of the columns from `first` on exist, if there may be fewer than a panel has.
    fn exist(&self, emit: &mut Emit, columns: V, first: V) -> Option<V> {
        let whole = self.product.columns.iter().all(|columns| columns % self.panel == 0);
        (!whole).then(|| emit.sub(columns, first))
    }

    /// The rows of a chunk times one panel of a weight.
    fn rows(
        &self,
        emit: &mut Emit,
        locate: &dyn Fn(&mut Emit, V) -> Place,
        weight: (V, V),
        Chunk { begin, end, .. }: Chunk,
        out: Out,
    ) {
        let mut begin = begin;
        let mut size = self.tile;
        loop {
            let count = emit.sub(end, begin);
            let count = emit.div_const(count, size);
            let covered = emit.mul_const(count, size);
            let middle = emit.add(begin, covered);
            emit.for_each(begin, middle, size, |emit, row| self.tile(emit, locate, weight, (row, size), out));
            begin = middle;
            if size == 1 {
                break;
            }
            // What remains is covered by tiles of half the rows, and so on.
            size = if size.is_power_of_two() { size / 2 } else { size.next_power_of_two() / 2 };
        }
    }

    /// The register tile of `size` rows from `row`.
    fn tile(
        &self,
        emit: &mut Emit,
        locate: &dyn Fn(&mut Emit, V) -> Place,
        (weight, panel): (V, V),
        (row, size): (V, usize),
        out: Out,
    ) {
        let ty = Ty::Vector(self.lanes);
        let zero = emit.float(0.0, ty);
        let (first, last) = (emit.int(0), emit.int(self.product.depth as i64));
        let panel_base = emit.mul_const(panel, self.product.depth * self.panel);
        let rows: Vec<V> = (0..size).map(|r| emit.add_const(row, r)).collect();
        let inputs: Vec<Place> = rows.iter().map(|&row| locate(emit, row)).collect();
        let start = vec![zero; size * self.vectors];
        let sums = emit.fold(first, last, 1, &start, |emit, k, sums| {
            let base = emit.at(k, self.panel, panel_base);
            let weights: Vec<V> = (0..self.vectors)
                .map(|vector| {
                    let place = emit.add_const(base, vector * self.lanes);
                    match self.product.dtype {
                        DType::BF16 => emit.load_bf16(weight, place, ty),
                        _ => emit.load(weight, place, ty),
                    }
                })
                .collect();
            let mut next = Vec::with_capacity(sums.len());
            for (r, input) in inputs.iter().enumerate() {
                let scalar = input.offset(emit, k).load(emit, Ty::F32);
                let input = emit.splat(scalar, ty);
                for (vector, &weight) in weights.iter().enumerate() {
                    next.push(emit.fma(input, weight, sums[r * self.vectors + vector]));
                }
            }
            next
        });
        // What the panel has beyond the columns that exist is padding, which must not be stored.
        let Some(exist) = out.exist else { return self.store(emit, &sums, (out.pointer, out.first, out.stride), row) };
        let width = emit.int(self.panel as i64);
        let full = emit.compare(Compare::GreaterEqual, exist, width);
        emit.when_else(
            full,
            |emit| self.store(emit, &sums, (out.pointer, out.first, out.stride), row),
            |emit| {
                let zero = emit.int(0);
                self.store(emit, &sums, (out.spill, zero, width), zero);
                emit.count(size, |emit, r| {
                    let number = emit.add(row, r);
                    let before = emit.mul(number, out.stride);
                    let to = Place { pointer: out.pointer, first: emit.add(out.first, before) };
                    let from = Place::row(emit, out.spill, r, self.panel);
                    emit.for_each(zero, exist, 1, |emit, column| {
                        let sum = from.offset(emit, column).load(emit, Ty::F32);
                        to.offset(emit, column).store(emit, sum);
                    });
                });
            },
        );
    }

    /// Stores the tile's rows from `row` on, each in full, in a buffer at `first + row · stride`.
    fn store(&self, emit: &mut Emit, sums: &[V], (pointer, first, stride): (V, V, V), row: V) {
        for (r, sums) in sums.chunks_exact(self.vectors).enumerate() {
            let row = emit.add_const(row, r);
            let before = emit.mul(row, stride);
            let place = Place { pointer, first: emit.add(first, before) };
            for (vector, &sum) in sums.iter().enumerate() {
                let at = emit.int((vector * self.lanes) as i64);
                place.offset(emit, at).store(emit, sum);
            }
        }
    }
}
