//! A body on its way in: from frames to the channel that its reader has.

use super::credit::ReceiveWindow;
use super::frame::Kind;
use super::head::Fields;
use super::link::WireError;
use bytes::Bytes;
use cumulet_gateway::{BodyFailure, RequestBodyError, RequestBodyErrorKind};
use cumulet_spec::outcome::Outcome;
use http_body::Frame;
use std::collections::VecDeque;
use std::task::{Context, Poll};
use tokio::sync::mpsc::{self, OwnedPermit};
use tokio_util::sync::PollSender;

/// A body's channel holds one frame, and has room for the failure of a body that breaks off.
const CHANNEL_LENGTH: usize = 2;

/// One frame of a body, or what ended it.
pub(super) type Item<E> = Result<Frame<Bytes>, E>;

/// The failure of a body whose stream broke off.
pub(super) trait BrokenOff: Send + 'static {
    fn broken_off() -> Self;
}

impl BrokenOff for RequestBodyError {
    fn broken_off() -> Self {
        RequestBodyErrorKind::Disconnected.into()
    }
}

impl BrokenOff for BodyFailure {
    fn broken_off() -> Self {
        Self { outcome: Outcome::HostError }
    }
}

/// How far a body has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Its head is not here.
    Head,
    /// Chunks may come.
    Data,
    /// Only its end may come.
    Trailers,
    /// Nothing may come.
    Ended,
}

/// A body that is received. Dropped before its reader was given its end, it breaks off for the reader.
pub(super) struct Arriving<E: BrokenOff> {
    stage: Stage,
    /// What came and has no room in the channel; bounded by the window.
    queue: VecDeque<Item<E>>,
    is_whole: bool,
    sender: Option<PollSender<Item<E>>>,
    /// Room in the channel for a failure.
    last: Option<OwnedPermit<Item<E>>>,
    pub(super) window: ReceiveWindow,
}

impl<E: BrokenOff> Arriving<E> {
    pub(super) fn new() -> (Self, mpsc::Receiver<Item<E>>) {
        let (sender, receiver) = mpsc::channel(CHANNEL_LENGTH);
        let arriving = Self {
            stage: Stage::Head,
            queue: VecDeque::new(),
            is_whole: false,
            last: sender.clone().try_reserve_owned().ok(),
            sender: Some(PollSender::new(sender)),
            window: ReceiveWindow::new(),
        };
        (arriving, receiver)
    }

    /// The head is here: the body may come.
    pub(super) fn open(&mut self) {
        self.stage = Stage::Data;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.stage == Stage::Ended
    }

    pub(super) fn chunk(&mut self, bytes: Bytes) -> Result<(), WireError> {
        if self.stage != Stage::Data {
            return Err(WireError::Unexpected(Kind::Chunk.label()));
        }
        self.window.receive(bytes.len())?;
        self.queue.push_back(Ok(Frame::data(bytes)));
        Ok(())
    }

    pub(super) fn trailers(&mut self, fields: &Fields) -> Result<(), WireError> {
        if self.stage != Stage::Data {
            return Err(WireError::Unexpected(Kind::Trailers.label()));
        }
        self.stage = Stage::Trailers;
        self.queue.push_back(Ok(Frame::trailers(fields.to_map()?)));
        Ok(())
    }

    /// Nothing more comes. The reader is told by [`finish`](Self::finish).
    pub(super) fn end(&mut self) -> Result<(), WireError> {
        if !matches!(self.stage, Stage::Data | Stage::Trailers) {
            return Err(WireError::Unexpected(Kind::End.label()));
        }
        self.stage = Stage::Ended;
        Ok(())
    }

    /// After what is queued the body is complete.
    pub(super) fn finish(&mut self) {
        self.is_whole = true;
    }

    /// After what is queued the body fails.
    pub(super) fn fail(&mut self, failure: E) {
        self.stage = Stage::Ended;
        self.queue.push_back(Err(failure));
        self.is_whole = true;
    }

    /// Hands on what the reader has room for; ready when all of a finished body is handed on, or nobody reads it.
    pub(super) fn poll_deliver(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while let Some(sender) = self.sender.as_mut() {
            if self.queue.is_empty() {
                if !self.is_whole {
                    return Poll::Pending;
                }
                // Without a sender and without the permit the reader sees the end.
                (self.sender, self.last) = (None, None);
                break;
            }
            match sender.poll_reserve(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(())) => {
                    let Some(item) = self.queue.pop_front() else { continue };
                    if let Some(data) = item.as_ref().ok().and_then(Frame::data_ref) {
                        self.window.take(data.len());
                    }
                    // A reader that left since is met at the next turn.
                    drop(sender.send_item(item));
                }
                // What nobody reads is not granted again: the other side stops sending.
                Poll::Ready(Err(_left)) => (self.sender, self.last) = (None, None),
            }
        }
        self.queue.clear();
        Poll::Ready(())
    }
}

impl<E: BrokenOff> Drop for Arriving<E> {
    fn drop(&mut self) {
        if let Some(last) = self.last.take() {
            drop(last.send(Err(E::broken_off())));
        }
    }
}
