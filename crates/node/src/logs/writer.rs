//! The log of one app while it is written.

use super::frame;
use super::record::{Content, Entry, encode};
use super::segment::{self, Check, HEADER_BYTES, Header, Segment};
use crate::clock::Moment;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

/// The longest segment, in bytes.
const SEGMENT_BYTES_MAX: u64 = 4 << 20;
/// Segments of an app's log whose bound is small.
const SEGMENTS_MIN: u64 = 8;
/// Frames that are gathered before they are written, in bytes; the last one may be beyond.
const PENDING_BYTES_MAX: usize = 64 << 10;

/// What of the room for them is kept between two writes, in bytes: many logs may be open.
const PENDING_BYTES_KEPT: usize = 16 << 10;

/// What an app's log may take of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// The longest segment, in bytes.
    pub(super) segment: u64,
    /// All segments, in bytes.
    pub(super) app: u64,
    /// When this process began to write logs, in microseconds since the Unix epoch.
    pub(super) since_us: u64,
}

impl Bounds {
    pub(super) fn of(per_app: u64, since_us: u64) -> Self {
        Self { segment: (per_app / SEGMENTS_MIN).min(SEGMENT_BYTES_MAX), app: per_app, since_us }
    }
}

/// What writing did.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Bytes of logs that there are more, or fewer.
    pub(super) grown: i64,
    /// Entries that are lost.
    pub(super) lost: u64,
    /// Why.
    pub(super) error: Option<io::Error>,
}

/// The log of one app, open.
#[derive(Debug)]
pub(super) struct Writer {
    folder: PathBuf,
    bounds: Bounds,
    /// Nothing before the first entry of a new log, and after an error: the next write opens it again.
    segment: Option<Segment>,
    /// Frames that are to be written.
    pending: Vec<u8>,
    /// How many entries they are; one that tells of lost ones counts as those.
    entries: u64,
    /// When the first of them came, in microseconds since the Unix epoch: a segment that they begin is of that time.
    began_us: u64,
    pub(super) used: Moment,
}

impl Writer {
    pub(super) fn new(folder: PathBuf, bounds: Bounds, used: Moment) -> Self {
        Self { folder, bounds, segment: None, pending: Vec::new(), entries: 0, began_us: 0, used }
    }

    /// Takes an entry. Says whether it is time to write.
    pub(super) fn add(&mut self, entry: &Entry<'_>) -> bool {
        if self.pending.is_empty() {
            self.began_us = entry.time_us;
        }
        frame::append(&mut self.pending, |out| encode(entry, out));
        self.entries += match entry.content {
            Content::Dropped { pieces } => pieces,
            Content::Output { .. } | Content::Invocation(_) => 1,
        };
        self.pending.len() >= PENDING_BYTES_MAX
    }

    /// Whether something is to be written.
    pub(super) fn is_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The number of the segment that is written.
    pub(super) fn number(&self) -> Option<u64> {
        self.segment.as_ref().map(|segment| segment.header.number)
    }

    /// Writes what was taken. What cannot be written is lost: the next entries get their chance anew.
    pub(super) fn flush(&mut self) -> Written {
        let mut written = Written::default();
        if let Err(error) = self.write(&mut written) {
            written.lost = self.entries;
            written.error = Some(error);
        }
        self.pending.clear();
        self.entries = 0;
        self.pending.shrink_to(PENDING_BYTES_KEPT);
        written
    }

    fn write(&mut self, written: &mut Written) -> io::Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let bytes = self.pending.len() as u64;
        let mut segment = match self.segment.take() {
            Some(segment) if segment.length + bytes <= self.bounds.segment => segment,
            Some(segment) => self.following(segment.header.number, written)?,
            None => self.open(bytes, written)?,
        };
        match segment.write(&self.pending) {
            Ok(()) => written.grown += i64::try_from(bytes).unwrap_or(i64::MAX),
            // It is opened again for the next entries, which cuts off what was written in part.
            Err((error, false)) => return Err(error),
            Err((error, true)) => {
                self.segment = Some(segment);
                return Err(error);
            }
        }
        self.segment = Some(segment);
        Ok(())
    }

    /// The segment that an earlier writer left, if there is room in it; else the one behind it.
    fn open(&self, bytes: u64, written: &mut Written) -> io::Result<Segment> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let Some(last) = segment::list(&self.folder)?.pop() else { return self.following(0, written) };
        let check = if last.written_us < self.bounds.since_us { Check::Whole } else { Check::End };
        match Segment::resume(&self.folder, last.number, check)? {
            Some(segment) => {
                written.grown -= difference(last.bytes, segment.length);
                if segment.length + bytes <= self.bounds.segment {
                    return Ok(segment);
                }
                self.following(last.number, written)
            }
            None => self.following(last.number, written),
        }
    }

    /// A new segment behind the one of this number. The oldest make room for it.
    fn following(&self, number: u64, written: &mut Written) -> io::Result<Segment> {
        let segments = segment::list(&self.folder)?;
        let mut total: u64 = segments.iter().map(|segment| segment.bytes).sum();
        for oldest in segments {
            if total + self.bounds.segment <= self.bounds.app {
                break;
            }
            fs::remove_file(segment::path(&self.folder, oldest.number))?;
            written.grown -= difference(oldest.bytes, 0);
            total -= oldest.bytes;
        }
        let segment = Segment::create(&self.folder, Header { number: number + 1, began_us: self.began_us })?;
        written.grown += difference(HEADER_BYTES, 0);
        Ok(segment)
    }
}

fn difference(before: u64, after: u64) -> i64 {
    i64::try_from(before.saturating_sub(after)).unwrap_or(i64::MAX)
}
