//! Secrets at rest: one file, each value encrypted under a key that only this node has.
//!
//! XChaCha20-Poly1305 with a random nonce for each value; the app and the name are authenticated with it, so that nobody
//! who can write the file can give one app the value of another. The file is replaced as a whole and synced.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use cumulet_spec::id::AppId;
use cumulet_spec::sensitive::Sensitive;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use thiserror::Error;
use zeroize::Zeroizing;

/// The file in the data folder.
const FILE_NAME: &str = "secrets.json";
/// The format that this build writes, and the only one that it reads.
const VERSION: u32 = 1;
/// The longest secret, in bytes.
pub const SECRET_BYTES_MAX: usize = 64 << 10;
/// Length of a nonce, in bytes.
const NONCE_BYTES: usize = 24;

/// The secrets of a data folder.
pub struct Vault {
    path: PathBuf,
    cipher: XChaCha20Poly1305,
    sealed: Sealed,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The file: for each app and name, the nonce and the encrypted value in hexadecimal digits.
#[derive(Debug, Serialize, Deserialize)]
struct Sealed {
    version: u32,
    secrets: BTreeMap<String, BTreeMap<String, String>>,
}

impl Default for Sealed {
    fn default() -> Self {
        Self { version: VERSION, secrets: BTreeMap::new() }
    }
}

/// The secrets could not be read or written.
#[derive(Debug, Error)]
#[error("cannot {action} the secrets in {}", path.display())]
pub struct VaultError {
    action: &'static str,
    path: PathBuf,
    /// What is wrong.
    #[source]
    pub kind: VaultErrorKind,
}

/// What is wrong with the secrets.
#[derive(Debug, Error)]
pub enum VaultErrorKind {
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is not one of ours.
    #[error("the file is damaged: restore it, or remove it and set the secrets again")]
    Damaged,
    /// The file is of a later version.
    #[error("the file has format {0}, which a later version of this program wrote")]
    Version(u32),
    /// A value that this node's key does not open.
    #[error("`{0}` was encrypted under another key, or changed: set it again")]
    Foreign(String),
    /// A value that is too long.
    #[error("a secret has at most {SECRET_BYTES_MAX} bytes")]
    TooLong,
}

impl Vault {
    /// Opens the secrets of a data folder; there are none if it has no such file.
    ///
    /// # Errors
    /// When the file cannot be read, or is not one of ours.
    pub fn open(data_dir: &Path, key: [u8; 32]) -> Result<Self, VaultError> {
        let key = Zeroizing::new(key);
        let path = data_dir.join(FILE_NAME);
        let fail = |kind| VaultError { action: "read", path: path.clone(), kind };
        let sealed = match fs::read(&path) {
            Ok(bytes) => read(&bytes).map_err(fail)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Sealed::default(),
            Err(error) => return Err(fail(error.into())),
        };
        let cipher = XChaCha20Poly1305::new((&*key).into());
        Ok(Self { path, cipher, sealed })
    }

    /// The names of an app's secrets.
    #[must_use]
    pub fn names(&self, app: &AppId) -> Vec<String> {
        self.sealed.secrets.get(&app.to_string()).into_iter().flat_map(|secrets| secrets.keys().cloned()).collect()
    }

    /// A secret, if the app has one of this name.
    ///
    /// # Errors
    /// When it does not open under this key.
    pub fn get(&self, app: &AppId, name: &str) -> Result<Option<Sensitive>, VaultError> {
        let Some(sealed) = self.sealed.secrets.get(&app.to_string()).and_then(|secrets| secrets.get(name)) else {
            return Ok(None);
        };
        let foreign = || self.fail("read", VaultErrorKind::Foreign(name.to_owned()));
        let bytes = hex::decode(sealed).map_err(|_not_hex| foreign())?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_BYTES).ok_or_else(foreign)?;
        let nonce = XNonce::try_from(nonce).map_err(|_length| foreign())?;
        let place = place(app, name);
        let opened = self.cipher.decrypt(&nonce, Payload { msg: sealed, aad: place.as_bytes() });
        let text = opened.ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(foreign)?;
        Ok(Some(Sensitive::new(text)))
    }

    /// Sets a secret. It is on disk when this returns.
    ///
    /// # Errors
    /// When it is too long, or the file cannot be written.
    pub fn set(&mut self, app: &AppId, name: &str, value: &Sensitive) -> Result<(), VaultError> {
        if value.reveal().len() > SECRET_BYTES_MAX {
            return Err(self.fail("write", VaultErrorKind::TooLong));
        }
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let place = place(app, name);
        let payload = Payload { msg: value.reveal().as_bytes(), aad: place.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_too_long| self.fail("write", VaultErrorKind::TooLong))?;
        let text = hex::encode([nonce.as_slice(), &sealed].concat());
        self.sealed.secrets.entry(app.to_string()).or_default().insert(name.to_owned(), text);
        self.save()
    }

