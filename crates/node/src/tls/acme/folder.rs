//! What is kept of an ACME server: the account and the certificates, in `acme/SERVER` of the data folder.
//!
//! A certificate and its key are one file, so that there is never one of another's. Files are written aside and renamed.

use sha2::{Digest as _, Sha256};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use thiserror::Error;
use zeroize::Zeroizing;

/// The largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// The account: its key and its address, as `instant-acme` writes them, version 1.
const ACCOUNT: &str = "account.1.json";

/// Something of an ACME server cannot be kept, or not read.
#[derive(Debug, Error)]
#[error("cannot {action} {}", path.display())]
pub struct AcmeFolderError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// The folder of one ACME server.
#[derive(Debug)]
pub(super) struct AcmeFolder(PathBuf);

impl AcmeFolder {
    /// The folder of the server whose directory this is: another server's account and certificates are not its own.
    pub(super) fn open(data_dir: &Path, directory: &str) -> Result<Self, AcmeFolderError> {
        let host =
            directory.split("://").nth(1).and_then(|rest| rest.split(['/', ':', '?']).next()).unwrap_or_default();
        let host: String = host.chars().filter(|one| one.is_ascii_alphanumeric() || matches!(one, '.' | '-')).collect();
        let digest = Sha256::digest(directory.as_bytes());
        let short: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let path = data_dir.join("acme").join(format!("{host}-{short}"));
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
        made.map_err(|source| AcmeFolderError { action: "create the folder", path: path.clone(), source })?;
        Ok(Self(path))
    }

    pub(super) fn account(&self) -> Result<Option<Zeroizing<Vec<u8>>>, AcmeFolderError> {
        self.read(ACCOUNT)
    }

    pub(super) fn keep_account(&self, text: &[u8]) -> Result<(), AcmeFolderError> {
        self.write(ACCOUNT, text)
    }

    pub(super) fn remove_account(&self) -> Result<(), AcmeFolderError> {
        let path = self.0.join(ACCOUNT);
        fs::remove_file(&path).map_err(|source| AcmeFolderError { action: "remove", path, source })
    }

    /// The certificate of a host and its key, in PEM.
    pub(super) fn certificate(&self, host: &str) -> Result<Option<Zeroizing<Vec<u8>>>, AcmeFolderError> {
        self.read(&format!("{host}.pem"))
    }

    pub(super) fn keep_certificate(&self, host: &str, pem: &[u8]) -> Result<(), AcmeFolderError> {
        self.write(&format!("{host}.pem"), pem)
    }

    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, AcmeFolderError> {
        let path = self.0.join(name);
        let mut text = Zeroizing::new(Vec::new());
        let read = File::open(&path).and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut text));
        match read {
            Ok(_length) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(AcmeFolderError { action: "read", path, source }),
        }
    }

    fn write(&self, name: &str, text: &[u8]) -> Result<(), AcmeFolderError> {
        let path = self.0.join(name);
        let written = || {
            // Of mode 0600, as everything that is secret.
            let mut aside = tempfile::Builder::new().prefix(".aside-").tempfile_in(&self.0)?;
            aside.write_all(text)?;
            aside.as_file().sync_all()?;
            aside.persist(&path)?;
            File::open(&self.0)?.sync_all()
        };
        written().map_err(|source| AcmeFolderError { action: "write", path: path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_kept_is_for_nobody_else() {
        let data = tempfile::tempdir().unwrap();
        let folder = AcmeFolder::open(data.path(), "https://acme.example:14000/dir").unwrap();
        assert_eq!(folder.account().unwrap(), None);
        folder.keep_account(b"one").unwrap();
        folder.keep_account(b"two").unwrap();
        folder.keep_certificate("a.example", b"pem").unwrap();
        assert_eq!(folder.account().unwrap().unwrap().as_slice(), b"two");
        assert_eq!(folder.certificate("a.example").unwrap().unwrap().as_slice(), b"pem");
        assert_eq!(folder.certificate("b.example").unwrap(), None);
        assert_eq!(mode(&data.path().join("acme")), 0o700);
        assert_eq!(mode(&folder.0), 0o700);
        assert_eq!(mode(&folder.0.join("a.example.pem")), 0o600);
        assert_eq!(mode(&folder.0.join(ACCOUNT)), 0o600);
        assert_eq!(fs::read_dir(&folder.0).unwrap().count(), 2, "nothing is left aside");
        folder.remove_account().unwrap();
        assert_eq!(folder.account().unwrap(), None);
    }

    #[test]
    fn another_server_has_another_folder() {
        let data = tempfile::tempdir().unwrap();
        AcmeFolder::open(data.path(), "https://acme.example/dir").unwrap().keep_account(b"one").unwrap();
        let other = AcmeFolder::open(data.path(), "https://acme.example/staging/dir").unwrap();
        assert_eq!(other.account().unwrap(), None);
    }
}
