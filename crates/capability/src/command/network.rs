//! The addresses that a command may reach, and those at which it may listen.

use crate::outbound::is_global;
use cumulet_spec::grant::{NetworkError, NetworkGrant, NetworkHost, Protocol};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use thiserror::Error;
use wasmtime_wasi::sockets::SocketAddrUse;

/// Addresses that one name may stand for.
const ADDRESSES_PER_NAME_MAX: usize = 64;

/// One pattern: `tcp:HOST:PORT` and `udp:HOST:PORT` for what a command may reach, `tcp-listen:ADDRESS:PORT` and
/// `udp-listen:ADDRESS:PORT` for where it may listen.
///
/// The host is a name, an address (one of version 6 in brackets) or `*`; the port a number or `*`. Where a command
/// listens, the host is no name, and port 0 stands for one that the system picks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkRule {
    what: Use,
    place: NetworkGrant,
}

/// What a rule opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Reach,
    Listen,
}

/// A pattern that is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RuleError {
    /// Not of the form of any rule.
    #[error(transparent)]
    Form(#[from] NetworkError),
    /// A name where an address is needed.
    #[error("`{pattern}` gives a name to listen at: write an address or `*`")]
    Name {
        /// The pattern that was given.
        pattern: String,
    },
}

impl FromStr for NetworkRule {
    type Err = RuleError;

    fn from_str(pattern: &str) -> Result<Self, RuleError> {
        let Some((protocol, place)) = pattern.split_once("-listen:") else {
            return Ok(Self { what: Use::Reach, place: NetworkGrant::parse(pattern)? });
        };
        let named = |_| NetworkError { found: pattern.to_owned() };
        let place = match place.strip_suffix(":0") {
            Some(host) => {
                let any = NetworkGrant::parse(&format!("{protocol}:{host}:*")).map_err(named)?;
                NetworkGrant { port: Some(0), ..any }
            }
            None => NetworkGrant::parse(&format!("{protocol}:{place}")).map_err(named)?,
        };
        if matches!(place.host, NetworkHost::Name(_)) {
            return Err(RuleError::Name { pattern: pattern.to_owned() });
        }
        Ok(Self { what: Use::Listen, place })
    }
}

impl From<NetworkGrant> for NetworkRule {
    fn from(place: NetworkGrant) -> Self {
        Self { what: Use::Reach, place }
    }
}

/// Rules whose names were looked up once: a name that later points elsewhere opens nothing new.
#[derive(Clone, Debug, Default)]
pub struct NetworkPolicy {
    rules: Vec<NetworkRule>,
    names: BTreeMap<String, Vec<IpAddr>>,
    guarded: bool,
}

/// Whether an address leads to this machine or no further than its link.
fn is_of_this_machine(address: IpAddr) -> bool {
    let address = address.to_canonical();
    let is_link_local = match address {
        IpAddr::V4(address) => address.is_link_local() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    };
    address.is_loopback() || address.is_unspecified() || address.is_multicast() || is_link_local
}

/// A granted name without an address.
#[derive(Debug, Error)]
#[error("cannot look up the granted host `{name}`")]
pub struct LookupError {
    name: String,
    source: std::io::Error,
}

impl NetworkPolicy {
    /// Looks up every name among `rules`.
    ///
    /// # Errors
    /// When a name has no address.
    pub async fn resolve(rules: Vec<NetworkRule>) -> Result<Self, LookupError> {
        let mut names = BTreeMap::new();
        for rule in &rules {
            let NetworkHost::Name(name) = &rule.place.host else { continue };
            if names.contains_key(name) {
                continue;
            }
            let addresses = tokio::net::lookup_host((name.as_str(), 0))
                .await
                .map_err(|source| LookupError { name: name.clone(), source })?
                .map(|address| address.ip().to_canonical())
                .take(ADDRESSES_PER_NAME_MAX)
                .collect();
            names.insert(name.clone(), addresses);
        }
        Ok(Self { rules, names, guarded: false })
    }

    /// The same behind the address guard: `*` stands for what is on the public network, and a name does not stand for
    /// this machine or its link (where clouds keep their metadata), unless it is `localhost`.
    #[must_use]
    pub fn guarded(mut self) -> Self {
        self.guarded = true;
        for (name, addresses) in &mut self.names {
            if name != "localhost" {
                addresses.retain(|address| !is_of_this_machine(*address));
            }
        }
        self
    }

