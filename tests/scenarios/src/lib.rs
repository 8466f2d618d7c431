//! The harness of the scenarios: starts the real binary, speaks HTTP to it byte by byte, reads what it reports.
//!
//! Every wait has a bound ([`PATIENCE`]), so that a scenario fails and never hangs.

use std::time::Duration;

pub mod admin;
pub mod cases;
pub mod fleet;
pub mod follow;
pub mod http1;
pub mod listener;
pub mod neighbour;
pub mod once;
pub mod output;
pub mod paths;
pub mod patience;
pub mod pty;
pub mod random;
pub mod server;

/// How long a scenario waits for anything before it fails: far longer than any limit that a scenario sets.
pub const PATIENCE: Duration = Duration::from_secs(60);
