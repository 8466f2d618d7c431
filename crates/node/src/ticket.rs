//! What goes with an invocation from its admission to its settlement.

use crate::ahead::make_next;
use crate::clock::{Moment, now};
use crate::event::{Event, Invoked};
use crate::serving::Serving;
use crate::target::Target;
use cumulet_capability::{Exchange, GuestEnd, Inside};
use cumulet_engine::{Breach, Ending};
use cumulet_gateway::BodyMeter;
use cumulet_meter::ledger::{Entry, Place};
use cumulet_meter::{Passage, Permit};
use cumulet_spec::id::RequestId;
use cumulet_spec::outcome::Outcome;
use cumulet_spec::usage::Usage;
use http::uri::PathAndQuery;
use std::sync::Arc;

/// With less executed time than this left to it, a guest that a quota bounds asks for more, in nanoseconds: a few slices.
const EXTEND_BELOW_NANOS: u64 = 4_000_000;
/// What it asks for, in nanoseconds.
const EXTEND_NANOS: u64 = 20_000_000;
/// What the next slice takes, in nanoseconds: with less than this left, a guest is ended before its quota is passed.
const SLICE_NANOS: u64 = 1_000_000;

/// What an invocation was admitted with.
#[derive(Debug)]
pub(crate) struct Admittance {
    pub(crate) permit: Permit,
    /// Room for its usage record.
    pub(crate) place: Place,
    /// What it has reserved of quotas, if there are any.
    pub(crate) passage: Option<Passage>,
}

/// An admitted invocation: whose it is, since when, and by which permit.
///
/// Ends in [`Ticket::settle`]; a ticket that is dropped is settled as our own fault.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) target: Arc<Target>,
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) started: Moment,
    pub(crate) id: RequestId,
    /// There until it is settled.
    held: Option<Admittance>,
    serving: Arc<Serving>,
    method: http::Method,
    path: Option<PathAndQuery>,
    bytes_in: BodyMeter,
    detail: Option<Box<str>>,
    /// A quota had no more executed time for it.
    met_quota: bool,
}

/// What a ticket is made of besides the target.
pub(crate) struct Admitted {
    pub(crate) admittance: Admittance,
    pub(crate) started: Moment,
    pub(crate) id: RequestId,
    pub(crate) bytes_in: BodyMeter,
}

impl Ticket {
    pub(crate) fn new<B>(
        (target, inside): (Arc<Target>, Option<Arc<dyn Inside>>),
        admitted: Admitted,
        serving: &Arc<Serving>,
        request: &http::Request<B>,
    ) -> Self {
        let exchange = Arc::new(Exchange::within(target.gauge(), inside));
        Self {
            target,
            exchange,
            started: admitted.started,
            id: admitted.id,
            held: Some(admitted.admittance),
            serving: Arc::clone(serving),
            method: request.method().clone(),
            path: request.uri().path_and_query().cloned(),
            bytes_in: admitted.bytes_in,
            detail: None,
            met_quota: false,
        }
    }

    /// Whether a guest whose quota left it less executed time than its own limit is at the end of what there is. It gets
    /// more while there is some. Asked before each slice: what is not there is not used.
    pub(crate) fn is_spent(&mut self) -> bool {
        let Some(passage) = self.held.as_mut().and_then(|held| held.passage.as_mut()) else { return false };
        let (used, limit) = (self.exchange.gauge().cpu_nanos(), self.target.ask().cpu_nanos_max);
        let granted = passage.cpu_nanos_max();
        if granted >= limit {
            return false;
        }
        if granted.saturating_sub(used) < EXTEND_BELOW_NANOS {
            // A slice may have taken more than was granted, where the system let it run on.
            let more = EXTEND_NANOS.saturating_add(used.saturating_sub(granted)).min(limit - granted);
            passage.extend(self.serving.books.now_us(), more);
        }
        let left = passage.cpu_nanos_max().saturating_sub(used);
        self.met_quota = left < SLICE_NANOS && passage.cpu_nanos_max() < limit;
        self.met_quota
    }

    /// An invocation that came to the end of what a quota left it met the quota, and not its own limit.
    pub(crate) fn named(&self, outcome: Outcome) -> Outcome {
        if outcome == Outcome::CpuLimit && self.met_quota { Outcome::Quota } else { outcome }
    }

    /// Notes what the operator is to be told beyond the outcome.
    pub(crate) fn note(&mut self, detail: String) {
        self.detail = Some(detail.into());
    }

