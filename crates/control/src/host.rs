//! The name under which an app is reached.

use std::fmt;
use std::str::FromStr;

use cumulet_spec::route::{HostError, parse_route_host};
use serde::{Deserialize, Serialize};

/// A host: a name or an address in lower case, without scheme and port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Host(String);

impl Host {
    /// Reads a host in any case.
    ///
    /// # Errors
    /// When it is neither a name nor an address, or has a scheme or a port.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        parse_route_host(text).map(Self)
    }

    /// The host as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Host {
    type Error = HostError;

    fn try_from(text: String) -> Result<Self, HostError> {
        Self::parse(&text)
    }
}

impl From<Host> for String {
    fn from(host: Host) -> Self {
        host.0
    }
}
