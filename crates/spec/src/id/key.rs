//! The identity of keys that sign what is deployed.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What the written form of a public key begins with.
const PUBLIC_KEY: &str = "cumulet-key:ed25519:";
/// What the written form of a key's id begins with.
const KEY_ID: &str = "ed25519:";
/// The length of an id, in bytes: enough to find a key among those that are trusted, which are few.
const KEY_ID_BYTES: usize = 8;

/// A public Ed25519 key, written `cumulet-key:ed25519:` and its 32 bytes in base64.
///
/// Whether the bytes are a point of the curve is found out by whoever verifies with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; 32]);

/// A short name of a public key: the first 8 bytes of its SHA-256, written `ed25519:` and 16 hex digits.
///
/// It finds a key, and proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyId([u8; KEY_ID_BYTES]);

/// The text is not a public key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a public key: `{PUBLIC_KEY}` and 32 bytes in base64, as `cumulet key new` prints it")]
pub struct PublicKeyError {
    /// The text that was given.
    pub found: String,
}

/// The text is not the id of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not the id of a key: `{KEY_ID}` and 16 hex digits")]
pub struct KeyIdError {
    /// The text that was given.
    pub found: String,
}

impl PublicKey {
    /// A key of these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its short name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let hash: [u8; 32] = Sha256::digest(self.0).into();
        let mut id = [0; KEY_ID_BYTES];
        for (to, from) in id.iter_mut().zip(hash) {
            *to = from;
        }
        KeyId(id)
    }

    /// Reads `cumulet-key:ed25519:BASE64`.
    ///
    /// # Errors
    /// When it is of another kind, or not 32 bytes.
    pub fn parse(text: &str) -> Result<Self, PublicKeyError> {
        let bytes = text.strip_prefix(PUBLIC_KEY).and_then(|base64| BASE64_STANDARD.decode(base64).ok());
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| PublicKeyError { found: text.to_owned() })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PUBLIC_KEY}{}", BASE64_STANDARD.encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = PublicKeyError;

    fn from_str(text: &str) -> Result<Self, PublicKeyError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for PublicKey {
    type Error = PublicKeyError;

    fn try_from(text: String) -> Result<Self, PublicKeyError> {
        Self::parse(&text)
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_string()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{KEY_ID}{}", hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TryFrom<String> for KeyId {
    type Error = KeyIdError;

    fn try_from(text: String) -> Result<Self, KeyIdError> {
        let mut bytes = [0; KEY_ID_BYTES];
        let digits = text.strip_prefix(KEY_ID).and_then(|digits| hex::decode_to_slice(digits, &mut bytes).ok());
        digits.map(|()| Self(bytes)).ok_or(KeyIdError { found: text })
    }
}

impl From<KeyId> for String {
    fn from(id: KeyId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_and_read_back() {
        let key = PublicKey::from_bytes([7; 32]);
        let text = "cumulet-key:ed25519:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
        assert_eq!(key.to_string(), text);
        assert_eq!(PublicKey::parse(text), Ok(key));
        let id = key.id();
        assert_eq!(KeyId::try_from(id.to_string()), Ok(id));
        assert!(id.to_string().starts_with("ed25519:") && id.to_string().len() == 24, "{id}");
        assert_ne!(id, PublicKey::from_bytes([8; 32]).id());
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
            "cumulet-key:ed25519:",
            "cumulet-key:ed25519:Bwc=",
            "cumulet-key:rsa:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
            "cumulet-key:ed25519:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
            "cumulet-key:ed25519:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw==",
        ] {
            assert!(PublicKey::parse(bad).is_err(), "{bad:?} was accepted");
        }
        for bad in ["", "ed25519:", "ed25519:12", "ed25519:zzzzzzzzzzzzzzzz", "0011223344556677"] {
            assert!(KeyId::try_from(bad.to_owned()).is_err(), "{bad:?} was accepted");
        }
    }
}
