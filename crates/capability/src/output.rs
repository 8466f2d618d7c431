//! What guests print: captured, tagged with the request's id, and never written on the path of a request.

use crate::occupant::Occupant;
use bytes::Bytes;
use cumulet_spec::id::RequestId;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Bytes of output that are kept of one invocation; what is beyond is dropped and counted.
pub const OUTPUT_BYTES_MAX: u64 = 1 << 20;

/// Bytes that a guest may print in one call.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// Which of a guest's two outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Channel {
    /// The name in logs.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Channel::Stdout => "stdout",
            Channel::Stderr => "stderr",
        }
    }
}

/// Takes what guests print. Called on the path of a request: it must neither block nor wait.
pub trait OutputSink: Send + Sync + std::fmt::Debug {
    /// Takes some bytes of one invocation's output.
    fn write(&self, request: &RequestId, channel: Channel, bytes: Bytes);
    /// Learns that bytes were dropped because the invocation printed more than [`OUTPUT_BYTES_MAX`].
    fn dropped(&self, bytes: u64);
}

/// One output of one instance.
#[derive(Clone)]
pub(crate) struct Capture {
    pub(crate) sink: Arc<dyn OutputSink>,
    pub(crate) occupant: Occupant,
    pub(crate) channel: Channel,
}

impl Capture {
    fn take(&self, mut bytes: Bytes) {
        let offered = bytes.len() as u64;
        self.occupant.with(|exchange, request| {
            let allowed = exchange.take_output_allowance(offered, OUTPUT_BYTES_MAX);
            if allowed < offered {
                self.sink.dropped(offered - allowed);
                bytes.truncate(usize::try_from(allowed).unwrap_or(0));
            }
            if !bytes.is_empty() {
                self.sink.write(request, self.channel, bytes);
            }
        });
    }
}

impl IsTerminal for Capture {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Capture {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl OutputStream for Capture {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[async_trait::async_trait]
impl Pollable for Capture {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Capture {
    fn poll_write(self: Pin<&mut Self>, _context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let bytes = bytes.get(..WRITE_BYTES_MAX).unwrap_or(bytes);
        self.take(Bytes::copy_from_slice(bytes));
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
