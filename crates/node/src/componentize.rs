//! A component out of a core module: for languages whose compilers know preview 1 of WASI and no components.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use thiserror::Error;
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

use crate::check::Kind;
use crate::publish;

/// A module that did not become a component.
#[derive(Debug, Error)]
pub enum ComponentizeError {
    /// The module cannot be read.
    #[error("cannot read {}", path.display())]
    Module {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It holds something else, or nothing valid.
    #[error("{} is no core module: {reason}", path.display())]
    NoModule {
        /// The file.
        path: PathBuf,
        /// What it is, or what is wrong with it.
        reason: String,
    },
    /// The interfaces cannot be read, or have no such world.
    #[error("cannot use the interfaces in {}: {reason}", path.display())]
    Wit {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong, with the place where it is known.
        reason: String,
    },
    /// The module does not fit the world.
    #[error("{} does not fit its world: {reason}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is missing or different.
        reason: String,
    },
    /// The component cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A program in a core module that did not become a component.
#[derive(Debug, Error)]
#[error("it is a core module that cannot be made a component: {0}")]
pub struct ProgramError(String);

/// The component of a program that is a core module of preview 1; none for bytes that are anything else. Blocks.
///
/// # Errors
/// When the module imports or exports what the adapter does not know.
pub(crate) fn program(bytes: &[u8]) -> Result<Option<Vec<u8>>, ProgramError> {
    // What is wrong with bytes that cannot be read is told where they are compiled.
    if !cumulet_engine::inspect::inspect(bytes).is_ok_and(|inspection| inspection.kind == Kind::CommandP1) {
        return Ok(None);
    }
    let module = wat::parse_bytes(bytes).map_err(|error| ProgramError(error.to_string()))?;
    // The library was not written for hostile bytes.
    let component = catch_unwind(AssertUnwindSafe(|| encoded(&module, Kind::CommandP1)));
    let component = component.unwrap_or_else(|_panic| Err("the library broke on it".to_owned()));
    component.map(Some).map_err(ProgramError)
}

/// Reads the core module at `module`, gives it the types of `world` in `wit` (a file, or a folder with `deps`), puts an
/// adapter between what it imports of preview 1 and WASI 0.2, and writes the component aside and renames it. Returns its
/// size in bytes. Blocks.
///
/// Without `world`, `wit` has to hold exactly one.
///
/// # Errors
/// When a file cannot be read or written, or when module and world do not fit.
pub fn componentize(module: &Path, wit: &Path, world: Option<&str>, output: &Path) -> Result<usize, ComponentizeError> {
    let bytes =
        std::fs::read(module).map_err(|source| ComponentizeError::Module { path: module.to_owned(), source })?;
    let no_module = |reason: String| ComponentizeError::NoModule { path: module.to_owned(), reason };
    let inspection = cumulet_engine::inspect::inspect(&bytes).map_err(|error| no_module(error.to_string()))?;
    if !inspection.kind.is_core_module() {
        return Err(no_module(format!("it is a {} already", inspection.kind)));
    }
    let bytes = wat::parse_bytes(&bytes).map_err(|error| no_module(error.to_string()))?.into_owned();
    let typed = typed(bytes, wit, world).map_err(|reason| ComponentizeError::Wit { path: wit.to_owned(), reason })?;
    let component = encoded(&typed, inspection.kind)
        .map_err(|reason| ComponentizeError::Unfit { path: module.to_owned(), reason })?;
    publish::write(&component, output)
        .map_err(|source| ComponentizeError::Write { path: output.to_owned(), source })?;
    Ok(component.len())
}

/// The module with a section that says which world it is for.
fn typed(mut module: Vec<u8>, wit: &Path, world: Option<&str>) -> Result<Vec<u8>, String> {
    let mut resolve = Resolve { all_features: true, ..Resolve::default() };
    let (package, _) = resolve.push_path(wit).map_err(|error| format!("{error:#}"))?;
    let world = resolve.select_world(&[package], world).map_err(|error| format!("{error:#}"))?;
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .map_err(|error| format!("{error:#}"))?;
    Ok(module)
}

fn encoded(module: &[u8], kind: Kind) -> Result<Vec<u8>, String> {
    let adapter = match kind {
        Kind::CommandP1 => WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
        _ => WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
    };
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|encoder| encoder.adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter))
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| format!("{error:#}"))
}
