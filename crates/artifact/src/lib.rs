//! Bytes in, verified bytes out: digests, the store of components, and the store of compiled files.
//!
//! This crate never executes anything: it knows a component as bytes with a digest, and a compiled file as bytes with a
//! seal. Both stores write a file aside, sync it and rename it, so that a name never stands for half a file.

mod compiled;
mod component;
mod folder;
mod key;
#[cfg(test)]
mod kill;
mod source;
mod upload;

pub use compiled::{CompiledKey, CompiledStore, StoreCounts, StoredKey, VerifiedFile};
pub use component::{ComponentError, ComponentErrorKind, ComponentStore};
pub use folder::{StoreError, Usage};
pub use key::{KeyError, NodeKey};
pub use source::{COMPONENT_BYTES_MAX, SourceError, read_component};
pub use upload::{UPLOADS_MAX, Upload, UploadError, Uploads};
