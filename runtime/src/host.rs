//! What the operating system gives: zeroed memory, files mapped into memory and loaded libraries.
#![allow(unsafe_code)]

use std::{
    alloc::{Layout, alloc_zeroed},
    fs::File,
    io,
    ops::Range,
    path::{Path, PathBuf},
};

use crate::cpu::Kernel;

/// Numbers that buffers are made of.
///
/// # Safety
/// Bytes that are all zero are a value of the type, which is not empty.
pub(crate) unsafe trait Number: Copy {}

// SAFETY: zero bytes are zero in all of them.
unsafe impl Number for u8 {}
// SAFETY: as above.
unsafe impl Number for u16 {}
// SAFETY: as above.
unsafe impl Number for i32 {}
// SAFETY: as above.
unsafe impl Number for f32 {}
// SAFETY: as above.
unsafe impl Number for usize {}

/// `len` zeros; none where the system has no memory for them. `vec![0; len]` would end the process instead, and
/// `Vec::try_reserve` leaves the zeros to be written, to pages that may never be used.
pub(crate) fn zeros<T: Number>(len: usize) -> Option<Vec<T>> {
    if len == 0 {
        return Some(Vec::new());
    }
    let layout = Layout::array::<T>(len).ok()?;
    // SAFETY: neither the type nor the array is empty.
    let start = unsafe { alloc_zeroed(layout) }.cast::<T>();
    // SAFETY: the global allocator gave this memory for an array of `len` elements, whose zero bytes are numbers.
    (!start.is_null()).then(|| unsafe { Vec::from_raw_parts(start, len, len) })
}

/// A file seen as memory. Whoever shortens the file meanwhile ends the process; nobody may.
#[derive(Debug)]
pub(crate) struct Mapping(memmap2::Mmap);

impl Mapping {
    pub(crate) fn open(path: &Path) -> io::Result<Mapping> {
        let file = File::open(path)?;
        // SAFETY: the map is read-only and private to this process; as everywhere in momc, files of weights are not
        // changed while they are in use.
        Ok(Mapping(unsafe { memmap2::Mmap::map(&file)? }))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Tells the system that these bytes are not needed soon, so that they do not count as memory of this process.
    pub(crate) fn release(&self, range: Range<usize>) {
        #[cfg(unix)]
        // SAFETY: pages of a read-only file map that are dropped come back from the file with the same content. The
        // advice may fail, which changes nothing.
        let _ = unsafe { self.0.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, range.len()) };
        #[cfg(not(unix))]
        let _ = range;
    }
}

/// A loaded shared object. Its kernels may be called as long as it lives.
#[derive(Debug)]
pub(crate) struct Library {
    object: libloading::Library,
    /// Open as long as the object is loaded, so that its number names no other file.
    _file: File,
}

impl Library {
    /// Loads an artifact whose bytes were checked.
    pub(crate) fn open(path: &Path, file: File) -> Result<Library, libloading::Error> {
        // SAFETY: loading runs the object's initialisers. momc's objects have none, and the caller has made sure that
        // the file is one of momc's.
        let object = unsafe { libloading::Library::new(loadable_path(path, &file))? };
        Ok(Library { object, _file: file })
    }

    pub(crate) fn kernel(&self, symbol: &str) -> Option<Kernel> {
        // SAFETY: every kernel of a plan has this signature; the plan's format says so.
        unsafe { self.object.get::<Kernel>(symbol.as_bytes()).ok().map(|symbol| *symbol) }
    }
}

/// A path that means this file and, to the loader, no other one.
///
/// The loader knows libraries by their paths: it would take the former content of a path for the present one, and look
/// up a path without a slash among the system's libraries.
fn loadable_path(path: &Path, file: &File) -> PathBuf {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        let by_number = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        if by_number.exists() {
            return by_number;
        }
    }
    let _ = file;
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
