//! Which certificate is shown to whom.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;

use crate::tls::certificate::Certificate;

/// Certificates by the names that they are for. Never changed: replaced as a whole.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// By the whole name.
    exact: HashMap<String, Arc<ServerConfig>>,
    /// By what follows `*.`.
    wildcard: HashMap<String, Arc<ServerConfig>>,
    /// For everybody else.
    pub(super) default: Option<Arc<ServerConfig>>,
}

impl Table {
    /// Adds a certificate under each of its names that no other has yet.
    pub(super) fn add(&mut self, certificate: &Certificate, config: &Arc<ServerConfig>) {
        for name in certificate.names() {
            let (names, name) = match name.strip_prefix("*.") {
                Some(parent) => (&mut self.wildcard, parent),
                None => (&mut self.exact, name.as_str()),
            };
            if !names.contains_key(name) {
                names.insert(name.to_owned(), Arc::clone(config));
            }
        }
    }

    /// What is shown to a client that asks for `host`, or for none.
    pub(super) fn find(&self, host: Option<&str>) -> Option<&Arc<ServerConfig>> {
        host.and_then(|host| self.named(host)).or(self.default.as_ref())
    }

    /// What names a host: by its whole name before by a wildcard, which stands for one label.
    pub(super) fn named(&self, host: &str) -> Option<&Arc<ServerConfig>> {
        let host = lower(host);
        self.exact.get(&*host).or_else(|| self.wildcard.get(host.split_once('.')?.1))
    }
}

/// Lower case, without a copy where it is that already.
fn lower(host: &str) -> Cow<'_, str> {
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) { host.to_ascii_lowercase().into() } else { host.into() }
}

/// Shows nothing to anybody: what stands in a configuration before a certificate does.
#[derive(Debug)]
pub(super) struct Nobody;

impl ResolvesServerCert for Nobody {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}
