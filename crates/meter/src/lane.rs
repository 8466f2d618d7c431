//! One component's way in: its own bound, then the node's.

use crate::gate::{Gate, Waiting};
use crate::tally::Tally;
use cumulet_spec::outcome::Outcome;
use cumulet_spec::usage::Usage;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Requests of one component that may wait for its own concurrency.
const LANE_WAITING_MAX: usize = 64;
/// Requests that may wait for a slot of the node.
const NODE_WAITING_MAX: usize = 1_024;

/// The bound of a whole node, in slots of its pool.
#[derive(Debug)]
pub struct Admission {
    slots: Gate,
}

impl Admission {
    /// Admits at most `slots` at once.
    #[must_use]
    pub fn new(slots: u32) -> Arc<Self> {
        Arc::new(Self { slots: Gate::new(slots, NODE_WAITING_MAX) })
    }

    /// The node's gate, for those who watch it.
    #[must_use]
    pub fn slots(&self) -> &Gate {
        &self.slots
    }
}

/// What a lane lets in.
#[derive(Clone, Copy, Debug)]
pub struct LaneLimits {
    /// Invocations of the component at once.
    pub concurrency: u32,
    /// Slots of the node that one of its invocations takes.
    pub slots: u32,
}

/// One component's way in.
#[derive(Debug)]
pub struct Lane {
    own: Gate,
    node: Arc<Admission>,
    slots: u32,
    tally: Arc<Tally>,
}

/// Why an invocation is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The component's own concurrency is used up.
    Concurrency,
    /// The node has no slot.
    Shed,
}

impl From<Refused> for Outcome {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Concurrency => Outcome::Concurrency,
            Refused::Shed => Outcome::Shed,
        }
    }
}

impl Lane {
    /// A lane with these limits into this node, which adds to `tally`.
    #[must_use]
    pub fn new(limits: LaneLimits, node: Arc<Admission>, tally: Arc<Tally>) -> Arc<Self> {
        Arc::new(Self { own: Gate::new(limits.concurrency, LANE_WAITING_MAX), node, slots: limits.slots, tally })
    }

    /// The component's gate, for those who watch it.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.own
    }

    /// The component's sums.
    #[must_use]
    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// Admits an invocation at once, or says what it would have to wait for.
    ///
    /// # Errors
    /// Which of the two bounds is reached.
    pub fn try_admit(self: &Arc<Self>) -> Result<Permit, Refused> {
        if !self.own.try_enter(1) {
            return Err(Refused::Concurrency);
        }
        if !self.node.slots.try_enter(self.slots) {
            self.own.leave(1);
            return Err(Refused::Shed);
        }
        Ok(Permit { lane: Arc::clone(self), is_settled: false })
    }

    /// Waits in both queues in turn. The caller bounds the wait and drops the future when it is over.
    pub fn admit(self: &Arc<Self>) -> Entering {
        Entering { lane: Arc::clone(self), own: Step::new(), node: Step::new() }
    }
}

#[derive(Debug)]
struct Step {
    waiting: Option<Waiting>,
    is_inside: bool,
}

impl Step {
    fn new() -> Self {
        Self { waiting: None, is_inside: false }
    }

    fn poll(&mut self, gate: &Gate, units: u32, context: &Context<'_>, refused: Refused) -> Poll<Result<(), Refused>> {
        if self.is_inside {
            return Poll::Ready(Ok(()));
        }
        match gate.enter_or_wait(units, &mut self.waiting, context.waker()) {
            Ok(true) => {
                self.is_inside = true;
                Poll::Ready(Ok(()))
            }
            Ok(false) => Poll::Pending,
            Err(_full) => Poll::Ready(Err(refused)),
        }
    }

    fn undo(&mut self, gate: &Gate, units: u32) {
        if let Some(waiting) = self.waiting.take() {
            gate.give_up(waiting);
        }
        if std::mem::take(&mut self.is_inside) {
            gate.leave(units);
        }
    }
}

