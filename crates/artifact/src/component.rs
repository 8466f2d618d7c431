//! The store of components: bytes under their own digest.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use cumulet_spec::id::Digest;
use thiserror::Error;

use crate::folder::{FannedFolder, StoreError, Usage};
use crate::source::COMPONENT_BYTES_MAX;

/// How the file of a component ends.
const EXTENSION: &str = ".wasm";

/// The bytes of every component that is deployed, as `components/ab/cdef….wasm` in a data folder.
///
/// They are read only to be compiled. Whatever is acknowledged is synced.
#[derive(Debug)]
pub struct ComponentStore {
    folder: FannedFolder,
}

/// A component could not be had or kept.
#[derive(Debug, Error)]
#[error("component {digest}")]
pub struct ComponentError {
    /// The component.
    pub digest: Digest,
    /// What is wrong.
    #[source]
    pub kind: ComponentErrorKind,
}

/// What is wrong with a component in the store.
#[derive(Debug, Error)]
pub enum ComponentErrorKind {
    /// It was never put, or was removed.
    #[error("its bytes are not on this node; deploy the app again")]
    Missing,
    /// Its file holds something else.
    #[error("its stored bytes are damaged, and were kept as {}; deploy the app again", kept.display())]
    Damaged {
        /// Where the damaged file is now.
        kept: PathBuf,
    },
    /// It is larger than is kept.
    #[error("it has {bytes} bytes, and at most {COMPONENT_BYTES_MAX} are kept; make it smaller")]
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// The store does not work.
    #[error(transparent)]
    Store(StoreError),
}

impl ComponentStore {
    /// Opens the store in a data folder, making its folder with mode 0700 if it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made or written, or is open to others.
    pub fn open(data_dir: &Path) -> Result<Self, StoreError> {
        Ok(Self { folder: FannedFolder::open(data_dir.join("components"))? })
    }

    /// Keeps a component, and returns its digest. One that is there already, and whole, is not written again; one that
    /// is damaged is healed. Blocks until the bytes are on the disk.
    ///
    /// # Errors
    /// When it is larger than [`COMPONENT_BYTES_MAX`], or cannot be written.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, ComponentError> {
        let digest = Digest::of(bytes);
        self.try_put(&name(&digest), bytes).map_err(|kind| ComponentError { digest, kind })?;
        Ok(digest)
    }

    fn try_put(&self, name: &str, bytes: &[u8]) -> Result<(), ComponentErrorKind> {
        let length = bytes.len() as u64;
        if length > COMPONENT_BYTES_MAX {
            return Err(ComponentErrorKind::TooLarge { bytes: length });
        }
        // Whoever wrote it may not have synced its name yet.
        let done = match self.read(name) {
            Ok(found) if found == bytes => self.folder.sync(name),
            Ok(_) | Err(_) => self.folder.write(name, &[bytes]),
        };
        done.map_err(ComponentErrorKind::Store)
    }

    /// The size of a component in bytes, as its file has it; none if there is no such file.
    #[must_use]
    pub fn length(&self, digest: &Digest) -> Option<u64> {
        std::fs::symlink_metadata(self.folder.path(&name(digest)))
            .ok()
            .filter(std::fs::Metadata::is_file)
            .map(|m| m.len())
    }

    /// The bytes of a component, checked against the digest. A damaged file is taken away from its name and kept.
    ///
    /// # Errors
    /// When the component is not there, is damaged, or cannot be read.
    pub fn get(&self, digest: &Digest) -> Result<Vec<u8>, ComponentError> {
        self.try_get(digest).map_err(|kind| ComponentError { digest: *digest, kind })
    }

    fn try_get(&self, digest: &Digest) -> Result<Vec<u8>, ComponentErrorKind> {
        let name = name(digest);
        match self.read(&name) {
            Ok(bytes) if Digest::of(&bytes) == *digest => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ComponentErrorKind::Missing),
            Ok(_) => Err(self.damaged(&name)),
            Err(error) if is_damage(&error) => Err(self.damaged(&name)),
            Err(source) => {
                let path = self.folder.path(&name);
                Err(ComponentErrorKind::Store(StoreError { action: "read", path, source }))
            }
        }
    }

    /// Where the bytes of a component are, if they are kept.
    pub(crate) fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.path(&name(digest))
    }

    /// How many components are kept, and their size. Looks at every file: milliseconds for thousands.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn usage(&self) -> Result<Usage, StoreError> {
        self.folder.usage()
    }

    /// Removes the components that are not used. The caller sees to it that none is being deployed meanwhile.
    ///
    /// # Errors
    /// When the folder cannot be read, or a file not be removed.
    pub fn remove_unused(&self, is_used: impl Fn(&Digest) -> bool) -> Result<Usage, StoreError> {
        let digest = |name: &str| Digest::parse(&format!("sha256:{}", name.strip_suffix(EXTENSION)?)).ok();
        // A file that is none of ours is left alone.
        self.folder.remove_unused(|name| digest(name).is_none_or(|digest| is_used(&digest)))
    }

    fn damaged(&self, name: &str) -> ComponentErrorKind {
        match self.folder.set_aside(name) {
            Ok(kept) => ComponentErrorKind::Damaged { kept },
            Err(error) => ComponentErrorKind::Store(error),
        }
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let file = self.folder.file(name)?;
        let found = file.metadata()?;
        if !found.is_file() || found.len() > COMPONENT_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or_default());
        file.take(COMPONENT_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Whether what stands under a name is not what was put there, rather than a disk that does not answer.
fn is_damage(error: &io::Error) -> bool {
    let of_a_link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    of_a_link || matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::PermissionDenied)
}

fn name(digest: &Digest) -> String {
    format!("{}{EXTENSION}", digest.to_hex())
}

#[cfg(test)]
mod tests;
