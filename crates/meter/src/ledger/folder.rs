//! The folder of the ledger: its names, its mode, its lock.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::failure::{LedgerError, LedgerErrorKind};

/// How often the lock is tried before it counts as held, and the pause between.
const LOCK_ATTEMPTS: u32 = 10;
/// See [`LOCK_ATTEMPTS`].
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The folder of the ledger inside a data folder.
pub(super) fn ledger(data: &Path) -> PathBuf {
    data.join("ledger")
}

pub(super) fn database(ledger: &Path) -> PathBuf {
    ledger.join("ledger.db")
}

pub(super) fn ring(ledger: &Path) -> PathBuf {
    ledger.join("ring")
}

pub(super) fn records(ledger: &Path) -> PathBuf {
    ledger.join("records")
}

/// Makes a folder for nobody else to read, with those above it. Its name is on the disk before anything is written into
/// it: a synced file in a folder that is lost is lost.
pub(super) fn make(folder: &Path) -> Result<(), LedgerError> {
    let attempt = || -> io::Result<()> {
        let missing: Vec<&Path> = folder.ancestors().take_while(|ancestor| !ancestor.exists()).collect();
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        missing.into_iter().try_for_each(sync_above)
    };
    attempt().map_err(LedgerError::file("make", folder))
}

/// Makes the name of a file durable.
pub(super) fn sync_above(path: &Path) -> io::Result<()> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(above)?.sync_all()
}

/// Locks the ledger for this process, for as long as the file is open.
pub(super) fn lock(ledger: &Path) -> Result<File, LedgerError> {
    let path = ledger.join("lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(LedgerError::file("open", &path))?;
    for _ in 0..LOCK_ATTEMPTS {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            // Whoever held it may be on the way out: a process that was killed, or one that is about to become another.
            Err(Errno::WOULDBLOCK) => std::thread::sleep(LOCK_PAUSE),
            Err(error) => return Err(LedgerError::file("lock", &path)(error.into())),
        }
    }
    Err(LedgerError::new("lock", &path, LedgerErrorKind::InUse))
}
