//! A certificate with its key: read from PEM, held against each other, and asked for whom and until when it is.

use std::fmt;
use std::sync::Arc;

use der::asn1::{AnyRef, GeneralizedTime, UtcTime};
use der::{Decode as _, Reader, SliceReader, Tag, Tagged as _};
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use webpki::EndEntityCert;

/// The most certificates of one chain; a real one has two to four.
const CHAIN_MAX: usize = 16;

/// A certificate that can be shown.
pub struct Certificate {
    key: Arc<CertifiedKey>,
    names: Vec<String>,
    not_before: u64,
    not_after: u64,
}

/// Which of the two texts something is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PemPart {
    /// The certificate and those that it is signed with.
    Chain,
    /// The private key.
    Key,
}

/// A certificate and a key that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct CertificateError {
    /// Which of the two is to be looked at.
    pub part: PemPart,
    /// What is wrong.
    pub kind: CertificateFault,
}

/// What is wrong with a certificate or a key, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum CertificateFault {
    /// Not PEM, or not all of it.
    #[error("it is not PEM, or cut short ({})", pem_fault(.0))]
    Pem(pem::Error),
    /// PEM of other things.
    #[error("it holds no certificate; it must have a section `-----BEGIN CERTIFICATE-----`")]
    NoCertificate,
    /// PEM of other things.
    #[error("it holds no private key; it must have a section `-----BEGIN PRIVATE KEY-----`, and cannot be encrypted")]
    NoKey,
    /// Something else than a chain.
    #[error("it holds more than {CHAIN_MAX} certificates; leave those that the first one is signed with")]
    Long,
    /// Not X.509.
    #[error("its first certificate cannot be read ({0})")]
    Unreadable(String),
    /// Only names of its subject, which nobody looks at any more, or none.
    #[error("its first certificate is for no host; it must name them as subject alternative names")]
    NoHost,
    /// A kind that cannot be used.
    #[error(
        "the key is of a kind that cannot be used; make one of RSA from 2048 bits, ECDSA P-256 or P-384, or Ed25519"
    )]
    KeyKind,
    /// Of another certificate.
    #[error("the key belongs to another certificate than the first one of the chain")]
    Mismatch,
}

impl Certificate {
    /// Reads a chain, of which the first certificate is for the hosts, and its key, both in PEM.
    ///
    /// Nothing is asked of the time: a certificate may be over, or not yet begun.
    ///
    /// # Errors
    /// When either cannot be used, or they do not belong together.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let of_chain = |kind| CertificateError { part: PemPart::Chain, kind };
        let chain = read_chain(chain).map_err(of_chain)?;
        let first = chain.first().ok_or_else(|| of_chain(CertificateFault::NoCertificate))?;
        let Described { names, not_before, not_after } = describe(first).map_err(of_chain)?;
        let key = read_key(key).and_then(|key| pair(chain, key));
        let key = key.map_err(|kind| CertificateError { part: PemPart::Key, kind })?;
        Ok(Self { key: Arc::new(key), names, not_before, not_after })
    }

    /// The hosts that it is for, in lower case; some may begin with `*.`.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// When it begins, in seconds since the Unix epoch.
    #[must_use]
    pub fn not_before(&self) -> u64 {
        self.not_before
    }

    /// When it is over, in seconds since the Unix epoch.
    #[must_use]
    pub fn not_after(&self) -> u64 {
        self.not_after
    }

    /// Whether both are the same certificate.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.key.cert == other.key.cert
    }

    pub(super) fn key(&self) -> &Arc<CertifiedKey> {
        &self.key
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("names", &self.names)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

/// What a certificate says.
struct Described {
    names: Vec<String>,
    not_before: u64,
    not_after: u64,
}

fn read_chain(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateFault> {
    let mut chain = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(text) {
        chain.push(certificate.map_err(CertificateFault::Pem)?);
        if chain.len() > CHAIN_MAX {
            return Err(CertificateFault::Long);
        }
    }
    Ok(chain)
}

fn read_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, CertificateFault> {
    PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        pem::Error::NoItemsFound => CertificateFault::NoKey,
        other => CertificateFault::Pem(other),
    })
}

fn pair(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<CertifiedKey, CertificateFault> {
    CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => CertificateFault::Mismatch,
        rustls::Error::InvalidCertificate(error) => CertificateFault::Unreadable(format!("{error:?}")),
        _ => CertificateFault::KeyKind,
    })
}

fn describe(certificate: &CertificateDer<'_>) -> Result<Described, CertificateFault> {
    let read =
        EndEntityCert::try_from(certificate).map_err(|error| CertificateFault::Unreadable(format!("{error:?}")))?;
    let names: Vec<String> = read.valid_dns_names().map(str::to_ascii_lowercase).collect();
    if names.is_empty() {
        return Err(CertificateFault::NoHost);
    }
    let (not_before, not_after) =
        read_validity(certificate).map_err(|error| CertificateFault::Unreadable(error.to_string()))?;
    Ok(Described { names, not_before, not_after })
}

/// From when to when a certificate is valid, in seconds since the Unix epoch (RFC 5280, 4.1).
fn read_validity(certificate: &[u8]) -> der::Result<(u64, u64)> {
    SliceReader::new(certificate)?.sequence(|certificate| {
        let validity = certificate.sequence(|signed| {
            // The version, which may be left out, the serial number, the algorithm, and who signed.
            let first = AnyRef::decode(signed)?;
            let before_validity = if first.tag() == Tag::Integer { 2 } else { 3 };
            for _ in 0..before_validity {
                AnyRef::decode(signed)?;
            }
            let validity =
                signed.sequence(|validity| Ok::<_, der::Error>((read_time(validity)?, read_time(validity)?)))?;
            skip(signed)?;
            Ok::<_, der::Error>(validity)
        })?;
        skip(certificate)?;
        Ok(validity)
    })
}

fn read_time<'a>(reader: &mut impl Reader<'a>) -> der::Result<u64> {
    let time = AnyRef::decode(reader)?;
    let since_epoch = match time.tag() {
        Tag::UtcTime => time.decode_as::<UtcTime>()?.to_unix_duration(),
        _ => time.decode_as::<GeneralizedTime>()?.to_unix_duration(),
    };
    Ok(since_epoch.as_secs())
}

/// Reads what is left and leaves it out.
fn skip<'a>(reader: &mut impl Reader<'a>) -> der::Result<()> {
    while !reader.is_finished() {
        AnyRef::decode(reader)?;
    }
    Ok(())
}

/// Why a text is not PEM; the library's own words show lines as numbers.
fn pem_fault(error: &pem::Error) -> &'static str {
    match error {
        pem::Error::MissingSectionEnd { .. } => "a section has no end",
        pem::Error::IllegalSectionStart { .. } => "a section begins in the wrong way",
        pem::Error::Base64Decode(_) => "a section is not base64",
        pem::Error::NoItemsFound => "it holds no section of the kind",
        _ => "it cannot be read",
    }
}
