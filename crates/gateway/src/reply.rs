//! The responses that no guest made: short plain text, or problem JSON (RFC 9457) for who accepts it.

use std::time::Duration;

use bytes::Bytes;
use cumulet_spec::id::RequestId;
use cumulet_spec::outcome::Outcome;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};

use crate::handler::Rejection;
use crate::head::{Refusal, X_REQUEST_ID};

/// The wait that is proposed where the outcome asks for one and the rejection names none.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How an error is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// `text/plain`.
    #[default]
    Text,
    /// `application/problem+json`.
    Json,
}

impl Format {
    /// JSON if the value of an `accept` field names it, at any quality but zero; else as before.
    #[must_use]
    pub fn or_accepted(self, accept: &[u8]) -> Self {
        // Most values name no JSON at all, and this runs on every request.
        if memchr::memchr2(b'j', b'J', accept).is_none() {
            return self;
        }
        if accept.split(|byte| *byte == b',').any(accepts_json) { Self::Json } else { self }
    }
}

/// Whether one element of an `accept` field asks for JSON.
fn accepts_json(range: &[u8]) -> bool {
    let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let named = parts.next().is_some_and(|media| {
        media.eq_ignore_ascii_case(b"application/json") || media.eq_ignore_ascii_case(b"application/problem+json")
    });
    let declined = |parameter: &[u8]| {
        parameter
            .strip_prefix(b"q=0")
            .or_else(|| parameter.strip_prefix(b"Q=0"))
            .is_some_and(|rest| rest.iter().all(|byte| matches!(byte, b'.' | b'0')))
    };
    named && !parts.any(declined)
}

/// The response to a request that was rejected, or that failed before its response began.
#[must_use]
pub fn rejection(rejection: &Rejection, id: &RequestId, format: Format) -> Response<Bytes> {
    let Rejection { outcome, retry_after } = *rejection;
    let status = StatusCode::from_u16(outcome.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = write(&Problem { status, code: outcome.label(), text: outcome.public_text() }, id, format);
    if outcome.retry_after() || retry_after.is_some() {
        let wait = retry_after.unwrap_or(RETRY_AFTER);
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers_mut().insert(header::RETRY_AFTER, seconds.max(1).into());
    }
    if outcome == Outcome::Draining {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// The response to a request that the gateway refused.
#[must_use]
pub fn refusal(refusal: Refusal, id: &RequestId, format: Format) -> Response<Bytes> {
    let code = refusal.outcome().map_or("bad-request", Outcome::label);
    write(&Problem { status: refusal.status(), code, text: refusal.public_text() }, id, format)
}

/// What an error response says.
struct Problem {
    status: StatusCode,
    code: &'static str,
    text: &'static str,
}

fn write(problem: &Problem, id: &RequestId, format: Format) -> Response<Bytes> {
    let Problem { status, code, text } = problem;
    let (media, body) = match format {
        Format::Text => ("text/plain; charset=utf-8", format!("{text}\n")),
        // Every part is ours, or an id of `[A-Za-z0-9._-]`: nothing needs escaping.
        Format::Json => (
            "application/problem+json",
            format!(
                "{{\"type\":\"about:blank\",\"title\":\"{title}\",\"status\":{status},\"detail\":\"{text}\",\
                 \"outcome\":\"{code}\",\"request_id\":\"{id}\"}}\n",
                title = status.canonical_reason().unwrap_or("Error"),
                status = status.as_u16(),
            ),
        ),
    };
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = *status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    set_request_id(response.headers_mut(), id);
    response
}

/// Puts the request's id into a response, in place of any that is there.
pub(crate) fn set_request_id(headers: &mut http::HeaderMap, id: &RequestId) {
    // An id holds only bytes that a field's value may hold.
    if let Ok(value) = HeaderValue::from_bytes(id.as_bytes()) {
        headers.insert(X_REQUEST_ID, value);
    }
}
