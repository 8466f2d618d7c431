//! Standard input: the request's body, read as the program asks for it.

use crate::exchange::ClientBody;
use bytes::Bytes;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use parking_lot::Mutex;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use tokio::io::{AsyncRead, ReadBuf};
use wasmtime_wasi::cli::{IsTerminal, StdinStream};
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};

/// The body, shared by all streams that the program makes of its standard input.
#[derive(Clone)]
pub(crate) struct Inlet {
    shared: Arc<Mutex<Source>>,
}

struct Source {
    body: UnsyncBoxBody<Bytes, wasmtime_wasi_http::Error>,
    /// Read, and not taken yet.
    next: Bytes,
    end: Option<End>,
}

#[derive(Clone, Copy)]
enum End {
    Complete,
    /// The client left, or its body went over a limit.
    BrokenOff,
}

impl Inlet {
    pub(super) fn new<B: ClientBody>(body: B) -> Self {
        let body = body.map_err(Into::into).boxed_unsync();
        Self { shared: Arc::new(Mutex::new(Source { body, next: Bytes::new(), end: None })) }
    }
}

impl Source {
    /// Ready when there are bytes to take, or none will come.
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.next.is_empty() && self.end.is_none() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                // Trailers have no place at a standard input.
                Some(Ok(frame)) => self.next = frame.into_data().unwrap_or_default(),
                Some(Err(_error)) => self.end = Some(End::BrokenOff),
                None => self.end = Some(End::Complete),
            }
        }
        Poll::Ready(())
    }

    fn take(&mut self, size: usize) -> Bytes {
        self.next.split_to(size.min(self.next.len()))
    }
}

fn broken_off() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the request's body broke off")
}

impl IsTerminal for Inlet {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Inlet {
    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(self.clone())
    }
}

impl InputStream for Inlet {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let mut source = self.shared.lock();
        // Whoever wants to be woken asks for that.
        let _is_ready = source.poll_ready(&mut Context::from_waker(Waker::noop()));
        if !source.next.is_empty() {
            return Ok(source.take(size));
        }
        match source.end {
            None => Ok(Bytes::new()),
            Some(End::Complete) => Err(StreamError::Closed),
            Some(End::BrokenOff) => Err(StreamError::LastOperationFailed(broken_off().into())),
        }
    }
}

#[async_trait::async_trait]
impl Pollable for Inlet {
    async fn ready(&mut self) {
        poll_fn(|context| self.shared.lock().poll_ready(context)).await;
    }
}

impl AsyncRead for Inlet {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut source = self.shared.lock();
        ready!(source.poll_ready(context));
        buffer.put_slice(&source.take(buffer.remaining()));
        match source.end {
            Some(End::BrokenOff) if buffer.filled().is_empty() => Poll::Ready(Err(broken_off())),
            _ => Poll::Ready(Ok(())),
        }
    }
}
