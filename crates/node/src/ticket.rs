//! What goes with an invocation from its admission to its settlement.

use crate::clock::{Moment, now};
use crate::event::{Event, EventQueue, Invoked};
use crate::target::Target;
use cumulet_capability::{Exchange, GuestEnd, Inside};
use cumulet_engine::{Breach, Ending};
use cumulet_gateway::BodyMeter;
use cumulet_meter::Permit;
use cumulet_spec::id::RequestId;
use cumulet_spec::outcome::Outcome;
use cumulet_spec::usage::Usage;
use http::uri::PathAndQuery;
use std::sync::Arc;

/// An admitted invocation: whose it is, since when, and by which permit.
///
/// Ends in [`Ticket::settle`]; a ticket that is dropped settles its permit as our own fault.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) target: Arc<Target>,
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) started: Moment,
    pub(crate) id: RequestId,
    permit: Permit,
    events: Arc<EventQueue>,
    method: http::Method,
    path: Option<PathAndQuery>,
    bytes_in: BodyMeter,
    detail: Option<Box<str>>,
}

/// What a ticket is made of besides the target.
pub(crate) struct Admitted {
    pub(crate) permit: Permit,
    pub(crate) started: Moment,
    pub(crate) id: RequestId,
    pub(crate) bytes_in: BodyMeter,
}

impl Ticket {
    pub(crate) fn new<B>(
        (target, inside): (Arc<Target>, Option<Arc<dyn Inside>>),
        admitted: Admitted,
        events: Arc<EventQueue>,
        request: &http::Request<B>,
    ) -> Self {
        let exchange = Arc::new(Exchange::within(target.gauge(), inside));
        Self {
            target,
            exchange,
            started: admitted.started,
            id: admitted.id,
            permit: admitted.permit,
            events,
            method: request.method().clone(),
            path: request.uri().path_and_query().cloned(),
            bytes_in: admitted.bytes_in,
            detail: None,
        }
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
            Some(end) => outcome_of(end),
            None => Outcome::HostError,
        }
    }

    /// Whether the request body went over its limit.
    pub(crate) fn body_too_large(&self) -> bool {
        self.bytes_in.too_large()
    }

    /// Whatever a guest makes of a request that broke off, if it is not a breach of its limits: its client left.
    fn blamed(&self, outcome: Outcome) -> Outcome {
        let within_limits = matches!(outcome, Outcome::Ok | Outcome::Trap | Outcome::NoResponse);
        if within_limits && self.bytes_in.disconnected() { Outcome::ClientGone } else { outcome }
    }

    /// Ends the invocation: the permit is settled and the canonical event written.
    pub(crate) fn settle(self, outcome: Outcome, status: u16, bytes_out: u64) {
        let outcome = self.blamed(outcome);
        let wall = now().saturating_duration_since(self.started);
        let gauge = self.exchange.gauge();
        let usage = Usage {
            wall_us: u64::try_from(wall.as_micros()).unwrap_or(u64::MAX),
            executed_us: gauge.cpu_nanos() / 1_000,
            memory_peak_bytes: gauge.memory_peak_bytes(),
            bytes_in: self.bytes_in.bytes(),
            bytes_out,
            ..Usage::default()
        };
        let detail = self.detail.or_else(|| self.exchange.end().and_then(detail_of));
        self.events.push(Event::Invoked(Box::new(Invoked {
            id: self.id,
            target: self.target,
            method: self.method,
            path: self.path,
            started: self.started,
            status,
            outcome,
            usage,
            detail,
        })));
        // Last: who waits for the invocations to end finds their events in the queue.
        self.permit.settle(outcome, &usage);
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
    }
}

/// What the operator is told beyond the outcome.
fn detail_of(end: &GuestEnd) -> Option<Box<str>> {
    match end {
        GuestEnd::Failed(Ending::Trap(text) | Ending::HostLimit(text) | Ending::PoolExhausted(text)) => {
            Some(text.as_str().into())
        }
        _ => None,
    }
}
