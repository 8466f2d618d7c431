//! The configuration of a node: the file of `cumulet node --config FILE`.

mod error;
mod logs;
mod machine;
mod quota;
mod root;
mod signing;
mod tenant;
mod tls;
mod value;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::document::Problem;
use crate::id::{AppName, NodeName, PublicKey, TenantId};
use crate::quantity::Bytes;
use crate::quota::{Quota, Weight};

pub use error::NodeConfigError;
pub use tls::{Acme, AcmeChallenge, CertificateFiles, TLS_CERTIFICATES_MAX, Tls, TlsVersion};

/// The version of the form, which `node = 1` states.
pub const NODE_CONFIG_FORMAT: i64 = 1;

/// The largest configuration that is read, in bytes.
pub const NODE_CONFIG_BYTES_MAX: usize = 4 << 20;

/// A node's configuration, in which everything that can be known without looking at the machine has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeConfig {
    /// The node's name.
    pub name: NodeName,
    /// Below which apps answer, as `APP.TENANT.DOMAIN`, in lower case.
    pub domain: String,
    /// Where it serves.
    pub listen: SocketAddr,
    /// Where its admin listens.
    pub admin: SocketAddr,
    /// Under which names, besides addresses and `localhost`, its admin is asked for; at most
    /// [`ADMIN_HOSTS_MAX`](Self::ADMIN_HOSTS_MAX), in lower case.
    pub admin_hosts: Vec<String>,
    /// How it speaks TLS, beside plain HTTP; not at all when there is none.
    pub tls: Option<Tls>,
    /// Where it keeps its data, relative to the file; the system's place when there is none.
    pub data_dir: Option<PathBuf>,
    /// What the node as a whole may use.
    pub limits: NodeLimits,
    /// What compiling may use.
    pub compile: CompileLimits,
    /// What logs may take of the disk.
    pub logs: LogLimits,
    /// For tenants that are not named.
    pub default: Share,
    /// The tenants that are.
    pub tenants: BTreeMap<TenantId, Tenant>,
    /// What is allowed but probably not meant.
    pub warnings: Vec<Problem>,
}

/// What a node as a whole may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeLimits {
    /// Instances at once, from 1 to [`NodeLimits::SLOTS_MAX`]; sized from the machine when there is none.
    pub slots: Option<u32>,
    /// Code that is loaded at once, compiled; sized from the machine when there is none.
    pub loaded: Option<Bytes>,
    /// How long a guest runs before another one's turn comes, from [`NodeLimits::SLICE_MIN`] to
    /// [`NodeLimits::SLICE_MAX`].
    pub slice: Duration,
    /// How long an app stays loaded that nobody calls, from [`NodeLimits::IDLE_MIN`] to [`NodeLimits::IDLE_MAX`]; it is
    /// let go at the latest after twice as long.
    pub idle: Duration,
}

/// What compiling may use; what is `None` is the node's default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CompileLimits {
    /// Processes that compile at once, from 1 to [`CompileLimits::PROCESSES_MAX`].
    pub processes: Option<u32>,
    /// Memory of each of them.
    pub memory: Option<Bytes>,
    /// Time for one component.
    pub time: Option<Duration>,
}

/// What the logs of apps may take of the disk; what comes then replaces what is oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLimits {
    /// The log of one app, from [`LogLimits::PER_APP_MIN`].
    pub per_app: Bytes,
    /// The logs of all apps together, not less than that of one.
    pub total: Bytes,
}

/// A tenant's weight among the others, and what it may use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Its weight when others want the processor too.
    pub weight: Weight,
    /// What all its apps together may use.
    pub quota: Quota,
}

/// A tenant that the configuration names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tenant {
    /// What it gets.
    pub share: Share,
    /// Hosts that its routes may name, in lower case; no two tenants have the same.
    pub hosts: Vec<String>,
    /// The keys that it trusts, at most [`Tenant::KEYS_MAX`], each once.
    pub keys: Vec<PublicKey>,
    /// Whether what is deployed must be signed by one of them.
    pub signatures: Signatures,
    /// What its apps may use, those that are named; none is above the tenant's own.
    pub apps: BTreeMap<AppName, Quota>,
}

/// Whether what a tenant deploys must be signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Signatures {
    /// It may be. A signature that is there must hold where the tenant trusts any key.
    #[default]
    Optional,
    /// It must be, by a key that the tenant trusts.
    Required,
}

impl NodeConfig {
    /// The most names of the admin.
    pub const ADMIN_HOSTS_MAX: usize = 16;