    /// Whether a guest may use this address in this way.
    #[must_use]
    pub fn allows(&self, address: SocketAddr, reason: SocketAddrUse) -> bool {
        let (tcp, udp) = (Protocol::Tcp, Protocol::Udp);
        match reason {
            SocketAddrUse::TcpConnect => self.covers(Use::Reach, tcp, address),
            SocketAddrUse::TcpBind => self.may_bind(tcp, address),
            SocketAddrUse::TcpListen => self.may_listen(tcp, address),
            // Who connects to a granted listener is the listener's own affair.
            SocketAddrUse::TcpAccept => self.any(Use::Listen, tcp),
            SocketAddrUse::UdpBind => self.may_bind(udp, address),
            SocketAddrUse::UdpSend => self.covers(Use::Reach, udp, address),
            SocketAddrUse::UdpReceive => self.any(Use::Listen, udp) || self.covers(Use::Reach, udp, address),
        }
    }

    /// Whether a guest may look up this name: one that was granted, any if any host was, and addresses always.
    #[must_use]
    pub fn may_look_up(&self, name: &str) -> bool {
        name.parse::<IpAddr>().is_ok()
            || self.rules.iter().any(|rule| rule.what == Use::Reach && rule.place.allows_name(name))
    }

    fn of(&self, what: Use, protocol: Protocol) -> impl Iterator<Item = &NetworkGrant> {
        self.rules
            .iter()
            .filter(move |rule| rule.what == what && rule.place.protocol == protocol)
            .map(|rule| &rule.place)
    }

    fn any(&self, what: Use, protocol: Protocol) -> bool {
        self.of(what, protocol).next().is_some()
    }

    fn covers(&self, what: Use, protocol: Protocol, address: SocketAddr) -> bool {
        self.of(what, protocol)
            .any(|place| place.allows_port(protocol, address.port()) && self.is_host(place, address.ip()))
    }

    fn is_host(&self, place: &NetworkGrant, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match &place.host {
            NetworkHost::Any => !self.guarded || is_global(address),
            NetworkHost::Address(granted) => granted.to_canonical() == address,
            NetworkHost::Name(name) => self.names.get(name).is_some_and(|addresses| addresses.contains(&address)),
        }
    }

    /// Binding to no address and no port in particular is what the system does for every client.
    fn may_bind(&self, protocol: Protocol, address: SocketAddr) -> bool {
        let is_implicit = address.ip().is_unspecified() && address.port() == 0;
        (is_implicit && self.any(Use::Reach, protocol)) || self.covers(Use::Listen, protocol, address)
    }

