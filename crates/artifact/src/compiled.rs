//! The store of compiled files: native code is trusted only if this node made it.

mod identity;
mod trailer;
mod verified;

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use cumulet_spec::id::Digest;

use crate::folder::{FannedFolder, StoreError, Usage};
use crate::key::NodeKey;
use identity::{Identities, Identity, NameMark};
pub use verified::VerifiedFile;

/// How the name of a compiled file ends.
const EXTENSION: &str = ".cwasm";

/// How often a file is looked at that another thread replaces meanwhile.
const LOOKS_MAX: u32 = 8;

/// What a compiled file was made from, and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CompiledKey {
    /// The component.
    pub digest: Digest,
    /// The class of engine.
    pub class: &'static str,
    /// The engine's release and settings, as 16 hexadecimal characters.
    pub fingerprint: String,
}

impl CompiledKey {
    fn name(&self) -> String {
        format!("{}-{}-{}{EXTENSION}", self.digest.to_hex(), self.class, self.fingerprint)
    }
}

/// The key of a file that is in the store, as its name has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StoredKey<'a> {
    /// The component.
    pub digest: Digest,
    /// The class of engine.
    pub class: &'a str,
    /// The engine's release and settings.
    pub fingerprint: &'a str,
}

impl<'a> StoredKey<'a> {
    fn parse(name: &'a str) -> Option<Self> {
        let mut parts = name.strip_suffix(EXTENSION)?.split('-');
        let digest = Digest::parse(&format!("sha256:{}", parts.next()?)).ok()?;
        let key = Self { digest, class: parts.next()?, fingerprint: parts.next()? };
        parts.next().is_none().then_some(key)
    }
}

/// What a store has done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreCounts {
    /// Files that were found by their identity alone, having been verified before.
    pub recognised: u64,
    /// Files that were read and verified whole, when they were written or found.
    pub verified: u64,
    /// Files that were there and not to be trusted.
    pub refused: u64,
}

/// A folder of compiled files that nobody but this node writes.
///
/// Each file is the code and behind it a trailer: a keyed BLAKE3 of its name and the code, under the node's key. Files
/// are written aside and renamed, and never written again: they are mapped while guests run.
///
/// A file is read and verified whole when it is put, and when it is first found after the store was opened. From then on
/// it is recognised by its identity: device, inode, change time and size. Whoever can write to the folder and set the
/// system's clock back can forge that; so can root.
#[derive(Debug)]
pub struct CompiledStore {
    folder: FannedFolder,
    key: NodeKey,
    identities: Identities,
    recognised: AtomicU64,
    verified: AtomicU64,
    refused: AtomicU64,
}

impl CompiledStore {
    /// Opens the store in a data folder, making its folder with mode 0700 if it is not there. No file is read.
    ///
    /// # Errors
    /// When the folder cannot be made or written, or is open to others.
    pub fn open(data_dir: &Path, key: NodeKey) -> Result<Self, StoreError> {
        Ok(Self {
            folder: FannedFolder::open(data_dir.join("compiled"))?,
            key,
            identities: Identities::default(),
            recognised: AtomicU64::new(0),
            verified: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        })
    }

    /// The verified file for a key, if there is one. Blocks: a few microseconds for a file that was verified before,
    /// else as long as reading it takes.
    ///
    /// A file that is not to be trusted is as good as none: the caller compiles anew, and [`put`](Self::put) replaces it.
    ///
    /// # Errors
    /// When the system does not let us look, for example for want of descriptors.
    pub fn find(&self, key: &CompiledKey) -> Result<Option<VerifiedFile>, StoreError> {
        self.find_named(&key.name())
    }

