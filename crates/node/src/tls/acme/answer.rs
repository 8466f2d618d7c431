//! Answers to challenges, given for as long as an order is under way.

use crate::tls::tokens::{TokenAnswer, Tokens};
use cumulet_gateway::{ChallengeAnswer, Tls, TlsError};
use cumulet_spec::node::AcmeChallenge;
use instant_acme::{ChallengeHandle, ChallengeType};
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::Arc;
use thiserror::Error;

/// What answers challenges of one kind.
pub(super) struct Answerer {
    pub(super) challenge: AcmeChallenge,
    pub(super) tls: Arc<Tls>,
    pub(super) tokens: Arc<Tokens>,
}

/// An answer, given until this is dropped.
#[must_use = "dropped, the challenge is answered no more"]
#[derive(Debug)]
pub(super) enum Answer {
    TlsAlpn01 { _shown: ChallengeAnswer },
    Http01 { _token: TokenAnswer },
}

/// A challenge cannot be answered.
#[derive(Debug, Error)]
#[error("cannot make the certificate that answers the challenge")]
pub(super) enum AnswerError {
    /// It cannot be made.
    Make(#[from] rcgen::Error),
    /// It cannot be shown.
    Show(#[from] TlsError),
}

impl Answerer {
    pub(super) fn kind(&self) -> ChallengeType {
        match self.challenge {
            AcmeChallenge::TlsAlpn01 => ChallengeType::TlsAlpn01,
            AcmeChallenge::Http01 => ChallengeType::Http01,
        }
    }

    pub(super) fn answer(&self, host: &str, challenge: &ChallengeHandle<'_>) -> Result<Answer, AnswerError> {
        let authorization = challenge.key_authorization();
        match self.challenge {
            AcmeChallenge::TlsAlpn01 => {
                let proof = proof(host, authorization.digest().as_ref())?;
                Ok(Answer::TlsAlpn01 { _shown: self.tls.answer_challenge(host, proof)? })
            }
            AcmeChallenge::Http01 => {
                Ok(Answer::Http01 { _token: self.tokens.answer(&challenge.token, authorization.as_str()) })
            }
        }
    }
}

/// A certificate for the host and for nothing but this challenge (RFC 8737, 3).
fn proof(host: &str, digest: &[u8]) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
    let mut params = CertificateParams::new(vec![host.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der()).into()))
}
