//! Who is in a shared instance, who waits at its door, and whom its guest wakes.

use crate::exchange::{Exchange, GuestEnd};
use bytes::Bytes;
use cumulet_spec::id::RequestId;
use http_body_util::combinators::UnsyncBoxBody;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use wasmtime_wasi_http::Error;

/// An invocation that is to be let in.
pub(crate) struct Newcomer {
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) id: RequestId,
    pub(crate) request: http::Request<UnsyncBoxBody<Bytes, Error>>,
}

/// How many invocations an instance takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    /// In its life.
    pub(crate) requests: u32,
    /// At once.
    pub(crate) concurrent: u32,
}

/// One that is in flight.
pub(super) struct Invocation {
    pub(super) exchange: Arc<Exchange>,
    pub(super) waker: Waker,
}

/// Who is in an instance, and who is to be.
#[derive(Default)]
pub(super) struct Floor {
    pub(super) door: VecDeque<Newcomer>,
    /// Of the guest's side of the door.
    pub(super) doorkeeper: Option<Waker>,
    pub(super) inside: Vec<Invocation>,
    served: u32,
    /// Nobody is let in any more.
    pub(super) is_closed: bool,
}

/// Wakes the first of those inside. The guest keeps it for as long as it lives, so that it must not keep the guest.
pub(super) struct Bell {
    floor: Weak<Mutex<Floor>>,
}

impl Bell {
    /// The bell of a floor.
    pub(super) fn of(floor: &Arc<Mutex<Floor>>) -> Waker {
        Waker::from(Arc::new(Self { floor: Arc::downgrade(floor) }))
    }
}

impl Floor {
    pub(super) fn is_over(&self, capacity: Capacity) -> bool {
        self.is_closed || self.served >= capacity.requests
    }

    pub(super) fn enter(&mut self, newcomer: Newcomer) -> Arc<Exchange> {
        let exchange = Arc::clone(&newcomer.exchange);
        self.served += 1;
        // It is polled before it has to be woken.
        self.inside.push(Invocation { exchange: Arc::clone(&exchange), waker: Waker::noop().clone() });
        self.door.push_back(newcomer);
        exchange
    }

    /// Ends everybody, and lets nobody in.
    pub(super) fn lose(&mut self, why: &str) {
        self.is_closed = true;
        self.door.clear();
        for one in &self.inside {
            one.exchange.close(GuestEnd::Lost(why.to_owned()));
            one.waker.wake_by_ref();
        }
    }

    pub(super) fn wake(&self, exchange: &Arc<Exchange>) {
        let one = self.inside.iter().find(|one| Arc::ptr_eq(&one.exchange, exchange));
        one.into_iter().for_each(|one| one.waker.wake_by_ref());
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(floor) = self.floor.upgrade() {
            wake_first(&floor);
        }
    }
}

pub(super) fn wake_first(floor: &Mutex<Floor>) {
    let waker = floor.lock().inside.first().map(|one| one.waker.clone());
    waker.into_iter().for_each(Waker::wake);
}
