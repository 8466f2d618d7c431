//! A bounded pipe from a program to its client.

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Bytes that a program may be ahead of its client.
const AHEAD_BYTES_MAX: usize = 64 << 10;
/// Bytes that the pipe takes in any case: several streams may each have asked for room before one of them wrote.
const HELD_BYTES_MAX: usize = 4 * AHEAD_BYTES_MAX;
/// Who may wait for room at once. With more, whoever waits longest looks again.
const WRITERS_MAX: usize = 8;

/// A pipe's two ends.
pub(super) fn pipe() -> (Sender, Receiver) {
    let shared = Arc::<Mutex<State>>::default();
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

#[derive(Default)]
struct State {
    waiting: BytesMut,
    is_complete: bool,
    is_unread: bool,
    reader: Option<Waker>,
    /// Several, because a program of WASI 0.3 may wait at several streams.
    writers: VecDeque<Waker>,
}

/// Nobody reads any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unread;

/// More was written than there was room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overfull;

/// The end that is written to. Dropping it completes what is read.
pub(super) struct Sender(Arc<Mutex<State>>);

impl Sender {
    /// Bytes that may be written now.
    pub(super) fn room(&self) -> Result<usize, Unread> {
        let state = self.0.lock();
        if state.is_unread { Err(Unread) } else { Ok(AHEAD_BYTES_MAX.saturating_sub(state.waiting.len())) }
    }

    /// Ready when something may be written, or nobody reads.
    pub(super) fn poll_room(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        if state.is_unread || state.waiting.len() < AHEAD_BYTES_MAX {
            return Poll::Ready(());
        }
        if state.writers.iter().any(|waker| waker.will_wake(context.waker())) {
            return Poll::Pending;
        }
        state.writers.push_back(context.waker().clone());
        let longest = if state.writers.len() > WRITERS_MAX { state.writers.pop_front() } else { None };
        drop(state);
        longest.into_iter().for_each(Waker::wake);
        Poll::Pending
    }

    /// Writes bytes, for which there has to be room. What nobody reads is gone.
    pub(super) fn send(&self, bytes: &[u8]) -> Result<(), Overfull> {
        let mut state = self.0.lock();
        if bytes.is_empty() || state.is_unread {
            return Ok(());
        }
        if state.waiting.len().saturating_add(bytes.len()) > HELD_BYTES_MAX {
            return Err(Overfull);
        }
        state.waiting.extend_from_slice(bytes);
        let reader = state.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
        Ok(())
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_complete = true;
        let reader = state.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
    }
}

/// The end that is read: a body. Dropping it lets whoever writes go on, and see it.
pub(super) struct Receiver(Arc<Mutex<State>>);

impl Body for Receiver {
    type Data = Bytes;
    type Error = wasmtime_wasi_http::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut state = self.0.lock();
        if state.waiting.is_empty() {
            if state.is_complete {
                return Poll::Ready(None);
            }
            state.reader = Some(context.waker().clone());
            return Poll::Pending;
        }
        let bytes = state.waiting.split().freeze();
        let writers = std::mem::take(&mut state.writers);
        drop(state);
        writers.into_iter().for_each(Waker::wake);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        let state = self.0.lock();
        state.is_complete && state.waiting.is_empty()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_unread = true;
        state.waiting = BytesMut::new();
        let writers = std::mem::take(&mut state.writers);
        drop(state);
        writers.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use std::future::poll_fn;

    #[tokio::test]
    async fn what_is_written_is_read_in_order_and_within_bounds() {
        let (sender, receiver) = pipe();
        let all: Vec<u8> = (0..1_000_u32).flat_map(|part| part.to_le_bytes().repeat(100)).collect();
        let to_write = all.clone();
        let writes = async move {
            for bytes in to_write.chunks(33) {
                poll_fn(|context| sender.poll_room(context)).await;
                assert!(sender.room().unwrap() > 0);
                sender.send(bytes).unwrap();
            }
        };
        let (read, ()) = tokio::join!(receiver.collect(), writes);
        assert!(read.unwrap().to_bytes() == all);
    }

    #[test]
    fn a_full_pipe_has_no_room_until_it_is_read() {
        let (sender, mut receiver) = pipe();
        let mut context = Context::from_waker(Waker::noop());
        sender.send(&vec![1; AHEAD_BYTES_MAX]).unwrap();
        assert_eq!(sender.room(), Ok(0));
        for _ in 0..100 {
            assert!(sender.poll_room(&mut context).is_pending());
        }
        assert!(sender.0.lock().writers.len() <= WRITERS_MAX);
        assert_eq!(sender.send(&vec![1; HELD_BYTES_MAX]), Err(Overfull));
        assert!(Pin::new(&mut receiver).poll_frame(&mut context).is_ready());
        assert_eq!(sender.room(), Ok(AHEAD_BYTES_MAX));
    }

    #[test]
    fn whoever_writes_learns_that_nobody_reads() {
        let (sender, receiver) = pipe();
        sender.send(&vec![1; AHEAD_BYTES_MAX]).unwrap();
        drop(receiver);
        assert_eq!(sender.room(), Err(Unread));
        assert!(sender.poll_room(&mut Context::from_waker(Waker::noop())).is_ready());
        sender.send(b"more").unwrap();
        assert!(sender.0.lock().waiting.is_empty());
    }
}
