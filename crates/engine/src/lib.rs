//! Compiles, maps, instantiates, limits, slices and measures guests.
//!
//! With `capability`, the only crate that names wasmtime. It knows neither tenants nor listeners nor stores of data:
//! everything here is generic over the data that a guest's store holds, as long as that data carries a [`Gauge`].

mod class;
mod compile;
mod config;
mod cpu;
mod engines;
mod fault;
mod fingerprint;
mod gauge;
pub mod inspect;
mod limiter;
mod machine;
mod mapped;
mod measured;
mod pool;
mod snapshot;
mod store;
mod ticker;

pub use class::EngineClass;
pub use compile::{CompileError, Compiled, compile, compile_apart};
pub use config::EngineError;
pub use cpu::thread_cpu_nanos;
pub use engines::{CompileEngines, Engines};
pub use fault::{Ending, classify};
pub use fingerprint::Fingerprints;
pub use gauge::{Breach, Gauge};
pub use inspect::{InspectError, Inspection, Kind, inspect};
pub use limiter::MemoryLimiter;
pub use machine::Machine;
pub use mapped::{LoadError, load};
pub use measured::{Measured, poll_measured};
pub use pool::{PoolSettings, PoolUsage, pagemap_scan_is_available, pagemap_scan_is_safe};
pub use snapshot::{INITIALISER, Snapshot, SnapshotError, snapshot, unfit};
pub use store::{Guarded, HOSTCALL_BYTES_MAX, new_store};
pub use ticker::{Running, TICK, Ticker};
