//! Tenants: who owns apps, and which hosts they were granted.

use cumulet_spec::id::{AppName, TenantId};
use cumulet_spec::token::Actor;
use serde::Serialize;
use thiserror::Error;

use crate::change::ChangeNumber;
use crate::host::Host;
use crate::registry::RegistryError;

/// The most hosts that one tenant is granted.
pub const TENANT_HOSTS_MAX: usize = 1_024;

/// A tenant is there from now on, and has these hosts and no others.
#[derive(Debug, Clone)]
pub struct PutTenant {
    /// The tenant.
    pub tenant: TenantId,
    /// All hosts that it is granted, besides those under the node's own domain.
    pub hosts: Vec<Host>,
    /// Who asked for it.
    pub by: Actor,
    /// When this was asked for, in µs since 1970.
    pub at_us: u64,
    /// The generation that the client saw last, if it minds what came between; [`ChangeNumber::NONE`] to make a new one.
    pub expected_generation: Option<ChangeNumber>,
}

/// What a change of a tenant came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TenantChanged {
    /// The number of the change, which is the tenant's generation from now on.
    pub number: ChangeNumber,
    /// Whether it was not there before.
    pub is_new: bool,
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenantRow {
    /// Its name.
    pub tenant: TenantId,
    /// The change that made it what it is.
    pub generation: ChangeNumber,
    /// When it was made, in µs since 1970.
    pub at_us: u64,
    /// The hosts that it was granted, in the order of their text.
    pub hosts: Vec<Host>,
}

/// A tenant was not changed.
#[derive(Debug, Error)]
#[error("tenant {tenant} was not changed")]
pub struct TenantError {
    /// The tenant.
    pub tenant: TenantId,
    /// Why.
    #[source]
    pub kind: TenantErrorKind,
}

/// Why a tenant was not changed.
#[derive(Debug, Error)]
pub enum TenantErrorKind {
    /// Another tenant has the host.
    #[error("host {host} is granted to tenant {tenant}; take it from that one first")]
    HostGranted {
        /// The host.
        host: Host,
        /// Who has it.
        tenant: TenantId,
    },
    /// An app answers at the host.
    #[error("app {app} of tenant {tenant} answers at host {host}; deploy it without that host first")]
    HostInUse {
        /// The host.
        host: Host,
        /// Whose app it is.
        tenant: TenantId,
        /// The app.
        app: AppName,
    },
    /// It has too many hosts.
    #[error("{hosts} hosts were named, and a tenant may have {TENANT_HOSTS_MAX}; name fewer")]
    TooManyHosts {
        /// How many were asked for.
        hosts: usize,
    },
    /// There was a change that the client has not seen.
    #[error("it is at generation {found}, and {expected} was expected; look at what changed and try again")]
    Generation {
        /// The generation that the client expected.
        expected: ChangeNumber,
        /// The tenant's generation.
        found: ChangeNumber,
    },
    /// It owns apps.
    #[error("it has apps, of which {app} is one; remove them first")]
    HasApps {
        /// The first of them.
        app: AppName,
    },
    /// There is no such tenant.
    #[error("there is none of that name; look at the list of tenants")]
    Unknown,
    /// The registry does not work.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}
