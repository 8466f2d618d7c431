//! A body on its way out, as far as credit goes.

use super::credit::SendWindow;
use super::frame::{Frame, FrameError, encode};
use super::head::Fields;
use bytes::{Bytes, BytesMut};
use http_body::Body;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// Bytes that wait to be written, at the most about so many: the body is not asked for more.
pub(super) const OUTPUT_BYTES_MAX: usize = 64 << 10;

/// A body that is sent.
pub(super) struct Sending<B> {
    body: Option<Pin<Box<B>>>,
    /// What is left of the frame that was read last.
    rest: Bytes,
    pub(super) window: SendWindow,
}

impl<B: Body<Data = Bytes>> Sending<B> {
    pub(super) fn new() -> Self {
        Self { body: None, rest: Bytes::new(), window: SendWindow::default() }
    }

    pub(super) fn start(&mut self, body: B) {
        self.body = Some(Box::pin(body));
    }

    /// Encodes what the body has and credit allows; ready when the body has ended, with its failure.
    ///
    /// Pending without a waker when credit or room in `to` is what it waits for.
    ///
    /// # Errors
    /// When trailers are too long.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        to: &mut BytesMut,
    ) -> Poll<Result<Result<(), B::Error>, FrameError>> {
        while to.len() < OUTPUT_BYTES_MAX {
            if !self.rest.is_empty() {
                let length = self.window.pay(self.rest.len());
                if length == 0 {
                    return Poll::Pending;
                }
                encode(&Frame::Chunk(self.rest.split_to(length)), to)?;
                continue;
            }
            let Some(body) = self.body.as_mut() else { return Poll::Pending };
            match ready!(body.as_mut().poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => encode_trailers(&frame, to)?,
                },
                ended => {
                    self.body = None;
                    return Poll::Ready(Ok(ended.map_or(Ok(()), |frame| frame.map(drop))));
                }
            }
        }
        Poll::Pending
    }
}

fn encode_trailers(frame: &http_body::Frame<Bytes>, to: &mut BytesMut) -> Result<(), FrameError> {
    match frame.trailers_ref() {
        Some(trailers) => encode(&Frame::Trailers(Fields::of(trailers)), to),
        None => Ok(()),
    }
}
