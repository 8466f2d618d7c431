//! Bodies within bounds: of bytes in both directions, and of silence on the way back. And heads on the way back.

use super::bounds::{HEAD_BYTES_MAX, HEAD_FIELDS_MAX};
use super::{RequestBody, ResponseBody};
use bytes::{Buf as _, Bytes};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;
use wasmtime_wasi_http::Error;

/// A request body of at most `bytes_max` bytes.
pub(super) fn bound_request(body: RequestBody, bytes_max: u64) -> Result<RequestBody, Error> {
    if body.size_hint().lower() > bytes_max {
        return Err(Error::HttpRequestBodySize(Some(bytes_max)));
    }
    Ok(Limited { body, left: bytes_max, over: Error::HttpRequestBodySize, bytes_max }.boxed_unsync())
}

/// Refuses a head that is larger than the guest may get.
///
/// The client's own bounds keep it from holding much more than that, but how much more depends on how the bytes came in.
pub(super) fn bound_head(fields: &http::HeaderMap) -> Result<(), Error> {
    let bytes = fields.iter().map(|(name, value)| name.as_str().len() + value.len());
    match bytes.sum::<usize>() > HEAD_BYTES_MAX as usize || fields.len() > HEAD_FIELDS_MAX {
        true => Err(Error::HttpResponseHeaderSectionSize(Some(HEAD_BYTES_MAX))),
        false => Ok(()),
    }
}

/// A response body of at most `bytes_max` bytes, that ends in an error when its next part does not come in time, and
/// that counts as a request under way until it is gone.
pub(super) fn bound_response<B>(
    body: B,
    bytes_max: u64,
    silence_max: Duration,
    permit: OwnedSemaphorePermit,
) -> Result<ResponseBody, Error>
where
    B: Body<Data = Bytes, Error: Into<Error>> + Send + 'static,
{
    if body.size_hint().lower() > bytes_max {
        return Err(Error::HttpResponseBodySize(Some(bytes_max)));
    }
    let body =
        Limited { body: body.map_err(Into::into), left: bytes_max, over: Error::HttpResponseBodySize, bytes_max };
    Ok(Awaited { body, silence: None, silence_max, _permit: permit }.boxed_unsync())
}

pin_project_lite::pin_project! {
    struct Limited<B> {
        #[pin]
        body: B,
        left: u64,
        bytes_max: u64,
        over: fn(Option<u64>) -> Error,
    }
}

impl<B: Body<Data = Bytes, Error = Error>> Body for Limited<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.project();
        let frame = ready!(this.body.poll_frame(context));
        if let Some(Ok(frame)) = &frame {
            let length = frame.data_ref().map_or(0, |data| data.remaining() as u64);
            match this.left.checked_sub(length) {
                Some(left) => *this.left = left,
                None => return Poll::Ready(Some(Err((this.over)(Some(*this.bytes_max))))),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

pin_project_lite::pin_project! {
    /// The wait is counted from when somebody asks for the next part: a guest that reads slowly is not punished for it.
    struct Awaited<B> {
        #[pin]
        body: B,
        #[pin]
        silence: Option<Sleep>,
        silence_max: Duration,
        _permit: OwnedSemaphorePermit,
    }
}

impl<B: Body<Data = Bytes, Error = Error>> Body for Awaited<B> {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let mut this = self.project();
        if let Poll::Ready(frame) = this.body.poll_frame(context) {
            this.silence.set(None);
            return Poll::Ready(frame);
        }
        if this.silence.is_none() {
            this.silence.set(Some(tokio::time::sleep(*this.silence_max)));
        }
        if let Some(silence) = this.silence.as_mut().as_pin_mut() {
            ready!(silence.poll(context));
        }
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
