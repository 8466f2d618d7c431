//! The body of a response on its way out: the handler's own, or a short text, without a box around either.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::connection::InFlight;
use crate::handler::{BodyFailure, Handler};

pin_project! {
    /// A response's body. Holds its request in flight until it is dropped.
    pub(crate) struct ResponseBody<H: Handler> {
        #[pin]
        content: Content<H::Body>,
        in_flight: InFlight<H>,
    }
}

pin_project! {
    #[project = ContentProjection]
    enum Content<B> {
        Handler { #[pin] body: B, failure: Option<BodyFailure> },
        Text { text: Option<Bytes> },
    }
}

impl<H: Handler> ResponseBody<H> {
    /// The body that the handler made.
    pub(crate) fn handler(body: H::Body, in_flight: InFlight<H>) -> Self {
        Self { content: Content::Handler { body, failure: None }, in_flight }
    }

    /// A text of the gateway's own.
    pub(crate) fn text(text: Bytes, in_flight: InFlight<H>) -> Self {
        let text = (!text.is_empty()).then_some(text);
        Self { content: Content::Text { text }, in_flight }
    }
}

impl<H: Handler> Body for ResponseBody<H> {
    type Data = Bytes;
    type Error = BodyFailure;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFailure>>> {
        match self.project().content.project() {
            ContentProjection::Handler { body, failure } => {
                if let Some(failure) = failure.take() {
                    return Poll::Ready(Some(Err(failure)));
                }
                let polled = body.poll_frame(cx);
                let Poll::Ready(Some(Err(error))) = polled else { return polled };
                // hyper drops what it has not flushed when a body fails. Waiting one turn lets the head and what
                // came before the failure leave first.
                *failure = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            ContentProjection::Text { text } => Poll::Ready(text.take().map(|text| Ok(Frame::data(text)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Handler { body, failure } => failure.is_none() && body.is_end_stream(),
            Content::Text { text } => text.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Handler { body, .. } => body.size_hint(),
            Content::Text { text } => SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64)),
        }
    }
}
