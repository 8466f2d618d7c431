//! Identifiers of one request and of one invocation; both are made on every request and never allocate.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest request id, in bytes.
pub const REQUEST_ID_BYTES_MAX: usize = 64;

/// The id under which a request is logged and answered (`x-request-id`): 1 to 64 of `[A-Za-z0-9._-]`.
///
/// It comes from the client when the client sent a valid one, so it is not unique; [`InvocationId`] is. The text
/// is held inline: a copy is 65 bytes and nothing is allocated.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RequestId {
    bytes: [u8; REQUEST_ID_BYTES_MAX],
    length: u8,
}

/// The text is not a request id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a request id: 1 to 64 of A-Z, a-z, 0-9, `.`, `_` and `-`")]
pub struct RequestIdError;

impl RequestId {
    /// Takes over an id that came in, or nothing when it is not 1 to 64 of `[A-Za-z0-9._-]`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let length = u8::try_from(text.len()).ok()?;
        let mut bytes = [0; REQUEST_ID_BYTES_MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        let valid =
            length > 0 && text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
        valid.then_some(Self { bytes, length })
    }

    /// The id of 16 hex digits that stands for these bits.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        let mut bytes = [0; REQUEST_ID_BYTES_MAX];
        for (place, byte) in bytes.iter_mut().take(16).enumerate() {
            let nibble = (bits >> (60 - 4 * place)) & 0xf;
            *byte = hex_digit(nibble);
        }
        Self { bytes, length: 16 }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The id as bytes, all ASCII.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

/// The lower-case hex digit of the low four bits.
const fn hex_digit(nibble: u64) -> u8 {
    let [low, ..] = nibble.to_le_bytes();
    let nibble = low & 0xf;
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RequestId").field(&self.as_str()).finish()
    }
}

impl FromStr for RequestId {
    type Err = RequestIdError;

    fn from_str(text: &str) -> Result<Self, RequestIdError> {
        Self::parse(text.as_bytes()).ok_or(RequestIdError)
    }
}

impl TryFrom<String> for RequestId {
    type Error = RequestIdError;

    fn try_from(text: String) -> Result<Self, RequestIdError> {
        text.parse()
    }
}

impl From<RequestId> for String {
    fn from(id: RequestId) -> Self {
        id.as_str().to_owned()
    }
}

/// One invocation, unique within its node's life: the key of its usage record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InvocationId(pub u64);

impl fmt::Display for InvocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_safe_text_is_taken_over() {
        for good in ["a", "req-1.2_3", "ABCxyz019", &"x".repeat(64)] {
            assert_eq!(RequestId::parse(good.as_bytes()).map(|id| id.to_string()).as_deref(), Some(good));
        }
        for bad in [&b""[..], b"a b", b"a\n", b"a/b", b"\xff", "é".as_bytes(), &[b'x'; 65], &[b'x'; 300]] {
            assert_eq!(RequestId::parse(bad), None, "{bad:?} was accepted");
        }
    }

    proptest! {
        #[test]
        fn a_generated_id_is_its_bits_in_hex(bits: u64) {
            let id = RequestId::from_bits(bits);
            prop_assert_eq!(id.as_str(), format!("{bits:016x}"));
            prop_assert_eq!(RequestId::parse(id.as_bytes()), Some(id));
        }

        #[test]
        fn an_id_survives_serialisation(text in "[A-Za-z0-9._-]{1,64}") {
            let id: RequestId = text.parse().unwrap();
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<RequestId>(&json).unwrap(), id);
        }
    }
}
