//! The folder of segments: which one is written, when the next begins, which are removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::LedgerLimits;
use super::failure::LedgerError;
use super::folder;
use super::segment::{self, Identity, Segment, Tail};

/// The segments of a ledger.
#[derive(Debug)]
pub(super) struct Segments {
    folder: PathBuf,
    ledger: u64,
    limits: LedgerLimits,
    /// The number of the last segment that was committed.
    number: u64,
    /// Nothing before the first, and when the operator has put the last one aside.
    current: Option<Segment>,
}

impl Segments {
    /// Opens the segments that end at `tail`. Says how many bytes were cut off because they were never committed.
    pub(super) fn open(
        folder: PathBuf,
        ledger: u64,
        tail: Tail,
        limits: LedgerLimits,
    ) -> Result<(Self, u64), LedgerError> {
        folder::make(&folder)?;
        let resumed = if tail.number == 0 { None } else { Segment::resume(&folder, ledger, tail)? };
        let (current, cut) = resumed.map_or((None, 0), |(segment, cut)| (Some(segment), cut));
        Ok((Self { folder, ledger, limits, number: tail.number, current }, cut))
    }

    /// The segment into which the next records go. Called again before [`Self::commit`], it decides the same.
    pub(super) fn next(&self) -> Result<Segment, LedgerError> {
        if let Some(current) = &self.current
            && current.tail().length < self.limits.segment_bytes_max
        {
            return Ok(current.clone());
        }
        self.make_room()?;
        Segment::create(&self.folder, Identity { ledger: self.ledger, number: self.number + 1 })
    }

    /// From here on, records go after those of this segment.
    pub(super) fn commit(&mut self, segment: Segment) {
        self.number = segment.tail().number;
        self.current = Some(segment);
    }

    /// Removes the oldest segments until there is room for another one. A segment is never removed before its records are
    /// in the sums, because only committed ones are looked at.
    fn make_room(&self) -> Result<(), LedgerError> {
        let mut segments = list(&self.folder).map_err(LedgerError::file("list", &self.folder))?;
        segments.retain(|(number, _)| *number <= self.number);
        segments.sort_unstable();
        let mut total: u64 = segments.iter().map(|(_, bytes)| bytes).sum();
        let room = self.limits.records_bytes_max.saturating_sub(self.limits.segment_bytes_max);
        for (number, bytes) in segments {
            if total <= room {
                break;
            }
            let path = segment::path(&self.folder, number);
            fs::remove_file(&path).map_err(LedgerError::file("remove", &path))?;
            total -= bytes;
        }
        Ok(())
    }
}

/// The segments in a folder with their lengths in bytes, in no order.
pub(super) fn list(folder: &Path) -> io::Result<Vec<(u64, u64)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let Some(number) = segment::number(&entry.path()) {
            found.push((number, entry.metadata()?.len()));
        }
    }
    Ok(found)
}
