//! Makes photographs smaller over HTTP: a body in, a smaller one out. The crate `picture` does the work, a row at a time.

pub mod ask;
pub mod pipeline;

#[cfg(target_family = "wasm")]
mod serve;
