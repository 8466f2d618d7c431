//! The store of compiled files: native code is trusted only if this node made it.

use crate::key::NodeKey;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What a compiled file was made from, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompiledKey {
    /// The component's SHA-256, as 64 hexadecimal characters.
    pub digest: String,
    /// The class of engine.
    pub class: &'static str,
    /// The engine's release and settings, as 16 hexadecimal characters.
    pub fingerprint: String,
}

impl CompiledKey {
    fn name(&self) -> String {
        format!("{}-{}-{}", self.digest, self.class, self.fingerprint)
    }
}

/// A compiled file could not be stored or found.
#[derive(Debug, Error)]
#[error("cannot {action} {}", path.display())]
pub struct StoreError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// A folder of compiled files that nobody but this node writes.
///
/// Each file `NAME.cwasm` stands beside `NAME.seal`, its BLAKE3 under the node's key and its name. Files are written
/// aside and renamed, and never written again: they are mapped while guests run.
#[derive(Debug)]
pub struct CompiledStore {
    folder: PathBuf,
    key: NodeKey,
}

impl CompiledStore {
    /// Opens the store in a data folder, making its folder with mode 0700 if it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(data_dir: &Path, key: NodeKey) -> Result<Self, StoreError> {
        let folder = data_dir.join("compiled");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|source| StoreError {
            action: "create the folder",
            path: folder.clone(),
            source,
        })?;
        Ok(Self { folder, key })
    }

    /// The verified file for a key, if there is one. Reads the whole file.
    ///
    /// A file whose seal is missing or does not fit is as good as none: it is removed, and the caller compiles anew.
    #[must_use]
    pub fn find(&self, key: &CompiledKey) -> Option<PathBuf> {
        let name = key.name();
        let path = self.path(&name, "cwasm");
        let bytes = fs::read(&path).ok()?;
        let expected = fs::read_to_string(self.path(&name, "seal")).ok();
        let sealed = expected
            .and_then(|text| blake3::Hash::from_hex(text.trim()).ok())
            // Comparing two hashes of this type takes the same time wherever they differ.
            .is_some_and(|expected| expected == self.key.seal(&name, &bytes));
        if sealed {
            return Some(path);
        }
        // What cannot be removed is overwritten by the rename in `put`.
        drop(fs::remove_file(&path));
        None
    }

    /// Stores a compiled file and returns its path.
    ///
    /// # Errors
    /// When the files cannot be written or renamed.
    pub fn put(&self, key: &CompiledKey, bytes: &[u8]) -> Result<PathBuf, StoreError> {
        let name = key.name();
        let seal = self.key.seal(&name, bytes).to_hex();
        // The seal first: a crash in between leaves a seal without a file, which is harmless.
        self.write(&self.path(&name, "seal"), seal.as_bytes())?;
        let path = self.path(&name, "cwasm");
        self.write(&path, bytes)?;
        Ok(path)
    }

    fn path(&self, name: &str, extension: &str) -> PathBuf {
        self.folder.join(format!("{name}.{extension}"))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let attempt = || -> io::Result<()> {
            let mut file = tempfile::Builder::new()
                .prefix(".aside-")
                .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
                .tempfile_in(&self.folder)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
            // The rename itself is durable once the folder is.
            fs::OpenOptions::new().read(true).custom_flags(0).open(&self.folder)?.sync_all()
        };
        attempt().map_err(|source| StoreError { action: "write", path: path.to_path_buf(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> CompiledKey {
        CompiledKey { digest: "ab".repeat(32), class: "plain", fingerprint: "0123456789abcdef".into() }
    }

    fn store(folder: &Path) -> CompiledStore {
        CompiledStore::open(folder, NodeKey::open(folder).unwrap()).unwrap()
    }

    #[test]
    fn what_was_put_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = store(folder.path()).put(&key(), b"code").unwrap();
        assert_eq!(store(folder.path()).find(&key()), Some(path));
    }

    #[test]
    fn every_way_to_tamper_is_refused() {
        type Tamper = fn(&Path);
        let ways: [(&str, Tamper); 4] = [
            ("changed", |path| fs::write(path, b"evil").unwrap()),
            ("truncated", |path| fs::write(path, b"cod").unwrap()),
            ("seal removed", |path| fs::remove_file(path.with_extension("seal")).unwrap()),
            ("seal of another key", |path| {
                let other = tempfile::tempdir().unwrap();
                let theirs = store(other.path()).put(&key(), b"evil").unwrap();
                fs::copy(&theirs, path).unwrap();
                fs::copy(theirs.with_extension("seal"), path.with_extension("seal")).unwrap();
            }),
        ];
        for (name, tamper) in ways {
            let folder = tempfile::tempdir().unwrap();
            let store = store(folder.path());
            let path = store.put(&key(), b"code").unwrap();
            tamper(&path);
            assert_eq!(store.find(&key()), None, "{name}");
        }
    }

    #[test]
    fn a_seal_holds_for_one_name_only() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        let path = store.put(&key(), b"code").unwrap();
        let other = CompiledKey { class: "async", ..key() };
        let stolen = path.with_file_name(format!("{}.cwasm", other.name()));
        fs::copy(&path, &stolen).unwrap();
        fs::copy(path.with_extension("seal"), stolen.with_extension("seal")).unwrap();
        assert_eq!(store.find(&other), None);
    }
}
