//! A component on its way to a registry, and back.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use cumulet_artifact::{SourceError, read_component};
use thiserror::Error;

use crate::check::{InspectError, Inspection};

pub use cumulet_artifact::{Pulled, Pushed, Shape};

/// A component as a registry keeps it.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its bytes, in the binary format.
    pub bytes: Bytes,
    /// What it is.
    pub shape: Shape,
}

/// A file that cannot be pushed.
#[derive(Debug, Error)]
#[error("cannot use the component {}", path.display())]
pub struct PackageError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub kind: PackageErrorKind,
}

/// What is wrong with a file.
#[derive(Debug, Error)]
pub enum PackageErrorKind {
    /// It cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It holds no valid WebAssembly.
    #[error(transparent)]
    Invalid(#[from] InspectError),
}

/// Reads a component file, validates the whole of it, and makes its text format binary. Blocks.
///
/// # Errors
/// When it cannot be read or is not valid WebAssembly.
pub fn package(path: &Path) -> Result<Package, PackageError> {
    try_package(path).map_err(|kind| PackageError { path: path.to_owned(), kind })
}

fn try_package(path: &Path) -> Result<Package, PackageErrorKind> {
    let (bytes, _digest) = read_component(path)?;
    let inspection = cumulet_engine::inspect::inspect(&bytes)?;
    cumulet_engine::inspect::validate(&bytes)?;
    let binary =
        wat::parse_bytes(&bytes).map_err(|error| InspectError::Text { message: error.to_string() })?.into_owned();
    Ok(Package { bytes: binary.into(), shape: shape(inspection) })
}

fn shape(inspection: Inspection) -> Shape {
    if inspection.kind.is_core_module() {
        return Shape::Module;
    }
    Shape::Component { imports: inspection.imports, exports: inspection.exports }
}

/// Checks that bytes are WebAssembly, and writes them aside and renames them: there is never half a file. Blocks.
///
/// # Errors
/// When they are not, or cannot be written.
pub fn unpack(bytes: &[u8], path: &Path) -> Result<Inspection, UnpackError> {
    let inspection = cumulet_engine::inspect::inspect(bytes).map_err(UnpackError::Invalid)?;
    write(bytes, path).map_err(UnpackError::Write)?;
    Ok(inspection)
}

/// What was pulled cannot be kept.
#[derive(Debug, Error)]
pub enum UnpackError {
    /// It is no WebAssembly.
    #[error(transparent)]
    Invalid(InspectError),
    /// It cannot be written.
    #[error(transparent)]
    Write(io::Error),
}

/// Writes a file aside and renames it.
///
/// # Errors
/// When it cannot be written.
pub fn write(bytes: &[u8], path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    let mut file =
        tempfile::Builder::new().prefix(".cumulet-").permissions(Permissions::from_mode(0o644)).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
