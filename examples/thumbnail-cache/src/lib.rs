//! Thumbnails of pictures from elsewhere, kept in `wasi:blobstore`.

pub mod answer;
pub mod ask;
pub mod shelf;
pub mod source;

#[cfg(target_family = "wasm")]
mod container;
#[cfg(target_family = "wasm")]
mod fetch;
#[cfg(target_family = "wasm")]
mod serve;
