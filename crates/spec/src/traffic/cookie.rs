//! The cookie by which a client stays with its revision.

use serde::{Deserialize, Serialize};

use crate::checked_text::{checked_text, is_token};

/// The longest name of a cookie, in bytes.
pub const COOKIE_BYTES_MAX: usize = 64;

checked_text!(
    /// The name of a cookie: 1 to 64 of the characters of a token (RFC 6265).
    CookieName,
    /// The text cannot name a cookie.
    CookieNameError = "not the name of a cookie: 1 to 64 letters, digits and any of !#$%&'*+-.^_`|~",
    is_cookie_name
);

fn is_cookie_name(text: &str) -> bool {
    is_token(text, COOKIE_BYTES_MAX)
}

impl Default for CookieName {
    fn default() -> Self {
        Self("cumulet-revision".into())
    }
}

/// A client keeps the revision that it got first, by a cookie.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sticky {
    /// The cookie's name.
    #[serde(default)]
    pub cookie: CookieName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_has_a_name_of_ours_unless_it_is_given() {
        assert_eq!(serde_json::from_str::<Sticky>("{}").unwrap().cookie.as_str(), "cumulet-revision");
        assert_eq!(serde_json::to_string(&Sticky::default()).unwrap(), r#"{"cookie":"cumulet-revision"}"#);
        for bad in ["", "a b", "a=b", "a;b", "é", &"x".repeat(65)] {
            assert!(CookieName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
