//! Dense products with weights packed in panels: `y[row, n] = Σ_k x[row, k] · w[n, k]`, for one weight or several.
//!
//! A panel holds the weights of some output columns, `[k][column]`, so that the inner loop streams it. A register tile
//! of `ROWS × panel` accumulates over all of k in one chain of fused multiply-adds per output. The chain is the same
//! whatever the number of rows, so a token's result does not depend on the tokens beside it. The grouped form gives
//! each memory's rows the weight of that memory.
//!
//! An item is one panel and a chunk of rows; items of one chunk follow one another. Several weights are one launch over
//! the panels of all of them, or, where something is made of all their sums ([`Finish`]), over the panels that they have
//! side by side. A weight with few columns has narrow panels, whatever weights it is beside. Rows may be made on the spot
//! ([`Rows::Made`]): a thread makes those of a chunk when it comes to the chunk's first item that it does in a launch,
//! whatever panels follow and however the launch is cut into tasks.

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

/// A register tile: some rows, and the columns of a panel as vectors of so many lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tile {
    rows: usize,
    columns: usize,
    lanes: usize,
}

impl Tile {
    /// That of a weight with so many columns.
    fn new(target: &Target, columns: usize) -> Tile {
        let columns = panel_width(target, columns);
        let lanes = columns.min(target.lanes);
        let vectors = columns / lanes;
        // Accumulators, the panel's row and one broadcast must fit the registers.
        let rows = (target.registers - vectors - 1) / vectors;
        Tile { rows: if rows > 12 { 12 } else { rows.min(6) }, columns, lanes }
    }

    /// Vectors of a row.
    fn vectors(self) -> usize {
        self.columns / self.lanes
    }
}

/// How the work is cut.
#[derive(Clone, Debug)]
pub(crate) struct Tiling {
    product: Product,
    /// Whether an item has a panel of every product.
    together: bool,
    /// The tiles that there are, the widest first.
    tiles: Vec<Tile>,
    /// Which of them each product has.
    tile_of: Vec<usize>,
    /// Rows of an item.
    chunk: usize,
}

