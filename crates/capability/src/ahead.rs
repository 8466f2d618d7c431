//! Instances that are made ahead of the invocation that they serve, and serve it alone.
//!
//! Only where that makes no difference: see `docs/adr/0025-made-ahead.md`.

use crate::exchange::Exchange;
use crate::instance::Instance;
use crate::warm::{Held, Room};
use cumulet_engine::Gauge;
use cumulet_spec::id::RequestId;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// Nobody called lately.
const QUIET: u8 = 0;
/// Somebody called: from the next call on it is worth it.
const CALLED: u8 = 1;
/// An instance is being made.
const MAKING: u8 = 2;
/// One waits.
const READY: u8 = 3;
/// Instances of this component are made with their request.
const DECLINED: u8 = 4;

/// Attempts in a row that took too long, after which there is no other: one may be the machine.
const CUTS_MAX: u8 = 3;

/// The one instance of a component that is made ahead of its invocation.
///
/// It was made with no request at all, and nothing outside had a part in it. Whoever drops this ends it.
#[derive(Debug)]
pub struct Ahead {
    room: Arc<dyn Room>,
    /// Written under the lock, but for the step from one call to the next.
    state: AtomicU8,
    spare: Mutex<Option<Spare>>,
    cuts: AtomicU8,
    taken: AtomicU64,
    /// What is left of `taken` when this is dropped.
    total: Arc<AtomicU64>,
}

struct Spare {
    instance: Instance,
    _room: Held,
    /// Nobody took it between two calls of [`Ahead::end_idle`].
    is_idle: bool,
}

impl std::fmt::Debug for Spare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spare").field("is_idle", &self.is_idle).finish_non_exhaustive()
    }
}

/// An instance on its way. Dropped before [`Making::keep`], it was never begun.
pub struct Making {
    ahead: Arc<Ahead>,
    exchange: Arc<Exchange>,
    room: Option<Held>,
    made: Made,
    is_over: bool,
}

enum Made {
    /// It has not come to its end.
    Cut,
    /// The pool had no room for it.
    NotNow,
    /// It cannot be.
    Failed,
    Instance(Instance),
}

impl std::fmt::Debug for Making {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Making").field("ahead", &self.ahead).finish_non_exhaustive()
    }
}

impl Ahead {
    /// Nothing is made yet. When it is dropped, `total` is told of the invocations that found theirs made.
    #[must_use]
    pub fn new(room: Arc<dyn Room>, total: Arc<AtomicU64>) -> Self {
        Self {
            room,
            total,
            state: AtomicU8::new(QUIET),
            spare: Mutex::default(),
            cuts: AtomicU8::new(0),
            taken: AtomicU64::new(0),
        }
    }

    /// An invocation has ended: whether the next instance is to be made, and with which room for `slots` of the pool.
    /// `gauge` has the limits of an invocation.
    pub(crate) fn begin(self: &Arc<Self>, slots: u32, gauge: impl FnOnce() -> Gauge) -> Option<Making> {
        let step = |from, to| self.state.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst);
        match self.state.load(Ordering::Relaxed) {
            QUIET => {
                let _called = step(QUIET, CALLED);
                return None;
            }
            CALLED => step(CALLED, MAKING).ok()?,
            _ => return None,
        };
        let exchange = Arc::new(Exchange::ahead(gauge()));
        let mut making = Making { ahead: Arc::clone(self), exchange, room: None, made: Made::Cut, is_over: false };
        making.room = Arc::clone(&self.room).hold(slots);
        making.room.is_some().then_some(making)
    }

    /// The instance, if one waits, with its occupant, who bears what it took to make it.
    pub(crate) fn take(&self, exchange: &Arc<Exchange>, id: RequestId) -> Option<Instance> {
        if self.state.load(Ordering::Relaxed) != READY {
            return None;
        }
        let mut waiting = self.spare.lock();
        let spare = waiting.take()?;
        self.state.store(CALLED, Ordering::SeqCst);
        drop(waiting);
        self.taken.fetch_add(1, Ordering::Relaxed);
        let mut instance = spare.instance;
        exchange.gauge().inherit(instance.gauge().cpu_nanos());
        instance.welcome(exchange, id);
        Some(instance)
    }

    /// Invocations that found theirs made, so far.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Ends an instance that nobody took since the last call of this.
    pub fn end_idle(&self) {
        let mut waiting = self.spare.lock();
        let is_vain = waiting.as_mut().is_some_and(|spare| std::mem::replace(&mut spare.is_idle, true));
        let ended = if is_vain { waiting.take() } else { None };
        if is_vain {
            self.state.store(QUIET, Ordering::SeqCst);
        } else {
            let _quiet = self.state.compare_exchange(CALLED, QUIET, Ordering::SeqCst, Ordering::SeqCst);
        }
        // Dropping an instance takes microseconds: not under the lock.
        drop(waiting);
        drop(ended);
    }

    fn end(&self, state: u8, spare: Option<Spare>) {
        let mut waiting = self.spare.lock();
        *waiting = spare;
        self.state.store(state, Ordering::SeqCst);
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.total.fetch_add(self.taken(), Ordering::Relaxed);
    }
}

