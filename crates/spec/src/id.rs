//! Names and identifiers: of apps, components, tenants, nodes, contents, keys, requests and invocations.

mod app;
mod digest;
mod key;
mod name;
mod request;

pub use app::AppId;
pub use digest::{Digest, DigestError};
pub use key::{KeyId, KeyIdError, PublicKey, PublicKeyError};
pub use name::{AppName, ComponentName, IdError, NAME_BYTES_MAX, NodeName, TenantId};
pub use request::{InvocationId, REQUEST_ID_BYTES_MAX, RequestId};
