//! Reads logs, beside the node that writes them or after it has ended.

use super::cursor::Cursor;
use super::failure::{LogError, LogErrorKind};
use super::folder;
use super::query::{LogQuery, Page};
use super::scan::{Scan, Step};
use super::segment::{self, HEADER_BYTES, Listed};
use cumulet_spec::id::AppId;
use std::collections::VecDeque;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Bytes of a log that one call of [`LogReader::read`] looks through: it returns what it found by then.
const LOOK_BYTES_MAX: u64 = 8 << 20;
/// Entries that are taken at once where the last ones are looked for.
const PAGE_ENTRIES: usize = 1_000;
/// Bytes of segments whose entries one page holds; the last of them may be beyond.
const PAGE_BYTES_MAX: u64 = 1 << 20;

/// Reads the logs of a data folder. It keeps nothing open, and blocks while it reads.
#[derive(Debug, Clone)]
pub struct LogReader {
    logs: PathBuf,
}

impl LogReader {
    /// The logs of a data folder.
    ///
    /// # Errors
    /// When there are none.
    pub fn open(data_dir: &Path) -> Result<Self, LogError> {
        let logs = folder::logs(data_dir);
        match fs::metadata(&logs) {
            Ok(_) => Ok(Self { logs }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(LogError { action: "read", path: logs, kind: LogErrorKind::Missing })
            }
            Err(error) => Err(LogError::file("read", &logs)(error)),
        }
    }

    /// Where the logs lie.
    pub(super) fn folder(&self) -> &Path {
        &self.logs
    }

    /// The apps that have a log.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn apps(&self) -> Result<Vec<AppId>, LogError> {
        let attempt = || -> std::io::Result<Vec<AppId>> {
            let mut apps = Vec::new();
            for entry in fs::read_dir(&self.logs)? {
                apps.extend(entry?.file_name().to_str().and_then(folder::app));
            }
            apps.sort();
            Ok(apps)
        };
        attempt().map_err(LogError::file("list", &self.logs))
    }

    /// The next entries behind `query.after`, the oldest first: those that are wanted, at most `query.limit`.
    ///
    /// A page may hold fewer, or none, before the log ends: then `is_end` is not set, and its cursor leads on. An app
    /// without a log has an empty one.
    ///
    /// # Errors
    /// When the file system refuses. What is damaged is no error: it is left out, and the page's notes say so.
    pub fn read(&self, query: &LogQuery) -> Result<Page, LogError> {
        let folder = folder::of_app(&self.logs, &query.app);
        let segments = segment::list(&folder).map_err(LogError::file("list", &folder))?;
        let mut walk = Walk { folder, query, page: Page::empty(query.after), looked: 0, held: 0 };
        walk.along(&segments)?;
        Ok(walk.page)
    }

    /// The last `query.limit` entries that are wanted, the oldest of them first, and the cursor of the log's end.
    ///
    /// Looks through the whole log, however long.
    ///
    /// # Errors
    /// As [`LogReader::read`].
    pub fn last(&self, query: &LogQuery) -> Result<Page, LogError> {
        let mut last = VecDeque::new();
        let limit = query.limit;
        let mut query = LogQuery { limit: limit.max(PAGE_ENTRIES), ..query.clone() };
        let (mut is_gap, mut notes) = (false, Vec::new());
        loop {
            let page = self.read(&query)?;
            is_gap |= page.is_gap;
            notes.extend(page.notes);
            last.extend(page.records);
            last.drain(..last.len().saturating_sub(limit));
            query.after = page.cursor;
            if page.is_end {
                return Ok(Page { records: last.into(), cursor: page.cursor, is_end: true, is_gap, notes });
            }
        }
    }
}

/// One call of [`LogReader::read`].
struct Walk<'a> {
    folder: PathBuf,
    query: &'a LogQuery,
    page: Page,
    /// Bytes that were looked through.
    looked: u64,
    /// Bytes of what the page holds.
    held: u64,
}

