//! One lane of the ring: places are reserved, claimed, written, drained and freed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_utils::CachePadded;

use super::record::{self, Entry, Position};
use super::ring::RingFile;

/// A stretch of the ring that threads of one shard write, so that two cores seldom write the same cache line.
///
/// A record's sequence says in which place it stands: sequences go on for ever, places come round. There are never more
/// records and reservations than places, because every append consumes a reservation.
#[derive(Debug)]
pub(super) struct Lane {
    index: u8,
    places: u64,
    /// Below this sequence, a place without a record was claimed by a process that has ended, and stays empty.
    recovered_end: u64,
    file: Arc<RingFile>,
    free: CachePadded<AtomicU64>,
    claimed: CachePadded<AtomicU64>,
}

/// What an earlier process left in a lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The sequence after the last record, at least the one from which draining goes on.
    pub(super) end: u64,
    /// Records that were not drained.
    pub(super) records: u64,
}

/// What stands at a sequence.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slot {
    /// A whole record.
    Record(Entry),
    /// Nothing, and nothing will come: the process that claimed it has ended.
    Hole,
    /// Nothing yet.
    Pending,
}

/// Room for one record in the ring. It is reserved at admission, so that appending never fails and never waits.
///
/// A place that is dropped is given back.
#[derive(Debug)]
#[must_use = "a place is for the record of the invocation that reserved it"]
pub struct Place {
    lane: Arc<Lane>,
    is_used: bool,
}

impl Place {
    /// Puts a record into the ring: from here on it survives the end of the process, however it ends.
    ///
    /// It takes no lock, allocates nothing and makes no system call.
    pub fn append(mut self, entry: &Entry) -> Position {
        self.is_used = true;
        self.lane.append(entry)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_used {
            self.lane.free(1);
        }
    }
}

impl Lane {
    /// A lane whose records from sequence `drained` on are not drained yet.
    pub(super) fn new(file: Arc<RingFile>, index: u8, drained: u64, found: Found) -> Arc<Self> {
        let places = file.places();
        let free = places.saturating_sub(found.end.saturating_sub(drained));
        Arc::new(Self {
            index,
            places,
            recovered_end: found.end,
            file,
            free: CachePadded::new(AtomicU64::new(free)),
            claimed: CachePadded::new(AtomicU64::new(found.end)),
        })
    }

    /// The lane's place among the lanes of the ring.
    pub(super) fn index(&self) -> u8 {
        self.index
    }

    /// Reserves a place, if there is a free one.
    pub(super) fn reserve(self: &Arc<Self>) -> Option<Place> {
        let one_less = |free: u64| free.checked_sub(1);
        self.free.fetch_update(Ordering::Acquire, Ordering::Relaxed, one_less).ok()?;
        Some(Place { lane: Arc::clone(self), is_used: false })
    }

    /// Places that are free.
    pub(super) fn free_places(&self) -> u64 {
        self.free.load(Ordering::Relaxed)
    }

    /// Frees places whose records are drained, or which were never used.
    pub(super) fn free(&self, places: u64) {
        self.free.fetch_add(places, Ordering::Release);
    }

    /// The sequence after the last one that was claimed.
    pub(super) fn end(&self) -> u64 {
        self.claimed.load(Ordering::Acquire)
    }

    fn append(&self, entry: &Entry) -> Position {
        // Acquire and release: whoever claims a place comes after the reservation which saw that it had been freed, be it
        // its own or that of another who claimed before.
        let sequence = self.claimed.fetch_add(1, Ordering::AcqRel);
        let position = Position { lane: self.index, sequence };
        let words = record::encode(position, entry);
        let cells = self.file.cells(self.index, sequence % self.places);
        if let ([cells @ .., commit], [body @ .., check]) = (cells, &words) {
            for (cell, word) in cells.iter().zip(body) {
                cell.store(*word, Ordering::Relaxed);
            }
            commit.store(*check, Ordering::Release);
        }
        position
    }

    /// What stands at a sequence that is not drained yet.
    pub(super) fn read(&self, sequence: u64) -> Slot {
        let words = self.file.read(self.index, sequence % self.places);
        match record::decode(&words) {
            Some((position, entry)) if position == (Position { lane: self.index, sequence }) => Slot::Record(entry),
            Some(_) | None if sequence < self.recovered_end => Slot::Hole,
            Some(_) | None => Slot::Pending,
        }
    }
}
