//! What was used: questions to the ledger of a data folder, beside a running node or after it has ended.
//!
//! `docs/guide/metering.md` says what each number means.

mod calendar;
mod comparison;
mod known;
mod report;
#[cfg(test)]
mod tests;
mod view;
mod when;

pub use self::comparison::{Comparison, Cost, Price, PriceList, Provider, Usd};
pub use self::report::{Amount, Dimension, Question, Report, ReportError, Row, Window, WindowError};
pub use self::when::{When, WhenError, rfc3339};
pub use cumulet_meter::ledger::{LedgerError, LedgerErrorKind, Sums};

use crate::clock::{self, Calendar};

/// Now, in microseconds since the Unix epoch.
#[must_use]
pub fn now_us() -> u64 {
    Calendar::start().micros(clock::now())
}
