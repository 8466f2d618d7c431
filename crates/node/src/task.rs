//! A guest after its first slice: polled by the run queue, woken by what it waits for, ended by its limits.

use crate::clock::now;
use crate::queue::{Queue, Slice};
use crate::slice::{Guest, Slicer};
use crate::ticket::{Ticket, outcome_of};
use cumulet_capability::{Exchange, GuestEnd};
use cumulet_engine::Ending;
use cumulet_meter::Turn;
use cumulet_spec::outcome::Outcome;
use parking_lot::Mutex;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use tokio::time::{Instant, Sleep, sleep_until};

/// Waits to be woken.
const IDLE: u8 = 0;
/// Stands in the queue.
const QUEUED: u8 = 1;
/// Is polled.
const RUNNING: u8 = 2;
/// Is polled, and was woken meanwhile.
const WOKEN: u8 = 3;
/// Has ended.
const DONE: u8 = 4;

/// The guest's half of an invocation.
const GUEST: u8 = 1;
/// The response's half.
const RESPONSE: u8 = 2;
/// Both halves.
const BOTH: u8 = GUEST | RESPONSE;

/// A response waits for the record of its invocation this many slices of a guest that computes on.
const SLICES_AWAITED: u8 = 2;

/// What is polled, and what bounds it.
struct Work {
    guest: Guest,
    deadline: Pin<Box<Sleep>>,
}

/// An invocation whose guest outlived its first slice.
///
/// It has two halves, the guest and the response; the later one to end settles the ticket.
pub(crate) struct Task {
    state: AtomicU8,
    work: Mutex<Option<Work>>,
    ticket: Mutex<Option<Ticket>>,
    exchange: Arc<Exchange>,
    turn: Turn,
    /// Executed time that the queue has been told of, in nanoseconds.
    told_nanos: AtomicU64,
    /// Whose quota may leave it less executed time than it asks for.
    has_quota: bool,
    queue: Arc<Queue>,
    slicer: Arc<Slicer>,
    /// Nobody is left to read the answer.
    is_abandoned: AtomicBool,
    /// The guest is not to be polled again.
    is_stopped: AtomicBool,
    /// Why the response is not whole, where the guest itself ended as if it were.
    broke_off: OnceLock<Outcome>,
    /// The halves that have ended.
    ended: AtomicU8,
    /// The outcome, once both have.
    settled: OnceLock<Outcome>,
    /// Its usage record is written.
    is_recorded: AtomicBool,
    /// Who waits for that, and slices since then.
    watcher: Mutex<Option<Waker>>,
    is_watched: AtomicBool,
    slices_watched: AtomicU8,
    bytes_out: AtomicU64,
    status: AtomicU64,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("turn", &self.turn).field("exchange", &self.exchange).finish_non_exhaustive()
    }
}

impl Task {
    /// A guest that is to be queued, or run at once.
    pub(crate) fn new(guest: Guest, ticket: Ticket, queue: &Arc<Queue>, slicer: &Arc<Slicer>) -> Arc<Self> {
        let deadline = Instant::from_std(ticket.started + ticket.target.time_max);
        Arc::new(Self {
            state: AtomicU8::new(QUEUED),
            work: Mutex::new(Some(Work { guest, deadline: Box::pin(sleep_until(deadline)) })),
            exchange: Arc::clone(&ticket.exchange),
            turn: ticket.target.turn,
            told_nanos: AtomicU64::new(ticket.exchange.gauge().cpu_nanos()),
            has_quota: ticket.target.has_quota(),
            ticket: Mutex::new(Some(ticket)),
            queue: Arc::clone(queue),
            slicer: Arc::clone(slicer),
            is_abandoned: AtomicBool::new(false),
            is_stopped: AtomicBool::new(false),
            broke_off: OnceLock::new(),
            ended: AtomicU8::new(0),
            settled: OnceLock::new(),
            is_recorded: AtomicBool::new(false),
            watcher: Mutex::new(None),
            is_watched: AtomicBool::new(false),
            slices_watched: AtomicU8::new(0),
            bytes_out: AtomicU64::new(0),
            status: AtomicU64::new(0),
        })
    }

