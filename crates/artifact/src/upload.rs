//! Bytes that come in pieces, and may go on after a break.

use crate::source::COMPONENT_BYTES_MAX;
use cumulet_spec::id::{Digest, TenantId};
use parking_lot::Mutex;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Uploads of one tenant that are not complete; one more, and the one that waits longest for its next piece is forgotten.
pub const UPLOADS_MAX: usize = 16;

/// Uploads under way: `uploads/TENANT/DIGEST` in a data folder, each as long as what has come of it.
///
/// A file says nothing until its digest was checked, so nothing here is synced: what a power failure takes is sent again.
#[derive(Debug)]
pub struct Uploads {
    root: PathBuf,
    busy: Mutex<HashSet<(TenantId, Digest)>>,
}

/// How far an upload is.
#[derive(Debug, PartialEq, Eq)]
pub enum Upload {
    /// So many bytes are there.
    Open(u64),
    /// All of them are, and they are what their digest says.
    Complete(Vec<u8>),
}

/// A piece was not taken.
#[derive(Debug, Error)]
pub enum UploadError {
    /// It does not follow on what is there.
    #[error("{found} bytes are there, and the piece begins at {given}; go on at {found}")]
    Offset {
        /// How many bytes are there.
        found: u64,
        /// Where the piece begins.
        given: u64,
    },
    /// It is longer than was said.
    #[error("the piece ends at {end}, beyond the {length} bytes that were announced; send it again from its beginning")]
    Beyond {
        /// Where it ends.
        end: u64,
        /// How long the whole is to be.
        length: u64,
    },
    /// The whole is too large, or nothing.
    #[error("{length} bytes were announced, and 1 to {COMPONENT_BYTES_MAX} are taken")]
    Length {
        /// How long the whole is to be.
        length: u64,
    },
    /// The whole is something else than its digest says.
    #[error("the bytes have the digest {found}; send them again from their beginning")]
    Digest {
        /// What was received.
        found: Digest,
    },
    /// Another request sends the same.
    #[error("another request is sending a piece of it; wait for that one")]
    Busy,
    /// Too many are being sent at this moment.
    #[error("{UPLOADS_MAX} uploads of this tenant are being sent at once; wait for one of them")]
    TooMany,
    /// The system refused.
    #[error("what was received cannot be kept")]
    Io(#[from] io::Error),
}

impl Uploads {
    /// Opens the folder of uploads, and forgets those that an earlier process left.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(data_dir: &Path) -> io::Result<Self> {
        let root = data_dir.join("uploads");
        match fs::remove_dir_all(&root) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&root)?;
        Ok(Self { root, busy: Mutex::default() })
    }

    /// How many bytes of an upload are there; none if it has not begun.
    #[must_use]
    pub fn offset(&self, tenant: &TenantId, digest: &Digest) -> Option<u64> {
        Some(fs::metadata(self.path(tenant, digest)).ok()?.len())
    }

    /// Takes a piece. Blocks.
    ///
    /// # Errors
    /// When it does not follow on what is there, the whole is too large or not what its digest says (then nothing of it is
    /// left), or it cannot be written.
    pub fn append(
        &self,
        tenant: &TenantId,
        digest: &Digest,
        (offset, length): (u64, u64),
        piece: &[u8],
    ) -> Result<Upload, UploadError> {
        if !(1..=COMPONENT_BYTES_MAX).contains(&length) {
            return Err(UploadError::Length { length });
        }
        let _busy = Busy::take(self, tenant, digest)?;
        let path = self.path(tenant, digest);
        let found = self.offset(tenant, digest);
        if found.unwrap_or(0) != offset {
            return Err(UploadError::Offset { found: found.unwrap_or(0), given: offset });
        }
        let end = offset.saturating_add(piece.len() as u64);
        if end > length {
            return Err(UploadError::Beyond { end, length });
        }
        let folder = self.root.join(tenant.as_str());
        if found.is_none() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
            self.make_room(tenant, &folder)?;
        }
        let mut file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        if let Err(error) = file.write_all(piece) {
            // Half a piece would be in the way of the same piece sent again.
            file.set_len(offset)?;
            return Err(error.into());
        }
        if end < length {
            return Ok(Upload::Open(end));
        }
        let bytes = fs::read(&path)?;
        fs::remove_file(&path)?;
        let found = Digest::of(&bytes);
        if found == *digest { Ok(Upload::Complete(bytes)) } else { Err(UploadError::Digest { found }) }
    }

    /// Forgets the upload of a tenant that nobody sent a piece of for the longest time, where it has as many as it may:
    /// whoever gave it up will not finish it.
    fn make_room(&self, tenant: &TenantId, folder: &Path) -> Result<(), UploadError> {
        let open: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
        if open.len() < UPLOADS_MAX {
            return Ok(());
        }
        // Held while it goes, so that no piece of it is taken meanwhile.
        let busy = self.busy.lock();
        let is_busy = |name: &OsStr| busy.iter().any(|(owner, digest)| owner == tenant && *name == *digest.to_hex());
        let idle = open.iter().filter(|entry| !is_busy(&entry.file_name()));
        let oldest = idle.min_by_key(|entry| entry.metadata().and_then(|about| about.modified()).ok());
        Ok(fs::remove_file(oldest.ok_or(UploadError::TooMany)?.path())?)
    }

    fn path(&self, tenant: &TenantId, digest: &Digest) -> PathBuf {
        self.root.join(tenant.as_str()).join(digest.to_hex())
    }
}