/// A panel among those of all products.
struct Found {
    product: V,
    /// Which of the tiles it has.
    tile: V,
    /// Its number among the product's panels.
    panel: V,
    /// The product's columns.
    columns: V,
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
        let own: Vec<Tile> = product.columns.iter().map(|&columns| Tile::new(target, columns)).collect();
        let mut tiles = own.clone();
        tiles.sort_by_key(|tile| std::cmp::Reverse(tile.columns));
        tiles.dedup();
        let tile_of = own.iter().filter_map(|own| tiles.iter().position(|tile| tile == own)).collect();
        let rows = tiles[0].rows;
        let chunk = (ROWS_BYTES / (4 * product.depth.max(1)) / rows).clamp(1, 32) * rows;
        Tiling { product, together, tiles, tile_of, chunk }
    }

    /// The kernel called `symbol`; making a row of x costs `row_ns`.
    pub(crate) fn kernel<'a>(&self, symbol: String, row_ns: u64, body: impl FnOnce(&mut Emit) + 'a) -> Kernel<'a> {
        let Product { rows, depth, columns, dtype, memories } = &self.product;
        let weights = if self.together { columns.len() } else { 1 };
        let tile = self.tiles[0];
        let padded: usize = (0..columns.len()).map(|product| self.panels(product) * self.tile(product).columns).sum();
        let row_flops = 2 * depth * padded;
        Kernel {
            symbol,
            schedule: format!("tile = [{} : i64, {} : i64], chunk = {} : i64", tile.rows, tile.columns, self.chunk),
            // A split of all rows at the memories' boundaries makes at most so many more chunks.
            rows: rows.plus((memories.unwrap_or(1) - 1) * self.chunk),
            chunk: self.chunk,
            times: self.times(),
            item_ns: move_ns(weights * depth * tile.columns * dtype.bytes()) + row_ns,
            token_ns: rows.tokens as u64 * ((row_flops / FLOPS_PER_NS) as u64 + row_ns),
            body: Box::new(body),
        }
    }

    /// The tile of a product.
    fn tile(&self, product: usize) -> Tile {
        self.tiles[self.tile_of[product]]
    }

    /// How many panels a product has.
    fn panels(&self, product: usize) -> usize {
        self.product.columns[product].div_ceil(self.tile(product).columns)
    }

    /// Items of a chunk of rows.
    fn times(&self) -> usize {
        let panels = (0..self.tile_of.len()).map(|product| self.panels(product));
        if self.together { panels.max().unwrap_or(0) } else { panels.sum() }
    }

    /// f32 elements of the rows of a chunk.
    pub(crate) fn made_elements(&self) -> usize {
        self.chunk * self.product.depth
    }

    /// f32 elements of the sums that [`Finish`] has room for.
    pub(crate) fn sums_elements(&self) -> usize {
        self.product.columns.len() * self.chunk * self.tiles[0].columns
    }

    /// Columns of the widest panels, and how many of them a vector has.
    pub(crate) fn panel(&self) -> (usize, usize) {
        (self.tiles[0].columns, self.tiles[0].lanes)
    }

    /// Writes the loop over the launch's items.
    pub(crate) fn emit(&self, emit: &mut Emit, buffers: &Buffers, rows: &Rows<'_>, finish: Option<&Finish<'_>>) {
        let spill = emit.scratch(self.tiles.iter().map(|tile| tile.rows * tile.columns).max().unwrap_or(0));
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
            let found = self.panel_of(emit, panel);
            let number = emit.at(found.product, memories, chunk.memory);
            let (weight, pointer) = (pick(emit, &buffers.weights, number), pick(emit, &buffers.results, found.product));
            self.for_its_tile(emit, 0, found.tile, &|emit, tile| {
                let first = emit.mul_const(found.panel, tile.columns);
                let exist = self.exist(emit, tile, found.columns, first);
                let out = Out { pointer, first, stride: found.columns, exist, spill };
                self.rows(emit, tile, locate, (weight, found.panel), chunk, out);
            });
            return;
        };
        // Products of equal columns have one tile.
        let tile = self.tiles[0];
        let stride = emit.int(tile.columns as i64);
        let mut sums = Vec::new();
        for product in 0..self.product.columns.len() {
            let number = emit.add_const(chunk.memory, product * memories);
            let weight = pick(emit, &buffers.weights, number);
            let room = emit.int((product * self.chunk * tile.columns) as i64);
            sums.push(Place { pointer: finish.scratch, first: room });
            let before = emit.mul(chunk.begin, stride);
            let first = emit.sub(room, before);
            let out = Out { pointer: finish.scratch, first, stride, exist: None, spill };
            self.rows(emit, tile, locate, (weight, panel), chunk, out);
        }
        let columns = emit.int(self.product.columns.first().map_or(0, |&columns| columns as i64));
        let column = emit.mul_const(panel, tile.columns);
        let exist = self.exist(emit, tile, columns, column);
        (finish.finish)(emit, &Panel { begin: chunk.begin, end: chunk.end, column, exist, sums });
    }

    /// Panel number `panel` of all.
    fn panel_of(&self, emit: &mut Emit, panel: V) -> Found {
        let columns = &self.product.columns;
        let (zero, first) = (emit.int(0), emit.int(columns.first().map_or(0, |&columns| columns as i64)));
        let tile = emit.int(self.tile_of.first().map_or(0, |&tile| tile as i64));
        let mut found = Found { product: zero, tile, panel, columns: first };
        let mut before = 0;
        for product in 1..columns.len() {
            before += self.panels(product - 1);
            let start = emit.int(before as i64);
            let here = emit.compare(Compare::GreaterEqual, panel, start);
            let (number, own) = (emit.int(product as i64), emit.sub(panel, start));
            found.product = emit.select(here, number, found.product);
            found.panel = emit.select(here, own, found.panel);
            if columns.iter().any(|other| *other != columns[0]) {
                let columns = emit.int(columns[product] as i64);
                found.columns = emit.select(here, columns, found.columns);
            }
            if self.tiles.len() > 1 {
                let tile = emit.int(self.tile_of[product] as i64);
                found.tile = emit.select(here, tile, found.tile);
            }
        }
        found
    }

    /// Writes code for each tile from number `first` on, of which that with the number `found` runs.
    fn for_its_tile(&self, emit: &mut Emit, first: usize, found: V, body: &dyn Fn(&mut Emit, Tile)) {
        let Some(&tile) = self.tiles.get(first) else { return };
        if first + 1 == self.tiles.len() {
            return body(emit, tile);
        }
        let number = emit.int(first as i64);
        let another = emit.differ(found, number);
        emit.when_else(another, |emit| self.for_its_tile(emit, first + 1, found, body), |emit| body(emit, tile));
    }

    /// How many of the columns from `first` on exist, if there may be fewer than a panel has.
    fn exist(&self, emit: &mut Emit, tile: Tile, columns: V, first: V) -> Option<V> {
        let mut own = (0..self.tile_of.len()).filter(|&product| self.tile(product) == tile);
        let whole = own.all(|product| self.product.columns[product].is_multiple_of(tile.columns));
        (!whole).then(|| emit.sub(columns, first))
    }

    /// The rows of a chunk times one panel of a weight.
    fn rows(
        &self,
        emit: &mut Emit,
        tile: Tile,
        locate: &dyn Fn(&mut Emit, V) -> Place,
        weight: (V, V),
        Chunk { begin, end, .. }: Chunk,
        out: Out,
    ) {
        let mut begin = begin;
        let mut size = tile.rows;
        loop {
            let count = emit.sub(end, begin);
            let count = emit.div_const(count, size);
            let covered = emit.mul_const(count, size);
            let middle = emit.add(begin, covered);
            emit.for_each(begin, middle, size, |emit, row| self.block(emit, tile, locate, weight, (row, size), out));
            begin = middle;
            if size == 1 {
                break;
            }
            // What remains is covered by tiles of half the rows, and so on.
            size = if size.is_power_of_two() { size / 2 } else { size.next_power_of_two() / 2 };
        }
    }

    /// The register tile, of `size` rows from `row` on.
    fn block(
        &self,
        emit: &mut Emit,
        tile: Tile,
        locate: &dyn Fn(&mut Emit, V) -> Place,
        (weight, panel): (V, V),
        (row, size): (V, usize),
        out: Out,
    ) {
        let ty = Ty::Vector(tile.lanes);
        let zero = emit.float(0.0, ty);
        let (first, last) = (emit.int(0), emit.int(self.product.depth as i64));
        let panel_base = emit.mul_const(panel, self.product.depth * tile.columns);
        let rows: Vec<V> = (0..size).map(|r| emit.add_const(row, r)).collect();
        let inputs: Vec<Place> = rows.iter().map(|&row| locate(emit, row)).collect();
        let start = vec![zero; size * tile.vectors()];
        let sums = emit.fold(first, last, 1, &start, |emit, k, sums| {
            let base = emit.at(k, tile.columns, panel_base);
            let weights: Vec<V> = (0..tile.vectors())
                .map(|vector| {
                    let place = emit.add_const(base, vector * tile.lanes);
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
                    next.push(emit.fma(input, weight, sums[r * tile.vectors() + vector]));
                }
            }
            next
        });
        // What the panel has beyond the columns that exist is padding, which must not be stored.
        let Some(exist) = out.exist else {
            return self.store(emit, tile, &sums, (out.pointer, out.first, out.stride), row);
        };
        let width = emit.int(tile.columns as i64);
        let full = emit.compare(Compare::GreaterEqual, exist, width);
        emit.when_else(
            full,
            |emit| self.store(emit, tile, &sums, (out.pointer, out.first, out.stride), row),
            |emit| {
                let zero = emit.int(0);
                self.store(emit, tile, &sums, (out.spill, zero, width), zero);
                emit.count(size, |emit, r| {
                    let number = emit.add(row, r);
                    let before = emit.mul(number, out.stride);
                    let to = Place { pointer: out.pointer, first: emit.add(out.first, before) };
                    let from = Place::row(emit, out.spill, r, tile.columns);
                    emit.for_each(zero, exist, 1, |emit, column| {
                        let sum = from.offset(emit, column).load(emit, Ty::F32);
                        to.offset(emit, column).store(emit, sum);
                    });
                });
            },
        );
    }

    /// Stores the tile's rows from `row` on, each in full, in a buffer at `first + row · stride`.
    fn store(&self, emit: &mut Emit, tile: Tile, sums: &[V], (pointer, first, stride): (V, V, V), row: V) {
        for (r, sums) in sums.chunks_exact(tile.vectors()).enumerate() {
            let row = emit.add_const(row, r);
            let before = emit.mul(row, stride);
            let place = Place { pointer, first: emit.add(first, before) };
            for (vector, &sum) in sums.iter().enumerate() {
                let at = emit.int((vector * tile.lanes) as i64);
                place.offset(emit, at).store(emit, sum);
            }
        }
    }
}
