//! Bytes in, verified bytes out: digests, sources, signatures, the store of components, and the store of compiled files.
//!
//! This crate never executes anything: it knows a component as bytes with a digest, and a compiled file as bytes with a
//! seal. What comes from a registry or a URL ([`Remote`]) is a component only once it has the digest that was asked for;
//! who vouches for an app is told by [`signature`]. Both stores write a file aside, sync it and rename it, so that a name never stands for half a file.

mod compiled;
mod component;
mod credential;
mod folder;
mod key;
#[cfg(test)]
mod kill;
mod oci;
mod remote;
pub mod signature;
mod source;
mod transfer;
mod upload;

pub use compiled::{CompiledKey, CompiledStore, StoreCounts, StoredKey, VerifiedFile};
pub use component::{ComponentError, ComponentErrorKind, ComponentStore};
pub use credential::{Credential, CredentialError, CredentialErrorKind, Credentials};
pub use folder::{StoreError, Usage};
pub use key::{KeyError, NodeKey};
pub use oci::{Pulled, Pushed, Shape};
pub use remote::{FETCHED_FOLDER, FetchError, FetchedComponent, FetchedStore, Remote};
pub use source::{COMPONENT_BYTES_MAX, SourceError, read_component};
pub use transfer::{Cause, OnTransferred, TransferBounds, TransferError, TransferErrorKind, Transferred};
pub use upload::{UPLOADS_MAX, Upload, UploadError, Uploads};
