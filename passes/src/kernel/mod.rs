//! One file per kernel, or per part that kernels share: what it computes and how its work is cut into items.
//!
//! A kernel is described by [`Kernel`] before it is written: equal symbols mean equal code, so a model of many equal
//! layers has each kernel once. Buffers come in the order of the operation's operands, then its results; a state that
//! is changed in place appears once, as the operand.

use mom_dialect::shape::Extent;

use crate::emit::{Compare, Emit, Lanes, Ty, V};

pub(crate) mod attention;
pub(crate) mod elementwise;
pub(crate) mod fused;
pub(crate) mod linear;
pub(crate) mod norm;
pub(crate) mod routing;
pub(crate) mod rows;
pub(crate) mod scan;
pub(crate) mod short_conv;

/// Places of T, B, L and C in a kernel's sizes.
pub(crate) const TOKENS: usize = 0;
pub(crate) const SEQUENCES: usize = 1;
pub(crate) const CONTEXT: usize = 3;
/// Where the number of the launch is, which no other launch of the process has.
pub(crate) const LAUNCH: usize = 4;

/// A kernel and how a launch of it is cut: `ceil(rows / chunk) · times` items.
pub(crate) struct Kernel<'a> {
    /// Name of the function; it tells everything that the code depends on.
    pub(crate) symbol: String,
    /// Attributes for readers: tile sizes and the like.
    pub(crate) schedule: String,
    pub(crate) rows: Extent,
    pub(crate) chunk: usize,
    pub(crate) times: usize,
    /// Rough cost of an item.
    pub(crate) item_ns: u64,
    /// Where items go through tokens: rough cost of each of the step's tokens, for all items together.
    pub(crate) token_ns: u64,
    pub(crate) body: Box<dyn FnOnce(&mut Emit) + 'a>,
}

impl Kernel<'_> {
    /// The kernel as text, and the bytes of scratch that a thread needs for it.
    pub(crate) fn text(self, lanes: Lanes) -> (String, usize) {
        let mut emit = Emit::kernel(&self.symbol, &self.schedule, lanes);
        (self.body)(&mut emit);
        emit.finish()
    }
}

/// Where elements lie: the address of a buffer and the number of the first of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) pointer: V,
    pub(crate) first: V,
}

impl Place {
    /// Where a buffer begins.
    pub(crate) fn start(emit: &mut Emit, pointer: V) -> Place {
        Place { pointer, first: emit.int(0) }
    }

    /// Row `row` of a buffer whose rows have so many elements.
    pub(crate) fn row(emit: &mut Emit, pointer: V, row: V, elements: usize) -> Place {
        Place { pointer, first: emit.mul_const(row, elements) }
    }

    /// So many elements further on.
    pub(crate) fn offset(self, emit: &mut Emit, elements: V) -> Place {
        Place { first: emit.add(self.first, elements), ..self }
    }

    /// Entry `index` of entries of `stride` elements that begin here.
    pub(crate) fn entry(self, emit: &mut Emit, index: V, stride: usize) -> Place {
        Place { first: emit.at(index, stride, self.first), ..self }
    }

    pub(crate) fn load(self, emit: &mut Emit, ty: Ty) -> V {
        emit.load(self.pointer, self.first, ty)
    }

    pub(crate) fn store(self, emit: &mut Emit, value: V) {
        emit.store(value, self.pointer, self.first);
    }
}

/// Scratch of at most so many elements lies on the stack, which is small where threads are not the main one.
const STACK_ELEMENTS: usize = 16 * 1024;

/// Room for `elements` f32 of scratch, to be asked for once and outside of loops.
fn room(emit: &mut Emit, elements: usize) -> V {
    if elements <= STACK_ELEMENTS { emit.scratch(elements) } else { emit.thread_scratch(elements) }
}

/// Nanoseconds to move so many bytes through a core, roughly.
fn move_ns(bytes: usize) -> u64 {
    (bytes / 10) as u64 + 2
}

/// The buffer with number `numbers[index]`.
fn pick(emit: &mut Emit, numbers: &[usize], index: V) -> V {
    let [first, rest @ ..] = numbers else { return emit.buffer(0) };
    if rest.is_empty() {
        return emit.buffer(*first);
    }
    if numbers.windows(2).all(|pair| pair[1] == pair[0] + 1) {
        let number = emit.add_const(index, *first);
        return emit.buffer_at(number);
    }
    let mut found = emit.int(*first as i64);
    for (at, &number) in rest.iter().enumerate() {
        let (at, number) = (emit.int(at as i64 + 1), emit.int(number as i64));
        let here = emit.compare(Compare::GreaterEqual, index, at);
        found = emit.select(here, number, found);
    }
    emit.buffer_at(found)
}

/// The value of an extent when the step runs.
fn rows_of(emit: &mut Emit, extent: Extent) -> V {
    let mut total = emit.int(extent.constant as i64);
    for (index, factor) in [extent.tokens, extent.sequences, extent.rows, extent.context].into_iter().enumerate() {
        if factor > 0 {
            let size = emit.size(index);
            let term = emit.mul_const(size, factor);
            total = emit.add(total, term);
        }
    }
    total
}

/// Writes the loop over the launch's items.
fn each_item(emit: &mut Emit, body: impl FnOnce(&mut Emit, V)) {
    let (begin, end) = (emit.begin, emit.end);
    emit.for_each(begin, end, 1, body);
}

/// The symbol of an extent: `T`, `2T`, `4Bp1`.
fn extent_symbol(extent: Extent) -> String {
    extent.to_string().replace('+', "p")
}
