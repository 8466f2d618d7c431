//! A key set, and the one key in it that fits a token.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;

use crate::token::{Algorithm, Token};

/// The most bytes that a key set may have.
pub const KEY_SET_BYTES_MAX: usize = 256 * 1024;
/// The most keys that are looked at.
const KEYS_MAX: usize = 256;

/// A set of public keys.
#[derive(Debug, Deserialize)]
pub struct KeySet {
    keys: Vec<Jwk>,
}

/// A key as the set gives it. Members that no public key has are not even read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// The numbers of a public key.
#[derive(Debug, PartialEq, Eq)]
pub enum Key {
    /// The modulus and the exponent, as big-endian bytes.
    Rsa {
        /// The modulus.
        modulus: Vec<u8>,
        /// The exponent.
        exponent: Vec<u8>,
    },
    /// A point on P-256, in SEC 1's uncompressed form.
    P256(Vec<u8>),
    /// A point on Ed25519.
    Ed25519(Vec<u8>),
}

/// Why no key can be had.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The set is not one.
    #[error("the key set is not a JSON object with `keys`")]
    Set,
    /// The set has more keys than are looked at.
    #[error("the key set has more than {KEYS_MAX} keys")]
    TooMany,
    /// No key has the token's name for it.
    #[error("the key set has no key {0:?}")]
    Unknown(String),
    /// The key with that name is of another kind, for another algorithm, or for another use.
    #[error("the key {0:?} is not one for this token's algorithm")]
    Unfit(String),
    /// The token names no key, and there is not exactly one that fits.
    #[error("the token names no key, and {0} keys would fit")]
    Ambiguous(usize),
    /// The key's numbers are missing or not base64url.
    #[error("the key's numbers are missing or damaged")]
    Damaged,
}

impl KeyError {
    /// Whether the key set is to blame, and not the token.
    #[must_use]
    pub fn is_key_set(&self) -> bool {
        matches!(self, Self::Set | Self::TooMany | Self::Damaged)
    }
}

impl KeySet {
    /// Reads a key set.
    ///
    /// # Errors
    /// When it is not one, or has too many keys.
    pub fn parse(json: &[u8]) -> Result<Self, KeyError> {
        let set: Self = serde_json::from_slice(json).map_err(|_| KeyError::Set)?;
        if set.keys.len() > KEYS_MAX { Err(KeyError::TooMany) } else { Ok(set) }
    }

    /// The key that a token is signed with: the one that it names, which has to fit its algorithm, or else the only one
    /// that fits.
    ///
    /// # Errors
    /// When there is no such key.
    pub fn select(&self, token: &Token<'_>) -> Result<Key, KeyError> {
        let mut fitting = self.keys.iter().filter(|key| key.fits(token.algorithm));
        let key = match &token.key_id {
            Some(id) => {
                let named = |key: &&Jwk| key.kid.as_ref() == Some(id);
                if !self.keys.iter().any(|key| named(&key)) {
                    return Err(KeyError::Unknown(id.clone()));
                }
                fitting.find(named).ok_or_else(|| KeyError::Unfit(id.clone()))?
            }
            None => match (fitting.next(), fitting.count()) {
                (Some(only), 0) => only,
                (first, more) => return Err(KeyError::Ambiguous(more + usize::from(first.is_some()))),
            },
        };
        key.decode().ok_or(KeyError::Damaged)
    }
}

impl Jwk {
    /// Whether the key is for signatures of this algorithm. What a key does not say does not bind it; its kind always does.
    fn fits(&self, algorithm: Algorithm) -> bool {
        let kind = match algorithm {
            Algorithm::Rs256 => self.kty == "RSA",
            Algorithm::Es256 => self.kty == "EC" && self.crv.as_deref() == Some("P-256"),
            Algorithm::EdDsa => self.kty == "OKP" && self.crv.as_deref() == Some("Ed25519"),
        };
        let same = self.alg.as_deref().is_none_or(|name| Algorithm::from_name(name) == Some(algorithm));
        let signs = self.r#use.as_deref().is_none_or(|usage| usage == "sig");
        let verifies = self.key_ops.as_deref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        kind && same && signs && verifies
    }

    fn decode(&self) -> Option<Key> {
        let bytes = |text: &Option<String>| Base64UrlUnpadded::decode_vec(text.as_deref()?).ok();
        match self.kty.as_str() {
            "RSA" => Some(Key::Rsa { modulus: bytes(&self.n)?, exponent: bytes(&self.e)? }),
            "EC" => {
                let (x, y) = (bytes(&self.x)?, bytes(&self.y)?);
                (x.len() == 32 && y.len() == 32).then(|| Key::P256([[4].as_slice(), &x, &y].concat()))
            }
            _ => bytes(&self.x).map(Key::Ed25519),
        }
    }
}
