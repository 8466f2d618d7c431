//! The address guard: a name is looked up once, what is not global is refused, and what was checked is connected to.

use super::place;
use super::resolve::Resolve;
use cumulet_spec::grant::HttpGrant;
use hyper_util::client::legacy::connect::dns::Name;
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use thiserror::Error;
use tower_service::Service;

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 16;

/// A name gives no address to connect to.
#[derive(Debug, Error)]
pub(super) enum LookupFault {
    #[error("the name stands for no address on the public network")]
    NotGlobal,
    #[error("the name has no address")]
    NoAddress,
    #[error("the name was not looked up in time")]
    Late,
    #[error("the name was not looked up")]
    Failed(#[source] io::Error),
}

/// Looks names up and lets global addresses through.
///
/// An address in the request itself never comes here: it passes because a grant names exactly it. `localhost` passes
/// when a grant names it, because nothing else can be meant by it.
#[derive(Clone)]
pub(super) struct GuardedResolver {
    local: Arc<BTreeSet<String>>,
    resolver: Arc<dyn Resolve>,
    wait: Duration,
}

impl GuardedResolver {
    /// Waits for a lookup for `wait` at most.
    pub(super) fn new(grants: &[HttpGrant], resolver: Arc<dyn Resolve>, wait: Duration) -> Self {
        let local = grants.iter().filter_map(|grant| grant.origin.host.as_name()).filter(|name| is_local_name(name));
        Self { local: Arc::new(local.map(str::to_ascii_lowercase).collect()), resolver, wait }
    }

    fn names_local(&self, name: &str) -> bool {
        self.local.contains(&name.to_ascii_lowercase())
    }
}

fn is_local_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

impl Service<Name> for GuardedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = LookupFault;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, LookupFault>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), LookupFault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Self { resolver, wait, .. } = self.clone();
        let local = self.names_local(name.as_str());
        Box::pin(async move {
            if place::is_inside(name.as_str()) {
                return Err(LookupFault::NoAddress);
            }
            let found = tokio::time::timeout(wait, resolver.resolve(name.as_str()));
            let found = found.await.map_err(|_elapsed| LookupFault::Late)?.map_err(LookupFault::Failed)?;
            if found.is_empty() {
                return Err(LookupFault::NoAddress);
            }
            let passes = |address: &IpAddr| is_global(*address) || (local && address.to_canonical().is_loopback());
            // The port is that of the request.
            let allowed = found.into_iter().filter(passes).map(|address| SocketAddr::new(address, 0));
            let allowed: Vec<_> = allowed.take(ADDRESSES_MAX).collect();
            if allowed.is_empty() {
                return Err(LookupFault::NotGlobal);
            }
            Ok(allowed.into_iter())
        })
    }
}

/// Whether an address is on the public network, by the registries of special-purpose addresses (RFC 6890 and its
/// updates). Forms of version 6 that carry an address of version 4 count as what they carry.
pub(crate) fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_global_v4(address),
        IpAddr::V6(address) => is_global_v6(address),
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_unspecified()
        || a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        // Shared address space of carriers, protocol assignments, benchmarking, reserved.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 240;
    !special
}

fn is_global_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let [s0, s1, s2, s3, s4, s5, high, low] = segments;
    let embedded = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_global_v4(Ipv4Addr::new(a, b, c, d))
    };
    // Mapped, compatible, NAT64 (well known and local use), and 6to4 addresses.
    if [s0, s1, s2, s3, s4] == [0; 5] && (s5 == 0xffff || s5 == 0) {
        return s5 == 0xffff && embedded(high, low);
    }
    if s0 == 0x64 && s1 == 0xff9b {
        return s2 == 0 && embedded(high, low);
    }
    if s0 == 0x2002 {
        return embedded(s1, s2);
    }
    let unicast = (s0 & 0xe000) == 0x2000;
    // Teredo and other protocol assignments, and documentation.
    let special = (s0 == 0x2001 && (s1 < 0x200 || s1 == 0xdb8)) || (s0 & 0xfff0) == 0x3ff0;
    unicast && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_pass() {
        let public = [
            "1.1.1.1",
            "93.184.216.34",
            "2606:4700:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ];
        let refused = [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.8.8.8",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "100::1",
            "3fff::1",
        ];
        for address in public {
            assert!(is_global(address.parse().unwrap()), "{address} is public");
        }
        for address in refused {
            assert!(!is_global(address.parse().unwrap()), "{address} is not public");
        }
    }
}
