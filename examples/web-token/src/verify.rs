//! From the header of a request to the claims of a token that holds.

use crate::claims::{self, ClaimError, Expect};
use crate::keys::{KeyError, KeySet};
use crate::signature;
use crate::token::Token;
use serde_json::{Map, Value};

/// Why a token that is well formed is not accepted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No key fits it.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// It was signed by somebody else, or changed since.
    #[error("the signature is not the key's")]
    Signature,
    /// It is not valid now, or not here.
    #[error(transparent)]
    Claims(#[from] ClaimError),
}

/// The token in the value of `authorization` (RFC 6750, 2.1); `None` where it has none.
#[must_use]
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

/// The claims of a token that a key in `keys`, a key set in JSON, has signed. `now` is in seconds since 1970.
///
/// # Errors
/// The first thing that is wrong: the key, the signature, then the claims.
pub fn verify(token: &Token<'_>, keys: &[u8], expect: &Expect, now: u64) -> Result<Map<String, Value>, Rejection> {
    let key = KeySet::parse(keys)?.select(token)?;
    if !signature::verify(token, &key) {
        return Err(Rejection::Signature);
    }
    Ok(claims::check(token.claims(), expect, now)?)
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn the_token_of_a_header() {
        for (header, expect) in [
            ("Bearer a.b.c", Some("a.b.c")),
            ("bEARER  a.b.c ", Some("a.b.c")),
            ("Bearer ", None),
            ("Bearer", None),
            ("Basic YWRhOng=", None),
            ("a.b.c", None),
        ] {
            assert_eq!(bearer(header), expect, "{header:?}");
        }
    }
}