    /// How the invocation ended as far as the guest is concerned, when it has not answered.
    pub(crate) fn outcome_without_answer(&self) -> Outcome {
        if self.bytes_in.too_large() {
            return Outcome::TooLarge;
        }
        match self.exchange.end() {
            Some(GuestEnd::Finished) if self.exchange.gauge().breach() == Some(Breach::Memory) => Outcome::MemoryLimit,
            Some(GuestEnd::Finished) => Outcome::NoResponse,
            Some(end) => self.named(outcome_of(end)),
            None => Outcome::HostError,
        }
    }

    /// Whether the request body went over its limit.
    pub(crate) fn body_too_large(&self) -> bool {
        self.bytes_in.too_large()
    }

    /// Whatever a guest makes of a request that broke off, if it is not a breach of its limits: its client left.
    fn blamed(&self, outcome: Outcome) -> Outcome {
        let outcome = self.named(outcome);
        let within_limits = matches!(outcome, Outcome::Ok | Outcome::Trap | Outcome::NoResponse);
        if within_limits && self.bytes_in.disconnected() { Outcome::ClientGone } else { outcome }
    }

    /// Ends the invocation: its usage is recorded, the canonical event written, and the permit settled.
    pub(crate) fn settle(mut self, outcome: Outcome, status: u16, bytes_out: u64) {
        let outcome = self.blamed(outcome);
        self.close(outcome, status, bytes_out);
        if outcome == Outcome::Ok {
            make_next(&self.serving, &self.target, self.id);
        }
    }

    fn close(&mut self, outcome: Outcome, status: u16, bytes_out: u64) {
        let Some(Admittance { permit, place, passage }) = self.held.take() else { return };
        let ended = now();
        let gauge = self.exchange.gauge();
        let usage = Usage {
            wall_us: u64::try_from(ended.saturating_duration_since(self.started).as_micros()).unwrap_or(u64::MAX),
            executed_us: gauge.cpu_nanos() / 1_000,
            memory_peak_bytes: gauge.memory_peak_bytes(),
            bytes_in: self.bytes_in.bytes(),
            bytes_out,
            host_calls: gauge.host_calls(),
            shared: gauge.is_shared(),
        };
        let books = &self.serving.books;
        place.append(&Entry {
            subject: self.target.subject,
            id: books.invocation(),
            started_us: books.calendar.micros(self.started),
            outcome,
            usage,
        });
        if let Some(passage) = passage {
            passage.settle(books.calendar.micros(ended), gauge.cpu_nanos());
        }
        let detail = self.detail.take().or_else(|| self.exchange.end().and_then(detail_of));
        self.serving.events.push(Event::Invoked(Box::new(Invoked {
            id: self.id,
            target: Arc::clone(&self.target),
            method: std::mem::take(&mut self.method),
            path: self.path.take(),
            started: self.started,
            status,
            outcome,
            usage,
            detail,
        })));
        // Last: who waits for the invocations to end finds their events in the queue.
        permit.settle(outcome, &usage);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.close(Outcome::HostError, Outcome::HostError.status(), 0);
    }
}

/// The outcome of a guest that did not finish.
pub(crate) fn outcome_of(end: &GuestEnd) -> Outcome {
    match end {
        GuestEnd::Finished => Outcome::Ok,
        GuestEnd::Failed(ending) => match ending {
            Ending::Trap(_) => Outcome::Trap,
            Ending::CpuLimit => Outcome::CpuLimit,
            Ending::MemoryLimit => Outcome::MemoryLimit,
            Ending::HostLimit(_) => Outcome::HostLimit,
            Ending::PoolExhausted(_) => Outcome::Shed,
        },
        GuestEnd::Deadline => Outcome::Deadline,
        GuestEnd::ClientGone => Outcome::ClientGone,
        GuestEnd::HostFault => Outcome::HostError,
        GuestEnd::Lost(_) => Outcome::InstanceLost,
    }
}

/// What the operator is told beyond the outcome.
fn detail_of(end: &GuestEnd) -> Option<Box<str>> {
    match end {
        GuestEnd::Failed(Ending::Trap(text) | Ending::HostLimit(text) | Ending::PoolExhausted(text)) => {
            Some(text.as_str().into())
        }
        GuestEnd::Lost(why) => Some(why.as_str().into()),
        _ => None,
    }
}
