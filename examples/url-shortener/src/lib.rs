//! Short links that count their visits, in `wasi:keyvalue`.

pub mod answer;
pub mod links;
pub mod slug;
pub mod store;
pub mod view;

#[cfg(target_family = "wasm")]
mod bucket;
#[cfg(target_family = "wasm")]
mod serve;