/// An invocation that waits to be admitted.
///
/// # Cancel safety
/// Dropping it gives up its place and leaves nothing behind.
#[derive(Debug)]
#[must_use = "an invocation is admitted only when this is awaited"]
pub struct Entering {
    lane: Arc<Lane>,
    own: Step,
    node: Step,
}

impl Entering {
    /// What the invocation is waiting for at this moment.
    #[must_use]
    pub fn waits_for(&self) -> Refused {
        if self.own.is_inside { Refused::Shed } else { Refused::Concurrency }
    }
}

impl Future for Entering {
    type Output = Result<Permit, Refused>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let lane = Arc::clone(&this.lane);
        std::task::ready!(this.own.poll(&lane.own, 1, context, Refused::Concurrency))?;
        std::task::ready!(this.node.poll(&lane.node.slots, lane.slots, context, Refused::Shed))?;
        // Both places now belong to the permit.
        this.own.is_inside = false;
        this.node.is_inside = false;
        Poll::Ready(Ok(Permit { lane, is_settled: false }))
    }
}

impl Drop for Entering {
    fn drop(&mut self) {
        self.node.undo(&self.lane.node.slots, self.lane.slots);
        self.own.undo(&self.lane.own, 1);
    }
}

/// The right to run one invocation. Settled exactly once: by [`Permit::settle`], or as our own fault when dropped.
#[derive(Debug)]
#[must_use = "a permit is settled with what was used"]
pub struct Permit {
    lane: Arc<Lane>,
    is_settled: bool,
}

impl Permit {
    /// Ends the invocation: adds what it used, and lets the next one in.
    pub fn settle(mut self, outcome: Outcome, usage: &Usage) {
        self.lane.tally.settle(outcome, usage);
        self.is_settled = true;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.is_settled {
            self.lane.tally.settle(Outcome::HostError, &Usage::default());
        }
        self.lane.node.slots.leave(self.lane.slots);
        self.lane.own.leave(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn lane(concurrency: u32, node: &Arc<Admission>) -> Arc<Lane> {
        Lane::new(LaneLimits { concurrency, slots: 1 }, Arc::clone(node), Arc::default())
    }

    fn poll(entering: &mut Entering) -> Poll<Result<Permit, Refused>> {
        Pin::new(entering).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn the_bound_that_is_reached_is_named() {
        let node = Admission::new(2);
        let (small, large) = (lane(1, &node), lane(10, &node));
        let first = small.try_admit().unwrap();
        assert_eq!(small.try_admit().unwrap_err(), Refused::Concurrency);
        let second = large.try_admit().unwrap();
        assert_eq!(large.try_admit().unwrap_err(), Refused::Shed);
        drop((first, second));
        assert_eq!(node.slots().inside(), 0);
    }

    #[test]
    fn waiting_ends_when_a_permit_is_settled() {
        let node = Admission::new(1);
        let lane = lane(5, &node);
        let permit = lane.try_admit().unwrap();
        let mut entering = lane.admit();
        assert!(poll(&mut entering).is_pending());
        assert_eq!(entering.waits_for(), Refused::Shed);
        permit.settle(Outcome::Ok, &Usage::default());
        assert!(matches!(poll(&mut entering), Poll::Ready(Ok(_))));
    }

    #[test]
    fn giving_up_returns_both_places() {
        let node = Admission::new(1);
        let lane = lane(1, &node);
        let permit = lane.try_admit().unwrap();
        let mut entering = lane.admit();
        assert!(poll(&mut entering).is_pending());
        drop(entering);
        drop(permit);
        assert_eq!((lane.gate().inside(), node.slots().inside()), (0, 0));
        assert!(lane.try_admit().is_ok());
    }

    #[test]
    fn every_permit_is_counted_once() {
        let node = Admission::new(10);
        let lane = lane(10, &node);
        lane.try_admit().unwrap().settle(Outcome::Trap, &Usage::default());
        drop(lane.try_admit().unwrap());
        let totals = lane.tally().totals();
        assert_eq!(totals.outcomes[Outcome::Trap.index()], 1);
        assert_eq!(totals.outcomes[Outcome::HostError.index()], 1);
        assert_eq!(totals.outcomes.iter().sum::<u64>(), 2);
    }
}