/// Whether there is more to look at.
#[derive(Debug, PartialEq, Eq)]
enum Go {
    On,
    Stop,
}

impl Walk<'_> {
    fn along(&mut self, segments: &[Listed]) -> Result<(), LogError> {
        let from = self.begin(segments)?;
        let last = segments.last().map(|segment| segment.number);
        for segment in segments.iter().filter(|segment| segment.number >= from.unwrap_or_default()) {
            let is_last = last == Some(segment.number);
            if self.through(segment.number, is_last)? == Go::Stop {
                return Ok(());
            }
        }
        self.page.is_end = true;
        Ok(())
    }

    /// The number of the segment to begin with. A cursor whose segment is gone leads to the oldest that is left.
    fn begin(&mut self, segments: &[Listed]) -> Result<Option<u64>, LogError> {
        let Some(after) = self.query.after else { return Ok(None) };
        let is_listed = segments.iter().any(|segment| segment.number == after.number);
        if is_listed && after.offset == 0 {
            return Ok(Some(after.number + 1));
        }
        if is_listed && self.open(after.number)?.is_some_and(|scan| scan.header.began_us == after.began_us) {
            return Ok(Some(after.number));
        }
        self.page.is_gap = true;
        self.page.cursor = None;
        Ok(None)
    }

    /// Nothing for a segment that is gone by now, is about to be made, or cannot be read.
    fn open(&mut self, number: u64) -> Result<Option<Scan>, LogError> {
        match Scan::open(&self.folder, number) {
            Ok(scan) => Ok(scan),
            Err(LogErrorKind::File(error)) if error.kind() == ErrorKind::NotFound => {
                self.page.is_gap = true;
                Ok(None)
            }
            Err(kind @ LogErrorKind::File(_)) => Err(self.error(number, kind)),
            Err(kind) => {
                let error = self.error(number, kind);
                self.page.notes.push(error);
                self.page.cursor = Some(Cursor { number, offset: 0, began_us: 0 });
                Ok(None)
            }
        }
    }

    fn error(&self, number: u64, kind: LogErrorKind) -> LogError {
        LogError { action: "read", path: segment::path(&self.folder, number), kind }
    }

    fn through(&mut self, number: u64, is_last: bool) -> Result<Go, LogError> {
        let Some(mut scan) = self.open(number)? else { return Ok(Go::On) };
        let began_us = scan.header.began_us;
        let at_cursor = self.page.cursor.filter(|cursor| cursor.number == number);
        scan.seek(at_cursor.map_or(HEADER_BYTES, |cursor| cursor.offset));
        self.page.cursor = Some(Cursor { number, offset: scan.at, began_us });
        loop {
            let before = scan.at;
            let step = scan.next().map_err(|error| self.error(number, LogErrorKind::File(error)))?;
            match step {
                Step::Entry(record) => {
                    let bytes = scan.at - before;
                    self.looked += bytes;
                    self.page.cursor = Some(Cursor { number, offset: scan.at, began_us });
                    if let Some(record) = record.filter(|record| self.query.wants(record)) {
                        self.held += bytes;
                        self.page.records.push(record);
                    }
                    if self.is_full() {
                        return Ok(Go::Stop);
                    }
                }
                Step::End => return Ok(Go::On),
                Step::Torn if is_last => return Ok(Go::On),
                Step::Torn | Step::Damaged => {
                    // Whoever waits at the end of a log is told of it once: when they come there.
                    let is_known = is_last && self.query.after == self.page.cursor;
                    if !is_known {
                        let error = self.error(number, LogErrorKind::EntryDamaged { offset: scan.at });
                        self.page.notes.push(error);
                    }
                    return Ok(Go::On);
                }
            }
        }
    }

    fn is_full(&self) -> bool {
        self.page.records.len() >= self.query.limit || self.looked >= LOOK_BYTES_MAX || self.held >= PAGE_BYTES_MAX
    }
}
