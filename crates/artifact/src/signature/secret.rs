//! The secret half of a key that signs: a file that only its owner reads.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cumulet_spec::id::PublicKey;
use ed25519_dalek::{Signature, Signer as _};
use rustix::fs::{Mode, OFlags};
use thiserror::Error;
use zeroize::Zeroizing;

/// What the written form begins with.
const SECRET_KEY: &str = "cumulet-secret-key:ed25519:";
/// The most of a file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 256;

/// A key that signs. It is never printed, and wiped from memory when it is dropped.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

/// A key that signs could not be read or made.
#[derive(Debug, Error)]
#[error("cannot {action} the signing key {}", path.display())]
pub struct SigningKeyError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl SigningKeyError {
    /// What the system said.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

impl SigningKey {
    /// A new key, from the system's randomness.
    #[must_use]
    pub fn generate() -> Self {
        let seed = Zeroizing::new(rand::random::<[u8; 32]>());
        Self(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// The key that others verify with.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey::from_bytes(self.0.verifying_key().to_bytes())
    }

    /// Reads a key.
    ///
    /// # Errors
    /// When the file cannot be read, is no such key, or can be read by others than its owner.
    pub fn open(path: &Path) -> Result<Self, SigningKeyError> {
        let fail = |action, source| SigningKeyError { action, path: path.to_owned(), source };
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| fail("open", error.into()))?;
        let file = fs::File::from(file);
        let mode = file.metadata().map_err(|error| fail("read", error))?.permissions().mode();
        if mode & 0o077 != 0 {
            let text = format!(
                "others may read it (mode {:o}); run chmod 600, or make another with `cumulet key new`",
                mode & 0o777
            );
            return Err(fail("trust", io::Error::other(text)));
        }
        let mut text = Zeroizing::new(String::new());
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(|error| fail("read", error))?;
        let unfit = || io::Error::other("it is not what `cumulet key new` writes; name the file that it wrote");
        parse(&text).ok_or_else(|| fail("read", unfit()))
    }

    /// Writes the key to a new file that only its owner reads.
    ///
    /// # Errors
    /// When there is a file of that name, or it cannot be written.
    pub fn create(&self, path: &Path) -> Result<(), SigningKeyError> {
        let fail = |source| SigningKeyError { action: "create", path: path.to_owned(), source };
        let text =
            Zeroizing::new(format!("{SECRET_KEY}{}\n", BASE64_STANDARD.encode(Zeroizing::new(self.0.to_bytes()))));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(fail)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(fail)
    }

    pub(super) fn sign(&self, text: &[u8]) -> Signature {
        self.0.sign(text)
    }
}

fn parse(text: &str) -> Option<SigningKey> {
    let base64 = text.trim_end().strip_prefix(SECRET_KEY)?;
    let bytes = Zeroizing::new(BASE64_STANDARD.decode(base64).ok()?);
    let seed: Zeroizing<[u8; 32]> = Zeroizing::new(bytes.as_slice().try_into().ok()?);
    Some(SigningKey(ed25519_dalek::SigningKey::from_bytes(&seed)))
}
