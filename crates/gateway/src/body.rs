//! The body of a request on its way to a guest: counted, bounded, and free when there is none.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use cumulet_spec::outcome::Outcome;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// The body of a request.
///
/// A frame beyond the limit is not delivered: the body ends with [`RequestBodyErrorKind::TooLarge`], and its meter
/// says so. Whoever serves the request must then answer with [`Outcome::TooLarge`] if it still can.
#[derive(Debug)]
pub struct RequestBody {
    source: Source,
}

#[derive(Debug)]
enum Source {
    Empty,
    Wire { body: hyper::body::Incoming, limit: Limit },
    Chunks { receiver: mpsc::Receiver<Chunk>, limit: Limit },
}

/// One frame of a body that comes through a channel, or what ended it.
pub type Chunk = Result<Frame<Bytes>, RequestBodyError>;

/// Counts a body's data against its limit.
#[derive(Debug)]
struct Limit {
    left: u64,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    bytes: AtomicU64,
    too_large: AtomicBool,
    disconnected: AtomicBool,
}

/// What came in of one request body; stays readable when the body is gone.
#[derive(Debug, Clone, Default)]
pub struct BodyMeter(Option<Arc<Counts>>);

/// A request body could not be read to its end.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct RequestBodyError {
    kind: RequestBodyErrorKind,
    source: Option<hyper::Error>,
}

/// Why a request body could not be read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestBodyErrorKind {
    /// It is larger than the gateway takes.
    #[error("the request body is too large")]
    TooLarge,
    /// The client went away, or reset the stream.
    #[error("the client stopped sending the request body")]
    Disconnected,
    /// Its framing is wrong.
    #[error("the request body is malformed")]
    Malformed,
}

impl RequestBody {
    /// No body.
    #[must_use]
    pub const fn empty() -> Self {
        Self { source: Source::Empty }
    }

    /// A body whose frames come through a channel, which bounds how far the sender runs ahead; it ends when the
    /// sender is dropped. `bytes_max` bounds its data.
    #[must_use]
    pub fn from_chunks(receiver: mpsc::Receiver<Chunk>, bytes_max: u64) -> Self {
        Self { source: Source::Chunks { receiver, limit: Limit::new(bytes_max) } }
    }

    /// A body from the wire. Nothing is allocated when it is empty.
    pub(crate) fn from_wire(body: hyper::body::Incoming, bytes_max: u64) -> Self {
        if body.is_end_stream() {
            return Self::empty();
        }
        Self { source: Source::Wire { body, limit: Limit::new(bytes_max) } }
    }

    /// The meter of this body, to be read after the body is gone.
    #[must_use]
    pub fn meter(&self) -> BodyMeter {
        match &self.source {
            Source::Empty => BodyMeter(None),
            Source::Wire { limit, .. } | Source::Chunks { limit, .. } => BodyMeter(Some(Arc::clone(&limit.counts))),
        }
    }
}

impl Default for RequestBody {
    fn default() -> Self {
        Self::empty()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Chunk>> {
        let this = self.get_mut();
        let chunk = match &mut this.source {
            Source::Empty => None,
            Source::Wire { body, limit } => match ready!(Pin::new(body).poll_frame(cx)) {
                Some(Ok(frame)) => Some(limit.take(frame)),
                Some(Err(error)) => Some(Err(limit.note(error.into()))),
                None => None,
            },
            Source::Chunks { receiver, limit } => match ready!(receiver.poll_recv(cx)) {
                Some(Ok(frame)) => Some(limit.take(frame)),
                Some(Err(error)) => Some(Err(limit.note(error))),
                None => None,
            },
        };
        if matches!(chunk, Some(Err(_))) {
            // A body that failed is over: a second poll must not read past the failure.
            this.source = Source::Empty;
        }
        Poll::Ready(chunk)
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Empty => true,
            Source::Wire { body, .. } => body.is_end_stream(),
            Source::Chunks { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Empty => SizeHint::with_exact(0),
            Source::Wire { body, .. } => body.size_hint(),
            Source::Chunks { .. } => SizeHint::default(),
        }
    }
}

impl Limit {
    fn new(bytes_max: u64) -> Self {
        Self { left: bytes_max, counts: Arc::default() }
    }

