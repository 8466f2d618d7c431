//! A header that leads to a revision.

use http::HeaderName;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::checked_text::is_token;
use crate::id::Digest;

/// The longest name of a header in a rule, in bytes.
pub const HEADER_NAME_BYTES_MAX: usize = 64;
/// The longest value of a header in a rule, in bytes.
pub const HEADER_VALUE_BYTES_MAX: usize = 128;

/// A request with this header goes to this revision, whatever its share.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct HeaderRule {
    name: HeaderName,
    value: Box<str>,
    revision: Digest,
}

/// It is not a header rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HeaderRuleError {
    /// The name cannot be a header's.
    #[error(
        "the name of a header rule is not one: write 1 to {HEADER_NAME_BYTES_MAX} letters, digits and `-`, for example `x-beta`"
    )]
    Name,
    /// The value cannot be compared.
    #[error(
        "the value of a header rule must be 1 to {HEADER_VALUE_BYTES_MAX} visible ASCII characters without spaces, for example `yes`"
    )]
    Value,
}

impl HeaderRule {
    /// A rule for a header, whose name is taken in any case, and its whole value, byte by byte.
    ///
    /// # Errors
    /// When the name is not one, or the value is empty, too long or holds anything but visible ASCII.
    pub fn new(name: &str, value: &str, revision: Digest) -> Result<Self, HeaderRuleError> {
        let name = Some(name).filter(|name| is_token(name, HEADER_NAME_BYTES_MAX));
        let name = name.and_then(|name| name.parse().ok()).ok_or(HeaderRuleError::Name)?;
        let fits = (1..=HEADER_VALUE_BYTES_MAX).contains(&value.len());
        if !fits || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(HeaderRuleError::Value);
        }
        Ok(Self { name, value: value.into(), revision })
    }

    /// The header's name.
    #[must_use]
    pub fn name(&self) -> &HeaderName {
        &self.name
    }

    /// What the header must say, byte by byte.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Where the request goes then.
    #[must_use]
    pub fn revision(&self) -> Digest {
        self.revision
    }
}

/// A rule as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    value: String,
    revision: Digest,
}

impl TryFrom<Written> for HeaderRule {
    type Error = HeaderRuleError;

    fn try_from(written: Written) -> Result<Self, HeaderRuleError> {
        Self::new(&written.name, &written.value, written.revision)
    }
}

impl From<HeaderRule> for Written {
    fn from(rule: HeaderRule) -> Self {
        Self { name: rule.name.as_str().to_owned(), value: rule.value.into(), revision: rule.revision }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_in_any_case_and_a_value_as_it_is() {
        let rule = HeaderRule::new("X-Beta", "Yes", Digest::of(b"1")).unwrap();
        assert_eq!((rule.name().as_str(), rule.value()), ("x-beta", "Yes"));
        let json = serde_json::to_string(&rule).unwrap();
        assert!(json.starts_with(r#"{"name":"x-beta","value":"Yes","revision":"sha256:"#), "{json}");
        assert_eq!(serde_json::from_str::<HeaderRule>(&json).unwrap(), rule);
    }

    #[test]
    fn anything_else_is_refused() {
        let check = |name: &str, value: &str, expect| {
            assert_eq!(HeaderRule::new(name, value, Digest::of(b"1")).unwrap_err(), expect, "{name:?}: {value:?}");
        };
        for name in ["", "x beta", "x:beta", "é", "x\n", &"x".repeat(65)] {
            check(name, "yes", HeaderRuleError::Name);
        }
        for value in ["", "a b", "é", "a\r", "\u{7f}", &"x".repeat(129)] {
            check("x-beta", value, HeaderRuleError::Value);
        }
    }
}
