//! A guest's store: its limits are set before anything of the guest exists.

use crate::cpu::thread_cpu_nanos;
use crate::gauge::{Breach, Gauge};
use crate::limiter::MemoryLimiter;
use std::sync::Arc;
use wasmtime::{Engine, Store, Trap, UpdateDeadline};

/// Bytes that a guest may hand to the host in one call.
pub const HOSTCALL_BYTES_MAX: usize = 8 << 20;

/// Epoch ticks until a guest's slice is over: at least one whole tick, at most two.
const SLICE_TICKS: u64 = 2;

/// Executed time below which a slice is not cut, in nanoseconds.
const SLICE_NANOS_MIN: u64 = 250_000;

/// Store data that carries the limits of its invocation.
pub trait Guarded: Send + 'static {
    /// The limiter of this store.
    fn limiter(&mut self) -> &mut MemoryLimiter;
}

/// A store for one invocation: memory, executed time, slices and bytes of host calls are bounded from here on.
///
/// Its guest must be called through asynchronous functions, because the end of a slice yields.
#[must_use]
pub fn new_store<T: Guarded>(engine: &Engine, data: T) -> Store<T> {
    let mut store = Store::new(engine, data);
    // Closures without captures: neither box allocates.
    store.limiter(|data| data.limiter());
    store.epoch_deadline_callback(|mut context| {
        let gauge: &Arc<Gauge> = context.data_mut().limiter().gauge();
        let now = thread_cpu_nanos();
        if gauge.is_over_cpu(now) {
            gauge.note(Breach::Cpu);
            return Err(Trap::Interrupt.into());
        }
        // A guest that waited for the host comes back with a deadline long past: its slice has only begun.
        if gauge.slice_nanos(now) < SLICE_NANOS_MIN {
            return Ok(UpdateDeadline::Continue(SLICE_TICKS));
        }
        Ok(UpdateDeadline::Yield(SLICE_TICKS))
    });
    store.set_epoch_deadline(SLICE_TICKS);
    store.set_hostcall_fuel(HOSTCALL_BYTES_MAX);
    store
}
