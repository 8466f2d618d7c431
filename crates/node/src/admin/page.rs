//! The page: files that are part of the program, and the session by which it calls the API.

use super::api::{Api, Attempt};
use super::caller::{self, Caller, Peer};
use super::fault::{Answer, Fault};
use super::input::Document;
use super::origin;
use super::session::LIFE_US;
use super::view::{self, blocking};
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, RequestExt as _, Router};
use cumulet_spec::api::{ProblemKind, WhoAmI};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH, LOCATION,
    REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// The header in which the page sends the half of a session that is no cookie.
pub(super) const PROOF: HeaderName = HeaderName::from_static("x-cumulet-csrf");
/// What the page may do: nothing but what came from here, and nothing inside a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
                      frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
/// What an answer of the API may do that is opened as if it were a page.
const NO_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// A file of the page.
struct File {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! file {
    ($name:literal, $kind:literal) => {
        File { name: $name, kind: $kind, text: include_str!(concat!("../../page/", $name)) }
    };
}

/// What the browser loads, the page itself first.
const FILES: [File; 18] = [
    file!("index.html", "text/html; charset=utf-8"),
    file!("style.css", "text/css; charset=utf-8"),
    file!("icon.svg", "image/svg+xml"),
    file!("main.js", "text/javascript; charset=utf-8"),
    file!("client.js", "text/javascript; charset=utf-8"),
    file!("dom.js", "text/javascript; charset=utf-8"),
    file!("text.js", "text/javascript; charset=utf-8"),
    file!("live.js", "text/javascript; charset=utf-8"),
    file!("chart.js", "text/javascript; charset=utf-8"),
    file!("graph.js", "text/javascript; charset=utf-8"),
    file!("signin.js", "text/javascript; charset=utf-8"),
    file!("apps.js", "text/javascript; charset=utf-8"),
    file!("app.js", "text/javascript; charset=utf-8"),
    file!("traffic.js", "text/javascript; charset=utf-8"),
    file!("requests.js", "text/javascript; charset=utf-8"),
    file!("logs.js", "text/javascript; charset=utf-8"),
    file!("usage.js", "text/javascript; charset=utf-8"),
    file!("deploys.js", "text/javascript; charset=utf-8"),
];

/// What the page sends to sign in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    token: String,
}

/// A session as the page keeps it; the other half is the cookie.
#[derive(Serialize)]
struct SignedIn {
    proof: String,
    ends_us: u64,
    who: WhoAmI,
}

/// Places of the page, none of which the description of the API has.
pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/", get(index))
        .route("/ui", get(moved))
        .route("/ui/{name}", get(file))
        .route("/ui/session", post(sign_in).delete(sign_out))
}

/// Whether a path is one of the page.
pub(super) fn has(path: &str) -> bool {
    path == "/" || path == "/ui" || path.starts_with("/ui/")
}

/// What every answer of the listener tells a browser that it did not say itself.
pub(super) fn protect(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NO_POLICY));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

async fn index(headers: HeaderMap) -> Response {
    FILES.first().map_or_else(|| StatusCode::NOT_FOUND.into_response(), |page| show(page, &headers))
}

