//! The operator's listener: `/healthz` and `/metrics`.

use crate::metrics::exposition;
use crate::node::Workshop;
use crate::reply::ReplyBody;
use crate::serving::Serving;
use bytes::Bytes;
use cumulet_gateway::{Handler, Incoming, Rejection};
use cumulet_spec::outcome::Outcome;
use http::header::{CONTENT_TYPE, HeaderValue};
use std::sync::Arc;

/// Answers the operator.
#[derive(Clone, Debug)]
pub(crate) struct AdminHandler {
    serving: Arc<Serving>,
    workshop: Arc<Workshop>,
}

impl AdminHandler {
    pub(crate) fn new(serving: Arc<Serving>, workshop: Arc<Workshop>) -> Self {
        Self { serving, workshop }
    }
}

impl Handler for AdminHandler {
    type Body = ReplyBody;

    async fn handle(&self, incoming: Incoming) -> Result<http::Response<ReplyBody>, Rejection> {
        let text = match incoming.request.uri().path() {
            "/healthz" => "ok\n".to_owned(),
            "/metrics" => exposition(&self.serving, &self.workshop),
            _ => return Err(Outcome::NoRoute.into()),
        };
        let mut response = http::Response::new(ReplyBody::full(Bytes::from(text)));
        let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        Ok(response)
    }
}
