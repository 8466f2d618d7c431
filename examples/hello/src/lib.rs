//! Greets over `wasi:http` 0.2, and serves the small routes that benches and freshness proofs need.
//!
//! No executor and no standard library: the component is one small core module, so that what a bench measures is the
//! node and not the guest.
#![cfg_attr(target_family = "wasm", no_std)]

extern crate alloc;

pub mod page;

#[cfg(target_family = "wasm")]
mod bare;
#[cfg(target_family = "wasm")]
mod serve;
