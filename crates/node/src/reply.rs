//! The body of a response on its way from a guest to the gateway.

use crate::task::Task;
use crate::ticket::outcome_of;
use bytes::Bytes;
use cumulet_capability::{GuestBody, GuestEnd};
use cumulet_gateway::BodyFailure;
use cumulet_spec::outcome::Outcome;
use http_body::{Body, Frame, SizeHint};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use tokio::task::coop::unconstrained;

/// A response body.
#[derive(Debug)]
pub(crate) struct ReplyBody {
    source: Source,
}

enum Source {
    /// The guest finished in its first slice: all of it is here, and leaves in one write.
    Whole { first: Option<Frame<Bytes>>, rest: VecDeque<Frame<Bytes>>, bytes: u64 },
    /// The guest is still writing it. Dropped in this order: it has to be known that nobody reads before the guest can
    /// notice, and fail of it.
    Live { answer: Answer, body: GuestBody },
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Whole { bytes, .. } => f.debug_struct("Whole").field("bytes", bytes).finish_non_exhaustive(),
            Source::Live { .. } => f.debug_struct("Live").finish_non_exhaustive(),
        }
    }
}

/// What a guest left of its body after it ended.
pub(crate) enum Remains {
    /// All of it.
    Whole(ReplyBody, u64),
    /// Something that failed, or did not end.
    Broken,
}

impl ReplyBody {
    /// Takes everything out of the body of a guest that has ended.
    pub(crate) fn whole(mut body: GuestBody) -> Remains {
        // The channels of a body answer that they wait, with all of it there, once the connection's task has had its
        // share of polls; here nobody would ask again.
        let all = unconstrained(poll_fn(|context| Poll::Ready(drain(&mut body, context))));
        match pin!(all).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(remains) => remains,
            Poll::Pending => Remains::Broken,
        }
    }

    /// A body whose guest still runs.
    pub(crate) fn live(body: GuestBody, answer: Answer) -> Self {
        Self { source: Source::Live { answer, body } }
    }

    /// A body that is here already, for answers of the node itself.
    pub(crate) fn full(bytes: Bytes) -> Self {
        let length = bytes.len() as u64;
        Self { source: Source::Whole { first: Some(Frame::data(bytes)), rest: VecDeque::new(), bytes: length } }
    }
}

