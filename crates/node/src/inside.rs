//! Calls between the components of one app: `http://NAME.internal/` is answered here, and never leaves the process.
//!
//! The callee is invoked like from outside: with a permit, limits, a measurement and an event of its own, under the
//! caller's request id.

use crate::invoke::invoke_at;
use crate::reply::ReplyBody;
use crate::serving::Serving;
use crate::target::Crew;
use cumulet_capability::{Inside, InsideAnswer, InsideBody, InsideError, RequestBody as SentBody};
use cumulet_gateway::{BODY_BYTES_MAX, Incoming, Rejection, RequestBody, RequestBodyErrorKind};
use cumulet_spec::id::{ComponentName, RequestId};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Full};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

/// How many calls may stand inside one another. A circle of calls ends here instead of at the node's slots.
const DEPTH_MAX: u8 = 8;
/// Frames of a request body that wait for the callee.
const FRAMES_MAX: usize = 4;

/// What one invocation may call.
#[derive(Debug)]
pub(crate) struct Within {
    pub(crate) serving: Arc<Serving>,
    pub(crate) crew: Arc<Crew>,
    pub(crate) id: RequestId,
    /// How many calls this invocation stands inside of.
    pub(crate) depth: u8,
}

impl Inside for Within {
    fn call(&self, component: &str, request: http::Request<SentBody>) -> InsideAnswer {
        let routed = component.parse::<ComponentName>().ok().and_then(|name| Crew::routed(&self.crew, &name));
        let Some(routed) = routed else { return Box::pin(std::future::ready(Err(InsideError::Unknown))) };
        if self.depth >= DEPTH_MAX {
            return Box::pin(std::future::ready(Err(InsideError::TooDeep)));
        }
        let (serving, id, depth) = (Arc::clone(&self.serving), self.id, self.depth + 1);
        Box::pin(async move {
            // A guest's store must not be polled from within another's: the callee gets a task, which ends with its call.
            let call = async move {
                let request = request.map(forward);
                let incoming = Incoming { id, request, peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)) };
                invoke_at(&serving, routed, incoming, depth).await
            };
            match AbortOnDropHandle::new(tokio::spawn(call)).await {
                Ok(Ok(response)) => Ok(response.map(returned)),
                Ok(Err(rejection)) => Ok(refused(&rejection)),
                Err(_ended) => Err(InsideError::Broken),
            }
        })
    }
}

/// The caller's body as one that comes in; nothing runs for an empty one.
fn forward(mut body: SentBody) -> RequestBody {
    if body.is_end_stream() {
        return RequestBody::empty();
    }
    let (sender, receiver) = mpsc::channel(FRAMES_MAX);
    // Ends with either side: the caller's body when its guest is gone, the channel when the callee is.
    tokio::spawn(async move {
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_broken| RequestBodyErrorKind::Disconnected.into());
            let is_last = frame.is_err();
            if sender.send(frame).await.is_err() || is_last {
                return;
            }
        }
    });
    RequestBody::from_chunks(receiver, BODY_BYTES_MAX)
}

fn returned(body: ReplyBody) -> InsideBody {
    body.map_err(|_failure| InsideError::Broken).boxed_unsync()
}

/// What a client would get.
fn refused(rejection: &Rejection) -> http::Response<InsideBody> {
    let text = format!("{}\n", rejection.outcome.label());
    let body = Full::new(text.into()).map_err(|never| match never {}).boxed_unsync();
    let mut response = http::Response::new(body);
    *response.status_mut() =
        http::StatusCode::from_u16(rejection.outcome.status()).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use http_body::Frame;
    use http_body_util::StreamBody;

    type Sent = <SentBody as http_body::Body>::Error;

    fn sent(frames: Vec<Result<Frame<Bytes>, Sent>>) -> SentBody {
        StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync()
    }

    fn data(text: &'static str) -> Result<Frame<Bytes>, Sent> {
        Ok(Frame::data(Bytes::from_static(text.as_bytes())))
    }

    #[tokio::test]
    async fn a_body_arrives_as_it_was_sent() {
        let frames = (0..3 * FRAMES_MAX).map(|_| data("ab")).collect();
        let body = forward(sent(frames)).collect().await.unwrap().to_bytes();
        assert_eq!(body, "ab".repeat(3 * FRAMES_MAX));
        let empty = Full::<Bytes>::default().map_err(|never| match never {}).boxed_unsync();
        assert!(forward(empty).is_end_stream());
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_ends_with_an_error() {
        let broken = Err(cumulet_capability::RequestBodyFailure::Broken.into());
        let mut body = forward(sent(vec![data("ab"), broken, data("never")]));
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "ab");
        assert_eq!(body.frame().await.unwrap().unwrap_err().kind(), RequestBodyErrorKind::Disconnected);
        assert!(body.frame().await.is_none());
    }

    #[test]
    fn a_caller_gets_the_status_that_a_client_would() {
        let rejection = Rejection::from(cumulet_spec::outcome::Outcome::Concurrency);
        assert_eq!(refused(&rejection).status(), 429);
    }
}
