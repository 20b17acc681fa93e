//! Temporary files and folders, gone when momc ends: when it is done, when it fails, and when a signal stops it.

use std::{
    collections::BTreeSet,
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, Once, PoisonError},
    thread,
};

use momc::failure::Failure;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
    low_level::emulate_default_handler,
};
use tempfile::{Builder, NamedTempFile, TempDir};

/// What there is to remove if a signal stops momc.
static NAMES: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// A file or folder that is removed with this value, or earlier by a signal.
pub(crate) struct Temporary<T> {
    // Goes first: a name is given up only when nothing has it any more.
    pub(crate) item: T,
    _name: Name,
}

struct Name(PathBuf);

impl Drop for Name {
    fn drop(&mut self) {
        names().remove(&self.0);
    }
}

/// A folder for files that only this run needs.
///
/// # Errors
/// E0620 where there is no place for it.
pub(crate) fn folder() -> Result<Temporary<TempDir>, Failure> {
    create(|| Builder::new().prefix("momc-").tempdir()).map_err(|error| Failure::no_temporary_folder(&error))
}

/// A file in `folder`, readable by whoever may read a new file there.
pub(crate) fn file_in(folder: &Path) -> io::Result<Temporary<NamedTempFile>> {
    create(|| Builder::new().prefix(".momc-").permissions(Permissions::from_mode(0o666)).tempfile_in(folder))
}

impl Temporary<NamedTempFile> {
    /// Gives the file its lasting name.
    pub(crate) fn persist(self, path: &Path) -> io::Result<()> {
        self.item.persist(path).map(|_| ()).map_err(|error| error.error)
    }
}

/// Makes something and notes its name, with no signal in between.
fn create<T: AsRef<Path>>(make: impl FnOnce() -> io::Result<T>) -> io::Result<Temporary<T>> {
    static WATCH: Once = Once::new();
    WATCH.call_once(watch);
    let mut names = names();
    let item = make()?;
    let name = item.as_ref().to_owned();
    names.insert(name.clone());
    Ok(Temporary { item, _name: Name(name) })
}

fn names() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for a signal that asks momc to stop; then clears up and lets the signal do what it does by itself. Where the
/// system has no room for the thread that waits, the signal does that alone.
fn watch() {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    let clear_up = move || {
        for signal in signals.forever() {
            // Nothing more is made from here on: the names stay locked until the end.
            let names = names();
            for name in names.iter() {
                _ = if name.is_dir() { fs::remove_dir_all(name) } else { fs::remove_file(name) };
            }
            _ = emulate_default_handler(signal);
        }
    };
    _ = thread::Builder::new().name("signals".to_owned()).spawn(clear_up);
}
