//! Whom a component trusts: the platform's root certificates, and those that its app adds.

use rustls::RootCertStore;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls_platform_verifier::Verifier;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use thiserror::Error;

/// The largest file of root certificates that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Root certificates do not load from a file.
#[derive(Debug, Error)]
#[error("no root certificates from {}", path.display())]
pub struct RootsError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub kind: RootsFault,
}

/// What is wrong with a file of root certificates, and what to do about it.
#[derive(Debug, Error)]
pub enum RootsFault {
    /// It does not open or read.
    #[error("the file does not read; check its path and permissions")]
    Read(#[source] io::Error),
    /// It is far larger than such files are.
    #[error("the file is larger than {FILE_BYTES_MAX} bytes; leave only the certificates that the app needs")]
    TooLarge,
    /// It is not PEM.
    #[error("the file is not PEM; convert it with `openssl x509 -outform pem`")]
    Pem(#[source] pem::Error),
    /// It is PEM, of something else.
    #[error("the file holds no certificate; it must have a section `-----BEGIN CERTIFICATE-----`")]
    Empty,
    /// One of its certificates cannot be one that others are checked against.
    #[error("certificate {number} of the file is not a root certificate; replace or remove it")]
    Unusable {
        /// Its place in the file, from 1.
        number: usize,
        /// Why not.
        #[source]
        source: rustls::Error,
    },
}

/// Reads the root certificates of a PEM file.
///
/// Blocks while it reads.
///
/// # Errors
/// When the file does not read, is larger than 1 MiB, or holds no certificate or one that cannot be used.
pub fn read_roots(path: &Path) -> Result<Vec<CertificateDer<'static>>, RootsError> {
    parse(path).map_err(|kind| RootsError { path: path.to_owned(), kind })
}

/// The root certificates of a PEM text.
///
/// # Errors
/// When the text is larger than 1 MiB, or holds no certificate or one that cannot be used.
pub fn parse_roots(text: &str) -> Result<Vec<CertificateDer<'static>>, RootsError> {
    let fault = |kind| RootsError { path: "[app] roots".into(), kind };
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(fault(RootsFault::TooLarge));
    }
    certificates(text.as_bytes()).map_err(fault)
}

fn parse(path: &Path) -> Result<Vec<CertificateDer<'static>>, RootsFault> {
    let mut text = Vec::new();
    let mut file = File::open(path).map_err(RootsFault::Read)?.take(FILE_BYTES_MAX + 1);
    let length = file.read_to_end(&mut text).map_err(RootsFault::Read)?;
    if length as u64 > FILE_BYTES_MAX {
        return Err(RootsFault::TooLarge);
    }
    certificates(&text)
}

fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, RootsFault> {
    let roots: Vec<_> = CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().map_err(RootsFault::Pem)?;
    if roots.is_empty() {
        return Err(RootsFault::Empty);
    }
    let mut store = RootCertStore::empty();
    for (root, number) in roots.iter().zip(1..) {
        store.add(root.clone()).map_err(|source| RootsFault::Unusable { number, source })?;
    }
    Ok(roots)
}

/// The platform's own roots take a file of some hundred certificates to be read and parsed, and are the same for
/// everyone: they are loaded once in the life of the process.
static PLATFORM: LazyLock<Result<Arc<Verifier>, rustls::Error>> =
    LazyLock::new(|| Verifier::new(provider()).map(Arc::new));

/// Whether the system's own root certificates can be had. Blocks while it reads them the first time.
///
/// # Errors
/// When they cannot be read, or there are none.
pub fn load_platform_roots() -> Result<(), rustls::Error> {
    PLATFORM.as_ref().map(|_| ()).map_err(Clone::clone)
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
    Arc::clone(&PROVIDER)
}

/// What decides on the certificates of servers. Blocks while it reads.
pub(super) fn verifier(extra: &[CertificateDer<'static>]) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    if extra.is_empty() {
        let verifier = PLATFORM.as_ref().map_err(Clone::clone)?;
        return Ok(Arc::clone(verifier) as _);
    }
    Ok(Arc::new(Verifier::new_with_extra_roots(extra.iter().cloned(), provider())?))
}
