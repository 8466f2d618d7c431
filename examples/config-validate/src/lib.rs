//! Validates configuration, YAML or JSON, against JSON Schema (draft 2020-12), and says where in the file each error is.

pub mod answer;
pub mod check;
pub mod document;
pub mod json;
pub mod schemas;
pub mod yaml;

#[cfg(target_family = "wasm")]
mod serve;
