//! The kinds of things that can be granted.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of thing that can be granted; its label is the key of `[component.NAME.grant]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Outbound HTTP.
    Http,
    /// Key-value stores.
    Keyvalue,
    /// Blob containers.
    Blobstore,
    /// Configuration values.
    Config,
    /// Secrets.
    Secret,
    /// Environment variables.
    Env,
    /// Folders of the host.
    File,
    /// Sockets.
    Network,
    /// SQL databases of the app's own.
    Sqlite,
    /// PostgreSQL databases that the operator runs.
    Postgres,
}

impl Capability {
    /// Every capability. Usage records count by place, so a new one goes last.
    pub const ALL: [Self; 10] = [
        Self::Http,
        Self::Keyvalue,
        Self::Blobstore,
        Self::Config,
        Self::Secret,
        Self::Env,
        Self::File,
        Self::Network,
        Self::Sqlite,
        Self::Postgres,
    ];

    /// The name in manifests, metrics and usage records.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Keyvalue => "keyvalue",
            Self::Blobstore => "blobstore",
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Config => "config",
            Self::Secret => "secret",
            Self::Env => "env",
            Self::File => "file",
            Self::Network => "network",
        }
    }

    /// The place in [`Capability::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}
