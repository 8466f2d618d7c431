//! A guestbook in `spin:sqlite`.

pub mod answer;
pub mod database;
pub mod draft;
pub mod entries;
pub mod view;

#[cfg(target_family = "wasm")]
mod connection;
#[cfg(target_family = "wasm")]
mod serve;
