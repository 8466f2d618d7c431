//! What a component may reach. Nothing is reachable unless it is here.

mod capability;
mod config;
mod network;
mod origin;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::id::ComponentName;

pub use capability::Capability;
pub use config::ConfigSource;
pub use network::{NetworkError, NetworkGrant, NetworkHost, Protocol};
pub(crate) use origin::is_host_name;
pub use origin::{HostPattern, HttpOrigin, INSIDE, OriginError, OriginFault, Scheme};

/// Everything that one component was granted; empty by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Grants {
    /// Origins that outbound HTTP requests may go to.
    pub http: Vec<HttpGrant>,
    /// Names of key-value stores.
    pub keyvalue: Vec<String>,
    /// Names of blob containers.
    pub blobstore: Vec<String>,
    /// Names of SQL databases of the app's own.
    pub sqlite: Vec<String>,
    /// Names of PostgreSQL databases.
    pub postgres: Vec<String>,
    /// Where each configuration value comes from, by key.
    pub config: BTreeMap<String, ConfigSource>,
    /// Names of secrets, read like configuration.
    pub secret: Vec<String>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// Folders of the host.
    pub file: Vec<FileGrant>,
    /// Sockets.
    pub network: Vec<NetworkGrant>,
}

impl Grants {
    /// Whether an outbound request to this place was granted, and with which options.
    ///
    /// The first grant that allows it decides, a grant that lets responses be kept before one that does not.
    #[must_use]
    pub fn http_to(&self, scheme: Scheme, host: &str, port: u16) -> Option<&HttpGrant> {
        let mut allowing = self.http.iter().filter(|grant| grant.origin.allows(scheme, host, port));
        let first = allowing.next()?;
        if first.cache { Some(first) } else { allowing.find(|grant| grant.cache).or(Some(first)) }
    }

    /// Whether requests to another component of the app were granted.
    #[must_use]
    pub fn calls(&self, component: &ComponentName) -> bool {
        self.http_to(Scheme::Http, &format!("{component}.{INSIDE}"), Scheme::Http.default_port()).is_some()
    }

    /// The granted names of a kind of store; `None` for what is no store.
    #[must_use]
    pub fn store_names(&self, capability: Capability) -> Option<&[String]> {
        match capability {
            Capability::Keyvalue => Some(&self.keyvalue),
            Capability::Blobstore => Some(&self.blobstore),
            Capability::Sqlite => Some(&self.sqlite),
            Capability::Postgres => Some(&self.postgres),
            Capability::Http
            | Capability::Config
            | Capability::Secret
            | Capability::Env
            | Capability::File
            | Capability::Network => None,
        }
    }

    /// What was granted of a capability, each entry as people know it: a name, a place, a key.
    #[must_use]
    pub fn entries(&self, capability: Capability) -> Vec<String> {
        match capability {
            Capability::Http => self.http.iter().map(|grant| grant.origin.to_string()).collect(),
            Capability::Keyvalue => self.keyvalue.clone(),
            Capability::Blobstore => self.blobstore.clone(),
            Capability::Sqlite => self.sqlite.clone(),
            Capability::Postgres => self.postgres.clone(),
            Capability::Config => self.config.keys().cloned().collect(),
            Capability::Secret => self.secret.clone(),
            Capability::Env => self.env.keys().cloned().collect(),
            Capability::File => self.file.iter().map(|grant| grant.at.clone()).collect(),
            Capability::Network => self.network.iter().map(ToString::to_string).collect(),
        }
    }

    /// Whether anything of this capability was granted.
    #[must_use]
    pub fn has(&self, capability: Capability) -> bool {
        match capability {
            Capability::Http => !self.http.is_empty(),
            Capability::Keyvalue => !self.keyvalue.is_empty(),
            Capability::Blobstore => !self.blobstore.is_empty(),
            Capability::Sqlite => !self.sqlite.is_empty(),
            Capability::Postgres => !self.postgres.is_empty(),
            Capability::Config => !self.config.is_empty(),
            Capability::Secret => !self.secret.is_empty(),
            Capability::Env => !self.env.is_empty(),
            Capability::File => !self.file.is_empty(),
            Capability::Network => !self.network.is_empty(),
        }
    }
}

/// Outbound HTTP to one origin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpGrant {
    /// Where requests may go.
    pub origin: HttpOrigin,
    /// Whether the host may keep responses for this component as an RFC 9111 private cache may.
    #[serde(default)]
    pub cache: bool,
}

impl From<HttpOrigin> for HttpGrant {
    fn from(origin: HttpOrigin) -> Self {
        Self { origin, cache: false }
    }
}

/// A folder of the host that the guest sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileGrant {
    /// The folder on the host; relative to the manifest until the app is resolved.
    pub from: PathBuf,
    /// The absolute path under which the guest finds it.
    pub at: String,
    /// Whether the guest may change what is there.
    #[serde(default)]
    pub write: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_that_caches_goes_first() {
        let grant = |origin: &str, cache| HttpGrant { origin: HttpOrigin::parse(origin).unwrap(), cache };
        let grants = Grants {
            http: vec![grant("https://*.example.com", false), grant("https://keys.example.com", true)],
            ..Grants::default()
        };
        let cached = |host| grants.http_to(Scheme::Https, host, 443).map(|grant| grant.cache);
        assert_eq!(cached("keys.example.com"), Some(true));
        assert_eq!(cached("api.example.com"), Some(false));
        assert_eq!(cached("example.com"), None);
        assert_eq!(grants.http_to(Scheme::Http, "keys.example.com", 80), None);
    }

    #[test]
    fn nothing_is_granted_by_default() {
        let grants = Grants::default();
        assert!(Capability::ALL.iter().all(|capability| !grants.has(*capability)));
        assert_eq!(grants.http_to(Scheme::Https, "example.com", 443), None);
    }
}
