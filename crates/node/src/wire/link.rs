//! One end of a connection: frames in, frames out, a body each way.

use super::arriving::{Arriving, BrokenOff, Item};
use super::frame::{Frame, FrameError, decode, encode};
use super::sending::{OUTPUT_BYTES_MAX, Sending};
use bytes::{Bytes, BytesMut};
use cumulet_spec::invocation::HeadError;
use http_body::Body;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;

/// Bytes asked of the stream at a time.
const READ_BYTES: usize = 16 << 10;

/// A connection could not be kept to the invocation's end.
#[derive(Debug, Error)]
pub enum WireError {
    /// The stream failed.
    #[error("the stream failed")]
    Stream(#[source] io::Error),
    /// The other side closed the stream before the invocation ended.
    #[error("the stream ended before the invocation did")]
    Closed,
    /// What came is no frame, or what is to go does not fit into one.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// A frame came where its kind has no place.
    #[error("a frame {0} came where none may")]
    Unexpected(&'static str),
    /// The other side sent more of a body than it was granted.
    #[error("more of a body came than was granted")]
    Overrun,
    /// The other side granted more than a window.
    #[error("more was granted than a window")]
    Granted,
    /// The head is not that of an HTTP request.
    #[error(transparent)]
    Request(#[from] HeadError),
    /// The head of the response, or trailers, are not valid HTTP.
    #[error("header fields came that are not valid HTTP")]
    Fields(#[from] http::Error),
}

/// What an end has to do something about.
pub(super) enum Step<X> {
    /// A frame that is not about a body's data.
    Frame(Frame),
    /// The body that went out has ended, whole or not.
    Sent(Result<(), X>),
}

/// One end: sends a body `B`, and receives one that fails with `E`.
pub(super) struct Link<S, B: Body<Data = Bytes>, E: BrokenOff> {
    stream: S,
    input: BytesMut,
    output: BytesMut,
    // Before what arrives: a guest whose connection broke is ended before it reads that its request did.
    sending: Sending<B>,
    arriving: Arriving<E>,
}

impl<S, B, E> Link<S, B, E>
where
    S: AsyncRead + AsyncWrite + Unpin,
    B: Body<Data = Bytes>,
    E: BrokenOff,
{
    /// An end of `stream`, and the body that comes in by it.
    pub(super) fn new(stream: S) -> (Self, mpsc::Receiver<Item<E>>) {
        let (arriving, receiver) = Arriving::new();
        let (input, output) = (BytesMut::new(), BytesMut::new());
        (Self { stream, input, output, sending: Sending::new(), arriving }, receiver)
    }

    /// The body that comes in.
    pub(super) fn arriving(&mut self) -> &mut Arriving<E> {
        &mut self.arriving
    }

    /// Closes the stream and keeps what came in.
    pub(super) fn close(self) -> Arriving<E> {
        self.arriving
    }

    /// Starts to send a body.
    pub(super) fn send(&mut self, body: B) {
        self.sending.start(body);
    }

    /// Queues a frame. Only those that come once are queued so: what waits is bounded.
    pub(super) fn push(&mut self, frame: &Frame) -> Result<(), FrameError> {
        encode(frame, &mut self.output)
    }

    /// Reads, writes and moves both bodies until there is something to do about it.
    ///
    /// # Cancel safety
    /// Nothing is lost when it is dropped before its end.
    pub(super) async fn step(&mut self) -> Result<Step<B::Error>, WireError> {
        poll_fn(|context| self.poll_step(context)).await
    }

    /// Writes what is queued.
    pub(super) async fn flush(&mut self) -> Result<(), WireError> {
        poll_fn(|context| self.poll_flush(context)).await
    }

    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Result<Step<B::Error>, WireError>> {
        loop {
            if let Poll::Ready(ended) = self.sending.poll(context, &mut self.output) {
                return Poll::Ready(Ok(Step::Sent(ended?)));
            }
            // What is all delivered needs nothing more.
            let _delivered: Poll<()> = self.arriving.poll_deliver(context);
            if let Some(bytes) = self.arriving.window.grant() {
                self.push(&Frame::Credit(bytes))?;
            }
            let was_full = self.output.len() >= OUTPUT_BYTES_MAX;
            if self.poll_flush(context)?.is_ready() && was_full {
                continue;
            }
            match decode(&mut self.input)? {
                Some(frame) => match self.take(frame)? {
                    Some(frame) => return Poll::Ready(Ok(Step::Frame(frame))),
                    None => continue,
                },
                None => self.input.reserve(READ_BYTES),
            }
            match pin!(self.stream.read_buf(&mut self.input)).poll(context) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(WireError::Closed)),
                Poll::Ready(Ok(_bytes)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(WireError::Stream(error))),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Takes what is about a body's data.
    fn take(&mut self, frame: Frame) -> Result<Option<Frame>, WireError> {
        match frame {
            Frame::Chunk(bytes) => self.arriving.chunk(bytes)?,
            Frame::Trailers(fields) => self.arriving.trailers(&fields)?,
            Frame::Credit(bytes) => self.sending.window.grant(bytes)?,
            Frame::End => {
                self.arriving.end()?;
                return Ok(Some(Frame::End));
            }
            other => return Ok(Some(other)),
        }
        Ok(None)
    }

    fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<(), WireError>> {
        while !self.output.is_empty() {
            match pin!(self.stream.write_buf(&mut self.output)).poll(context) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(WireError::Closed)),
                Poll::Ready(Ok(_bytes)) => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(WireError::Stream(error))),
                Poll::Pending => return Poll::Pending,
            }
        }
        Pin::new(&mut self.stream).poll_flush(context).map_err(WireError::Stream)
    }
}
