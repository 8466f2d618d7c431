//! Where a configuration value comes from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The source of one configuration value.
///
/// Written `"text"`, `{ file = "flags.json" }` or `{ env = "REGION" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfigSource {
    /// The manifest itself.
    Text(String),
    /// A file of text, relative to the manifest; read again when it changes.
    File(PathBuf),
    /// A variable of the node's environment, read when the app is loaded.
    Env(String),
}

impl From<&str> for ConfigSource {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
