//! Memory that kernels work on: zero at first, aligned to a cache line, never empty.

use crate::host::{Number, zeros};

/// Bytes of a cache line, to which every buffer is aligned.
pub(crate) const ALIGNMENT: usize = 64;

/// `len` elements that start at a multiple of [`ALIGNMENT`].
///
/// Zeros come straight from the operating system, so that pages nobody writes to cost nothing.
#[derive(Debug)]
pub(crate) struct Aligned<T> {
    /// One cache line longer than needed; also when no element is needed, so that there always is an address.
    elements: Vec<T>,
    start: usize,
    len: usize,
}

impl<T: Number> Aligned<T> {
    /// `len` zeros; none where the system has no memory for them.
    pub(crate) fn new(len: usize) -> Option<Aligned<T>> {
        let elements: Vec<T> = zeros(len.checked_add(ALIGNMENT / size_of::<T>())?)?;
        let start = elements.as_ptr().align_offset(ALIGNMENT);
        Some(Aligned { elements, start, len })
    }
}

impl<T> Aligned<T> {
    pub(crate) fn as_slice(&self) -> &[T] {
        &self.elements[self.start..self.start + self.len]
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.elements[self.start..self.start + self.len]
    }

    pub(crate) fn as_ptr(&self) -> *const T {
        self.elements[self.start..].as_ptr()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut T {
        self.elements[self.start..].as_mut_ptr()
    }

    /// Bytes of the elements.
    pub(crate) fn bytes(&self) -> u64 {
        (self.len * size_of::<T>()) as u64
    }
}
