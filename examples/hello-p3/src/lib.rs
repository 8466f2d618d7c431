//! The component `hello` again, over `wasi:http` 0.3: an asynchronous handler and the component model's own streams.
//!
//! Pages and allocator are the same files as in `hello`, so that a comparison of the two compares the interfaces.
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

#[path = "../../hello/src/page.rs"]
pub mod page;

#[cfg(target_family = "wasm")]
#[path = "../../hello/src/bare.rs"]
mod bare;
#[cfg(target_family = "wasm")]
mod serve;
