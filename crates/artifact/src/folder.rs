//! A folder that only this node writes, with its files fanned out over 256 folders.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, Timespec, Timestamps, UTIME_NOW};
use thiserror::Error;

/// What the names of files begin with that are not finished.
const ASIDE: &str = ".aside-";
/// What the names of folders begin with that stood where a file belongs.
const IN_THE_WAY: &str = "in-the-way-";
/// The file that tells the time.
const CLOCK: &str = ".clock";
/// The time after which an unfinished file is one that nobody will finish, in seconds.
const ASIDE_AGE_MAX_SECS: i64 = 3_600;

/// A store could not do what it was asked for.
#[derive(Debug, Error)]
#[error("cannot {action} {}", path.display())]
pub struct StoreError {
    pub(crate) action: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) source: io::Error,
}

impl StoreError {
    /// What the system said.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

/// How much a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Files.
    pub files: u64,
    /// Their sizes together, in bytes.
    pub bytes: u64,
}

/// A moment by the clock of a file system, as seconds and nanoseconds since 1970.
pub(crate) type FileTime = (i64, i64);

/// A folder with mode 0700 that holds files as `ab/REST`, where their names are hex digits that begin with `ab`.
///
/// The 256 folders are made when it is opened: one that was made later, by one of two threads that write at once, would
/// have to be synced by both.
#[derive(Debug)]
pub(crate) struct FannedFolder {
    root: PathBuf,
    clock: File,
}