    pub(crate) fn turn(&self) -> Turn {
        self.turn
    }

    pub(crate) fn exchange(&self) -> &Arc<Exchange> {
        &self.exchange
    }

    /// Whether the invocation's time is up.
    pub(crate) fn is_late(&self) -> bool {
        self.ticket
            .lock()
            .as_ref()
            .is_some_and(|ticket| now().saturating_duration_since(ticket.started) > ticket.target.time_max)
    }

    /// The outcome, when the guest has not answered.
    pub(crate) fn outcome_without_answer(&self) -> Outcome {
        match self.ticket.lock().as_ref() {
            Some(ticket) => ticket.outcome_without_answer(),
            // A guest that failed may have been settled before whoever waited for its answer came to look.
            None => self.settled.get().copied().unwrap_or(Outcome::HostError),
        }
    }

    /// Whether the request body went over its limit.
    pub(crate) fn body_too_large(&self) -> bool {
        self.ticket.lock().as_ref().is_some_and(Ticket::body_too_large)
    }

    /// Polls the guest for one slice, of which the queue hears next. Called by whoever took the task from the queue, or
    /// was given it instead of the queue.
    pub(crate) fn run(self: Arc<Self>) -> Slice {
        self.state.store(RUNNING, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&self));
        let mut context = Context::from_waker(&waker);
        let mut work = self.work.lock();
        let ended = match work.as_mut() {
            None => true,
            Some(work) => self.poll(work, &mut context).is_ready(),
        };
        // What others did in its name counts as well.
        let used = self.exchange.gauge().cpu_nanos();
        let told = self.told_nanos.swap(used, Ordering::Relaxed);
        let nanos = used.saturating_sub(told);
        let turn = self.turn;
        if ended {
            self.state.store(DONE, Ordering::SeqCst);
            // The end is known to the exchange: what is dropped here can be told from a body that was complete.
            *work = None;
            drop(work);
            self.ends(if self.exchange.end() == Some(&GuestEnd::Finished) { GUEST } else { BOTH });
            self.tell_watcher();
            return Slice { turn, nanos, again: None };
        }
        drop(work);
        if self.state.compare_exchange(RUNNING, IDLE, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            self.tell_watcher();
            return Slice { turn, nanos, again: None };
        }
        // Woken while it ran: to the end of its lane.
        self.state.store(QUEUED, Ordering::SeqCst);
        self.tell_watcher();
        Slice { turn, nanos, again: Some(self) }
    }

    fn poll(&self, work: &mut Work, context: &mut Context<'_>) -> Poll<()> {
        if self.is_stopped.load(Ordering::SeqCst) {
            self.exchange.close(GuestEnd::ClientGone);
            return Poll::Ready(());
        }
        if work.deadline.as_mut().poll(context).is_ready() {
            self.exchange.close(GuestEnd::Deadline);
            return Poll::Ready(());
        }
        if self.has_quota && self.ticket.lock().as_mut().is_some_and(Ticket::is_spent) {
            self.exchange.close(GuestEnd::Failed(Ending::CpuLimit));
            return Poll::Ready(());
        }
        let slice = || self.slicer.poll(self.exchange.gauge(), work.guest.as_mut(), context);
        match catch_unwind(AssertUnwindSafe(slice)) {
            Ok(poll) => poll,
            Err(_panic) => {
                // The panic's own message has gone to standard error; the neighbours go on.
                self.exchange.close(GuestEnd::HostFault);
                Poll::Ready(())
            }
        }
    }

    /// Notes what the operator is to be told.
    pub(crate) fn note(&self, detail: String) {
        if let Some(ticket) = self.ticket.lock().as_mut() {
            ticket.note(detail);
        }
    }

    /// Ends the guest at its next turn, whatever it does.
    pub(crate) fn stop(self: &Arc<Self>) {
        self.is_stopped.store(true, Ordering::SeqCst);
        self.wake_by_ref();
    }

    /// Nobody is left to read the answer: the guest is ended, unless it has ended.
    pub(crate) fn abandon(self: &Arc<Self>) {
        self.is_abandoned.store(true, Ordering::SeqCst);
        self.stop();
    }

    /// Counts bytes of the response that went out.
    pub(crate) fn sent(&self, bytes: u64) {
        self.bytes_out.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The client was given a response with this status.
    pub(crate) fn answered(&self, status: u16) {
        self.status.store(u64::from(status), Ordering::Relaxed);
    }

    /// The client has the head of a response, and will not get all of its body.
    pub(crate) fn broke_off(&self, outcome: Outcome) {
        let _earlier = self.broke_off.set(outcome);
    }

    /// Waits for the usage record, so that a response does not end before it: what a client has in full is on the bill
    /// whatever happens next. A guest that sleeps or computes on is not waited for; its record comes when it ends.
    pub(crate) fn poll_recorded(&self, context: &mut Context<'_>) -> Poll<()> {
        if self.is_at_rest() {
            return Poll::Ready(());
        }
        *self.watcher.lock() = Some(context.waker().clone());
        self.is_watched.store(true, Ordering::SeqCst);
        // It may have come to rest before it could know that somebody waits.
        if self.is_at_rest() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn is_at_rest(&self) -> bool {
        self.is_recorded.load(Ordering::SeqCst)
            || self.state.load(Ordering::SeqCst) == IDLE
            || self.slices_watched.load(Ordering::SeqCst) >= SLICES_AWAITED
    }

    /// After a slice.
    fn tell_watcher(&self) {
        if !self.is_watched.load(Ordering::SeqCst) {
            return;
        }
        self.slices_watched.fetch_add(1, Ordering::SeqCst);
        if self.is_at_rest()
            && let Some(waker) = self.watcher.lock().take()
        {
            waker.wake();
        }
    }

    /// The response has come to its end, or was given up.
    pub(crate) fn response_ends(&self) {
        self.ends(RESPONSE);
    }

    /// Notes that halves have ended. A guest that failed ends both: its client may not be reading, and would keep the
    /// permit until its connection is cut.
    fn ends(&self, halves: u8) {
        if self.ended.fetch_or(halves, Ordering::SeqCst) | halves != BOTH {
            return;
        }
        let mut held = self.ticket.lock();
        let Some(ticket) = held.take() else { return };
        let status = u16::try_from(self.status.load(Ordering::Relaxed)).unwrap_or(0);
        let outcome = if self.is_abandoned.load(Ordering::SeqCst) {
            Outcome::ClientGone
        } else if status == 0 || !self.exchange.is_answered() {
            ticket.outcome_without_answer()
        } else {
            match self.exchange.end().map_or(Outcome::HostError, outcome_of) {
                Outcome::Ok => self.broke_off.get().copied().unwrap_or(Outcome::Ok),
                failed => failed,
            }
        };
        let _first = self.settled.set(outcome);
        drop(held);
        let status = if status == 0 { outcome.status() } else { status };
        ticket.settle(outcome, status, self.bytes_out.load(Ordering::Relaxed));
        self.is_recorded.store(true, Ordering::SeqCst);
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.state.load(Ordering::SeqCst);
        loop {
            let next = match state {
                IDLE => QUEUED,
                RUNNING => WOKEN,
                _ => return,
            };
            match self.state.compare_exchange_weak(state, next, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) if next == QUEUED => return self.queue.wake(Arc::clone(self)),
                Ok(_) => return,
                Err(actual) => state = actual,
            }
        }
    }
}
