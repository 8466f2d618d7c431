//! From a request to a reply.

use guest_http::Reply;

use crate::claims::{self, ClaimError, Expect};
use crate::keys::{KeyError, KeySet};
use crate::signature;
use crate::token::{Token, TokenError};

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
    Key(KeyError),
    #[error("the signature is not the key's")]
    Signature,
    #[error(transparent)]
    Claims(ClaimError),
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
    match verify(asked, expect, now, keys) {
        Ok(claims) => Reply::new(200, "application/json", claims),
        Err(refusal) => refuse(&refusal),
    }
}

fn verify(
    asked: &Asked<'_>,
    expect: &Expect,
    now: u64,
    keys: impl FnOnce() -> Result<Vec<u8>, NoKeys>,
) -> Result<Vec<u8>, Refusal> {
    let text = bearer(asked).ok_or(Refusal::NoToken)?;
    let token = Token::parse(text).map_err(Refusal::Token)?;
    let keys = KeySet::parse(&keys().map_err(Refusal::NoKeys)?).map_err(Refusal::Key)?;
    let key = keys.select(&token).map_err(Refusal::Key)?;
    if !signature::verify(&token, &key) {
        return Err(Refusal::Signature);
    }
    let claims = claims::check(token.claims(), expect, now).map_err(Refusal::Claims)?;
    let mut json = serde_json::to_vec(&claims).map_err(|_| Refusal::Claims(ClaimError::NotAnObject))?;
    json.push(b'\n');
    Ok(json)
}

/// The token out of the header, or else out of the body.
fn bearer<'r>(asked: &Asked<'r>) -> Option<&'r str> {
    let header = asked.authorization.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let body = || std::str::from_utf8(asked.body).ok().map(str::trim);
    header.or_else(body).filter(|token| !token.is_empty())
}

fn refuse(refusal: &Refusal) -> Reply {
    let (status, title) = match refusal {
        Refusal::Token(error) if !error.is_refusal() => (400, "the token is malformed"),
        Refusal::Claims(ClaimError::NotAnObject | ClaimError::NotATime(_)) => (400, "the token is malformed"),
        Refusal::NoKeys(NoKeys::NotConfigured) => (500, "no key set is configured"),
        Refusal::NoKeys(NoKeys::Unreachable(_)) => (502, "the key set cannot be had"),
        Refusal::Key(error) if error.is_key_set() => (502, "the key set is damaged"),
        Refusal::NoToken => (401, "a token is needed"),
        Refusal::Token(_) | Refusal::Key(_) | Refusal::Signature | Refusal::Claims(_) => {
            (401, "the token is not accepted")
        }
    };
    let reply = Reply::problem(status, title, &refusal.to_string());
    match (status, refusal) {
        (401, Refusal::NoToken) => reply.with("www-authenticate", "Bearer"),
        (401, _) => reply.with("www-authenticate", "Bearer error=\"invalid_token\""),
        _ => reply,
    }
}
