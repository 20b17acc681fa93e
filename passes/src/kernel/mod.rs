//! One file per kernel: what it computes and how its work is cut into items.
//!
//! A kernel is described by [`Kernel`] before it is written: equal symbols mean equal code, so a model of many equal
//! layers has each kernel once. Buffers come in the order of the operation's operands, then its results; a state that
//! is changed in place appears once, as the operand.

use mom_dialect::shape::Extent;

use crate::emit::{Emit, V};

pub(crate) mod attention;
pub(crate) mod elementwise;
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
    pub(crate) fn text(self) -> (String, String) {
        let mut emit = Emit::kernel(&self.symbol, &self.schedule);
        (self.body)(&mut emit);
        (self.symbol, emit.finish())
    }
}

/// Nanoseconds to move so many bytes through a core, roughly.
fn move_ns(bytes: usize) -> u64 {
    (bytes / 10) as u64 + 2
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
