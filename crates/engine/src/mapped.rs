//! Compiled files are mapped into memory. The one file with `unsafe` code.
#![allow(unsafe_code, reason = "mapping machine code that was made by this node is unsafe by nature")]

use crate::class::EngineClass;
use crate::compile::Compiled;
use crate::engines::Engines;
use std::path::Path;
use thiserror::Error;
use wasmtime::component::Component;

/// A compiled file could not be mapped.
#[derive(Debug, Error)]
#[error("the compiled file does not load: {source:#}")]
pub struct LoadError {
    source: wasmtime::Error,
}

/// Maps a compiled file.
///
/// The caller vouches that this node wrote the file, that it was verified, and that nobody changes it while it is
/// mapped: only the store of compiled files may call this. Blocks for tens of microseconds.
///
/// # Errors
/// When the file is missing, or was compiled by another release or with other settings; when there can be no engine.
pub fn load(engines: &Engines, class: EngineClass, path: &Path) -> Result<Compiled, LoadError> {
    let engine = engines.get(class).map_err(|error| LoadError { source: error.into() })?;
    // SAFETY: the store of compiled files authenticates what it hands out under this node's key, writes files aside
    // and renames them, and never opens one for writing again.
    let component = unsafe { Component::deserialize_file(engine, path) };
    component.map(|component| Compiled::new(component, class)).map_err(|source| LoadError { source })
}
