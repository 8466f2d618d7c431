//! Tokens (RFC 7519) signed with RS256, ES256 or EdDSA, held against a key set (RFC 7517): what the apps that ask for a
//! token share.

pub mod claims;
pub mod keys;
mod rsa;
pub mod signature;
pub mod token;
mod verify;

pub use verify::{Rejection, bearer, verify};