    fn find_named(&self, name: &str) -> Result<Option<VerifiedFile>, StoreError> {
        let mark = NameMark::of(name);
        for _ in 0..LOOKS_MAX {
            match self.folder.file(name).and_then(|file| self.look(name, mark, file)) {
                Ok(Look::Trusted(file)) => return Ok(Some(file)),
                Ok(Look::Changed) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.identities.forget(mark);
                    return Ok(None);
                }
                Err(error) if is_of_the_system(&error) => {
                    return Err(StoreError { action: "read", path: self.folder.path(name), source: error });
                }
                Ok(Look::Refused) | Err(_) => break,
            }
        }
        self.identities.forget(mark);
        self.refused.fetch_add(1, Ordering::Relaxed);
        Ok(None)
    }

    fn look(&self, name: &str, mark: NameMark, file: File) -> io::Result<Look> {
        let Some(before) = Identity::of(&file)? else { return Ok(Look::Refused) };
        if self.identities.hold(mark, &before) {
            self.recognised.fetch_add(1, Ordering::Relaxed);
            return Ok(Look::Trusted(VerifiedFile::new(file, before.code_bytes())));
        }
        // The order matters. What changes the file from here on gives it a change time of at least `now`.
        let now = self.folder.now().ok();
        let fits = trailer::fits(&file, before.code_bytes(), sealer(&self.key, name))?;
        if Identity::of(&file)?.as_ref() != Some(&before) {
            return Ok(Look::Changed);
        }
        if !fits {
            return Ok(Look::Refused);
        }
        self.verified.fetch_add(1, Ordering::Relaxed);
        // Else a change within the same tick of the system's clock would not show: it is verified once more next time.
        if now.is_some_and(|now| now > before.changed()) {
            self.identities.remember(mark, &before);
        }
        Ok(Look::Trusted(VerifiedFile::new(file, before.code_bytes())))
    }

    /// Stores a compiled file, reads it back, and returns it. Blocks until it is on the disk.
    ///
    /// # Errors
    /// When the file cannot be written, or does not read back as it was written.
    pub fn put(&self, key: &CompiledKey, code: &[u8]) -> Result<VerifiedFile, StoreError> {
        let name = key.name();
        let seal = sealer(&self.key, &name).update(code).finalize();
        self.folder.write(&name, &[code, &trailer::written(&seal)])?;
        self.find_named(&name)?.ok_or_else(|| StoreError {
            action: "trust what was written to",
            path: self.folder.path(&name),
            source: io::Error::other("it reads back as something else; check the disk, and who else writes there"),
        })
    }

    /// What the store has done since it was opened.
    #[must_use]
    pub fn counts(&self) -> StoreCounts {
        StoreCounts {
            recognised: self.recognised.load(Ordering::Relaxed),
            verified: self.verified.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    /// How many files are stored, and their size. Looks at every file: milliseconds for thousands.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn usage(&self) -> Result<Usage, StoreError> {
        self.folder.usage()
    }

    /// Removes the files that are not used, for example those of earlier releases. One that is mapped stays mapped. The
    /// caller sees to it that none is being deployed meanwhile; a file that is missed is compiled anew.
    ///
    /// # Errors
    /// When the folder cannot be read, or a file not be removed.
    pub fn remove_unused(&self, is_used: impl Fn(&StoredKey<'_>) -> bool) -> Result<Usage, StoreError> {
        self.folder.remove_unused(|name| {
            // A file that is none of ours is left alone.
            let used = StoredKey::parse(name).is_none_or(|key| is_used(&key));
            if !used {
                self.identities.forget(NameMark::of(name));
            }
            used
        })
    }
}

/// What a look at a file found.
enum Look {
    /// It is what this node wrote.
    Trusted(VerifiedFile),
    /// It was replaced, removed or written to during the look.
    Changed,
    /// It is something else.
    Refused,
}

/// What makes the seal of a file. The name is in it: a file is not to be trusted under another.
fn sealer(key: &NodeKey, name: &str) -> blake3::Hasher {
    let mut sealer = key.sealer("compiled file");
    sealer.update(name.as_bytes()).update(&[0]);
    sealer
}

/// Whether an error says nothing about the file: the same look may succeed later.
fn is_of_the_system(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let known = [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::INTR];
    error.raw_os_error().is_some_and(|number| known.iter().any(|errno| errno.raw_os_error() == number))
}

#[cfg(test)]
mod tests;