    /// Removes a secret, and says whether there was one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn remove(&mut self, app: &AppId, name: &str) -> Result<bool, VaultError> {
        let removed = self.sealed.secrets.get_mut(&app.to_string()).and_then(|secrets| secrets.remove(name));
        if removed.is_some() {
            self.save()?;
        }
        Ok(removed.is_some())
    }

    fn save(&self) -> Result<(), VaultError> {
        write(&self.path, &self.sealed).map_err(|error| self.fail("write", error.into()))
    }

    fn fail(&self, action: &'static str, kind: VaultErrorKind) -> VaultError {
        VaultError { action, path: self.path.clone(), kind }
    }
}

/// What a value is authenticated with besides itself. Neither part can hold the separator.
fn place(app: &AppId, name: &str) -> String {
    format!("{app}\0{name}")
}

fn read(bytes: &[u8]) -> Result<Sealed, VaultErrorKind> {
    /// Read first: what else stands in the file depends on it.
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let Version { version } = serde_json::from_slice(bytes).map_err(|_not_ours| VaultErrorKind::Damaged)?;
    if version != VERSION {
        return Err(VaultErrorKind::Version(version));
    }
    serde_json::from_slice(bytes).map_err(|_not_ours| VaultErrorKind::Damaged)
}

/// Written aside, synced and renamed, so that a crash leaves the old file or the new one.
fn write(path: &Path, sealed: &Sealed) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let aside = path.with_extension(format!("json.{}", std::process::id()));
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    file.write_all(&serde_json::to_vec_pretty(sealed).map_err(io::Error::other)?)?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(name: &str) -> AppId {
        name.parse().unwrap()
    }

    fn secret(text: &str) -> Sensitive {
        Sensitive::new(text.to_owned())
    }

    #[test]
    fn a_secret_survives_and_stands_nowhere_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let mut vault = Vault::open(dir.path(), [7; 32]).unwrap();
        vault.set(&app("shop"), "JWT_KEY", &secret("correct horse")).unwrap();
        vault.set(&app("shop"), "EMPTY", &secret("")).unwrap();
        let vault = Vault::open(dir.path(), [7; 32]).unwrap();
        assert_eq!(vault.get(&app("shop"), "JWT_KEY").unwrap(), Some(secret("correct horse")));
        assert_eq!(vault.get(&app("shop"), "EMPTY").unwrap(), Some(secret("")));
        assert_eq!(vault.get(&app("other"), "JWT_KEY").unwrap(), None);
        assert_eq!(vault.names(&app("shop")), ["EMPTY", "JWT_KEY"]);
        let file = fs::read_to_string(dir.path().join(FILE_NAME)).unwrap();
        assert!(!file.contains("correct") && !file.contains(&hex::encode("correct horse")), "{file}");
    }

    #[test]
    fn what_was_removed_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let mut vault = Vault::open(dir.path(), [7; 32]).unwrap();
        vault.set(&app("shop"), "A", &secret("a")).unwrap();
        assert!(vault.remove(&app("shop"), "A").unwrap());
        assert!(!vault.remove(&app("shop"), "A").unwrap());
        let vault = Vault::open(dir.path(), [7; 32]).unwrap();
        assert_eq!(vault.get(&app("shop"), "A").unwrap(), None);
    }

    #[test]
    fn a_value_opens_only_in_its_place_and_under_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let mut vault = Vault::open(dir.path(), [7; 32]).unwrap();
        vault.set(&app("shop"), "A", &secret("a")).unwrap();
        let stolen = vault.sealed.secrets["shop"]["A"].clone();
        vault.sealed.secrets.entry("thief".to_owned()).or_default().insert("A".to_owned(), stolen.clone());
        vault.sealed.secrets.entry("shop".to_owned()).or_default().insert("B".to_owned(), stolen);
        assert!(vault.get(&app("shop"), "A").is_ok());
        assert!(matches!(vault.get(&app("thief"), "A").unwrap_err().kind, VaultErrorKind::Foreign(_)));
        assert!(matches!(vault.get(&app("shop"), "B").unwrap_err().kind, VaultErrorKind::Foreign(_)));
        let other = Vault::open(dir.path(), [8; 32]).unwrap();
        assert!(matches!(other.get(&app("shop"), "A").unwrap_err().kind, VaultErrorKind::Foreign(_)));
    }

    #[test]
    fn a_file_that_is_not_ours_is_refused() {
        let check = |text: &str, expected: &str| {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(FILE_NAME), text).unwrap();
            let error = Vault::open(dir.path(), [7; 32]).unwrap_err();
            assert_eq!(error.kind.to_string(), expected, "{text}");
        };
        let damaged = "the file is damaged: restore it, or remove it and set the secrets again";
        check("", damaged);
        check("{", damaged);
        check("{\"version\":1}", damaged);
        check("{\"version\":2}", "the file has format 2, which a later version of this program wrote");
    }

    #[test]
    fn too_long_a_secret_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut vault = Vault::open(dir.path(), [7; 32]).unwrap();
        let error = vault.set(&app("shop"), "A", &secret(&"x".repeat(SECRET_BYTES_MAX + 1))).unwrap_err();
        assert!(matches!(error.kind, VaultErrorKind::TooLong));
        assert_eq!(vault.names(&app("shop")), Vec::<String>::new());
    }
}
