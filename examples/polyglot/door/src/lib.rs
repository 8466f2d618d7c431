//! Lets in who has a token, and has the page made for them.

pub mod check;

#[cfg(target_family = "wasm")]
mod serve;
