//! From a request to a reply.

use guest_http::Reply;

use crate::claims::{ClaimError, Expect};
use crate::token::{Token, TokenError};
use web_token::{Rejection, bearer, verify};

/// What a request brings along, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'r> {
    /// The method, by its name.
    pub method: &'r str,
    /// The path.
    pub path: &'r str,
    /// The value of `authorization`.
    pub authorization: Option<&'r str>,
    /// The body.
    pub body: &'r [u8],
}

/// Why there is no key set.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoKeys {
    /// Neither the configuration nor the environment says where keys come from.
    #[error(
        "no key set is configured: grant the config key `jwks`, or the environment variable JWKS_URL with its origin"
    )]
    NotConfigured,
    /// The server of the key set did not give one.
    #[error("the key set cannot be had from its server: {0}")]
    Unreachable(String),
}

/// Why a token was not accepted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("the request carries no token")]
    NoToken,
    #[error(transparent)]
    Token(TokenError),
    #[error(transparent)]
    NoKeys(NoKeys),
    #[error(transparent)]
    Rejected(Rejection),
}

/// Answers a request. `keys` is asked for only once a token is there that could be verified.
#[must_use]
pub fn answer(asked: &Asked<'_>, expect: &Expect, now: u64, keys: impl FnOnce() -> Result<Vec<u8>, NoKeys>) -> Reply {
    if asked.path != "/verify" {
        return Reply::problem(404, "no such page", "post a token to /verify");
    }
    if asked.method != "POST" {
        return Reply::problem(405, "only POST is served here", "post a token to /verify").with("allow", "POST");
    }
    match claims(asked, expect, now, keys) {
        Ok(claims) => Reply::new(200, "application/json", claims),
        Err(refusal) => refuse(&refusal),
    }
}

fn claims(
    asked: &Asked<'_>,
    expect: &Expect,
    now: u64,
    keys: impl FnOnce() -> Result<Vec<u8>, NoKeys>,
) -> Result<Vec<u8>, Refusal> {
    let token = Token::parse(text(asked).ok_or(Refusal::NoToken)?).map_err(Refusal::Token)?;
    let claims = verify(&token, &keys().map_err(Refusal::NoKeys)?, expect, now).map_err(Refusal::Rejected)?;
    let mut json =
        serde_json::to_vec(&claims).map_err(|_| Refusal::Rejected(Rejection::Claims(ClaimError::NotAnObject)))?;
    json.push(b'\n');
    Ok(json)
}

/// The token out of the header, or else out of the body.
fn text<'r>(asked: &Asked<'r>) -> Option<&'r str> {
    let body = || std::str::from_utf8(asked.body).ok().map(str::trim);
    asked.authorization.and_then(bearer).or_else(body).filter(|token| !token.is_empty())
}

fn refuse(refusal: &Refusal) -> Reply {
    let (status, title) = match refusal {
        Refusal::Token(error) if !error.is_refusal() => (400, "the token is malformed"),
        Refusal::Rejected(Rejection::Claims(ClaimError::NotAnObject | ClaimError::NotATime(_))) => {
            (400, "the token is malformed")
        }
        Refusal::NoKeys(NoKeys::NotConfigured) => (500, "no key set is configured"),
        Refusal::NoKeys(NoKeys::Unreachable(_)) => (502, "the key set cannot be had"),
        Refusal::Rejected(Rejection::Key(error)) if error.is_key_set() => (502, "the key set is damaged"),
        Refusal::NoToken => (401, "a token is needed"),
        Refusal::Token(_) | Refusal::Rejected(_) => (401, "the token is not accepted"),
    };
    let reply = Reply::problem(status, title, &refusal.to_string());
    match (status, refusal) {
        (401, Refusal::NoToken) => reply.with("www-authenticate", "Bearer"),
        (401, _) => reply.with("www-authenticate", "Bearer error=\"invalid_token\""),
        _ => reply,
    }
}
