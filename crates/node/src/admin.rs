//! The operator's listener: `/healthz`, `/metrics`, and on a node of many apps the API under `/v1` and the page.
//!
//! Handlers speak of requests and problems; what they do is in `ship` and in the registry. The command line and the page
//! have no other way in.

mod api;
mod apps;
mod audits;
mod blobs;
mod caller;
mod deploys;
mod failures;
mod fault;
mod input;
mod listener;
mod live;
mod logs;
mod node;
mod openapi;
mod origin;
mod page;
mod revisions;
mod session;
mod tenants;
mod tokens;
mod usage;
mod view;
mod waiters;

use crate::metrics::exposition;
use crate::reply::ReplyBody;
use crate::serving::Serving;
use crate::workshop::Workshop;
use axum::body::Body;
use axum::response::IntoResponse as _;
use bytes::Bytes;
use cumulet_gateway::{Handler, Incoming, Rejection};
use cumulet_spec::api::{Problem, ProblemKind};
use cumulet_spec::outcome::Outcome;
use http::StatusCode;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http_body_util::BodyExt as _;
use std::sync::Arc;
use tokio::sync::watch;
use tower_service::Service as _;

pub use api::FirstTokenError;
pub(crate) use api::{Api, FirstToken};
use fault::Fault;
pub(crate) use listener::AdminListener;
pub use openapi::document as openapi;

/// Where the API is.
const API: &str = "/v1";
/// The largest answer of the API, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Answers the operator.
#[derive(Clone, Debug)]
pub(crate) struct AdminHandler {
    serving: Arc<Serving>,
    workshop: Arc<Workshop>,
    opened: watch::Receiver<bool>,
    /// None where one app is served: its manifest says everything.
    api: Option<axum::Router>,
}

impl AdminHandler {
    /// `opened` says whether requests are taken.
    pub(crate) fn new(
        serving: Arc<Serving>,
        workshop: Arc<Workshop>,
        opened: watch::Receiver<bool>,
        api: Option<Arc<Api>>,
    ) -> Self {
        Self { serving, workshop, opened, api: api.map(api::router) }
    }
}

impl Handler for AdminHandler {
    type Body = ReplyBody;

    async fn handle(&self, incoming: Incoming) -> Result<http::Response<ReplyBody>, Rejection> {
        let path = incoming.request.uri().path();
        if self.api.is_some() && path != "/healthz" && !self.is_meant(&incoming) {
            return Ok(misdirected());
        }
        let (status, text) = match (path, &self.api) {
            ("/healthz", _) if *self.opened.borrow() => (StatusCode::OK, "ok\n".to_owned()),
            ("/healthz", _) => (StatusCode::SERVICE_UNAVAILABLE, "loading\n".to_owned()),
            ("/metrics", _) => (StatusCode::OK, exposition(&self.serving, &self.workshop)),
            (_, Some(api)) if path == API || path.starts_with("/v1/") || page::has(path) => {
                return answer(api.clone(), incoming).await;
            }
            _ => return Err(Outcome::NoRoute.into()),
        };
        Ok(plain(status, text))
    }
}

impl AdminHandler {
    /// Whether a request is for this listener, and not for a name that a stranger led here. Whoever sends a token
    /// themselves was led by nobody. TLS makes no difference: a tenant's host has a certificate here too.
    fn is_meant(&self, incoming: &Incoming) -> bool {
        let (uri, headers) = (incoming.request.uri(), incoming.request.headers());
        let config = self.workshop.accounts.config();
        headers.contains_key(AUTHORIZATION) || origin::is_own_name(origin::authority(uri, headers).as_ref(), config)
    }
}

fn misdirected() -> http::Response<ReplyBody> {
    let text = "the admin of this node is not known by this name: ask for it by its address or as localhost, or name the \
                host in `admin_hosts` of the node's configuration\n";
    plain(StatusCode::MISDIRECTED_REQUEST, text.to_owned())
}

fn plain(status: StatusCode, text: String) -> http::Response<ReplyBody> {
    let mut response = http::Response::new(ReplyBody::full(Bytes::from(text)));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    page::protect(response.headers_mut());
    response
}

/// Hands a request to the API. Its answers are whole when they leave.
async fn answer(mut api: axum::Router, incoming: Incoming) -> Result<http::Response<ReplyBody>, Rejection> {
    let Incoming { request, peer, .. } = incoming;
    let mut request = request.map(|body| Body::new(body.map_err(axum::Error::new)));
    request.extensions_mut().insert(caller::Peer(peer));
    let Ok(response) = api.call(request).await;
    let (mut head, body) = response.into_parts();
    page::protect(&mut head.headers);
    match axum::body::to_bytes(body, ANSWER_BYTES_MAX).await {
        Ok(bytes) => Ok(http::Response::from_parts(head, ReplyBody::full(bytes))),
        Err(_too_large) => Err(Outcome::HostError.into()),
    }
}

/// What is under `/v1` and nobody answers.
async fn unknown() -> axum::response::Response {
    Fault::from(
        Problem::new(ProblemKind::NotFound, "the API has no such place").next("see /v1/openapi.json for what there is"),
    )
    .into_response()
}

async fn method() -> axum::response::Response {
    let detail = "this place of the API does not take this method";
    Fault::from(Problem::new(ProblemKind::Method, detail).next("see /v1/openapi.json for what there is"))
        .into_response()
}