    /// Reads a configuration.
    ///
    /// # Errors
    /// All problems that were found, each with its place in the text.
    pub fn parse(text: &str) -> Result<Self, NodeConfigError> {
        root::parse(text)
    }

    /// What a tenant gets.
    #[must_use]
    pub fn share(&self, tenant: &TenantId) -> Share {
        self.tenants.get(tenant).map_or(self.default, |tenant| tenant.share)
    }

    /// What an app may use beside its tenant's other apps.
    #[must_use]
    pub fn app_quota(&self, tenant: &TenantId, app: &AppName) -> Quota {
        self.tenants.get(tenant).and_then(|tenant| tenant.apps.get(app)).copied().unwrap_or_default()
    }

    /// Whether a tenant's routes may name a host, which is in lower case.
    #[must_use]
    pub fn grants_host(&self, tenant: &TenantId, host: &str) -> bool {
        self.tenants.get(tenant).is_some_and(|tenant| tenant.hosts.iter().any(|granted| granted == host))
    }
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            name: NodeName::local(),
            domain: "localhost".to_owned(),
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            admin: SocketAddr::from(([127, 0, 0, 1], 3001)),
            admin_hosts: Vec::new(),
            tls: None,
            data_dir: None,
            limits: NodeLimits::default(),
            compile: CompileLimits::default(),
            logs: LogLimits::default(),
            default: Share::default(),
            tenants: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }
}

impl Tenant {
    /// The most keys that a tenant trusts.
    pub const KEYS_MAX: usize = 16;
}

impl NodeLimits {
    /// The most instances at once.
    pub const SLOTS_MAX: u32 = 1_000_000;
    /// The least code that can be loaded at once.
    pub const LOADED_MIN: Bytes = Bytes::mib(16);
    /// The most code that can be loaded at once.
    pub const LOADED_MAX: Bytes = Quota::BYTES_MAX;
    /// The shortest time slice: a shorter one would cost more in switches than it gives.
    pub const SLICE_MIN: Duration = Duration::from_micros(500);
    /// The longest time slice.
    pub const SLICE_MAX: Duration = Duration::from_millis(100);
    /// The shortest time until an app is let go: a shorter one would have it loaded anew all the time.
    pub const IDLE_MIN: Duration = Duration::from_secs(1);
    /// The longest.
    pub const IDLE_MAX: Duration = Duration::from_hours(24 * 365);
}

impl Default for NodeLimits {
    fn default() -> Self {
        Self { slots: None, loaded: None, slice: Duration::from_millis(1), idle: Duration::from_mins(15) }
    }
}

impl CompileLimits {
    /// The most processes that compile at once.
    pub const PROCESSES_MAX: u32 = 256;
    /// The least memory of one.
    pub const MEMORY_MIN: Bytes = Bytes::mib(64);
    /// The most memory of one.
    pub const MEMORY_MAX: Bytes = Bytes::gib(1_024);
    /// The least time for one component: the system counts the processor time of processes in whole seconds.
    pub const TIME_MIN: Duration = Duration::from_secs(1);
    /// The most time for one component.
    pub const TIME_MAX: Duration = Duration::from_secs(60 * 60);
}

impl LogLimits {
    /// The least that an app's log may take: eight segments that each have room for a few of the longest entries.
    pub const PER_APP_MIN: Bytes = Bytes::mib(1);
    /// The most that an app's log, or all of them, may take.
    pub const BYTES_MAX: Bytes = Quota::BYTES_MAX;
}

impl Default for LogLimits {
    fn default() -> Self {
        Self { per_app: Bytes::mib(32), total: Bytes::gib(4) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_version_is_the_default() {
        assert_eq!(NodeConfig::parse("node = 1"), Ok(NodeConfig::default()));
    }

    #[test]
    fn tenants_that_are_not_named_get_the_default() {
        let text = "node = 1\n[default]\nconcurrency = 5\n[tenant.acme]\nhosts = [\"Shop.Example.com\"]\n[tenant.acme.app.shop]\nconcurrency = 7";
        let config = NodeConfig::parse(text).unwrap();
        let tenant = |name| TenantId::parse(name).unwrap();
        let shop = AppName::parse("shop").unwrap();
        assert_eq!(config.share(&tenant("acme")).quota.concurrency, None);
        assert_eq!(config.share(&tenant("other")).quota.concurrency, Some(5));
        assert_eq!(config.app_quota(&tenant("acme"), &shop).concurrency, Some(7));
        assert!(config.app_quota(&tenant("other"), &shop).is_unlimited());
        assert!(config.grants_host(&tenant("acme"), "shop.example.com"));
        assert!(!config.grants_host(&tenant("other"), "shop.example.com"));
    }
}
