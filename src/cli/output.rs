//! Files that appear whole or not at all.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use momc::failure::Failure;
use tempfile::NamedTempFile;

use super::ui;

/// A file that gets its name only when it is complete. Devices and pipes are written in place.
pub(crate) struct Output {
    path: PathBuf,
    file: Destination,
}

enum Destination {
    InPlace(File),
    Beside(NamedTempFile),
}

impl Output {
    pub(crate) fn create(path: &Path) -> Result<Output, Failure> {
        let in_place = fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir());
        let file = match in_place {
            true => File::options().write(true).open(path).map(Destination::InPlace),
            false => beside(path).map(Destination::Beside),
        };
        let file = file.map_err(|error| Failure::cannot_write(path, &error))?;
        Ok(Output { path: path.to_owned(), file })
    }

    pub(crate) fn file(&mut self) -> &mut File {
        match &mut self.file {
            Destination::InPlace(file) => file,
            Destination::Beside(file) => file.as_file_mut(),
        }
    }

    pub(crate) fn cannot_write(&self, error: &io::Error) -> Failure {
        Failure::cannot_write(&self.path, error)
    }

    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self.file {
            Destination::InPlace(_) => Ok(()),
            Destination::Beside(file) => {
                file.persist(&self.path).map_err(|error| Failure::cannot_write(&self.path, &error.error))?;
                Ok(())
            }
        }
    }
}

/// Writes a text to a file, whole or not at all, or to standard output.
pub(crate) fn write(path: Option<&Path>, text: &str) -> Result<(), Failure> {
    let Some(path) = path else { return ui::print(text) };
    let mut output = Output::create(path)?;
    output.file().write_all(text.as_bytes()).map_err(|error| Failure::cannot_write(path, &error))?;
    output.finish()
}

/// Finds out before long work, not after it, that its result has no place.
pub(crate) fn check_place(path: &Path) -> Result<(), Failure> {
    let place = match path.is_dir() {
        true => Err(io::ErrorKind::IsADirectory.into()),
        false => folder(path).metadata(),
    };
    place.map(|_| ()).map_err(|error| Failure::cannot_write(path, &error))
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file in the folder of `path`, since only within a file system can a file be renamed at once.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    tempfile::Builder::new().prefix(".momc-").permissions(Permissions::from_mode(0o666)).tempfile_in(folder(path))
}
