//! TLS for what the node serves: which certificates there are, from files and from an ACME server, and what keeps them
//! current.

mod acme;
mod files;
mod front;
mod shelf;
#[cfg(test)]
mod tests;
mod tokens;

use crate::clock::unix_seconds;
use cumulet_gateway::{Tls, TlsError, TlsSettings};
use cumulet_spec::node::Tls as TlsConfig;
use std::path::Path;
use std::sync::Arc;
use thiserror::Error;

pub use acme::{AcmeFolderError, AcmeStartError};
pub use files::{PairError, PairFault};
pub(crate) use front::{Door, Front};
pub(crate) use shelf::Shelf;

use acme::Renewal;
use files::PairWatch;
use tokens::Tokens;

/// A node cannot speak TLS as it was configured to.
#[derive(Debug, Error)]
pub enum TlsStartError {
    /// A certificate from files.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// What certificates are asked for with.
    #[error(transparent)]
    Acme(#[from] AcmeStartError),
    /// TLS itself.
    #[error(transparent)]
    Setup(#[from] TlsError),
}

/// TLS as a node was configured to speak it.
#[derive(Debug)]
pub(crate) struct Secured {
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) config: TlsConfig,
}

/// What keeps certificates current, until this is dropped.
#[derive(Debug)]
pub(crate) struct Keepers {
    _files: PairWatch,
    _renewal: Option<Renewal>,
}

impl Secured {
    /// Reads the certificates that are there. Blocks.
    pub(crate) fn open(config: &TlsConfig) -> Result<Self, TlsStartError> {
        let settings = TlsSettings { min_version: config.min_version, ..TlsSettings::default() };
        let shelf = Arc::new(Shelf::new(Tls::new(settings)?));
        let pairs = files::read_all(&config.certificates)?;
        files::remark(&config.certificates, &pairs, unix_seconds());
        shelf.put_files(&pairs);
        Ok(Self { shelf, tokens: Arc::default(), config: config.clone() })
    }

    /// Begins to keep them current. Must be called on a runtime.
    pub(crate) fn keep(&self, data_dir: &Path) -> Result<Keepers, TlsStartError> {
        let files = PairWatch::start(&self.config.certificates, &self.shelf);
        let renewal = match &self.config.acme {
            Some(acme) => Some(Renewal::start(acme, data_dir, (&self.shelf, &self.tokens))?),
            None => None,
        };
        Ok(Keepers { _files: files, _renewal: renewal })
    }
}
