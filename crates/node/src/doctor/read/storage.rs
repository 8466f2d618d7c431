//! The data folder, as it is.

use super::super::facts::Storage;
use crate::clock::now;
use rustix::fs::{Access, FlockOperation, access, flock, statvfs};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// What in a data folder is for the node alone.
const PRIVATE: [&str; 8] =
    ["node.key", "secrets.json", "registry.db", "compiled", "components", "ledger", "stores", "logs"];
/// How often a write is timed; the one in the middle counts.
const SYNCS: usize = 5;
/// Bytes of such a write.
const SYNC_BYTES: usize = 4_096;

pub(super) fn look(folder: &Path) -> Storage {
    let exists = folder.is_dir();
    // What is said of a folder that is not there is said of the one in which it would be made.
    let above = folder.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("."));
    let is_writable = access(above, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    let about = statvfs(above).ok();
    Storage {
        folder: folder.to_owned(),
        exists,
        is_writable,
        modes: if exists { modes(folder) } else { BTreeMap::new() },
        free_bytes: about.as_ref().map(|about| about.f_bavail.saturating_mul(about.f_frsize)),
        free_files: about.filter(|about| about.f_files > 0).map(|about| about.f_favail),
        sync_us: (exists && is_writable).then(|| sync_us(folder).map_err(|error| error.to_string())),
        is_in_use: is_in_use(folder),
    }
}

fn modes(folder: &Path) -> BTreeMap<String, u32> {
    let mode = |path: &Path| fs::metadata(path).ok().map(|about| about.permissions().mode() & 0o777);
    let within = PRIVATE.into_iter().filter_map(|name| Some((name.to_owned(), mode(&folder.join(name))?)));
    within.chain(mode(folder).map(|mode| ("the folder".to_owned(), mode))).collect()
}

/// Whether somebody holds the lock that a node takes. `None` where that cannot be looked at.
fn is_in_use(folder: &Path) -> Option<bool> {
    let Ok(file) = File::open(folder.join("ledger/lock")) else {
        return (!folder.join("ledger").exists()).then_some(false);
    };
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        // Given back at once: when the file is closed.
        Ok(()) => Some(false),
        Err(Errno::WOULDBLOCK) => Some(true),
        Err(_) => None,
    }
}

fn sync_us(folder: &Path) -> std::io::Result<u64> {
    let mut file = tempfile::tempfile_in(folder)?;
    let mut times = Vec::new();
    for _ in 0..SYNCS {
        let begun = now();
        file.write_all(&[0; SYNC_BYTES])?;
        file.sync_data()?;
        times.push(now().saturating_duration_since(begun).as_micros());
    }
    times.sort_unstable();
    let middle = times.get(times.len() / 2).copied().unwrap_or_default();
    Ok(u64::try_from(middle).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_looked_at_and_left_as_it_was() {
        let data = tempfile::tempdir().unwrap();
        let found = look(data.path());
        assert!(found.exists && found.is_writable && found.is_in_use == Some(false), "{found:?}");
        assert!(matches!(found.sync_us, Some(Ok(_))) && found.free_bytes.is_some());
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
        let nowhere = data.path().join("a/b");
        let found = look(&nowhere);
        assert!(!found.exists && found.is_writable && found.sync_us.is_none() && !nowhere.exists(), "{found:?}");
    }

    #[test]
    fn a_node_is_seen() {
        use cumulet_meter::ledger::{Ledger, LedgerLimits};
        let data = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(data.path(), LedgerLimits::default()).unwrap();
        assert_eq!(look(data.path()).is_in_use, Some(true));
        drop(ledger);
        let found = look(data.path());
        assert_eq!((found.is_in_use, found.modes.get("ledger")), (Some(false), Some(&0o700)));
    }
}
