//! What the operating system gives: zeroed memory, files mapped into memory and loaded libraries.
#![allow(unsafe_code)]

use std::{
    fs::File,
    io,
    ops::Range,
    path::{Path, PathBuf},
};

use crate::{cpu::Kernel, group};

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
unsafe impl Number for u32 {}
// SAFETY: as above.
unsafe impl Number for f32 {}

/// Memory from here on is asked for in large pages.
const LARGE_PAGE: usize = 2 << 20;

/// Zeroed memory straight from the operating system: pages that nobody writes to cost nothing, and where there is no
/// memory that is an answer, not the end of the process.
#[derive(Debug)]
pub(crate) struct Pages {
    map: memmap2::MmapMut,
    /// Where the first large page begins, in bytes.
    start: usize,
    bytes: usize,
}

impl Pages {
    /// At least `bytes` bytes. Much memory comes in large pages, since a step streams through all weights and would
    /// look up an address for every small page of them.
    pub(crate) fn new(bytes: usize) -> Option<Pages> {
        if bytes < LARGE_PAGE {
            let map = memmap2::MmapMut::map_anon(bytes.max(1)).ok()?;
            return Some(Pages { map, start: 0, bytes });
        }
        let map = memmap2::MmapMut::map_anon(bytes.checked_add(LARGE_PAGE)?).ok()?;
        let start = map.as_ptr().align_offset(LARGE_PAGE);
        // Where the system has no large pages, small ones do as well.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage);
        Some(Pages { map, start, bytes })
    }

    /// The memory as numbers.
    pub(crate) fn slice<T: Number>(&self) -> &[T] {
        // SAFETY: the map has `bytes` bytes from `start`, which is a multiple of a page's size, so the numbers are
        // aligned; they were zero at first, and only numbers were written.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().add(self.start).cast(), self.bytes / size_of::<T>()) }
    }

    /// The memory as numbers that can be changed.
    pub(crate) fn slice_mut<T: Number>(&mut self) -> &mut [T] {
        let (start, len) = (self.start, self.bytes / size_of::<T>());
        // SAFETY: as above, and the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.map.as_mut_ptr().add(start).cast(), len) }
    }
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
        // SAFETY: an object with this symbol has room for the functions there, and nobody reads it before a kernel runs.
        unsafe {
            if let Ok(place) = object.get::<*mut group::Together>(group::SYMBOL) {
                **place = group::together();
            }
        }
        Ok(Library { object, _file: file })
    }

    /// A kernel of the plan; `groups` as its target says.
    pub(crate) fn kernel(&self, symbol: &str, groups: bool) -> Option<Kernel> {
        let symbol = symbol.as_bytes();
        // SAFETY: every kernel of a plan has one of these signatures; the plan's format says so.
        unsafe {
            match groups {
                true => self.object.get(symbol).ok().map(|symbol| Kernel::Group(*symbol)),
                false => self.object.get(symbol).ok().map(|symbol| Kernel::Thread(*symbol)),
            }
        }
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
