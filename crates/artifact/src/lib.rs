//! Bytes in, verified bytes out: digests, and the store of compiled files.
//!
//! This crate never executes anything: it knows a compiled file as bytes with a digest and a seal.

mod compiled;
mod key;
mod source;

pub use compiled::{CompiledKey, CompiledStore, StoreError};
pub use key::{KeyError, NodeKey};
pub use source::{SourceError, read_component};
