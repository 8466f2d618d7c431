//! The socket under a connection: tells HTTP/1.1 from HTTP/2 by the first bytes, and marks reads and writes.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use tokio::io::ReadBuf;

use crate::connection::Activity;
use crate::entrance::Carrier;

/// What a client sends first when it speaks HTTP/2 with prior knowledge (RFC 9113, 3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The protocol that a client began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// A client's socket, with what was read of it before the protocol was known.
#[derive(Debug)]
pub(crate) struct Socket<S> {
    io: TokioIo<S>,
    activity: Arc<Activity>,
    early: [u8; PREFACE.len()],
    /// The part of `early` that was read and not handed on.
    early_start: usize,
    early_end: usize,
    /// HTTP/2 reads control frames at any time: bytes then say nothing about a head.
    marks_reads: bool,
    /// The last flush found no room.
    flushing: bool,
}

impl<S: Carrier> Socket<S> {
    pub(crate) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self {
            io: TokioIo::new(stream),
            activity,
            early: [0; PREFACE.len()],
            early_start: 0,
            early_end: 0,
            marks_reads: true,
            flushing: false,
        }
    }

    /// Reads until the protocol is known; `None` when the client or the gateway has ended the connection by then.
    pub(crate) async fn protocol(&mut self) -> Option<Protocol> {
        poll_fn(|cx| {
            self.activity.register(cx);
            Poll::Ready(())
        })
        .await;
        let protocol = poll_fn(|cx| self.poll_protocol(cx)).await;
        self.marks_reads = protocol == Some(Protocol::Http1);
        protocol
    }

    fn poll_protocol(&mut self, cx: &mut Context<'_>) -> Poll<Option<Protocol>> {
        loop {
            if self.activity.is_leaving() {
                return Poll::Ready(None);
            }
            let (seen, room) = self.early.split_at_mut(self.early_end);
            if !PREFACE.starts_with(seen) {
                self.activity.hear();
                return Poll::Ready(Some(Protocol::Http1));
            }
            if room.is_empty() {
                return Poll::Ready(Some(Protocol::Http2));
            }
            let mut buffer = ReadBuf::new(room);
            if ready!(Pin::new(self.io.inner_mut()).poll_read(cx, &mut buffer)).is_err() {
                return Poll::Ready(None);
            }
            let read = buffer.filled().len();
            if read == 0 {
                let half_a_head = self.early_end > 0;
                return Poll::Ready(half_a_head.then_some(Protocol::Http1));
            }
            self.early_end += read;
        }
    }

    fn mark_write(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &polled {
            Poll::Ready(Ok(bytes)) => self.activity.wrote(Some(*bytes)),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.activity.wrote(None),
        }
        polled
    }
}

impl<S: Carrier> Socket<S> {
    /// What waits in the stream's own buffer waits for the client as well.
    fn mark_flush(&mut self, waits: bool) {
        if waits {
            self.activity.wrote(None);
        } else if self.flushing {
            self.activity.wrote(Some(1));
        }
        self.flushing = waits;
    }
}

impl<S: Carrier> Read for Socket<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, mut cursor: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let early = this.early.get(this.early_start..this.early_end).unwrap_or_default();
        if !early.is_empty() {
            let (now, _) = early.split_at(early.len().min(cursor.remaining()));
            cursor.put_slice(now);
            this.early_start += now.len();
            return Poll::Ready(Ok(()));
        }
        let polled = Pin::new(&mut this.io).poll_read(cx, cursor);
        if this.marks_reads && polled.is_ready() {
            this.activity.hear();
        }
        polled
    }
}

impl<S: Carrier> Write for Socket<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.mark_write(polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.io).poll_write_vectored(cx, slices);
        this.mark_write(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.io).poll_flush(cx);
        if S::BUFFERS {
            this.mark_flush(polled.is_pending());
        }
        polled
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
