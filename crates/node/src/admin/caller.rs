//! Who calls, and whether they may.

use super::api::{Api, Attempt};
use super::fault::{Answer, Fault};
use super::session::Seen;
use super::view::blocking;
use super::{origin, page};
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use cumulet_control::{AuditOutcome, Bearer, TokenRefused};
use cumulet_spec::api::ProblemKind;
use cumulet_spec::id::TenantId;
use cumulet_spec::token::{Actor, Scope, TokenText};
use http::header::{AUTHORIZATION, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode};
use std::net::SocketAddr;
use std::sync::Arc;

/// Where a request came from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Whoever calls, by a token that is valid.
#[derive(Debug, Clone)]
pub(super) struct Caller(pub(super) Bearer);

impl Caller {
    /// Whether this may be done with a tenant's things. Whose token does not reach the tenant learns nothing of it, not
    /// even that it is there.
    pub(super) fn may(&self, api: &Api, scope: Scope, tenant: &TenantId) -> Answer<()> {
        if !self.0.reach.includes(tenant) || !api.has_tenant(tenant)? {
            return Err(Fault::not_found(&format!("tenant {tenant}")));
        }
        if self.0.may(scope, tenant) { Ok(()) } else { Err(self.too_weak(scope)) }
    }

    /// Whether this may be done with the node itself.
    pub(super) fn may_on_node(&self, scope: Scope) -> Answer<()> {
        if self.0.may_on_node(scope) {
            return Ok(());
        }
        if self.0.scope >= scope {
            let detail = "this token reaches one tenant, and this concerns the whole node";
            return Err(Fault::new(ProblemKind::Forbidden, detail).next("use a token of the node"));
        }
        Err(self.too_weak(scope))
    }

    fn too_weak(&self, scope: Scope) -> Fault {
        let detail = format!("this token may {}, and this needs {}", self.0.scope.label(), scope.label());
        Fault::new(ProblemKind::Forbidden, detail).next("use a token of that scope, or ask an admin for one")
    }
}

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Fault> {
        // Known already where the request would change something: see `refused`.
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(caller.clone());
        }
        let shown = Shown::by(parts);
        let refused = match shown.admitted(api, api.ship.now_us())? {
            Ok(bearer) => return Ok(Self(bearer)),
            Err(refused) => refused,
        };
        // Whoever showed nothing has guessed nothing.
        if !matches!(shown, Shown::Nothing) {
            failed(api, parts.extensions.get::<Peer>().copied(), parts.uri.path(), &refused).await?;
        }
        Err(Fault::new(ProblemKind::Unauthorized, refused).next(
            "send `authorization: Bearer cumulet_…`; the first token is in the node's data folder, in admin.token",
        ))
    }
}

/// By what a request says whose it is.
enum Shown {
    Nothing,
    Authorization(String),
    /// The page's: a cookie, and what only its own script can send with it.
    Session {
        cookie: String,
        proof: Option<String>,
        is_same_origin: bool,
    },
}

impl Shown {
    fn by(parts: &Parts) -> Self {
        let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
        if let Some(value) = parts.headers.get(AUTHORIZATION) {
            return Self::Authorization(text(value));
        }
        let Some(cookie) = page::cookie(parts) else { return Self::Nothing };
        let proof = parts.headers.get(page::PROOF).map(text);
        Self::Session { cookie, proof, is_same_origin: origin::is_same(parts) }
    }

    fn admitted(&self, api: &Api, now_us: u64) -> Answer<Result<Bearer, String>> {
        let (cookie, proof) = match self {
            Self::Nothing => return Ok(Err("no token was sent".to_owned())),
            Self::Authorization(value) => {
                let text = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
                let Some((_, text)) = text else {
                    return Ok(Err("the authorization is not of the form `Bearer TOKEN`".to_owned()));
                };
                return Ok(check(api, text.trim(), now_us)?.map(|(bearer, _)| bearer));
            }
            Self::Session { is_same_origin: false, .. } => {
                return Ok(Err("a session's cookie came with a request of another origin".to_owned()));
            }
            Self::Session { cookie, proof, .. } => (cookie, proof),
        };
        let seen = match api.sessions.find(cookie, proof.as_deref(), now_us) {
            Ok(seen) => seen,
            Err(refused) => return Ok(Err(refused.to_string())),
        };
        // A session is never worth more than its token is at this moment.
        let row = api.registry().token(&seen.id)?;
        let admitted = row.ok_or(TokenRefused::Unknown).and_then(|row| row.admits_hash(&seen.hash, now_us));
        if admitted.is_err() {
            api.sessions.end(cookie);
        }
        Ok(admitted.map_err(|refused| refused.to_string()))
    }
}

/// Counts and notes that somebody showed what is no token.
///
/// A token cannot be guessed, so whoever has one never waits for those who fail beside them: what is bounded is what
/// failing costs the node.
pub(super) async fn failed(api: &Arc<Api>, peer: Option<Peer>, target: &str, reason: &str) -> Answer<()> {
    if let Some(Peer(peer)) = peer {
        let now_us = api.ship.now_us();
        if !api.failures.may_try(peer.ip(), now_us) {
            let detail = "too many requests from this address had no valid token";
            return Err(Fault::new(ProblemKind::TooMany, detail).next("send a valid token, or wait a few seconds"));
        }
        api.failures.failed(peer.ip(), now_us);
    }
    let (api, target, reason) = (Arc::clone(api), target.to_owned(), reason.to_owned());
    let noted = blocking(move || {
        api.audit(Attempt {
            who: Actor::Anonymous,
            tenant: None,
            action: "token.use",
            target: &target,
            outcome: AuditOutcome::Denied,
            reason: &reason,
        });
        Ok(())
    });
    noted.await
}

/// Notes what somebody who is known wanted to change, and was refused or could not.
pub(super) async fn refused(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let caller = match Caller::from_request_parts(&mut parts, &api).await {
        Ok(caller) => caller,
        Err(fault) => return fault.into_response(),
    };
    let target = format!("{} {}", parts.method, parts.uri.path());
    parts.extensions.insert(caller.clone());
    let response = next.run(Request::from_parts(parts, body)).await;
    let status = response.status();
    if status.is_success() {
        return response;
    }
    let is_denied = matches!(status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND);
    let noted = blocking(move || {
        api.audit(Attempt {
            tenant: caller.0.reach.tenant(),
            outcome: if is_denied { AuditOutcome::Denied } else { AuditOutcome::Failed },
            reason: status.as_str(),
            ..Attempt::by(&caller.0, "request", &target)
        });
        Ok(())
    });
    // That it was not noted stands in the log.
    drop(noted.await);
    response
}

/// Whom a token admits, and what of it may be kept.
pub(super) fn check(api: &Api, text: &str, now_us: u64) -> Answer<Result<(Bearer, Seen), String>> {
    let text = match TokenText::parse(text) {
        Ok(text) => text,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let Some(row) = api.registry().token(text.id())? else { return Ok(Err(TokenRefused::Unknown.to_string())) };
    let seen = Seen { id: text.id().clone(), hash: text.hash() };
    Ok(row.admits(&text, now_us).map(|bearer| (bearer, seen)).map_err(|refused| refused.to_string()))
}
