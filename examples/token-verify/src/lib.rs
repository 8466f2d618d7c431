//! Verifies JSON Web Tokens (RFC 7519) that are signed with RS256, ES256 or EdDSA, against a JSON Web Key Set (RFC 7517).

pub mod answer;

pub use web_token::{claims, keys, signature, token};

#[cfg(target_family = "wasm")]
mod fetch;
#[cfg(target_family = "wasm")]
mod serve;
