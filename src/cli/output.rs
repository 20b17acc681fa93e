//! Where results go: files that appear whole or not at all, devices and pipes as they are.
//!
//! A [`Place`] is found before the work whose result goes there, so that nobody waits for what cannot be kept.

use std::{
    fs::{self, File, Metadata},
    io::{self, Write},
    os::{
        fd::AsFd,
        unix::fs::{FileTypeExt, MetadataExt},
    },
    path::{Path, PathBuf},
};

use momc::failure::Failure;
use tempfile::NamedTempFile;

use super::{
    compile::is_artifact,
    temporary::{self, Temporary},
    ui,
};

/// A place for a result.
pub(crate) struct Place {
    /// As the user calls it.
    name: PathBuf,
    kind: Kind,
}

enum Kind {
    /// A file, which may be there already. Its path has no links in it, since a new file would take a link's place.
    File(PathBuf),
    /// A device or pipe.
    Special { in_order: bool },
    /// Standard output where it is a file, under a name such as `/dev/stdout`. A new file would not be that one.
    StandardOutput,
}

impl Place {
    /// Finds out what `name` stands for, and whether files can be written there.
    ///
    /// # Errors
    /// E0620 if not.
    pub(crate) fn find(name: &Path) -> Result<Place, Failure> {
        let kind = kind(name).map_err(|error| Failure::cannot_write(name, &error))?;
        Ok(Place { name: name.to_owned(), kind })
    }

    /// As [`Place::find`], for a text, which is no artifact.
    pub(crate) fn for_text(name: &Path) -> Result<Place, Failure> {
        match is_artifact(name) {
            true => {
                Err(Failure::Usage(format!("`{}`: a file ending in `.so` is an artifact, not a text", name.display())))
            }
            false => Place::find(name),
        }
    }

    /// Whether bytes can be written there only one after the other.
    pub(crate) fn in_order(&self) -> bool {
        match self.kind {
            Kind::File(_) => false,
            Kind::Special { in_order } => in_order,
            Kind::StandardOutput => true,
        }
    }

    /// Starts a result; it is there when [`Output::finish`] is done.
    pub(crate) fn create(&self) -> Result<Output<'_>, Failure> {
        let content = match &self.kind {
            Kind::File(path) => temporary::file_in(folder(path)).map(|file| Content::Beside { file, path }),
            Kind::Special { .. } => File::options().write(true).open(&self.name).map(Content::InPlace),
            Kind::StandardOutput => standard_output().map(Content::InPlace),
        };
        Ok(Output { place: self, content: content.map_err(|error| self.cannot_write(&error))? })
    }

    /// Writes a whole result.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut output = self.create()?;
        output.file().write_all(bytes).map_err(|error| self.cannot_write(&error))?;
        output.finish()
    }

    pub(crate) fn cannot_write(&self, error: &io::Error) -> Failure {
        Failure::cannot_write(&self.name, error)
    }
}

/// A result on its way to its place.
pub(crate) struct Output<'a> {
    pub(crate) place: &'a Place,
    content: Content<'a>,
}

enum Content<'a> {
    InPlace(File),
    /// Gets its name only when it is complete.
    Beside {
        file: Temporary<NamedTempFile>,
        path: &'a Path,
    },
}

impl Output<'_> {
    pub(crate) fn file(&mut self) -> &mut File {
        match &mut self.content {
            Content::InPlace(file) => file,
            Content::Beside { file, .. } => file.item.as_file_mut(),
        }
    }

    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self.content {
            Content::InPlace(_) => Ok(()),
            Content::Beside { file, path } => file.persist(path).map_err(|error| self.place.cannot_write(&error)),
        }
    }
}

/// Writes a text to its place, or to standard output.
pub(crate) fn write(place: Option<&Place>, text: &str) -> Result<(), Failure> {
    match place {
        Some(place) => place.write(text.as_bytes()),
        None => ui::print(text),
    }
}

fn kind(name: &Path) -> io::Result<Kind> {
    match fs::metadata(name) {
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) if !metadata.is_file() => Ok(Kind::Special { in_order: metadata.file_type().is_fifo() }),
        Ok(metadata) if is_standard_output(&metadata) => Ok(Kind::StandardOutput),
        _ => {
            let path = without_links(name)?;
            // A file can be renamed at once only within a file system, so it is written in the folder it stays in.
            temporary::file_in(folder(&path))?;
            Ok(Kind::File(path))
        }
    }
}

fn is_standard_output(metadata: &Metadata) -> bool {
    let open = standard_output().and_then(|file| file.metadata());
    open.is_ok_and(|open| (open.dev(), open.ino()) == (metadata.dev(), metadata.ino()))
}

fn standard_output() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// The file that `name` leads to, which need not be there yet.
fn without_links(name: &Path) -> io::Result<PathBuf> {
    match (fs::canonicalize(name), fs::read_link(name)) {
        (Err(error), Ok(target)) if error.kind() == io::ErrorKind::NotFound => {
            without_links(&folder(name).join(target))
        }
        (Err(error), Err(_)) if error.kind() == io::ErrorKind::NotFound => Ok(name.to_owned()),
        (path, _) => path,
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