    /// By the time of listening, a port that the system was asked to pick has its number. A rule for such a port
    /// therefore covers every number here; that the guest did not name one itself was checked when it bound.
    fn may_listen(&self, protocol: Protocol, address: SocketAddr) -> bool {
        self.covers(Use::Listen, protocol, address)
            || self.of(Use::Listen, protocol).any(|place| place.port == Some(0) && self.is_host(place, address.ip()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(patterns: &[&str]) -> NetworkPolicy {
        let rules = patterns.iter().map(|pattern| pattern.parse().unwrap()).collect();
        NetworkPolicy {
            rules,
            names: BTreeMap::from([("db.internal".to_owned(), vec![[10, 0, 0, 7].into()])]),
            guarded: false,
        }
    }

    #[track_caller]
    fn check(patterns: &[&str], address: &str, reason: SocketAddrUse, expect: bool) {
        let allowed = policy(patterns).allows(address.parse().unwrap(), reason);
        assert_eq!(allowed, expect, "{patterns:?} {reason:?} {address}");
    }

    #[test]
    fn nothing_is_allowed_by_default() {
        for reason in [
            SocketAddrUse::TcpBind,
            SocketAddrUse::TcpListen,
            SocketAddrUse::TcpAccept,
            SocketAddrUse::TcpConnect,
            SocketAddrUse::UdpBind,
            SocketAddrUse::UdpSend,
            SocketAddrUse::UdpReceive,
        ] {
            check(&[], "127.0.0.1:80", reason, false);
            check(&[], "0.0.0.0:0", reason, false);
        }
        assert!(!policy(&[]).may_look_up("example.com"));
    }

    #[test]
    fn a_rule_opens_its_host_and_port_alone() {
        let rule = &["tcp:127.0.0.1:80"];
        check(rule, "127.0.0.1:80", SocketAddrUse::TcpConnect, true);
        check(rule, "[::ffff:127.0.0.1]:80", SocketAddrUse::TcpConnect, true);
        check(rule, "127.0.0.1:81", SocketAddrUse::TcpConnect, false);
        check(rule, "127.0.0.2:80", SocketAddrUse::TcpConnect, false);
        check(rule, "127.0.0.1:80", SocketAddrUse::UdpSend, false);
        check(rule, "127.0.0.1:80", SocketAddrUse::TcpBind, false);
        check(rule, "0.0.0.0:0", SocketAddrUse::TcpBind, true);
        check(rule, "0.0.0.0:0", SocketAddrUse::TcpListen, false);
    }

    #[test]
    fn a_name_stands_for_the_addresses_it_had() {
        let rule = &["tcp:DB.internal:5432"];
        check(rule, "10.0.0.7:5432", SocketAddrUse::TcpConnect, true);
        check(rule, "10.0.0.8:5432", SocketAddrUse::TcpConnect, false);
        assert!(policy(rule).may_look_up("db.INTERNAL"));
        assert!(!policy(rule).may_look_up("internal"));
    }

    #[test]
    fn behind_the_guard_only_what_is_named_leads_to_this_machine() {
        let rules = ["tcp:*:80", "tcp:db.internal:80", "tcp:localhost:80", "tcp:192.168.0.9:80"];
        let named = |name: &str, addresses: &[&str]| {
            (name.to_owned(), addresses.iter().map(|address| address.parse().unwrap()).collect())
        };
        let names = [
            named("db.internal", &["10.0.0.7", "127.0.0.2", "169.254.169.254", "fe80::1", "0.0.0.0", "224.0.0.1"]),
            named("localhost", &["127.0.0.1", "::1"]),
        ];
        let rules = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        let policy = NetworkPolicy { rules, names: BTreeMap::from(names), guarded: false }.guarded();
        for (address, expected) in [
            ("93.184.216.34:80", true),
            ("10.0.0.7:80", true),
            ("127.0.0.1:80", true),
            ("[::1]:80", true),
            ("192.168.0.9:80", true),
            ("10.0.0.8:80", false),
            ("127.0.0.2:80", false),
            ("169.254.169.254:80", false),
            ("[::ffff:169.254.169.254]:80", false),
            ("[fe80::1]:80", false),
            ("0.0.0.0:80", false),
            ("224.0.0.1:80", false),
            ("192.168.0.8:80", false),
        ] {
            let address: SocketAddr = address.parse().unwrap();
            assert_eq!(policy.allows(address, SocketAddrUse::TcpConnect), expected, "{address}");
        }
    }

    #[test]
    fn listening_needs_a_rule_of_its_own() {
        check(&["tcp:*:*"], "127.0.0.1:8080", SocketAddrUse::TcpListen, false);
        let rule = &["tcp-listen:127.0.0.1:0"];
        check(rule, "127.0.0.1:0", SocketAddrUse::TcpBind, true);
        check(rule, "127.0.0.1:8080", SocketAddrUse::TcpBind, false);
        check(rule, "127.0.0.1:40123", SocketAddrUse::TcpListen, true);
        check(rule, "0.0.0.0:40123", SocketAddrUse::TcpListen, false);
        check(rule, "10.1.1.1:9", SocketAddrUse::TcpAccept, true);
    }

    #[test]
    fn patterns_that_are_none_are_refused() {
        for pattern in [
            "tcp",
            "tcp:host",
            "tcp:host:http",
            "tcp:host:0",
            "sctp:host:1",
            "tcp::1",
            "tcp-listen",
            "tcp-listen::0",
            "sctp-listen:*:0",
            "tcp-listen:127.0.0.1",
            "tcp-listen:example.com:80",
            "tcp-listen:example.com:0",
        ] {
            assert!(pattern.parse::<NetworkRule>().is_err(), "{pattern:?} was accepted");
        }
    }
}
