//! What stands before the routes of apps where a node speaks TLS as well: challenges are answered, and who may be is sent
//! on to TLS.

use super::shelf::Shelf;
use super::tokens::Tokens;
use crate::apps::bare;
use crate::reply::ReplyBody;
use bytes::Bytes;
use cumulet_gateway::{Handler, Incoming, Refusal, Rejection};
use cumulet_spec::outcome::Outcome;
use http::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use http::{Response, StatusCode};
use std::sync::Arc;

/// Where answers to HTTP-01 challenges are looked for (RFC 8555, 8.3).
const CHALLENGES: &str = "/.well-known/acme-challenge/";
/// The port that an `https` URL does not name.
const HTTPS_PORT: u16 = 443;

/// What is decided before a request is routed.
#[derive(Debug)]
pub(crate) struct Door {
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) tokens: Arc<Tokens>,
    /// The port that requests are sent on to, where they are.
    pub(crate) redirect: Option<u16>,
}

/// A handler behind a door.
#[derive(Clone, Debug)]
pub(crate) struct Front<H> {
    pub(crate) door: Arc<Door>,
    pub(crate) inner: H,
}

impl<H: Handler<Body = ReplyBody>> Handler for Front<H> {
    type Body = ReplyBody;

    async fn handle(&self, incoming: Incoming) -> Result<Response<ReplyBody>, Rejection> {
        match self.door.answer(&incoming) {
            Some(response) => Ok(response),
            None => self.inner.handle(incoming).await,
        }
    }

    fn refused(&self, refusal: Refusal) {
        self.inner.refused(refusal);
    }

    fn turned_away(&self, outcome: Outcome) {
        self.inner.turned_away(outcome);
    }
}

impl Door {
    /// The response to a request that no app is to see.
    fn answer(&self, incoming: &Incoming) -> Option<Response<ReplyBody>> {
        let Some(token) = incoming.request.uri().path().strip_prefix(CHALLENGES) else {
            return self.sent_on(incoming);
        };
        let authorization = self.tokens.get(token)?;
        let mut response = Response::new(ReplyBody::full(Bytes::from(authorization)));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        Some(response)
    }

    fn sent_on(&self, incoming: &Incoming) -> Option<Response<ReplyBody>> {
        let port = self.redirect?;
        let host = bare(incoming.authority()?).filter(|host| self.shelf.tls().covers(host))?;
        let path = incoming.request.uri().path_and_query().map_or("/", |path| path.as_str());
        // `OPTIONS *` asks about the server, which has no URL.
        if !path.starts_with('/') {
            return None;
        }
        let location = match port {
            HTTPS_PORT => format!("https://{host}{path}"),
            port => format!("https://{host}:{port}{path}"),
        };
        let mut response = Response::new(ReplyBody::full(Bytes::new()));
        *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
        response.headers_mut().insert(LOCATION, HeaderValue::try_from(location).ok()?);
        Some(response)
    }
}
