//! The folder of a container: made, checked, swept, and used through handles.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::file_name::FileName;
use super::staged::Staged;
use crate::blobstore::OpenError;

/// What `format` says: a later version that changes the layout says something else, and refuses or converts this.
const FORMAT: &str = "cumulet blobstore folder 1\n";
const FORMAT_FILE: &str = "format";
const OBJECTS: &str = "objects";
const STAGING: &str = "staging";

/// The handles of a container's folder. Nothing in it is reached by a path, so that moving the folder or replacing a
/// part of it by a link leads nowhere else.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) folder: OwnedFd,
    pub(super) objects: OwnedFd,
    pub(super) staging: OwnedFd,
}

impl Root {
    /// Opens a folder, made if it is missing, and sweeps it.
    ///
    /// # Errors
    /// When it cannot be used, or holds other things.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let unusable = |source: io::Error| OpenError::Folder { path: path.to_owned(), source };
        make_synced(path).map_err(unusable)?;
        let folder = open_folder(CWD, path, OFlags::empty()).map_err(unusable)?;
        let known = match format(&folder).map_err(unusable)? {
            Some(said) if said == FORMAT => true,
            Some(_) => return Err(OpenError::Format { path: path.to_owned() }),
            None if is_new(&folder).map_err(unusable)? => false,
            None => return Err(OpenError::Foreign { path: path.to_owned() }),
        };
        Self::prepared(folder, known).map_err(unusable)
    }

    fn prepared(folder: OwnedFd, known: bool) -> io::Result<Self> {
        let objects = make_inside(&folder, OBJECTS)?;
        let staging = make_inside(&folder, STAGING)?;
        rustix::fs::fsync(&folder)?;
        let root = Arc::new(Self { folder, objects, staging });
        sweep(&root.staging)?;
        if !known {
            Staged::begin(Arc::clone(&root), FORMAT.as_bytes())?.publish(&root.folder, FORMAT_FILE)?;
        }
        Ok(Arc::into_inner(root).expect("what was staged is gone"))
    }

    /// When the container was made, in seconds since 1970.
    pub(super) fn created_at_s(&self) -> io::Result<u64> {
        let format = open_file(&self.folder, FORMAT_FILE)?;
        Ok(u64::try_from(format.metadata()?.mtime()).unwrap_or(0))
    }

    /// Removes the files of objects and syncs that. One that is not there, or is no file, is no error.
    pub(super) fn remove_objects(&self, files: &[FileName]) -> io::Result<()> {
        for file in files {
            match rustix::fs::unlinkat(&self.objects, file.as_str(), AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT | Errno::ISDIR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // Also when nothing was there: whoever removed it may not have synced that yet.
        Ok(rustix::fs::fsync(&self.objects)?)
    }
}

/// Opens a file for reading, and not what a link points to. A pipe that someone planted does not make this wait.
pub(super) fn open_file(folder: &OwnedFd, file: &str) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::openat(folder, file, flags, Mode::empty())?))
}

fn open_folder(at: impl rustix::fd::AsFd, path: impl rustix::path::Arg, extra: OFlags) -> io::Result<OwnedFd> {
    Ok(rustix::fs::openat(at, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | extra, Mode::empty())?)
}

fn make_inside(folder: &OwnedFd, name: &str) -> io::Result<OwnedFd> {
    match rustix::fs::mkdirat(folder, name, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => open_folder(folder, name, OFlags::NOFOLLOW),
        Err(error) => Err(error.into()),
    }
}

/// Makes a folder with all above it, and syncs each in the one that it lies in: a synced object in a folder that is gone
/// after a power failure would be gone too.
fn make_synced(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_synced(above)?;
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => File::open(above)?.sync_all(),
    }
}

/// What a container's folder says of itself, cut to what this version would say.
fn format(folder: &OwnedFd) -> io::Result<Option<String>> {
    let mut said = String::new();
    match open_file(folder, FORMAT_FILE) {
        Ok(file) => {
            file.take(FORMAT.len() as u64 + 1).read_to_string(&mut said)?;
            Ok(Some(said))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a folder is empty but for what the making of a container begins with.
fn is_new(folder: &OwnedFd) -> io::Result<bool> {
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        if ![".", "..", OBJECTS, STAGING].iter().any(|ours| entry.file_name().to_bytes() == ours.as_bytes()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Removes what nobody writes any more: each writer holds a lock on its file, and the system releases it when a process
/// ends, however it ends.
fn sweep(staging: &OwnedFd) -> io::Result<()> {
    for entry in Dir::read_from(staging)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().to_str() else {
            continue;
        };
        if entry.file_type() == FileType::Directory {
            continue;
        }
        match open_file(staging, name) {
            Ok(file) => sweep_one(staging, name, &file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, name, "a file in the staging folder of a container cannot be opened"),
        }
    }
    Ok(())
}

fn sweep_one(staging: &OwnedFd, name: &str, file: &File) -> io::Result<()> {
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(()),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    // Another sweep may have removed this file, and a writer may have made a new one of the same name since.
    if file.metadata()?.nlink() == 0 {
        return Ok(());
    }
    match rustix::fs::unlinkat(staging, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
