//! Admission, permits and what they add up to. Time is an argument; neither wasm nor sockets are known here.
//!
//! No invocation runs without a [`Permit`], and every permit is settled exactly once.

mod gate;
mod lane;
pub mod ledger;
mod quota;
mod shard;
mod shares;
mod tally;

pub use gate::{Gate, Waiting};
pub use lane::{Admission, Entering, Lane, LaneLimits, Permit, Refused};
pub use quota::{Ask, Over, Passage, QuotaGate, QuotaGates, Reservation, Spent};
pub use shares::{Shares, Turn};
pub use tally::{LATENCY_BOUNDS_US, Tally, Totals};
