//! A token taken apart, before anything in it is believed (RFC 7515, compact serialisation).

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;

/// The most bytes that a token may have.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// The algorithms that are verified. `none` and the symmetric ones are not among them and never will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// Reads the name that a token or a key gives.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            // RFC 8037 named the family, RFC 9864 the curve.
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// The parts of a header that decide how a token is verified.
#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

/// A token whose signature was not looked at yet.
#[derive(Debug)]
pub struct Token<'t> {
    /// What it says it is signed with.
    pub algorithm: Algorithm,
    /// The name of the key that it says it is signed with.
    pub key_id: Option<String>,
    /// The bytes that are signed.
    pub signed: &'t [u8],
    /// The signature.
    pub signature: Vec<u8>,
    claims: Vec<u8>,
}

/// Why text is no token that could be verified.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is too long.
    #[error("a token may have {TOKEN_BYTES_MAX} bytes at most")]
    TooLong,
    /// It does not have three parts.
    #[error("a token has three parts with dots between them")]
    Parts,
    /// A part is not base64url without padding.
    #[error("the {0} is not base64url")]
    Base64(&'static str),
    /// The header is not the JSON that it should be.
    #[error("the header is not a JSON object with an `alg`")]
    Header,
    /// The algorithm is not one that is verified.
    #[error("the algorithm {0:?} is not accepted; RS256, ES256 and EdDSA are")]
    Algorithm(String),
    /// The header asks for extensions, which must not be passed over.
    #[error("the header asks for critical extensions, and none is known here")]
    Critical,
}

impl TokenError {
    /// Whether the text is a token at all, which is then refused rather than malformed.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Algorithm(_) | Self::Critical)
    }
}

impl<'t> Token<'t> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// When it is malformed, or its header asks for something that is not done here.
    pub fn parse(text: &'t str) -> Result<Self, TokenError> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(TokenError::Parts)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Parts)?;
        if claims.contains('.') {
            return Err(TokenError::Parts);
        }
        let header: Header = serde_json::from_slice(&decode(header, "header")?).map_err(|_| TokenError::Header)?;
        let claims = decode(claims, "claims")?;
        let signature = decode(signature, "signature")?;
        let algorithm = Algorithm::from_name(&header.alg).ok_or(TokenError::Algorithm(header.alg))?;
        if header.crit.is_some() {
            return Err(TokenError::Critical);
        }
        Ok(Self { algorithm, key_id: header.kid, signed: signed.as_bytes(), signature, claims })
    }

    /// The claims, as bytes. Not to be believed before the signature was verified.
    #[must_use]
    pub fn claims(&self) -> &[u8] {
        &self.claims
    }
}

fn decode(part: &str, name: &'static str) -> Result<Vec<u8>, TokenError> {
    Base64UrlUnpadded::decode_vec(part).map_err(|_| TokenError::Base64(name))
}
