//! The node's books: every admitted invocation becomes a usage record, every refusal is counted, and a thread moves both
//! from memory to the disk.

use crate::chain::chain;
use crate::clock::{Calendar, now};
use crossbeam_utils::CachePadded;
use cumulet_meter::ledger::{Ledger, LedgerError, LedgerReader, Minute, RejectionSum};
use cumulet_spec::id::{AppId, ComponentName, InvocationId};
use cumulet_spec::outcome::Outcome;
use parking_lot::{Condvar, Mutex};
use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the ring is emptied onto the disk: well below the second that a power loss may cost.
const DRAIN_EVERY: Duration = Duration::from_millis(250);
/// Identifiers of invocations that a thread takes at once.
const ID_BLOCK: u64 = 1_024;
/// How many failed drains go by between two reports.
const REPORT_EVERY: u32 = 40;

/// Requests of one component that were turned away since the last drain, by outcome.
#[derive(Debug)]
pub(crate) struct Refused {
    id: AppId,
    component: ComponentName,
    counts: [AtomicU32; Outcome::ALL.len()],
}

impl Refused {
    pub(crate) fn count(&self, outcome: Outcome) {
        if let Some(count) = self.counts.get(outcome.index()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn take(&self, minute: Minute, into: &mut Vec<RejectionSum>) {
        for (outcome, count) in Outcome::ALL.into_iter().zip(&self.counts) {
            if count.load(Ordering::Relaxed) == 0 {
                continue;
            }
            into.push(RejectionSum {
                minute,
                tenant: self.id.tenant.clone(),
                app: self.id.app.clone(),
                component: self.component.clone(),
                outcome,
                rejections: u64::from(count.swap(0, Ordering::Relaxed)),
            });
        }
    }
}

/// What requests and the draining thread share.
#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) ledger: Ledger,
    pub(crate) reader: Mutex<LedgerReader>,
    pub(crate) calendar: Calendar,
    refused: Mutex<Vec<Arc<Refused>>>,
    /// Rejections whose drain failed.
    unwritten: Mutex<Vec<RejectionSum>>,
    id_blocks: CachePadded<AtomicU64>,
    failed: AtomicU32,
}

impl Books {
    /// Opens the books on a ledger, and enters what an earlier process left.
    pub(crate) fn open(ledger: Ledger, reader: LedgerReader) -> Result<Arc<Self>, LedgerError> {
        let calendar = Calendar::start();
        let now_us = calendar.micros(now());
        ledger.drain(now_us, &[])?;
        let books = Self {
            ledger,
            reader: Mutex::new(reader),
            calendar,
            refused: Mutex::default(),
            unwritten: Mutex::default(),
            // A block a microsecond is more than any node takes, so that no later process gives an identifier twice.
            id_blocks: CachePadded::new(AtomicU64::new(now_us)),
            failed: AtomicU32::new(0),
        };
        Ok(Arc::new(books))
    }

    /// Microseconds since the Unix epoch.
    pub(crate) fn now_us(&self) -> u64 {
        self.calendar.micros(now())
    }

    /// A new identifier of an invocation.
    pub(crate) fn invocation(&self) -> InvocationId {
        thread_local! {
            static NEXT: Cell<u64> = const { Cell::new(0) };
        }
        NEXT.with(|next| {
            let mut id = next.get();
            if id % ID_BLOCK == 0 {
                id = self.id_blocks.fetch_add(1, Ordering::Relaxed).wrapping_mul(ID_BLOCK);
            }
            next.set(id + 1);
            InvocationId(id)
        })
    }

    /// Counts refusals of a component from now on.
    pub(crate) fn refused(&self, id: &AppId, component: &ComponentName) -> Arc<Refused> {
        let refused = Arc::new(Refused {
            id: id.clone(),
            component: component.clone(),
            counts: std::array::from_fn(|_outcome| AtomicU32::new(0)),
        });
        self.refused.lock().push(Arc::clone(&refused));
        refused
    }

    /// Drains that have failed, one after the other, up to now.
    pub(crate) fn failed(&self) -> u32 {
        self.failed.load(Ordering::Relaxed)
    }

    /// Moves everything to the disk.
    pub(crate) fn drain(&self) {
        let now_us = self.now_us();
        let mut unwritten = self.unwritten.lock();
        self.take_refused(Minute::of_us(now_us), &mut unwritten);
        match self.ledger.drain(now_us, &unwritten) {
            Ok(_drained) => {
                unwritten.clear();
                self.failed.store(0, Ordering::Relaxed);
            }
            Err(error) => {
                let before = self.failed.fetch_add(1, Ordering::Relaxed);
                if before.is_multiple_of(REPORT_EVERY) {
                    let free = self.ledger.free_places();
                    tracing::error!(error = %chain(&error), free, "usage cannot be written; nothing is lost while the ring has room");
                }
            }
        }
    }

    fn take_refused(&self, minute: Minute, into: &mut Vec<RejectionSum>) {
        let mut refused = self.refused.lock();
        // Whoever is unloaded was the only other holder: looked at before the counts are, so that none comes after.
        refused.retain(|refused| {
            let is_loaded = Arc::strong_count(refused) > 1;
            refused.take(minute, into);
            is_loaded
        });
        merge(into);
    }
}

/// Rejections of one minute are one sum, however often writing them failed.
fn merge(sums: &mut Vec<RejectionSum>) {
    let key =
        |sum: &RejectionSum| (sum.minute, sum.tenant.clone(), sum.app.clone(), sum.component.clone(), sum.outcome);
    sums.sort_by_cached_key(key);
    sums.dedup_by(|next, kept| {
        let same = key(next) == key(kept);
        if same {
            kept.rejections += next.rejections;
        }
        same
    });
}

/// The thread that drains. Dropping it drains once more.
#[derive(Debug)]
pub(crate) struct Bookkeeper {
    books: Arc<Books>,
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Bookkeeper {
    pub(crate) fn start(books: &Arc<Books>) -> io::Result<Self> {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let thread = std::thread::Builder::new().name("ledger".into()).spawn({
            let (books, stop) = (Arc::clone(books), Arc::clone(&stop));
            move || {
                let (stopped, ring) = &*stop;
                let mut stopped = stopped.lock();
                while !*stopped {
                    ring.wait_for(&mut stopped, DRAIN_EVERY);
                    parking_lot::MutexGuard::unlocked(&mut stopped, || books.drain());
                }
            }
        })?;
        Ok(Self { books: Arc::clone(books), stop, thread: Some(thread) })
    }
}

impl Drop for Bookkeeper {
    fn drop(&mut self) {
        *self.stop.0.lock() = true;
        self.stop.1.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by itself.
            drop(thread.join());
        }
        self.books.drain();
    }
}
