//! The clock that cuts guests into slices.

use crate::engines::Engines;
use crossbeam_utils::CachePadded;
use parking_lot::{Condvar, Mutex};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use wasmtime::Engine;

/// How often the epoch of every engine moves on, unless it is told otherwise. A slice lasts between one and two ticks.
pub const TICK: Duration = Duration::from_micros(500);

/// Ticks without a running guest after which the thread goes to sleep.
const IDLE_TICKS_MAX: u32 = 2_000;

/// Counters of running guests, spread so that two cores do not write the same cache line.
const SHARDS: usize = 16;

static NEXT_SHARD: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static SHARD: usize = NEXT_SHARD.fetch_add(1, Ordering::Relaxed) % SHARDS;
}

#[derive(Debug)]
struct Shared {
    running: [CachePadded<AtomicUsize>; SHARDS],
    asleep: AtomicBool,
    stop: AtomicBool,
    lock: Mutex<()>,
    wake: Condvar,
}

impl Shared {
    fn any_running(&self) -> bool {
        self.running.iter().any(|count| count.load(Ordering::SeqCst) > 0)
    }
}

/// A thread that moves the epochs on while guests run, and sleeps while none does.
#[derive(Debug)]
pub struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    /// Starts ticking the given engines, those too that are made later, once every [`TICK`].
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(engines: Engines) -> std::io::Result<Self> {
        Self::every(TICK, engines)
    }

    /// The same with another time between two ticks.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn every(tick: Duration, engines: Engines) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            running: Default::default(),
            asleep: AtomicBool::new(false),
            stop: AtomicBool::new(false),
            lock: Mutex::new(()),
            wake: Condvar::new(),
        });
        let thread = std::thread::Builder::new().name("ticker".into()).spawn({
            let shared = Arc::clone(&shared);
            move || run(&shared, &engines, tick)
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Says that a guest runs on this thread for as long as the returned guard lives.
    pub fn running(&self) -> Running<'_> {
        let running = Running { shared: &self.shared, shard: SHARD.with(|shard| *shard) };
        running.count().fetch_add(1, Ordering::SeqCst);
        if self.shared.asleep.load(Ordering::SeqCst) {
            let _guard = self.shared.lock.lock();
            self.shared.wake.notify_one();
        }
        running
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        {
            let _guard = self.shared.lock.lock();
            self.shared.wake.notify_one();
        }
        if let Some(thread) = self.thread.take() {
            // A panic of the ticker has been reported by its own thread; there is nothing to add here.
            drop(thread.join());
        }
    }
}

/// A guest is running.
#[derive(Debug)]
#[must_use]
pub struct Running<'a> {
    shared: &'a Shared,
    shard: usize,
}

impl Running<'_> {
    fn count(&self) -> &AtomicUsize {
        self.shared.running.get(self.shard).unwrap_or(&self.shared.running[0])
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.count().fetch_sub(1, Ordering::SeqCst);
    }
}

fn run(shared: &Shared, engines: &Engines, tick: Duration) {
    // As if it had ticked for nobody: a process that starts needs no clock yet.
    let mut idle_ticks = IDLE_TICKS_MAX;
    while !shared.stop.load(Ordering::SeqCst) {
        if idle_ticks >= IDLE_TICKS_MAX {
            sleep_until_needed(shared);
            idle_ticks = 0;
        }
        std::thread::sleep(tick);
        engines.made().for_each(Engine::increment_epoch);
        idle_ticks = if shared.any_running() { 0 } else { idle_ticks + 1 };
    }
}

fn sleep_until_needed(shared: &Shared) {
    let mut guard = shared.lock.lock();
    shared.asleep.store(true, Ordering::SeqCst);
    // Whoever starts a guest counts first and looks at `asleep` second; this thread does it the other way round, so
    // one of the two sees the other.
    while !shared.any_running() && !shared.stop.load(Ordering::SeqCst) {
        shared.wake.wait(&mut guard);
    }
    shared.asleep.store(false, Ordering::SeqCst);
}
