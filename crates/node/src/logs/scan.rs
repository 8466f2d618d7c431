//! The entries of one segment, one after the other, through a bounded buffer.

use super::failure::LogErrorKind;
use super::frame::{self, Frame};
use super::record::{LogRecord, decode};
use super::segment::{self, Header, LOOK_BYTES};
use std::fs::File;
use std::io;
use std::path::Path;

/// A segment that is read.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) header: Header,
    file: File,
    /// Where the next frame begins.
    pub(super) at: u64,
    buffer: Vec<u8>,
    /// What of the buffer was read.
    taken: usize,
}

/// What comes next in a segment.
#[derive(Debug)]
pub(super) enum Step {
    /// An entry, or one of a kind that this release does not know.
    Entry(Option<LogRecord>),
    /// Nothing more.
    End,
    /// Less than a whole entry: it is being written, or writing it was interrupted.
    Torn,
    /// Something that is no entry.
    Damaged,
}

impl Scan {
    /// Opens a segment at its first entry. `None` for one whose header is still to be written.
    pub(super) fn open(folder: &Path, number: u64) -> Result<Option<Self>, LogErrorKind> {
        let file = File::open(segment::path(folder, number)).map_err(LogErrorKind::File)?;
        let Some(header) = Header::read(&file)? else { return Ok(None) };
        if header.number != number {
            return Err(LogErrorKind::Damaged { what: "it has another number than its name says" });
        }
        Ok(Some(Self { header, file, at: segment::HEADER_BYTES, buffer: Vec::new(), taken: 0 }))
    }

    /// Goes on at an offset, where a frame begins.
    pub(super) fn seek(&mut self, at: u64) {
        (self.at, self.taken) = (at, 0);
        self.buffer.clear();
    }

    pub(super) fn next(&mut self) -> io::Result<Step> {
        loop {
            match frame::first(self.buffer.get(self.taken..).unwrap_or_default()) {
                Frame::Whole(payload, count) => {
                    let record = decode(payload);
                    self.taken += count;
                    self.at += count as u64;
                    return Ok(Step::Entry(record));
                }
                Frame::Damaged => return Ok(Step::Damaged),
                Frame::Short => {}
            }
            if self.fill()? == 0 {
                return Ok(if self.buffer.is_empty() { Step::End } else { Step::Torn });
            }
        }
    }

    /// Reads on, and says how many bytes came.
    fn fill(&mut self) -> io::Result<usize> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        let more = segment::read(&self.file, self.at + self.buffer.len() as u64, LOOK_BYTES)?;
        self.buffer.extend_from_slice(&more);
        Ok(more.len())
    }
}
