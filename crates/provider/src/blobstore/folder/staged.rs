//! An object on its way: a file in the staging folder that nobody sees until it is whole and synced.
//!
//! The writer holds a lock on it as long as it lives, so that whoever opens the container removes the files of writers
//! that are gone and no others.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::file_name::FileName;
use super::root::Root;

/// Names that are tried: another process may have the same number in another namespace, and count alike.
const ATTEMPTS_MAX: u32 = 10_000;

/// A file that is being written. Dropped before it is published, it is gone.
#[derive(Debug)]
pub(super) struct Staged {
    root: Arc<Root>,
    file: File,
    name: String,
    is_published: bool,
}

impl Staged {
    /// Makes a file that starts with these bytes.
    pub(super) fn begin(root: Arc<Root>, start: &[u8]) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        for _ in 0..ATTEMPTS_MAX {
            let name = format!("{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            if let Some(file) = locked(&root.staging, &name)? {
                return Self { root, file, name, is_published: false }.write(start);
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, "no free name in the staging folder"))
    }

    /// Adds bytes to the end. An error drops the file.
    pub(super) fn write(mut self, bytes: &[u8]) -> io::Result<Self> {
        self.file.write_all(bytes)?;
        Ok(self)
    }

    /// Makes the file an object, in the place of the one that was there, and returns when that is synced.
    pub(super) fn publish_object(self, file: &FileName) -> io::Result<()> {
        let root = Arc::clone(&self.root);
        self.publish(&root.objects, file.as_str())
    }

    /// Syncs the file, gives it its name in its folder, and syncs that.
    pub(super) fn publish(mut self, folder: &OwnedFd, name: &str) -> io::Result<()> {
        self.file.sync_all()?;
        rustix::fs::renameat(&self.root.staging, &self.name, folder, name)?;
        self.is_published = true;
        Ok(rustix::fs::fsync(folder)?)
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.is_published
            && let Err(error) = rustix::fs::unlinkat(&self.root.staging, &self.name, AtFlags::empty())
        {
            tracing::warn!(%error, name = self.name, "a staged object is left for the next opening to remove");
        }
    }
}

/// Makes and locks a file; `None` if the name is taken, or a sweep came between the two.
fn locked(staging: &OwnedFd, name: &str) -> io::Result<Option<File>> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(staging, name, flags, Mode::RUSR | Mode::WUSR) {
        Ok(file) => File::from(file),
        Err(Errno::EXIST) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok((file.try_lock().is_ok() && file.metadata()?.nlink() > 0).then_some(file))
}
