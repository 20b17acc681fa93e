//! What the operating system gives: files mapped into memory and loaded libraries.
#![allow(unsafe_code)]

use std::{
    fs::File,
    io,
    ops::Range,
    path::{Path, PathBuf},
};

use crate::cpu::Kernel;

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
