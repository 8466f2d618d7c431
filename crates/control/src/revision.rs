//! The revisions of an app: numbered, and found by number or digest.

use std::fmt;
use std::str::FromStr;

use cumulet_spec::id::{AppName, Digest, TenantId};
use cumulet_spec::rollout::Trial;
use cumulet_spec::token::Actor;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::registry::{FindError, RegistryError};

/// Revisions of an app that are kept, the newest ones, besides those that answer, that answered before, or that a deploy
/// works on.
pub const REVISIONS_KEPT_MAX: u32 = 16;
/// The fewest digits by which a revision is found.
const PREFIX_CHARS_MIN: usize = 8;
/// The digits of a digest.
const DIGEST_CHARS: usize = 64;

/// The number of a revision within its app, written `r7`: 1 for the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RevisionNumber(pub u64);

/// What a person calls a revision: `r7`, a digest, or the first 8 or more of its hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RevisionRef {
    /// Its number.
    Number(RevisionNumber),
    /// Its digest.
    Digest(Digest),
    /// How the hex digits of its digest begin, in lower case.
    Prefix(String),
}

/// The text is not a reference to a revision.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{found:?} names no revision: write its number, as in `r7`, or 8 or more hex digits of its digest")]
pub struct RevisionRefError {
    /// The text that was given, of which the end is cut off.
    pub found: String,
}

impl RevisionRef {
    /// Reads a reference.
    ///
    /// # Errors
    /// When it is neither a number nor the beginning of a digest.
    pub fn parse(text: &str) -> Result<Self, RevisionRefError> {
        text.parse()
    }
}

impl FromStr for RevisionRef {
    type Err = RevisionRefError;

    fn from_str(text: &str) -> Result<Self, RevisionRefError> {
        let fault = || RevisionRefError { found: text.chars().take(2 * DIGEST_CHARS).collect() };
        if let Ok(number) = text.parse() {
            return Ok(Self::Number(number));
        }
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        let fits = (PREFIX_CHARS_MIN..=DIGEST_CHARS).contains(&digits.len());
        if !fits || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(fault());
        }
        let digits = digits.to_ascii_lowercase();
        match Digest::parse(&format!("sha256:{digits}")) {
            Ok(digest) => Ok(Self::Digest(digest)),
            Err(_) => Ok(Self::Prefix(digits)),
        }
    }
}

impl fmt::Display for RevisionRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
            Self::Prefix(digits) => f.pad(digits),
        }
    }
}

impl fmt::Display for RevisionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("r{}", self.0))
    }
}

impl FromStr for RevisionNumber {
    type Err = RevisionRefError;

    fn from_str(text: &str) -> Result<Self, RevisionRefError> {
        let digits = text.strip_prefix('r').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let number = digits.and_then(|digits| digits.parse().ok()).filter(|number| *number > 0);
        number.map(Self).ok_or_else(|| RevisionRefError { found: text.chars().take(2 * DIGEST_CHARS).collect() })
    }
}

impl TryFrom<String> for RevisionNumber {
    type Error = RevisionRefError;

    fn try_from(text: String) -> Result<Self, RevisionRefError> {
        text.parse()
    }
}

impl From<RevisionNumber> for String {
    fn from(number: RevisionNumber) -> Self {
        number.to_string()
    }
}

/// A revision in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RevisionRow {
    /// Its number.
    pub number: RevisionNumber,
    /// Its identity.
    pub digest: Digest,
    /// Who deployed it first; nobody is known of those that an earlier release kept.
    pub by: Option<Actor>,
    /// When that was, in µs since 1970.
    pub at_us: u64,
    /// What was said of it.
    pub note: Option<String>,
    /// Its share of the requests in percent; 0 when it gets none, or only those that a header rule leads to it.
    pub percent: u8,
    /// Whether it answered once: only such a one can be led to again without a deploy.
    pub is_ready: bool,
    /// The size of its written form.
    pub bytes: u64,
    /// How its trial stands, if it has bounds and was live.
    pub trial: Option<Trial>,
}

/// A revision could not be looked up.
#[derive(Debug, Error)]
#[error("cannot tell which revision of app {app} of tenant {tenant} is meant")]
pub struct RevisionError {
    /// Who owns the app.
    pub tenant: TenantId,
    /// The app.
    pub app: AppName,
    /// Why.
    #[source]
    pub kind: RevisionErrorKind,
}

/// Why a revision could not be looked up.
#[derive(Debug, Error)]
pub enum RevisionErrorKind {
    /// There is none.
    #[error("no revision is called {reference}; look at the list of revisions")]
    Unknown {
        /// What it was called.
        reference: String,
    },
    /// There are several.
    #[error("several revisions begin with {reference}; write more digits, or a number such as r7")]
    Ambiguous {
        /// What it was called.
        reference: String,
    },
    /// What is stored makes no sense.
    #[error(transparent)]
    Find(#[from] FindError),
    /// The registry does not work.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_named_by_number_or_digest() {
        let digest = Digest::of(b"1");
        let hex = digest.to_hex();
        let check = |text: &str, expect: RevisionRef| assert_eq!(RevisionRef::parse(text), Ok(expect), "{text}");
        check("r7", RevisionRef::Number(RevisionNumber(7)));
        check(&digest.to_string(), RevisionRef::Digest(digest));
        check(&hex, RevisionRef::Digest(digest));
        check(&hex[..8].to_uppercase(), RevisionRef::Prefix(hex[..8].to_owned()));
        check(&format!("sha256:{}", &hex[..63]), RevisionRef::Prefix(hex[..63].to_owned()));
        for bad in
            ["", "r", "r0", "r-1", "r+1", "7", "rr7", "abcdef1", "abcdefgh", &"a".repeat(65), "r99999999999999999999"]
        {
            assert!(RevisionRef::parse(bad).is_err(), "{bad:?} was accepted");
        }
        assert_eq!(serde_json::to_string(&RevisionNumber(7)).unwrap(), "\"r7\"");
    }
}
