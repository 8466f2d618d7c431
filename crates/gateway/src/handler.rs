//! What answers requests: the seam between the gateway and the node.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use cumulet_spec::id::RequestId;
use cumulet_spec::outcome::Outcome;

use crate::body::RequestBody;
use crate::head::Refusal;

/// One request as it came in.
///
/// The head is clean: exactly one `host` on HTTP/1.1 (an absolute request target has replaced it), no
/// connection-specific field, a target within its bound.
#[derive(Debug)]
pub struct Incoming {
    /// The client's own id where it sent a valid one, else a new one. The response carries it as `x-request-id`.
    pub id: RequestId,
    /// The request, its body not read yet.
    pub request: http::Request<RequestBody>,
    /// The other end of the connection.
    pub peer: SocketAddr,
}

impl Incoming {
    /// The authority that the request is for: of the request target (HTTP/2, absolute form), else of `host`.
    #[must_use]
    pub fn authority(&self) -> Option<&str> {
        match self.request.uri().authority() {
            Some(authority) => Some(authority.as_str()),
            None => self.request.headers().get(http::header::HOST)?.to_str().ok(),
        }
    }
}

/// Answers requests.
///
/// # Cancel safety
/// The future of [`handle`](Self::handle) and the body that it returned are dropped when the client goes away, when
/// it resets the stream, and when a drain runs out of time: that drop is the signal to stop. A response to `HEAD` has
/// its body dropped without a poll. Nothing bounds the time of a handler but itself.
pub trait Handler: Clone + Send + Sync + 'static {
    /// The body of a response.
    type Body: http_body::Body<Data = Bytes, Error = BodyFailure> + Send + 'static;

    /// Answers one request. A panic is answered with 500 and ends nothing else.
    ///
    /// # Errors
    /// A [`Rejection`] becomes the error response of its outcome.
    fn handle(&self, incoming: Incoming) -> impl Future<Output = Result<http::Response<Self::Body>, Rejection>> + Send;

    /// Is told of a request that the gateway answered by itself, for counting. Must not block.
    fn refused(&self, refusal: Refusal) {
        let _: Refusal = refusal;
    }

    /// Is told of a request that came too late, for counting. Must not block.
    fn turned_away(&self, outcome: Outcome) {
        let _: Outcome = outcome;
    }
}

/// A request that gets an error response instead of a guest's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// What happened; gives the status and the text.
    pub outcome: Outcome,
    /// When a retry may help, rounded up to whole seconds.
    pub retry_after: Option<Duration>,
}

impl From<Outcome> for Rejection {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, retry_after: None }
    }
}

/// A response body that ended before its end. The client sees an HTTP/1.1 connection closed without the last chunk,
/// or a reset HTTP/2 stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the response body was cut short ({})", .outcome.label())]
pub struct BodyFailure {
    /// What ended it.
    pub outcome: Outcome,
}