impl Making {
    /// What making it has used.
    #[must_use]
    pub fn gauge(&self) -> &Arc<Gauge> {
        self.exchange.gauge()
    }

    pub(crate) fn exchange(&self) -> &Arc<Exchange> {
        &self.exchange
    }

    /// It was made, or could not be; an error says whether that may be another time.
    pub(crate) fn made(&mut self, made: Result<Instance, bool>) {
        self.made = match made {
            Ok(instance) => Made::Instance(instance),
            Err(true) => Made::NotNow,
            Err(false) => Made::Failed,
        };
    }

    /// It takes too long.
    pub fn give_up(mut self) {
        self.made = Made::Cut;
        self.keep();
    }

    /// It waits for something outside: instances of this component are made with their request.
    pub fn decline(mut self) {
        self.made = Made::Failed;
        self.keep();
    }

    /// After the time that it has: keeps what was made, if it may wait.
    pub fn keep(mut self) {
        self.is_over = true;
        let (state, spare) = match (std::mem::replace(&mut self.made, Made::Failed), self.room.take()) {
            (Made::Instance(instance), Some(room)) if !self.exchange.has_reached_out() => {
                self.ahead.cuts.store(0, Ordering::Relaxed);
                (READY, Some(Spare { instance, _room: room, is_idle: false }))
            }
            (Made::Instance(_) | Made::Failed, _) => (DECLINED, None),
            (Made::NotNow, _) => (CALLED, None),
            (Made::Cut, _) if self.ahead.cuts.fetch_add(1, Ordering::Relaxed) + 1 < CUTS_MAX => (CALLED, None),
            (Made::Cut, _) => (DECLINED, None),
        };
        self.ahead.end(state, spare);
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if !self.is_over {
            self.ahead.end(CALLED, None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Room for so many slots.
    #[derive(Debug)]
    struct Slots(Mutex<u32>);

    struct Share(Arc<Slots>, u32);

    impl Room for Slots {
        fn hold(self: Arc<Self>, slots: u32) -> Option<Held> {
            let mut left = self.0.lock();
            *left = left.checked_sub(slots)?;
            drop(left);
            Some(Box::new(Share(self, slots)))
        }
    }

    impl Drop for Share {
        fn drop(&mut self) {
            *self.0.0.lock() += self.1;
        }
    }

    fn ahead(slots: u32) -> (Arc<Ahead>, Arc<Slots>) {
        let slots = Arc::new(Slots(Mutex::new(slots)));
        (Arc::new(Ahead::new(Arc::<Slots>::clone(&slots), Arc::default())), slots)
    }

    fn begin(ahead: &Arc<Ahead>) -> Option<Making> {
        ahead.begin(2, || Gauge::new(1, 1))
    }

    #[test]
    fn one_is_made_at_a_time_and_from_the_second_call_on() {
        let (ahead, slots) = ahead(8);
        assert!(begin(&ahead).is_none(), "one call is not worth it");
        let making = begin(&ahead).unwrap();
        assert!(begin(&ahead).is_none(), "one is on its way");
        assert_eq!(*slots.0.lock(), 6);
        drop(making);
        assert_eq!(*slots.0.lock(), 8);
        assert!(begin(&ahead).is_some(), "the first was never begun");
        ahead.end_idle();
        assert!(begin(&ahead).is_none(), "the calls before are long ago");
    }

    #[test]
    fn none_is_made_where_there_is_no_room() {
        let (ahead, slots) = ahead(1);
        assert!((0..10).all(|_| begin(&ahead).is_none()));
        *slots.0.lock() = 2;
        assert!(begin(&ahead).is_some());
    }

    #[test]
    fn one_that_does_not_come_to_its_end_is_tried_a_few_times() {
        let (ahead, _slots) = ahead(8);
        assert!(begin(&ahead).is_none());
        let tries = std::iter::from_fn(|| begin(&ahead).map(Making::keep)).take(100).count();
        assert_eq!(tries, usize::from(CUTS_MAX));
        let idle = Exchange::new(Gauge::new(1, 1));
        assert!(ahead.take(&Arc::new(idle), RequestId::from_bits(7)).is_none() && ahead.taken() == 0);
    }

    #[test]
    fn one_that_fails_is_not_tried_again_unless_the_pool_was_full() {
        let (ahead, _slots) = ahead(8);
        assert!(begin(&ahead).is_none());
        for (may_pass, again) in [(true, true), (false, false)] {
            let mut making = begin(&ahead).unwrap();
            making.made(Err(may_pass));
            making.keep();
            assert_eq!(begin(&ahead).is_some(), again);
        }
    }
}