async fn moved() -> Response {
    (StatusCode::PERMANENT_REDIRECT, [(LOCATION, "/")]).into_response()
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Answer<Response> {
    let file = FILES.iter().find(|file| file.name == name);
    let none = || Fault::new(ProblemKind::NotFound, "the page has no such file").next("the page itself is at /");
    Ok(show(file.ok_or_else(none)?, &headers))
}

/// A browser asks each time whether it has the file of this release, and mostly does.
fn show(file: &File, headers: &HeaderMap) -> Response {
    let tag: String = Sha256::digest(file.text).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{tag}\"");
    let is_known = headers.get(IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let shown = [
        (CONTENT_TYPE, file.kind.to_owned()),
        (CONTENT_SECURITY_POLICY, POLICY.to_owned()),
        (CACHE_CONTROL, "no-cache".to_owned()),
        (ETAG, tag),
    ];
    if is_known { (StatusCode::NOT_MODIFIED, shown).into_response() } else { (shown, file.text).into_response() }
}

/// Exchanges a token for a session. Wrong ones are counted and noted as everywhere.
async fn sign_in(State(api): State<Arc<Api>>, request: Request) -> Answer<Response> {
    let (parts, body) = request.into_parts();
    // No form can send JSON, and a script of another origin has to ask first, which nobody answers.
    let is_json = parts.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !is_json || !origin::is_same(&parts) {
        let detail = "only the page of this node signs in here";
        return Err(Fault::new(ProblemKind::Forbidden, detail).next("open the page at / and sign in there"));
    }
    let Document(SignIn { token }) = Request::from_parts(parts.clone(), body).extract().await?;
    let now_us = api.ship.now_us();
    let (bearer, seen) = match caller::check(&api, &token, now_us)? {
        Ok(known) => known,
        Err(refused) => {
            caller::failed(&api, parts.extensions.get::<Peer>().copied(), parts.uri.path(), &refused).await?;
            return Err(Fault::new(ProblemKind::Unauthorized, refused)
                .next("the first token is in the node's data folder, in admin.token"));
        }
    };
    if let Some(cookie) = cookie(&parts) {
        api.sessions.end(&cookie);
    }
    let halves = api.sessions.begin(seen, now_us);
    let signed = SignedIn { proof: halves.proof, ends_us: halves.ends_us, who: view::who(&bearer) };
    blocking(move || {
        api.audit(Attempt { tenant: bearer.reach.tenant(), ..Attempt::by(&bearer, "session.begin", "page") });
        Ok(())
    })
    .await?;
    let set = set_cookie(&parts, &halves.cookie, LIFE_US / 1_000_000);
    Ok((StatusCode::CREATED, [(SET_COOKIE, set)], Json(signed)).into_response())
}

/// Ends the session that the request came with.
async fn sign_out(State(api): State<Arc<Api>>, caller: Caller, request: Request) -> Answer<Response> {
    let (parts, _) = request.into_parts();
    if let Some(cookie) = cookie(&parts) {
        api.sessions.end(&cookie);
    }
    blocking(move || {
        let Caller(bearer) = caller;
        api.audit(Attempt { tenant: bearer.reach.tenant(), ..Attempt::by(&bearer, "session.end", "page") });
        Ok(())
    })
    .await?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, set_cookie(&parts, "", 0))]).into_response())
}

/// The half of a session that the browser sends by itself.
pub(super) fn cookie(parts: &Parts) -> Option<String> {
    let (plain, secure) = (name(parts, false), name(parts, true));
    let lines = parts.headers.get_all(http::header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, value)| !value.is_empty() && (*name == secure || *name == plain))
        .map(|(_, value)| value.to_owned())
}

fn set_cookie(parts: &Parts, value: &str, seconds: u64) -> String {
    let is_secure = origin::is_secure(&parts.headers);
    let secure = if is_secure { "; Secure" } else { "" };
    let name = name(parts, is_secure);
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}")
}

/// A cookie belongs to a host and all its ports, and each of them may have a node.
fn name(parts: &Parts, is_secure: bool) -> String {
    let prefix = if is_secure { "__Host-" } else { "" };
    let authority = origin::authority(&parts.uri, &parts.headers);
    match authority.and_then(|authority| authority.port_u16()) {
        Some(port) => format!("{prefix}cumulet-session-{port}"),
        None => format!("{prefix}cumulet-session"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest that all files may be together, in bytes.
    const BYTES_MAX: usize = 100_000;

    #[test]
    fn the_page_is_small_and_asks_nobody_else() {
        let bytes: usize = FILES.iter().map(|file| file.text.len()).sum();
        assert!(bytes <= BYTES_MAX, "{bytes} bytes");
        for File { name, text, .. } in &FILES {
            for banned in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "style=", "onclick="]
            {
                assert!(!text.contains(banned), "{name} has {banned}");
            }
            let others = text.match_indices("//").filter_map(|(at, _)| text.get(at.saturating_sub(6)..at + 12));
            let mut others = others.filter(|place| place.contains("http:") || place.contains("https:"));
            // The name of SVG is no place that is asked for.
            assert_eq!(others.find(|place| !place.contains("www.w3.org")), None, "{name}");
        }
    }

    #[test]
    fn every_file_that_is_named_is_there() {
        for File { name, text, .. } in &FILES {
            for part in text.split(['"', '\'']) {
                let local = part.strip_prefix("./").or_else(|| part.strip_prefix("/ui/"));
                let Some(local) = local.filter(|local| local.contains('.') && name != local) else {
                    continue;
                };
                assert!(FILES.iter().any(|file| file.name == local), "{name} names {local}");
            }
        }
    }
}
