//! Which files were verified, so that they need not be read again.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;

use parking_lot::Mutex;

use super::trailer::TRAILER_BYTES;
use crate::folder::FileTime;

/// The parts that the map is in: while one grows, the others answer.
const PARTS: usize = 64;
/// The most entries of one part. When there are more, the part is emptied, and its files are verified anew.
const PART_ENTRIES_MAX: usize = 1 << 14;
/// The bytes of a hash that are kept: nobody finds two names, or two identities, that share them.
const MARK_BYTES: usize = 16;

/// Stands for the name of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct NameMark([u8; MARK_BYTES]);

impl NameMark {
    pub(super) fn of(name: &str) -> Self {
        Self(shortened(&blake3::hash(name.as_bytes())))
    }

    fn part(self) -> usize {
        let [first, ..] = self.0;
        usize::from(first) % PARTS
    }
}

/// What tells a file from another, and from itself before it was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    changed: FileTime,
    bytes: u64,
}

impl Identity {
    /// The identity of a regular file that is ours alone and long enough for a trailer; none of anything else.
    pub(super) fn of(file: &File) -> io::Result<Option<Self>> {
        let found = file.metadata()?;
        let is_ours = found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o7777 == 0o600;
        let is_long_enough = found.len() >= TRAILER_BYTES as u64;
        Ok((found.is_file() && is_ours && is_long_enough).then(|| Self {
            device: found.dev(),
            inode: found.ino(),
            changed: (found.ctime(), found.ctime_nsec()),
            bytes: found.len(),
        }))
    }

    /// When the file was last changed, or its name.
    pub(super) fn changed(&self) -> FileTime {
        self.changed
    }

    /// The size of the file without its trailer.
    pub(super) fn code_bytes(&self) -> u64 {
        self.bytes.saturating_sub(TRAILER_BYTES as u64)
    }

    fn mark(&self) -> [u8; MARK_BYTES] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.device.to_le_bytes());
        hasher.update(&self.inode.to_le_bytes());
        hasher.update(&self.changed.0.to_le_bytes());
        hasher.update(&self.changed.1.to_le_bytes());
        hasher.update(&self.bytes.to_le_bytes());
        shortened(&hasher.finalize())
    }
}

/// The identities of the files that were verified: 33 bytes for each file, and at most as much again unused.
#[derive(Debug)]
pub(super) struct Identities {
    parts: [Mutex<HashMap<NameMark, [u8; MARK_BYTES]>>; PARTS],
}

impl Default for Identities {
    fn default() -> Self {
        Self { parts: std::array::from_fn(|_| Mutex::default()) }
    }
}

impl Identities {
    /// Whether the file of this name was verified and is still the same.
    pub(super) fn hold(&self, name: NameMark, identity: &Identity) -> bool {
        self.part(name).is_some_and(|part| part.lock().get(&name) == Some(&identity.mark()))
    }

    pub(super) fn remember(&self, name: NameMark, identity: &Identity) {
        let Some(part) = self.part(name) else { return };
        let mut part = part.lock();
        if part.len() >= PART_ENTRIES_MAX {
            part.clear();
        }
        part.insert(name, identity.mark());
    }

    pub(super) fn forget(&self, name: NameMark) {
        if let Some(part) = self.part(name) {
            part.lock().remove(&name);
        }
    }

    fn part(&self, name: NameMark) -> Option<&Mutex<HashMap<NameMark, [u8; MARK_BYTES]>>> {
        self.parts.get(name.part())
    }
}

fn shortened(hash: &blake3::Hash) -> [u8; MARK_BYTES] {
    let mut mark = [0; MARK_BYTES];
    mark.copy_from_slice(hash.as_bytes().split_at(MARK_BYTES).0);
    mark
}