/// One piece at a time.
struct Busy<'a> {
    uploads: &'a Uploads,
    name: (TenantId, Digest),
}

impl<'a> Busy<'a> {
    fn take(uploads: &'a Uploads, tenant: &TenantId, digest: &Digest) -> Result<Self, UploadError> {
        let name = (tenant.clone(), *digest);
        if !uploads.busy.lock().insert(name.clone()) {
            return Err(UploadError::Busy);
        }
        Ok(Self { uploads, name })
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.uploads.busy.lock().remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    fn tenant(name: &str) -> TenantId {
        TenantId::parse(name).unwrap()
    }

    #[test]
    fn pieces_become_the_whole_and_go_on_after_a_break() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::open(folder.path()).unwrap();
        let (acme, bytes) = (tenant("acme"), b"hello, world".as_slice());
        let digest = Digest::of(bytes);
        assert_eq!(uploads.offset(&acme, &digest), None);
        assert_eq!(uploads.append(&acme, &digest, (0, 12), &bytes[..5]).unwrap(), Upload::Open(5));
        assert_eq!(uploads.offset(&acme, &digest), Some(5));
        assert_eq!(uploads.offset(&tenant("evil"), &digest), None, "another tenant learns of it");
        let again = uploads.append(&acme, &digest, (0, 12), &bytes[..5]).unwrap_err();
        assert_eq!(again.to_string(), "5 bytes are there, and the piece begins at 0; go on at 5");
        assert_eq!(uploads.append(&acme, &digest, (5, 12), &bytes[5..]).unwrap(), Upload::Complete(bytes.to_vec()));
        assert_eq!(uploads.offset(&acme, &digest), None);
    }

    #[test]
    fn what_is_something_else_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::open(folder.path()).unwrap();
        let (acme, digest) = (tenant("acme"), Digest::of(b"hello"));
        let error = uploads.append(&acme, &digest, (0, 5), b"jello").unwrap_err();
        assert!(matches!(error, UploadError::Digest { .. }), "{error}");
        assert_eq!(uploads.offset(&acme, &digest), None);
        for (at, piece) in [((0, 4), b"hello".as_slice()), ((0, 0), b""), ((0, COMPONENT_BYTES_MAX + 1), b"x")] {
            assert!(uploads.append(&acme, &digest, at, piece).is_err(), "{at:?}");
        }
        assert!(matches!(uploads.append(&acme, &digest, (0, 5), b"hello").unwrap(), Upload::Complete(_)));
    }

    #[test]
    fn open_uploads_of_a_tenant_are_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let uploads = Uploads::open(folder.path()).unwrap();
        let digest = |number: usize| Digest::of(&number.to_le_bytes());
        let begin = |number: usize| uploads.append(&tenant("acme"), &digest(number), (0, 2), b"x");
        let age = |number: usize, seconds: u64| {
            let file = File::open(uploads.path(&tenant("acme"), &digest(number))).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        for number in 0..UPLOADS_MAX {
            begin(number).unwrap();
            age(number, 100 - number as u64);
        }
        // The last one waits longest, but is being sent.
        let last = UPLOADS_MAX - 1;
        let busy = Busy::take(&uploads, &tenant("acme"), &digest(last)).unwrap();
        assert_eq!(begin(100).unwrap(), Upload::Open(1));
        assert_eq!(uploads.offset(&tenant("acme"), &digest(last)), Some(1), "it is being sent");
        assert_eq!(uploads.offset(&tenant("acme"), &digest(last - 1)), None);
        drop(busy);
        let all: Vec<_> =
            (0..=100).filter(|number| uploads.offset(&tenant("acme"), &digest(*number)).is_some()).collect();
        assert_eq!(all.len(), UPLOADS_MAX);
        let sent: Vec<_> = all.iter().map(|number| Busy::take(&uploads, &tenant("acme"), &digest(*number))).collect();
        assert!(matches!(begin(200), Err(UploadError::TooMany)));
        drop(sent);
        uploads.append(&tenant("other"), &Digest::of(b"x"), (0, 2), b"x").unwrap();
    }
}
