//! The operator's listener: `/healthz` and `/metrics`.

use crate::metrics::exposition;
use crate::reply::ReplyBody;
use crate::serving::Serving;
use crate::workshop::Workshop;
use bytes::Bytes;
use cumulet_gateway::{Handler, Incoming, Rejection};
use cumulet_spec::outcome::Outcome;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use std::sync::Arc;
use tokio::sync::watch;

/// Answers the operator.
#[derive(Clone, Debug)]
pub(crate) struct AdminHandler {
    serving: Arc<Serving>,
    workshop: Arc<Workshop>,
    opened: watch::Receiver<bool>,
}

impl AdminHandler {
    /// `opened` says whether requests are taken.
    pub(crate) fn new(serving: Arc<Serving>, workshop: Arc<Workshop>, opened: watch::Receiver<bool>) -> Self {
        Self { serving, workshop, opened }
    }
}

impl Handler for AdminHandler {
    type Body = ReplyBody;

    async fn handle(&self, incoming: Incoming) -> Result<http::Response<ReplyBody>, Rejection> {
        let (status, text) = match incoming.request.uri().path() {
            "/healthz" if *self.opened.borrow() => (StatusCode::OK, "ok\n".to_owned()),
            "/healthz" => (StatusCode::SERVICE_UNAVAILABLE, "loading\n".to_owned()),
            "/metrics" => (StatusCode::OK, exposition(&self.serving, &self.workshop)),
            _ => return Err(Outcome::NoRoute.into()),
        };
        let mut response = http::Response::new(ReplyBody::full(Bytes::from(text)));
        *response.status_mut() = status;
        let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        Ok(response)
    }
}
