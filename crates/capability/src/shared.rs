//! An instance that serves several invocations at once (WASI 0.3).
//!
//! Nobody owns its thread: the instance is polled by whichever of its invocations is polled, and what a poll took is
//! divided among all that are in flight. The one that is woken is the first of them, and hands on when it leaves.

mod floor;
mod guest;

use crate::exchange::{Exchange, GuestEnd};
use crate::host::Host;
use crate::http::read_end;
use crate::occupant::Occupant;
use crate::shared::floor::{Bell, Floor, wake_first};
use cumulet_engine::{Ending, Gauge, poll_measured};
use parking_lot::Mutex;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use wasmtime::Store;
use wasmtime_wasi_http::p3;

pub(crate) use crate::shared::floor::{Capacity, Newcomer};

/// The guest with all that runs in it. It does not return: it fails, or is dropped.
type Running = Pin<Box<dyn Future<Output = wasmtime::Result<Infallible>> + Send>>;

/// An instance in which several invocations run at once.
pub(crate) struct Shared {
    floor: Arc<Mutex<Floor>>,
    /// What the instance as a whole holds; each invocation has a gauge of its own besides.
    gauge: Arc<Gauge>,
    running: Mutex<Option<Running>>,
    /// What the guest waits with.
    waker: Waker,
    /// Somebody was woken for it and found another polling, who looks again.
    is_missed: AtomicBool,
}

impl Shared {
    /// An instance for a first invocation, made when that is first polled. `gauge` has the memory limit.
    pub(crate) fn open(
        service: p3::bindings::ServicePre<Host>,
        (store, occupant): (Store<Host>, Occupant),
        (gauge, first): (Arc<Gauge>, Newcomer),
    ) -> Visit {
        let floor = Arc::<Mutex<Floor>>::default();
        let running: Running = Box::pin(guest::run(service, store, occupant, Arc::clone(&floor)));
        let waker = Bell::of(&floor);
        let (running, is_missed) = (Mutex::new(Some(running)), AtomicBool::new(false));
        let shared = Arc::new(Self { floor, gauge, running, waker, is_missed });
        let exchange = shared.floor.lock().enter(first);
        Visit { shared, exchange, has_left: false }
    }

    /// Takes the newcomer, unless there is no room for one.
    pub(crate) fn admit(self: Arc<Self>, newcomer: &mut Option<Newcomer>, capacity: Capacity) -> Option<Visit> {
        let mut floor = self.floor.lock();
        if floor.is_over(capacity) || floor.inside.len() >= usize::try_from(capacity.concurrent).unwrap_or(usize::MAX) {
            return None;
        }
        let exchange = floor.enter(newcomer.take()?);
        let doorkeeper = floor.doorkeeper.take();
        drop(floor);
        doorkeeper.into_iter().for_each(Waker::wake);
        Some(Visit { shared: self, exchange, has_left: false })
    }

    /// Whether nobody is inside, and somebody may still come.
    pub(crate) fn may_wait(&self, capacity: Capacity) -> bool {
        let floor = self.floor.lock();
        floor.inside.is_empty() && !floor.is_over(capacity)
    }

    /// Polls the guest on account of everybody inside, in the slice of `own`.
    fn advance(&self, own: &Exchange) {
        self.is_missed.store(true, Ordering::SeqCst);
        // Whoever polls it now looks again when he is done.
        let Some(mut running) = self.running.try_lock() else { return };
        self.is_missed.store(false, Ordering::SeqCst);
        let Some(guest) = running.as_mut() else { return };
        let before = self.gauge.cpu_nanos();
        let poll = poll_measured(&self.gauge, guest.as_mut(), &mut Context::from_waker(&self.waker));
        self.divide(own, self.gauge.cpu_nanos() - before);
        if let Poll::Ready(Err(error)) = poll {
            self.failed(&error);
            *running = None;
        }
        drop(running);
        if self.is_missed.swap(false, Ordering::SeqCst) {
            wake_first(&self.floor);
        }
    }

    /// Charges a poll to everybody in flight in equal parts, and ends the instance of whoever is past its limit.
    fn divide(&self, own: &Exchange, nanos: u64) {
        let mut floor = self.floor.lock();
        let is_own = |exchange: &Arc<Exchange>| std::ptr::eq(Arc::as_ptr(exchange), own);
        let exchanges = || floor.inside.iter().map(|one| &one.exchange);
        let flying = || exchanges().filter(|exchange| exchange.end().is_none() || is_own(exchange));
        let count = flying().count() as u64;
        let Some(part) = nanos.checked_div(count) else { return };
        let mut is_over = false;
        for exchange in flying() {
            let gauge = exchange.gauge();
            let unsettled = match (is_own(exchange), count) {
                (true, 1) => part,
                (true, _) => {
                    gauge.give_away(nanos - part);
                    part
                }
                (false, _) => {
                    gauge.bear(part);
                    0
                }
            };
            gauge.holds(self.gauge.memory_peak_bytes());
            if gauge.is_beyond_cpu(unsettled) {
                exchange.close(GuestEnd::Failed(Ending::CpuLimit));
                is_over = true;
            }
        }
        if is_over {
            floor.lose("another invocation used all of its executed time");
        }
    }

    /// The guest has failed, with all that runs in it.
    fn failed(&self, error: &wasmtime::Error) {
        let mut floor = self.floor.lock();
        let mut flying = floor.inside.iter().filter(|one| one.exchange.end().is_none());
        if let (Some(only), None) = (flying.next(), flying.next()) {
            only.exchange.close(read_end(error, &self.gauge));
        }
        // Of several, nobody can tell whose fault it was.
        floor.lose(&format!("one of several invocations failed: {error:#}"));
    }
}

/// One invocation's stay in a shared instance. Ends with the response; dropped before, it is the invocation that ended.
pub(crate) struct Visit {
    shared: Arc<Shared>,
    exchange: Arc<Exchange>,
    has_left: bool,
}

impl Visit {
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn leave(&mut self) {
        if std::mem::replace(&mut self.has_left, true) {
            return;
        }
        let mut floor = self.shared.floor.lock();
        floor.inside.retain(|one| !Arc::ptr_eq(&one.exchange, &self.exchange));
        floor.door.retain(|newcomer| !Arc::ptr_eq(&newcomer.exchange, &self.exchange));
        match self.exchange.end() {
            Some(GuestEnd::Finished) => {}
            // Whatever the guest still does for a client that left, it does at the cost of those who are there.
            Some(GuestEnd::ClientGone) | None => floor.is_closed = true,
            Some(_) => floor.lose("another invocation in its instance was ended"),
        }
        drop(floor);
        wake_first(&self.shared.floor);
    }
}

impl Future for Visit {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        {
            let mut floor = this.shared.floor.lock();
            if let Some(own) = floor.inside.iter_mut().find(|one| Arc::ptr_eq(&one.exchange, &this.exchange)) {
                own.waker.clone_from(context.waker());
            }
        }
        if this.exchange.end().is_none() {
            this.shared.advance(&this.exchange);
        }
        if this.exchange.end().is_none() {
            return Poll::Pending;
        }
        this.leave();
        Poll::Ready(())
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.leave();
    }
}
