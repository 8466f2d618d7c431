//! Where a component's bytes come from.

use cumulet_spec::id::Digest;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The largest component that is read or kept, in bytes.
pub const COMPONENT_BYTES_MAX: u64 = 256 << 20;

/// A component's bytes could not be had.
#[derive(Debug, Error)]
#[error("cannot read the component {}", path.display())]
pub struct SourceError {
    path: PathBuf,
    source: io::Error,
}

impl SourceError {
    /// The file that was asked for.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the system said.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

/// Reads a component file and returns its bytes with their digest.
///
/// # Errors
/// When the file cannot be read or is larger than 256 MiB.
pub fn read_component(path: &Path) -> Result<(Vec<u8>, Digest), SourceError> {
    let fail = |source| SourceError { path: path.to_path_buf(), source };
    let length = std::fs::metadata(path).map_err(fail)?.len();
    if length > COMPONENT_BYTES_MAX {
        let text = format!("{length} bytes, and at most {COMPONENT_BYTES_MAX} are read");
        return Err(fail(io::Error::new(io::ErrorKind::FileTooLarge, text)));
    }
    let bytes = std::fs::read(path).map_err(fail)?;
    let digest = Digest::of(&bytes);
    Ok((bytes, digest))
}
