//! Who is let in.

use web_token::claims::Expect;
use web_token::token::{Token, TokenError};
use web_token::{Rejection, bearer, verify};

/// Seconds by which clocks may differ.
const LEEWAY: u32 = 60;

/// Why somebody is not let in.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no token.
    #[error("the request carries no token: send `authorization: Bearer TOKEN`")]
    NoToken,
    /// It is malformed, or asks for what is not done here.
    #[error(transparent)]
    Token(TokenError),
    /// Its key, its signature or its claims are not accepted.
    #[error(transparent)]
    Rejected(Rejection),
    /// It does not say whose it is.
    #[error("the token has no `sub`: nobody knows whose it is")]
    Nameless,
}

/// The name of the person whose token this is. `now` is in seconds since 1970.
///
/// # Errors
/// When there is no token, or none of a key in `keys`, or none that is valid now.
pub fn reader(authorization: Option<&str>, keys: &[u8], now: u64) -> Result<String, Refusal> {
    let token = Token::parse(authorization.and_then(bearer).ok_or(Refusal::NoToken)?).map_err(Refusal::Token)?;
    let expect = Expect { leeway: LEEWAY, ..Expect::default() };
    let claims = verify(&token, keys, &expect, now).map_err(Refusal::Rejected)?;
    claims.get("sub").and_then(|name| name.as_str()).map(str::to_owned).ok_or(Refusal::Nameless)
}

#[cfg(test)]
mod tests {
    use super::*;
    use web_token::claims::ClaimError;

    const KEYS: &[u8] = include_bytes!("../../../token-verify/data/jwks.json");
    /// In 2025.
    const NOW: u64 = 1_750_000_000;

    fn check(authorization: Option<&str>, expect: Result<&str, Refusal>) {
        assert_eq!(reader(authorization, KEYS, NOW), expect.map(str::to_owned), "{authorization:?}");
    }

    #[test]
    fn who_has_a_token_is_known_by_name() {
        let bearer = |token: &str| format!("Bearer {}", token.trim());
        let valid = include_str!("../../../token-verify/data/eddsa.jwt");
        check(Some(&bearer(valid)), Ok("ada"));
        let expired = include_str!("../../../token-verify/data/eddsa.expired.jwt");
        check(Some(&bearer(expired)), Err(Refusal::Rejected(Rejection::Claims(ClaimError::Expired))));
        let forged = include_str!("../../../token-verify/data/eddsa.forged.jwt");
        check(Some(&bearer(forged)), Err(Refusal::Rejected(Rejection::Signature)));
        check(Some("Bearer x"), Err(Refusal::Token(TokenError::Parts)));
        check(Some("Basic YWRhOng="), Err(Refusal::NoToken));
        check(Some(valid.trim()), Err(Refusal::NoToken));
        check(None, Err(Refusal::NoToken));
    }
}
