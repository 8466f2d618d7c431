//! TLS: certificates by the name that a client asks for, and the handshake that shows them.

mod certificate;
mod counts;
mod handshake;
mod secure;
mod table;
mod under_way;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use cumulet_spec::node::TlsVersion;
use parking_lot::Mutex;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ServerConfig;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};

use crate::tls::counts::Counts;
use crate::tls::table::Table;
use crate::tls::under_way::UnderWay;

pub use certificate::{Certificate, CertificateError, CertificateFault, PemPart};
pub use counts::HandshakeEnd;
pub use secure::SecureGateway;

/// Handshakes that are under way at once by default. With one more, the oldest gives way.
pub const HANDSHAKES_MAX: usize = 2048;

/// The protocols of HTTP, the preferred one first (RFC 7301).
const HTTP_PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];
/// The protocol in which nothing is said but who one is (RFC 8737).
const CHALLENGE_PROTOCOL: &[u8] = b"acme-tls/1";

/// How TLS is spoken.
#[derive(Debug, Clone, Copy)]
pub struct TlsSettings {
    /// The oldest version.
    pub min_version: TlsVersion,
    /// Handshakes under way at once.
    pub handshakes_max: usize,
}

/// What TLS cannot be spoken without.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up TLS")]
pub struct TlsError {
    #[from]
    source: rustls::Error,
}

/// TLS as one or several listeners speak it: shared by them and by whoever keeps the certificates current.
///
/// A handshake takes the certificates as they are when the client has said whom it wants; connections go on with what
/// they began with.
pub struct Tls {
    /// Everything but the certificate.
    base: ServerConfig,
    table: ArcSwap<Table>,
    challenges: Mutex<HashMap<String, Arc<ServerConfig>>>,
    counts: Counts,
    under_way: UnderWay,
}

/// A certificate for a challenge, shown for as long as this lives.
#[must_use = "dropped, it is shown no more"]
#[derive(Debug)]
pub struct ChallengeAnswer {
    tls: Arc<Tls>,
    host: String,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self { min_version: TlsVersion::default(), handshakes_max: HANDSHAKES_MAX }
    }
}

impl Tls {
    /// TLS without any certificate yet: every handshake is refused.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new(settings: TlsSettings) -> Result<Arc<Self>, TlsError> {
        let versions: &[_] = match settings.min_version {
            TlsVersion::Tls12 => &[&TLS13, &TLS12],
            TlsVersion::Tls13 => &[&TLS13],
        };
        let mut base = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(table::Nobody));
        base.alpn_protocols = HTTP_PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        // What a client needs to come back is with the client: nothing is kept here for who does not.
        base.ticketer = ring::Ticketer::new()?;
        Ok(Arc::new(Self {
            base,
            table: ArcSwap::default(),
            challenges: Mutex::default(),
            counts: Counts::default(),
            under_way: UnderWay::new(settings.handshakes_max),
        }))
    }

    /// Shows these certificates from the next handshake on, and no others. Where two name the same host, the first is
    /// shown. `default` is shown to who names no host, or one that none of them names.
    pub fn install(&self, certificates: &[Arc<Certificate>], default: Option<&Arc<Certificate>>) {
        let mut table = Table::default();
        for certificate in certificates {
            table.add(certificate, &Arc::new(self.showing(certificate.key())));
        }
        table.default = default.map(|certificate| Arc::new(self.showing(certificate.key())));
        self.table.store(Arc::new(table));
    }

    /// Whether a certificate names this host. The default one does not count.
    #[must_use]
    pub fn covers(&self, host: &str) -> bool {
        self.table.load().named(host).is_some()
    }

    /// Answers TLS-ALPN-01 challenges for a host. The certificate is not looked into: it says what no client but the
    /// one that challenges understands.
    ///
    /// # Errors
    /// When the key is of a kind that cannot be used.
    pub fn answer_challenge(
        self: &Arc<Self>,
        host: &str,
        (certificate, key): (CertificateDer<'static>, PrivateKeyDer<'static>),
    ) -> Result<ChallengeAnswer, TlsError> {
        let key = self.base.crypto_provider().key_provider.load_private_key(key)?;
        let mut config = self.showing(&Arc::new(CertifiedKey::new(vec![certificate], key)));
        config.alpn_protocols = vec![CHALLENGE_PROTOCOL.to_vec()];
        let host = host.to_ascii_lowercase();
        self.challenges.lock().insert(host.clone(), Arc::new(config));
        Ok(ChallengeAnswer { tls: Arc::clone(self), host })
    }

    /// How many handshakes ended in each way.
    #[must_use]
    pub fn counts(&self) -> [(HandshakeEnd, u64); HandshakeEnd::ALL.len()] {
        self.counts.read()
    }

    /// Handshakes that are under way.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.under_way.count()
    }

    fn showing(&self, key: &Arc<CertifiedKey>) -> ServerConfig {
        let mut config = self.base.clone();
        config.cert_resolver = Arc::new(SingleCertAndKey::from(Arc::clone(key)));
        config
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("table", &self.table.load()).finish_non_exhaustive()
    }
}

impl Drop for ChallengeAnswer {
    fn drop(&mut self) {
        self.tls.challenges.lock().remove(&self.host);
    }
}
