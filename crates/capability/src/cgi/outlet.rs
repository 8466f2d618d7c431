//! Standard output: a header block, then the body, streamed while the program writes.

use crate::cgi::head::HeadBuffer;
use crate::cgi::pipe::{Overfull, Sender, Unread, pipe};
use crate::exchange::{Exchange, GuestBody};
use bytes::Bytes;
use http::response::Parts;
use http::{Method, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use parking_lot::Mutex;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

/// Bytes that a program may write in one call, where nobody's pace counts.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// The answer, shared by all streams that the program makes of its standard output.
#[derive(Clone)]
pub(crate) struct Outlet {
    shared: Arc<Mutex<Answer>>,
}

struct Answer {
    exchange: Arc<Exchange>,
    /// The client wants no body, whatever the program writes.
    is_head: bool,
    stage: Stage,
}

enum Stage {
    /// The header block is not complete.
    Head(HeadBuffer),
    Body(Sender),
    /// What comes is for nobody: there is to be no body, or there is no answer.
    Ignored,
}

impl Outlet {
    /// The answer to a request with this method.
    pub(super) fn new(exchange: &Arc<Exchange>, method: &Method) -> Self {
        let (exchange, is_head) = (Arc::clone(exchange), method == Method::HEAD);
        let answer = Answer { exchange, is_head, stage: Stage::Head(HeadBuffer::default()) };
        Self { shared: Arc::new(Mutex::new(answer)) }
    }

    /// The program has ended in good order: without a complete header block there is no answer.
    pub(super) fn finish(&self) {
        let answer = self.shared.lock();
        if let Stage::Head(buffer) = &answer.stage {
            answer.exchange.answer(Err(format!("the program gave no answer: {}", buffer.unfinished())));
        }
    }
}

impl Answer {
    fn write(&mut self, mut bytes: Bytes) -> Result<(), Overfull> {
        if let Stage::Head(buffer) = &mut self.stage {
            match buffer.push(&mut bytes) {
                Ok(None) => return Ok(()),
                Ok(Some(head)) => self.begin(head),
                Err(error) => {
                    self.stage = Stage::Ignored;
                    self.exchange.answer(Err(format!("the program gave no answer: {error}")));
                }
            }
        }
        match &self.stage {
            Stage::Body(sender) => sender.send(&bytes),
            Stage::Head(_) | Stage::Ignored => Ok(()),
        }
    }

    /// The header block is complete: the client can have it.
    fn begin(&mut self, head: Parts) {
        let is_bodyless = matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let (stage, body): (Stage, GuestBody) = if self.is_head || is_bodyless {
            (Stage::Ignored, Empty::new().map_err(|never| match never {}).boxed_unsync())
        } else {
            let (sender, receiver) = pipe();
            (Stage::Body(sender), receiver.boxed_unsync())
        };
        self.stage = stage;
        self.exchange.answer(Ok(http::Response::from_parts(head, body)));
    }

    fn room(&self) -> Result<usize, Unread> {
        match &self.stage {
            Stage::Body(sender) => sender.room(),
            Stage::Head(_) | Stage::Ignored => Ok(WRITE_BYTES_MAX),
        }
    }

    fn poll_room(&self, context: &mut Context<'_>) -> Poll<()> {
        match &self.stage {
            Stage::Body(sender) => sender.poll_room(context),
            Stage::Head(_) | Stage::Ignored => Poll::Ready(()),
        }
    }
}

impl IsTerminal for Outlet {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Outlet {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl OutputStream for Outlet {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let written = self.shared.lock().write(bytes);
        written.map_err(|Overfull| StreamError::trap("it wrote more to its standard output than it may at once"))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.shared.lock().room().map_err(|Unread| StreamError::Closed)
    }
}

#[async_trait::async_trait]
impl Pollable for Outlet {
    async fn ready(&mut self) {
        poll_fn(|context| self.shared.lock().poll_room(context)).await;
    }
}

impl AsyncWrite for Outlet {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut answer = self.shared.lock();
        ready!(answer.poll_room(context));
        let room = answer.room().map_err(|Unread| io::Error::from(io::ErrorKind::BrokenPipe))?;
        let bytes = bytes.get(..room).unwrap_or(bytes);
        let written = answer.write(Bytes::copy_from_slice(bytes));
        Poll::Ready(written.map(|()| bytes.len()).map_err(|Overfull| io::ErrorKind::WriteZero.into()))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
