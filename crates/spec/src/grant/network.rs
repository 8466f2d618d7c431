//! Sockets that a component may open.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::origin::is_host_name;

/// A place that a socket may reach, written `tcp:db.internal:5432`, `udp:10.0.0.1:53`, `tcp:[::1]:*` or `tcp:*:*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NetworkGrant {
    /// The transport.
    pub protocol: Protocol,
    /// The peer.
    pub host: NetworkHost,
    /// The port, or any when there is none (written `*`).
    pub port: Option<u16>,
}

/// A transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// Whom a network grant names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NetworkHost {
    /// Every address and every name, written `*`.
    Any,
    /// One address.
    Address(IpAddr),
    /// A name in lower case; the guest may look it up, and reach the addresses that it stands for.
    Name(String),
}

/// The text is not a network grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a network grant: write PROTOCOL:HOST:PORT, for example `tcp:db.internal:5432`")]
pub struct NetworkError {
    /// The text that was given.
    pub found: String,
}

impl NetworkGrant {
    /// Reads `PROTOCOL:HOST:PORT`; `*` stands for any host or any port, an IPv6 address stands in brackets.
    ///
    /// # Errors
    /// When a part is missing or is none of the accepted forms.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        parse_parts(text).ok_or_else(|| NetworkError { found: text.to_owned() })
    }

    /// Whether a socket may talk to this address by this grant alone; a grant of a name allows none by itself.
    #[must_use]
    pub fn allows_address(&self, protocol: Protocol, address: IpAddr, port: u16) -> bool {
        let host = match &self.host {
            NetworkHost::Any => true,
            NetworkHost::Address(granted) => granted.to_canonical() == address.to_canonical(),
            NetworkHost::Name(_) => false,
        };
        host && self.allows_port(protocol, port)
    }

    /// Whether the guest may look up this name.
    #[must_use]
    pub fn allows_name(&self, name: &str) -> bool {
        match &self.host {
            NetworkHost::Any => true,
            NetworkHost::Address(_) => false,
            NetworkHost::Name(granted) => granted.eq_ignore_ascii_case(name.strip_suffix('.').unwrap_or(name)),
        }
    }

    /// Whether the transport and the port are granted, whoever the peer is.
    #[must_use]
    pub fn allows_port(&self, protocol: Protocol, port: u16) -> bool {
        self.protocol == protocol && self.port.is_none_or(|granted| granted == port)
    }
}

fn parse_parts(text: &str) -> Option<NetworkGrant> {
    let (protocol, rest) = text.split_once(':')?;
    let (host, port) = rest.rsplit_once(':')?;
    let protocol = match protocol {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return None,
    };
    let port = match port {
        "*" => None,
        digits => Some(super::origin::parse_port(digits)?),
    };
    Some(NetworkGrant { protocol, host: parse_host(host)?, port })
}

fn parse_host(text: &str) -> Option<NetworkHost> {
    if text == "*" {
        return Some(NetworkHost::Any);
    }
    if let Some(inner) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return inner.parse().ok().map(|address| NetworkHost::Address(IpAddr::V6(address)));
    }
    if let Ok(address) = text.parse() {
        return Some(NetworkHost::Address(IpAddr::V4(address)));
    }
    is_host_name(text).then(|| NetworkHost::Name(text.to_ascii_lowercase()))
}

impl Protocol {
    /// The name in a manifest.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl fmt::Display for NetworkHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for NetworkGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:", self.protocol.label(), self.host)?;
        match self.port {
            Some(port) => write!(f, "{port}"),
            None => f.write_str("*"),
        }
    }
}

impl FromStr for NetworkGrant {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for NetworkGrant {
    type Error = NetworkError;

    fn try_from(text: String) -> Result<Self, NetworkError> {
        Self::parse(&text)
    }
}

impl From<NetworkGrant> for String {
    fn from(grant: NetworkGrant) -> Self {
        grant.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_read_and_written_alike() {
        for text in ["tcp:db.internal:5432", "udp:10.0.0.1:53", "tcp:[::1]:*", "tcp:*:*", "udp:*:53", "tcp:localhost:1"]
        {
            assert_eq!(NetworkGrant::parse(text).map(|grant| grant.to_string()), Ok(text.to_owned()));
        }
        for bad in [
            "",
            "tcp",
            "tcp:host",
            "tcp:host:",
            "tcp:host:0",
            "tcp::80",
            "http:host:80",
            "tcp:host:99999",
            "tcp:::1:80",
            "tcp:a b:80",
            "tcp:*.example.com:80",
            "tcp:999.1.1.1:80",
        ] {
            assert!(NetworkGrant::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn a_grant_allows_what_it_names_and_nothing_else() {
        let check = |grant: &str, protocol, address: &str, port, expect| {
            let grant = NetworkGrant::parse(grant).unwrap();
            assert_eq!(grant.allows_address(protocol, address.parse().unwrap(), port), expect, "{grant} {address}");
        };
        check("tcp:10.0.0.1:80", Protocol::Tcp, "10.0.0.1", 80, true);
        check("tcp:10.0.0.1:80", Protocol::Tcp, "::ffff:10.0.0.1", 80, true);
        check("tcp:10.0.0.1:80", Protocol::Udp, "10.0.0.1", 80, false);
        check("tcp:10.0.0.1:80", Protocol::Tcp, "10.0.0.1", 81, false);
        check("tcp:10.0.0.1:80", Protocol::Tcp, "10.0.0.2", 80, false);
        check("tcp:*:80", Protocol::Tcp, "10.0.0.2", 80, true);
        check("tcp:db.internal:80", Protocol::Tcp, "10.0.0.2", 80, false);
        let named = NetworkGrant::parse("tcp:DB.internal:80").unwrap();
        assert!(named.allows_name("db.INTERNAL.") && !named.allows_name("internal"));
    }
}
