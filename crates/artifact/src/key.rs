//! The node's key: what it seals its own files with.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Length of the key, in bytes.
const KEY_BYTES: usize = 32;
/// The key's file in the data folder.
const FILE_NAME: &str = "node.key";

/// A secret that only this node has. It never leaves the data folder and is never printed.
#[derive(Clone)]
pub struct NodeKey([u8; KEY_BYTES]);

impl std::fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NodeKey(…)")
    }
}

/// The node's key could not be read or made.
#[derive(Debug, Error)]
#[error("cannot {action} the node key {}", path.display())]
pub struct KeyError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl NodeKey {
    /// Reads the key from a data folder, or makes one there, readable by its owner alone.
    ///
    /// # Errors
    /// When the file cannot be read or written, is not 32 bytes long, or is open to others.
    pub fn open(data_dir: &Path) -> Result<Self, KeyError> {
        let path = data_dir.join(FILE_NAME);
        let fail = |action, source| KeyError { action, path: path.clone(), source };
        match fs::File::open(&path) {
            Ok(mut file) => {
                let mode = file.metadata().map_err(|error| fail("read", error))?.permissions().mode();
                if mode & 0o077 != 0 {
                    let text = format!("others may read it (mode {:o}); run chmod 600, or remove it", mode & 0o777);
                    return Err(fail("trust", io::Error::other(text)));
                }
                let mut key = [0; KEY_BYTES];
                file.read_exact(&mut key).map_err(|error| fail("read", short(error)))?;
                Ok(Self(key))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Self::create(&path).map_err(|error| fail("create", error))
            }
            Err(error) => Err(fail("open", error)),
        }
    }

    /// Written aside and renamed, so that a crash leaves no half key; two processes that start at once agree, because
    /// the second one's link fails and it reads the first one's key.
    fn create(path: &Path) -> io::Result<Self> {
        let key: [u8; KEY_BYTES] = rand::random();
        let aside = path.with_extension(format!("key.{}", std::process::id()));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
        file.write_all(&key)?;
        file.sync_all()?;
        let linked = fs::hard_link(&aside, path);
        fs::remove_file(&aside)?;
        match linked {
            Ok(()) => Ok(Self(key)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let mut key = [0; KEY_BYTES];
                fs::File::open(path)?.read_exact(&mut key)?;
                Ok(Self(key))
            }
            Err(error) => Err(error),
        }
    }

    /// A key for one purpose, which tells nothing of this one.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> [u8; KEY_BYTES] {
        *self.sealer("derived key").update(purpose.as_bytes()).finalize().as_bytes()
    }

    /// What makes a seal under this key, for bytes that come piece by piece. The context says what they are.
    pub(crate) fn sealer(&self, context: &str) -> blake3::Hasher {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(context.as_bytes());
        hasher.update(&[0]);
        hasher
    }
}

fn short(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return io::Error::other(format!("it is shorter than {KEY_BYTES} bytes"));
    }
    error
}
