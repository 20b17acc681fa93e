//! Memory that kernels work on: zero at first, aligned to a cache line, never empty.

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

impl<T: Copy + Default> Aligned<T>
where
    Vec<T>: Zeros,
{
    /// `len` zeros.
    pub(crate) fn new(len: usize) -> Aligned<T> {
        let elements = <Vec<T> as Zeros>::zeros(len + ALIGNMENT / size_of::<T>());
        let start = elements.as_ptr().align_offset(ALIGNMENT);
        Aligned { elements, start, len }
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

/// Vectors of zeros. `vec![0; n]` of a number asks the system for zeroed pages; of a generic element it would write.
pub(crate) trait Zeros {
    fn zeros(len: usize) -> Self;
}

macro_rules! zeros {
    ($($number:ty: $zero:literal),*) => {
        $(impl Zeros for Vec<$number> {
            fn zeros(len: usize) -> Self {
                vec![$zero; len]
            }
        })*
    };
}

zeros! { u8: 0, u16: 0, i32: 0, f32: 0.0 }