fn drain(body: &mut GuestBody, context: &mut Context<'_>) -> Remains {
    let mut first = None;
    let mut rest = VecDeque::new();
    let mut bytes = 0;
    loop {
        match Pin::new(&mut *body).poll_frame(context) {
            Poll::Ready(None) => break,
            Poll::Ready(Some(Ok(frame))) => {
                bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                if first.is_none() {
                    first = Some(frame);
                } else {
                    rest.push_back(frame);
                }
            }
            Poll::Ready(Some(Err(_))) | Poll::Pending => return Remains::Broken,
        }
    }
    Remains::Whole(ReplyBody { source: Source::Whole { first, rest, bytes } }, bytes)
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = BodyFailure;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyFailure>>> {
        match &mut self.get_mut().source {
            Source::Whole { first, rest, bytes } => {
                let frame = first.take().or_else(|| rest.pop_front());
                if let Some(data) = frame.as_ref().and_then(Frame::data_ref) {
                    *bytes = bytes.saturating_sub(data.len() as u64);
                }
                Poll::Ready(frame.map(Ok))
            }
            Source::Live { answer, body } => answer.poll_frame(body, context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Whole { first, rest, .. } => first.is_none() && rest.is_empty(),
            Source::Live { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Whole { first, rest, bytes } => {
                // Trailers need a framing that does not end with the data.
                let trailers = first.as_ref().is_some_and(Frame::is_trailers) || rest.iter().any(Frame::is_trailers);
                if trailers { SizeHint::default() } else { SizeHint::with_exact(*bytes) }
            }
            Source::Live { .. } => SizeHint::default(),
        }
    }
}

/// The response half of a task: dropped before its end, it ends the guest.
#[derive(Debug)]
pub(crate) struct Answer {
    task: Arc<Task>,
    is_over: bool,
    /// Bytes after which the response is complete, where its head says so: the client is not asked for more, and none
    /// at all to `HEAD` and with some statuses.
    bytes_expected: Option<u64>,
    bytes_sent: u64,
    /// The end of the response, which is kept back until the usage record is written.
    kept: VecDeque<Frame<Bytes>>,
}

impl Answer {
    pub(crate) fn new(task: Arc<Task>) -> Self {
        Self { task, is_over: false, bytes_expected: None, bytes_sent: 0, kept: VecDeque::new() }
    }

    /// Says after how many bytes of body the response is complete.
    pub(crate) fn expect(&mut self, bytes: u64) {
        self.bytes_expected = Some(bytes);
    }

    pub(crate) fn task(&self) -> &Arc<Task> {
        &self.task
    }

    /// The response is at its end: the guest may go on, and nobody waits for it.
    pub(crate) fn complete(&mut self) {
        if !self.is_over {
            self.is_over = true;
            self.task.response_ends();
        }
    }

    /// The client gets an error instead of a response: its outcome. A guest that has not ended is ended.
    pub(crate) fn refuse(&mut self) -> Outcome {
        let task = Arc::clone(&self.task);
        task.exchange().close(GuestEnd::Finished);
        let outcome = task.outcome_without_answer();
        task.answered(0);
        task.stop();
        self.complete();
        outcome
    }

    fn poll_frame(
        &mut self,
        body: &mut GuestBody,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyFailure>>> {
        loop {
            if self.is_over {
                std::task::ready!(self.task.poll_recorded(context));
                return Poll::Ready(self.kept.pop_front().map(Ok));
            }
            match Pin::new(&mut *body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) if self.task.is_late() => {
                    drop(frame);
                    return Poll::Ready(Some(Err(self.fail(Outcome::Deadline))));
                }
                Poll::Ready(Some(Ok(frame))) => {
                    if let Some(frame) = self.pass(frame) {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                }
                Poll::Ready(Some(Err(_error))) => {
                    let outcome = self.failure().unwrap_or(Outcome::Trap);
                    return Poll::Ready(Some(Err(self.fail(outcome))));
                }
                Poll::Ready(None) => match self.failure() {
                    Some(outcome) => return Poll::Ready(Some(Err(self.fail(outcome)))),
                    // Shorter than it said: the client sees a response that breaks off.
                    None if self.bytes_expected.is_some_and(|bytes| bytes != self.bytes_sent) => {
                        return Poll::Ready(Some(Err(self.fail(Outcome::Trap))));
                    }
                    None => self.complete(),
                },
                Poll::Pending if self.kept.is_empty() => return Poll::Pending,
                // All that was announced is here, and the guest does not say yet that it ends there.
                Poll::Pending => {
                    std::task::ready!(self.task.poll_recorded(context));
                    return Poll::Ready(self.kept.pop_front().map(Ok));
                }
            }
        }
    }

    /// Lets a frame pass, unless the response ends with it.
    fn pass(&mut self, frame: Frame<Bytes>) -> Option<Frame<Bytes>> {
        let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
        self.bytes_sent += bytes;
        self.task.sent(bytes);
        let is_last = frame.is_trailers() || (bytes > 0 && self.bytes_expected == Some(self.bytes_sent));
        if frame.is_trailers() {
            self.complete();
        }
        if is_last || !self.kept.is_empty() {
            self.kept.push_back(frame);
            return None;
        }
        Some(frame)
    }

    /// The outcome of a guest that ended badly. A guest records its end before its body stops, so nothing is missed.
    fn failure(&self) -> Option<Outcome> {
        if self.task.body_too_large() {
            return Some(Outcome::TooLarge);
        }
        match self.task.exchange().end().map(outcome_of) {
            None | Some(Outcome::Ok) => None,
            failed => failed,
        }
    }

    fn fail(&mut self, outcome: Outcome) -> BodyFailure {
        if outcome == Outcome::Deadline {
            self.task.exchange().close(GuestEnd::Deadline);
        }
        self.task.broke_off(outcome);
        // Without its end the client can tell that the response is not whole.
        self.kept.clear();
        self.complete();
        BodyFailure { outcome }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.is_over {
            if self.bytes_expected != Some(self.bytes_sent) || !self.kept.is_empty() {
                self.task.abandon();
            }
            self.complete();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use http_body_util::channel::Channel;
    use tokio::task::coop::{consume_budget, has_budget_remaining};

    #[tokio::test]
    async fn a_body_is_whole_whatever_its_connection_did_before() {
        let (mut sender, body) = Channel::new(2);
        for part in ["al", "l"] {
            sender.send_data(Bytes::from(part)).await.unwrap();
        }
        drop(sender);
        let mut body: Option<GuestBody> = Some(body.boxed_unsync());
        // In one poll: the budget of a task is full again at the next.
        let remains = poll_fn(|context| {
            while has_budget_remaining() {
                let _used = pin!(consume_budget()).poll(context);
            }
            Poll::Ready(ReplyBody::whole(body.take().unwrap()))
        });
        let Remains::Whole(body, bytes) = remains.await else { panic!("all of it was there") };
        assert_eq!((bytes, body.collect().await.unwrap().to_bytes()), (3, Bytes::from("all")));
    }
}
