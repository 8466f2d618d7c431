//! What a token claims, held against the time and against what is expected here.

use serde_json::{Map, Value};

/// What tokens are held against.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expect {
    /// `iss` has to be this.
    pub issuer: Option<String>,
    /// `aud` has to be this, or to contain it.
    pub audience: Option<String>,
    /// Seconds by which clocks may differ.
    pub leeway: u32,
}

/// Why claims are not accepted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// They are not a JSON object.
    #[error("the claims are not a JSON object")]
    NotAnObject,
    /// A time is not a number of seconds.
    #[error("`{0}` is not a number of seconds")]
    NotATime(&'static str),
    /// There is no time at which the token ends.
    #[error("the token has no `exp`: it would never end")]
    Endless,
    /// The token has ended.
    #[error("the token expired")]
    Expired,
    /// The token is not valid yet.
    #[error("the token is not valid yet")]
    NotYet,
    /// The token says that it was made later than now.
    #[error("the token was issued in the future")]
    FromTheFuture,
    /// The token is from somebody else.
    #[error("`iss` is not the expected issuer")]
    Issuer,
    /// The token is for somebody else.
    #[error("`aud` does not contain the expected audience")]
    Audience,
}

/// Holds claims against the time `now`, in seconds since 1970, and against what is expected.
///
/// # Errors
/// The first thing that is wrong, times first.
pub fn check(claims: &[u8], expect: &Expect, now: u64) -> Result<Map<String, Value>, ClaimError> {
    let claims: Map<String, Value> = serde_json::from_slice(claims).map_err(|_| ClaimError::NotAnObject)?;
    let time = |name: &'static str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().filter(|time| *time >= 0.0).map(Some).ok_or(ClaimError::NotATime(name)),
    };
    #[expect(clippy::cast_precision_loss, reason = "seconds stay exact for 285 million years")]
    let now = now as f64;
    let leeway = f64::from(expect.leeway);
    if time("exp")?.ok_or(ClaimError::Endless)? + leeway <= now {
        return Err(ClaimError::Expired);
    }
    if time("nbf")?.is_some_and(|start| start - leeway > now) {
        return Err(ClaimError::NotYet);
    }
    if time("iat")?.is_some_and(|issued| issued - leeway > now) {
        return Err(ClaimError::FromTheFuture);
    }
    let is = |value: &Value, text: &str| value.as_str() == Some(text);
    if let Some(issuer) = &expect.issuer
        && !claims.get("iss").is_some_and(|value| is(value, issuer))
    {
        return Err(ClaimError::Issuer);
    }
    if let Some(audience) = &expect.audience
        && !claims.get("aud").is_some_and(|value| match value {
            Value::Array(values) => values.iter().any(|value| is(value, audience)),
            one => is(one, audience),
        })
    {
        return Err(ClaimError::Audience);
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks(claims: &str, expect: Result<(), ClaimError>) {
        let wanted = Expect { issuer: Some("me".into()), audience: Some("you".into()), leeway: 10 };
        assert_eq!(check(claims.as_bytes(), &wanted, 1000).map(drop), expect, "{claims}");
    }

    #[test]
    fn times() {
        checks(r#"{"iss":"me","aud":"you","exp":1001}"#, Ok(()));
        checks(r#"{"iss":"me","aud":"you","exp":991}"#, Ok(()));
        checks(r#"{"iss":"me","aud":"you","exp":990}"#, Err(ClaimError::Expired));
        checks(r#"{"iss":"me","aud":"you"}"#, Err(ClaimError::Endless));
        checks(r#"{"iss":"me","aud":"you","exp":"soon"}"#, Err(ClaimError::NotATime("exp")));
        checks(r#"{"iss":"me","aud":"you","exp":-1}"#, Err(ClaimError::NotATime("exp")));
        checks(r#"{"iss":"me","aud":"you","exp":2000.5,"nbf":1010,"iat":1010}"#, Ok(()));
        checks(r#"{"iss":"me","aud":"you","exp":2000,"nbf":1011}"#, Err(ClaimError::NotYet));
        checks(r#"{"iss":"me","aud":"you","exp":2000,"iat":1011}"#, Err(ClaimError::FromTheFuture));
        checks("[]", Err(ClaimError::NotAnObject));
    }

    #[test]
    fn parties() {
        checks(r#"{"iss":"me","aud":["x","you"],"exp":2000}"#, Ok(()));
        checks(r#"{"iss":"me","aud":["x"],"exp":2000}"#, Err(ClaimError::Audience));
        checks(r#"{"iss":"me","exp":2000}"#, Err(ClaimError::Audience));
        checks(r#"{"iss":["me"],"aud":"you","exp":2000}"#, Err(ClaimError::Issuer));
        checks(r#"{"aud":"you","exp":2000}"#, Err(ClaimError::Issuer));
    }

    #[test]
    fn nothing_expected() {
        assert!(check(br#"{"exp":2000}"#, &Expect::default(), 1000).is_ok());
    }
}