    /// Remembers that the client went away, or sent too much, and passes the failure on.
    fn note(&self, error: RequestBodyError) -> RequestBodyError {
        match error.kind {
            RequestBodyErrorKind::Disconnected => self.counts.disconnected.store(true, Ordering::Relaxed),
            // Found by whoever fills the channel.
            RequestBodyErrorKind::TooLarge => self.counts.too_large.store(true, Ordering::Relaxed),
            RequestBodyErrorKind::Malformed => {}
        }
        error
    }

    /// Counts a frame, or refuses it.
    fn take(&mut self, frame: Frame<Bytes>) -> Chunk {
        let Some(data) = frame.data_ref() else { return Ok(frame) };
        let length = data.len() as u64;
        let Some(left) = self.left.checked_sub(length) else {
            self.counts.too_large.store(true, Ordering::Relaxed);
            return Err(RequestBodyErrorKind::TooLarge.into());
        };
        self.left = left;
        self.counts.bytes.fetch_add(length, Ordering::Relaxed);
        Ok(frame)
    }
}

impl BodyMeter {
    /// Bytes of data delivered so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.as_ref().map_or(0, |counts| counts.bytes.load(Ordering::Relaxed))
    }

    /// Whether the body went over its limit.
    #[must_use]
    pub fn too_large(&self) -> bool {
        self.0.as_ref().is_some_and(|counts| counts.too_large.load(Ordering::Relaxed))
    }

    /// Whether the client went away before the body's end, and a reader of the body has met that.
    #[must_use]
    pub fn disconnected(&self) -> bool {
        self.0.as_ref().is_some_and(|counts| counts.disconnected.load(Ordering::Relaxed))
    }
}

impl RequestBodyError {
    /// Why the body ended.
    #[must_use]
    pub const fn kind(&self) -> RequestBodyErrorKind {
        self.kind
    }

    /// The outcome of an invocation that ended because of this.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self.kind {
            RequestBodyErrorKind::TooLarge => Outcome::TooLarge,
            RequestBodyErrorKind::Disconnected | RequestBodyErrorKind::Malformed => Outcome::ClientGone,
        }
    }
}

impl From<RequestBodyErrorKind> for RequestBodyError {
    fn from(kind: RequestBodyErrorKind) -> Self {
        Self { kind, source: None }
    }
}

impl From<hyper::Error> for RequestBodyError {
    fn from(source: hyper::Error) -> Self {
        let kind = if source.is_parse() || has_bad_framing(&source) {
            RequestBodyErrorKind::Malformed
        } else {
            RequestBodyErrorKind::Disconnected
        };
        Self { kind, source: Some(source) }
    }
}

/// hyper reports a wrong chunk as an IO error of this kind beneath its own.
fn has_bad_framing(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    source
        .is_some_and(|error| matches!(error.kind(), std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    /// Sends chunks of these sizes and says how many bytes arrived, and how the body ended.
    async fn check(sizes: &[usize], bytes_max: u64, expect: (u64, Option<RequestBodyErrorKind>)) {
        let (sender, receiver) = mpsc::channel(sizes.len().max(1));
        for size in sizes {
            sender.try_send(Ok(Frame::data(Bytes::from(vec![0; *size])))).unwrap();
        }
        drop(sender);
        let mut body = RequestBody::from_chunks(receiver, bytes_max);
        let meter = body.meter();
        let mut end = None;
        while let Some(frame) = body.frame().await {
            end = frame.err().map(|error| error.kind());
        }
        assert_eq!((meter.bytes(), end), expect, "{sizes:?} of {bytes_max}");
        assert_eq!(meter.too_large(), end == Some(RequestBodyErrorKind::TooLarge));
        assert_eq!(body.is_end_stream(), end.is_some(), "only a failed body is known to be over");
    }

    #[tokio::test]
    async fn a_body_ends_at_its_limit() {
        check(&[], 0, (0, None)).await;
        check(&[4, 6], 10, (10, None)).await;
        check(&[4, 6, 0], 10, (10, None)).await;
        check(&[4, 7, 1], 10, (4, Some(RequestBodyErrorKind::TooLarge))).await;
    }

    #[tokio::test]
    async fn an_empty_body_is_over_at_once() {
        let mut body = RequestBody::empty();
        assert!(body.is_end_stream() && body.size_hint().exact() == Some(0));
        assert!(body.frame().await.is_none());
        assert_eq!(body.meter().bytes(), 0);
    }
}