impl FannedFolder {
    /// Opens the folder, and makes what is missing of it.
    pub(crate) fn open(root: PathBuf) -> Result<Self, StoreError> {
        let fail = |action, source| StoreError { action, path: root.clone(), source };
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&root).map_err(|source| fail("create the folder", source))?;
        check_private(&root).map_err(|source| fail("trust the folder", source))?;
        make_fan(&root).map_err(|source| fail("create the folders in", source))?;
        let clock = open_clock(&root).map_err(|source| fail("write to the folder", source))?;
        Ok(Self { root, clock })
    }

    /// Where the file of a name lies.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let (fan, rest) = name.split_at_checked(2).unwrap_or(("00", name));
        let mut path = self.root.join(fan);
        path.push(rest);
        path
    }

    /// Opens a file for reading. Whatever stands there, this neither follows a link nor waits.
    pub(crate) fn file(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::open(self.path(name), flags, Mode::empty())?))
    }

    /// Writes a file aside, syncs it, and renames it to its name; then the name is synced.
    pub(crate) fn write(&self, name: &str, parts: &[&[u8]]) -> Result<(), StoreError> {
        let path = self.path(name);
        self.try_write(&path, parts).map_err(|source| StoreError { action: "write", path, source })
    }

    fn try_write(&self, path: &Path, parts: &[&[u8]]) -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(ASIDE)
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .tempfile_in(&self.root)?;
        for part in parts {
            file.write_all(part)?;
        }
        file.as_file().sync_all()?;
        match file.persist(path) {
            Ok(_) => {}
            Err(error) if path.is_dir() => {
                self.move_out_of_the_way(path)?;
                error.file.persist(path).map_err(|error| error.error)?;
            }
            Err(error) => return Err(error.error),
        }
        sync_parent(path)
    }

    /// A folder that stands where a file belongs is kept, for people to look at: a file cannot take its place.
    fn move_out_of_the_way(&self, path: &Path) -> io::Result<()> {
        fs::rename(path, self.root.join(format!("{IN_THE_WAY}{:016x}", rand::random::<u64>())))
    }

    /// Makes the name of a file that is there durable, which another thread may be about to do.
    pub(crate) fn sync(&self, name: &str) -> Result<(), StoreError> {
        let path = self.path(name);
        sync_parent(&path).map_err(|source| StoreError { action: "sync", path, source })
    }

    /// Takes a file away from its name and keeps it, for people to look at. Returns where it is.
    pub(crate) fn set_aside(&self, name: &str) -> Result<PathBuf, StoreError> {
        let (path, kept) = (self.path(name), self.root.join(format!("damaged-{name}")));
        fs::rename(&path, &kept).map_err(|source| StoreError { action: "set aside", path, source })?;
        Ok(kept)
    }

    /// The time by this folder's file system: what a file would get as its change time if it were changed now.
    pub(crate) fn now(&self) -> io::Result<FileTime> {
        let now = || Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        rustix::fs::futimens(&self.clock, &Timestamps { last_access: now(), last_modification: now() })?;
        let metadata = self.clock.metadata()?;
        Ok((metadata.ctime(), metadata.ctime_nsec()))
    }

    /// What is stored. Looks at every file: milliseconds for thousands.
    pub(crate) fn usage(&self) -> Result<Usage, StoreError> {
        let mut usage = Usage::default();
        self.each(|_, entry| {
            usage.files += 1;
            usage.bytes += entry.metadata()?.len();
            Ok(())
        })?;
        Ok(usage)
    }

    /// Removes the files whose name is not used, and what was left unfinished. Returns what was removed.
    pub(crate) fn remove_unused(&self, is_used: impl Fn(&str) -> bool) -> Result<Usage, StoreError> {
        let mut removed = Usage::default();
        self.each(|name, entry| {
            if !is_used(name) {
                let bytes = entry.metadata()?.len();
                fs::remove_file(entry.path())?;
                removed.files += 1;
                removed.bytes += bytes;
            }
            Ok(())
        })?;
        self.remove_unfinished().map_err(|source| self.error("clear", source))?;
        Ok(removed)
    }

    /// Calls for each file with its name. One that vanishes meanwhile is passed over.
    fn each(&self, mut visit: impl FnMut(&str, &fs::DirEntry) -> io::Result<()>) -> Result<(), StoreError> {
        for fan in fans() {
            let entries = fs::read_dir(self.root.join(&fan)).map_err(|source| self.error("read", source))?;
            for entry in entries {
                let visited = entry.and_then(|entry| match entry.file_name().to_str() {
                    Some(rest) if entry.file_type()?.is_file() => visit(&format!("{fan}{rest}"), &entry),
                    Some(_) | None => Ok(()),
                });
                match visited {
                    Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(self.error("read", source)),
                    Ok(()) | Err(_) => {}
                }
            }
        }
        Ok(())
    }

    fn remove_unfinished(&self) -> io::Result<()> {
        let (now, _) = self.now()?;
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            let is_aside = entry.file_name().to_str().is_some_and(|name| name.starts_with(ASIDE));
            if is_aside && entry.metadata().is_ok_and(|file| now - file.ctime() > ASIDE_AGE_MAX_SECS) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    fn error(&self, action: &'static str, source: io::Error) -> StoreError {
        StoreError { action, path: self.root.clone(), source }
    }
}

fn fans() -> impl Iterator<Item = String> {
    (0..=u8::MAX).map(|fan| format!("{fan:02x}"))
}

fn make_fan(root: &Path) -> io::Result<()> {
    let mut made = false;
    for fan in fans() {
        match fs::DirBuilder::new().mode(0o700).create(root.join(fan)) {
            Ok(()) => made = true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    if made {
        File::open(root)?.sync_all()?;
        sync_parent(root)?;
    }
    Ok(())
}

fn open_clock(root: &Path) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(root.join(CLOCK), flags, Mode::RUSR | Mode::WUSR)?))
}

/// Whoever else could write here could put code where this node maps it from.
fn check_private(folder: &Path) -> io::Result<()> {
    let found = fs::metadata(folder)?;
    let user = rustix::process::geteuid().as_raw();
    if found.uid() != user {
        let text = format!("it belongs to user {}, and this is user {user}; run chown, or remove it", found.uid());
        return Err(io::Error::other(text));
    }
    if found.mode() & 0o077 != 0 {
        let text = format!("others may use it (mode {:o}); run chmod 700, or remove it", found.mode() & 0o777);
        return Err(io::Error::other(text));
    }
    Ok(())
}

/// A rename is durable once the folder of the new name is.
fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}
