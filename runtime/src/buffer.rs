//! Memory that kernels work on: zero at first, aligned to a cache line, never empty.

use std::marker::PhantomData;

use crate::host::{Number, Pages};

/// Bytes of a cache line, to which every buffer is aligned; pages are that and more.
pub(crate) const ALIGNMENT: usize = 64;

/// Elements of one type. There always is an address, also when there is no element.
#[derive(Debug)]
pub(crate) struct Aligned<T> {
    pages: Pages,
    len: usize,
    elements: PhantomData<T>,
}

impl<T: Number> Aligned<T> {
    /// `len` zeros; none where the system has no memory for them.
    pub(crate) fn new(len: usize) -> Option<Aligned<T>> {
        let pages = Pages::new(len.checked_mul(size_of::<T>())?)?;
        Some(Aligned { pages, len, elements: PhantomData })
    }

    pub(crate) fn as_slice(&self) -> &[T] {
        self.pages.slice()
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        self.pages.slice_mut()
    }

    pub(crate) fn as_ptr(&self) -> *const T {
        self.as_slice().as_ptr()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut T {
        self.as_mut_slice().as_mut_ptr()
    }

    /// Bytes of the elements.
    pub(crate) fn bytes(&self) -> u64 {
        (self.len * size_of::<T>()) as u64
    }
}

/// `len` zeros to give away; none where there is no memory for them.
pub(crate) fn zeros<T: Copy + Default>(len: usize) -> Option<Vec<T>> {
    let mut zeros = Vec::new();
    zeros.try_reserve_exact(len).ok()?;
    zeros.resize(len, T::default());
    Some(zeros)
}
