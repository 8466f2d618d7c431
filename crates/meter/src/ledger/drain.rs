//! Draining: records go from the ring into a segment, their sums into the database, and their places become free.
//!
//! Exactly once, wherever the process ends: the database says in one transaction how far each lane was drained and how
//! long the segment is. What was written before and not committed is cut off when the ledger is opened next.

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};

use super::database::{self, State};
use super::failure::LedgerError;
use super::lane::{Lane, Slot};
use super::record::{self, Position};
use super::segment::{Segment, Tail};
use super::segments::Segments;
use super::sums::{self, MinuteSums, RejectionSum};

/// Records of one transaction. What is left is drained by the next one.
const BATCH_RECORDS_MAX: u64 = 65_536;

/// What a drain moved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drained {
    /// Usage records that are now in a segment and in the sums.
    pub records: u64,
    /// Places that an earlier process claimed and never wrote; the responses of their invocations had not ended.
    pub holes: u64,
    /// Rejections that are now in the sums.
    pub rejections: u64,
}

/// Points at which a process may end without a record lost or counted twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(test), expect(dead_code, reason = "tests end a drain at each of them"))]
pub(super) enum Step {
    /// The records were read off the ring.
    Collected,
    /// The segment is there.
    Opened,
    /// The records are written.
    Written,
    /// The records are on the disk.
    Synced,
    /// The sums are written in a transaction that is not committed.
    Summed,
    /// The transaction is committed.
    Committed,
}

/// The side of the ledger that writes to the disk. One thread at a time has it.
#[derive(Debug)]
pub(super) struct Drain {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    pub(super) segments: Segments,
    pub(super) state: State,
    /// Where the batch of a drain that failed ended in each lane. The next drain takes exactly the same one: should the
    /// failed commit reach the disk after all, the segment holds what it says.
    pub(super) failed: Option<Vec<u64>>,
    #[cfg(test)]
    pub(super) killed_at: Option<Step>,
}

/// What one transaction moves.
#[derive(Debug, Default)]
struct Batch {
    bytes: Vec<u8>,
    sums: MinuteSums,
    /// For each lane, the sequence after the last one.
    ends: Vec<u64>,
    drained: Drained,
}

impl Drain {
    /// Moves what the lanes hold at this moment, in as many transactions as it takes. The rejections go with the last, so
    /// that they count exactly if this succeeds.
    pub(super) fn drain(
        &mut self,
        lanes: &[Arc<Lane>],
        now_us: u64,
        rejections: &[RejectionSum],
    ) -> Result<Drained, LedgerError> {
        let ends: Vec<u64> = lanes.iter().map(|lane| lane.end()).collect();
        let mut total = Drained::default();
        loop {
            let batch = self.collect(lanes, self.failed.as_ref().unwrap_or(&ends));
            let moved = batch.drained.records + batch.drained.holes;
            // A batch that failed before may be smaller than what there is now.
            let is_last = moved < BATCH_RECORDS_MAX && self.failed.is_none();
            let rejections = if is_last { rejections } else { &[] };
            if moved > 0 || !rejections.is_empty() {
                self.failed = Some(batch.ends.clone());
                self.write(&batch, lanes, now_us, rejections)?;
            }
            self.failed = None;
            total.records += batch.drained.records;
            total.holes += batch.drained.holes;
            total.rejections += rejections.iter().map(|sum| sum.rejections).sum::<u64>();
            if is_last {
                return Ok(total);
            }
        }
    }

    fn collect(&self, lanes: &[Arc<Lane>], ends: &[u64]) -> Batch {
        let mut batch = Batch::default();
        for ((index, lane), end) in (0_u8..).zip(lanes).zip(ends) {
            let start = self.state.lanes.get(&index).copied().unwrap_or_default();
            let end = batch.take(lane, start, *end);
            batch.ends.push(end);
        }
        batch
    }

    fn write(
        &mut self,
        batch: &Batch,
        lanes: &[Arc<Lane>],
        now_us: u64,
        rejections: &[RejectionSum],
    ) -> Result<(), LedgerError> {
        self.reached(Step::Collected)?;
        let segment = if batch.bytes.is_empty() { None } else { Some(self.append(&batch.bytes)?) };
        let state = self.state_after(batch, segment.as_ref().map(Segment::tail), now_us);
        self.sum(batch, &state, rejections)?;
        self.reached(Step::Committed)?;
        if let Some(segment) = segment {
            self.segments.commit(segment);
        }
        for ((index, lane), end) in (0_u8..).zip(lanes).zip(&batch.ends) {
            let start = self.state.lanes.get(&index).copied().unwrap_or_default();
            lane.free(end.saturating_sub(start));
        }
        self.state = state;
        Ok(())
    }

    fn append(&self, bytes: &[u8]) -> Result<Segment, LedgerError> {
        let segment = self.segments.next()?;
        self.reached(Step::Opened)?;
        segment.write(bytes)?;
        self.reached(Step::Written)?;
        segment.sync()?;
        self.reached(Step::Synced)?;
        Ok(segment.longer(bytes.len() as u64))
    }

    fn state_after(&self, batch: &Batch, tail: Option<Tail>, now_us: u64) -> State {
        let mut state = self.state.clone();
        state.tail = tail.unwrap_or(state.tail);
        state.drained_us = now_us;
        state.lanes.extend((0_u8..).zip(batch.ends.iter().copied()));
        state
    }

    fn sum(&mut self, batch: &Batch, state: &State, rejections: &[RejectionSum]) -> Result<(), LedgerError> {
        #[cfg(test)]
        let killed_at = self.killed_at;
        let error = |error| LedgerError::database("write", &self.path)(error);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(error)?;
        batch.sums.write(&transaction).map_err(error)?;
        sums::write_rejections(&transaction, rejections).map_err(error)?;
        database::set_state(&transaction, state).map_err(error)?;
        #[cfg(test)]
        reached(killed_at, Step::Summed)?;
        transaction.commit().map_err(error)
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "tests end a drain here")]
    fn reached(&self, _step: Step) -> Result<(), LedgerError> {
        Ok(())
    }

    #[cfg(test)]
    fn reached(&self, step: Step) -> Result<(), LedgerError> {
        reached(self.killed_at, step)
    }
}

impl Batch {
    /// Takes the records of a lane from `start` on, up to `bound`, up to the first that is not there yet, and up to
    /// what is left of a transaction. Returns where it stopped.
    fn take(&mut self, lane: &Lane, start: u64, bound: u64) -> u64 {
        let room = BATCH_RECORDS_MAX - (self.drained.records + self.drained.holes);
        let bound = bound.min(start.saturating_add(room));
        for sequence in start..bound {
            match lane.read(sequence) {
                Slot::Record(entry) => {
                    let words = record::encode(Position { lane: lane.index(), sequence }, &entry);
                    self.bytes.extend_from_slice(&record::bytes_of(&words));
                    self.sums.add(&entry);
                    self.drained.records += 1;
                }
                Slot::Hole => self.drained.holes += 1,
                Slot::Pending => return sequence,
            }
        }
        bound.max(start)
    }
}

#[cfg(test)]
fn reached(killed_at: Option<Step>, step: Step) -> Result<(), LedgerError> {
    if killed_at != Some(step) {
        return Ok(());
    }
    let kind = super::failure::LedgerErrorKind::Killed(format!("{step:?}"));
    Err(LedgerError::new("go on", std::path::Path::new("test"), kind))
}
