//! In which order apps are listed.

use std::cmp::Reverse;

use clap::ValueEnum;

use super::history::Row;
use super::rates::Rates;

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum SortKey {
    /// Executed time
    Executed,
    /// Requests per second
    Requests,
    /// The p99 of latency
    P99,
    /// The most memory of an invocation
    Memory,
    /// Cold starts
    ColdStarts,
    /// Errors per second
    Errors,
    /// The name
    App,
}

impl SortKey {
    /// All of them, with the letters that choose them.
    pub(super) const ALL: [(Self, char); 7] = [
        (Self::Executed, 'e'),
        (Self::Requests, 'n'),
        (Self::P99, 'p'),
        (Self::Memory, 'm'),
        (Self::ColdStarts, 'c'),
        (Self::Errors, 'f'),
        (Self::App, 'a'),
    ];

    /// What a letter chooses.
    pub(super) fn of(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, own)| *own == letter).map(|(key, _)| key)
    }

    fn value(self, row: &Row) -> Option<u64> {
        let rate = |read: fn(&Rates) -> u64| row.rates.as_ref().map(read);
        match self {
            Self::Executed => rate(|rates| rates.executed_ppm),
            Self::Requests => rate(|rates| rates.requests_milli),
            Self::P99 => row.rates.as_ref().and_then(|rates| rates.p99_us),
            Self::Memory => Some(row.memory_peak_bytes),
            Self::ColdStarts => Some(row.cold_starts),
            Self::Errors => rate(|rates| rates.errors_milli),
            Self::App => None,
        }
    }
}

/// A key, and which end of it comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) key: SortKey,
    /// Whether the smallest number, or the last name, comes first.
    pub(super) is_reversed: bool,
}

impl Order {
    /// The largest number first, or the first name.
    pub(super) fn by(key: SortKey) -> Self {
        Self { key, is_reversed: false }
    }

    /// Whether what comes first is the smallest.
    pub(super) fn is_ascending(self) -> bool {
        (self.key == SortKey::App) != self.is_reversed
    }

    /// Sorts rows; those that are equal by the name.
    pub(super) fn sort(self, rows: &mut [Row]) {
        rows.sort_by(|one, other| one.id.cmp(&other.id));
        let key = self.key;
        match (key == SortKey::App, self.is_reversed) {
            (true, false) => {}
            (true, true) => rows.reverse(),
            (false, false) => rows.sort_by_key(|row| Reverse(key.value(row))),
            (false, true) => rows.sort_by_key(|row| key.value(row)),
        }
    }
}
