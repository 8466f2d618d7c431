//! One file of an app's log: a header, then frames, only ever appended.

use super::failure::LogErrorKind;
use super::frame::{self, FRAME_BYTES_READ_MAX, Frame};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Marks the file as a segment of a log.
const MAGIC: [u8; 8] = *b"CMLTLOGS";
/// The format of segments. A reader leaves out segments of another one, and says so; a writer begins a new one.
pub(super) const FORMAT: u32 = 1;
/// Bytes before the first frame.
pub(super) const HEADER_BYTES: u64 = 32;
/// Bytes that are read at once where a segment is looked through.
pub(super) const LOOK_BYTES: usize = FRAME_BYTES_READ_MAX;

/// What the header of a segment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Its number; each is one more than the one before.
    pub(super) number: u64,
    /// When it was begun, in microseconds since the Unix epoch. Tells it from another one of this number.
    pub(super) began_us: u64,
}

impl Header {
    pub(super) fn encode(self) -> [u8; 32] {
        let mut header = [0; 32];
        let (check_at, body) = (12, [self.number.to_le_bytes(), self.began_us.to_le_bytes()].concat());
        let check = crc32fast::hash(&[&MAGIC[..], &FORMAT.to_le_bytes(), &body].concat()).to_le_bytes();
        let parts: [(usize, &[u8]); 4] =
            [(0, &MAGIC), (8, &FORMAT.to_le_bytes()), (check_at, &check), (check_at + check.len(), &body)];
        for (at, part) in parts {
            if let Some(place) = header.get_mut(at..at + part.len()) {
                place.copy_from_slice(part);
            }
        }
        header
    }

    /// Reads the header of a file. `None` where the file is too short for one: whoever made it was interrupted.
    pub(super) fn read(file: &File) -> Result<Option<Self>, LogErrorKind> {
        let mut found = [0; 32];
        match file.read_exact_at(&mut found, 0) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(LogErrorKind::File(error)),
        }
        let [magic, format_and_check, number, began] = words(found);
        let [a, b, c, d, ..] = format_and_check.to_le_bytes();
        let format = u32::from_le_bytes([a, b, c, d]);
        let header = Self { number, began_us: began };
        if magic.to_le_bytes() != MAGIC {
            return Err(LogErrorKind::Damaged { what: "it is not a segment of a log" });
        }
        if format != FORMAT {
            return Err(LogErrorKind::Format { found: format, known: FORMAT });
        }
        if header.encode() != found {
            return Err(LogErrorKind::Damaged { what: "its header is damaged" });
        }
        Ok(Some(header))
    }
}

fn words(bytes: [u8; 32]) -> [u64; 4] {
    let mut words = [0; 4];
    for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = chunk.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    }
    words
}

/// How much of a segment is looked at before it is written on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// Its last entry: this process wrote it.
    End,
    /// All of it: who knows what became of it since.
    Whole,
}

/// A segment that is written.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) header: Header,
    pub(super) length: u64,
    file: File,
}

impl Segment {
    /// Makes a segment. One of this number that is there already is another writer's, or a relic: that is an error.
    pub(super) fn create(folder: &Path, header: Header) -> io::Result<Self> {
        let path = path(folder, header.number);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        if let Err(error) = file.write_all_at(&header.encode(), 0) {
            // Without its header it is of no use, and its number is wanted again.
            drop(fs::remove_file(&path));
            return Err(error);
        }
        Ok(Self { header, length: HEADER_BYTES, file })
    }

    /// Opens a segment to write on behind its last whole entry. What an interrupted write left behind that is cut off.
    ///
    /// Nothing when it cannot be written on: it is of another format, or damaged before its end. The next one is begun
    /// then, and this one stays for whoever reads it.
    pub(super) fn resume(folder: &Path, number: u64, check: Check) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().read(true).write(true).open(path(folder, number))?;
        let header = match Header::read(&file) {
            Ok(Some(header)) if header.number == number => header,
            Err(LogErrorKind::File(error)) => return Err(error),
            Ok(_) | Err(_) => return Ok(None),
        };
        let written = file.metadata()?.len();
        if check == Check::End && ends_whole(&file, written)? {
            return Ok(Some(Self { header, length: written, file }));
        }
        let Some(length) = whole_length(&file, written)? else { return Ok(None) };
        if length < written {
            file.set_len(length)?;
        }
        Ok(Some(Self { header, length, file }))
    }

    /// Writes whole frames. After an error the segment is as it was, or of no use any more: `false`.
    pub(super) fn write(&mut self, frames: &[u8]) -> Result<(), (io::Error, bool)> {
        match self.file.write_all_at(frames, self.length) {
            Ok(()) => {
                self.length += frames.len() as u64;
                Ok(())
            }
            Err(error) => {
                let is_as_it_was = self.file.set_len(self.length).is_ok();
                Err((error, is_as_it_was))
            }
        }
    }
}

/// Whether the last frame of a segment is whole.
fn ends_whole(file: &File, written: u64) -> io::Result<bool> {
    let tail = read(file, written.saturating_sub(LOOK_BYTES as u64).max(HEADER_BYTES), LOOK_BYTES)?;
    Ok(tail.is_empty() || frame::ends_whole(&tail))
}

/// How far whole frames reach in a segment of so many bytes; nothing when something in their midst is damaged.
fn whole_length(file: &File, written: u64) -> io::Result<Option<u64>> {
    let mut at = HEADER_BYTES;
    loop {
        let bytes = read(file, at, LOOK_BYTES * 4)?;
        let begun = at;
        let mut rest = bytes.as_slice();
        loop {
            match frame::first(rest) {
                Frame::Whole(_, taken) => {
                    at += taken as u64;
                    rest = rest.get(taken..).unwrap_or_default();
                }
                Frame::Short if at == begun => return Ok(Some(at)),
                Frame::Short => break,
                // Where a write was cut off by a loss of power, the file may be longer than what reached it: zeros. What
                // is before them is less than the frame says that it is.
                Frame::Damaged => {
                    let left = content_end(file, at, written)? - at;
                    return Ok((left <= frame::announced(rest)).then_some(at));
                }
            }
        }
    }
}

/// Where the zeros begin that a file ends with.
fn content_end(file: &File, from: u64, to: u64) -> io::Result<u64> {
    let (mut at, mut end) = (from, from);
    while at < to {
        let bytes = read(file, at, LOOK_BYTES)?;
        if bytes.is_empty() {
            break;
        }
        if let Some(last) = bytes.iter().rposition(|byte| *byte != 0) {
            end = at + last as u64 + 1;
        }
        at += bytes.len() as u64;
    }
    Ok(end)
}

/// Up to `count` bytes from an offset on; fewer at the end of the file.
pub(super) fn read(file: &File, at: u64, count: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    let mut filled = 0;
    while let Some(room) = bytes.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read_at(room, at + filled as u64) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

pub(super) fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.log"))
}

/// The number of the segment at this path, if it is one.
fn number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let digits = name.strip_suffix(".log").filter(|digits| digits.len() >= 8)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// A segment as the folder shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Listed {
    pub(super) number: u64,
    pub(super) bytes: u64,
    /// When it was last written, in microseconds since the Unix epoch.
    pub(super) written_us: u64,
}

/// The segments in a folder, the oldest first; none where there is no folder.
pub(super) fn list(folder: &Path) -> io::Result<Vec<Listed>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Some(number) = number(&entry.path()) else { continue };
        let about = match entry.metadata() {
            Ok(about) => about,
            // Removed since the folder was listed.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let written = about.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let written_us = u64::try_from(written.as_micros()).unwrap_or(u64::MAX);
        found.push(Listed { number, bytes: about.len(), written_us });
    }
    found.sort_unstable();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header { number: 7, began_us: 0x0123_4567_89ab_cdef };

    #[test]
    fn another_header_is_refused_with_a_reason() {
        let check = |change: fn(&mut Vec<u8>), expected: &str| {
            let mut bytes = HEADER.encode().to_vec();
            change(&mut bytes);
            let path = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(&path, bytes).unwrap();
            let found = Header::read(&File::open(&path).unwrap());
            let found = found.map_or_else(|error| error.to_string(), |header| format!("{header:?}"));
            assert!(found.starts_with(expected), "{found}");
        };
        check(|_| {}, "Some(Header { number: 7");
        check(|bytes| bytes.truncate(31), "None");
        check(|bytes| bytes[0] ^= 1, "it is not a segment of a log");
        check(|bytes| bytes[8] = 2, "it is of format 2, this release reads format 1");
        check(|bytes| bytes[16] ^= 1, "its header is damaged");
        check(|bytes| bytes[31] ^= 1, "its header is damaged");
    }

    #[test]
    fn a_name_says_the_number() {
        let check = |name: &str, expected: Option<u64>| assert_eq!(number(Path::new(name)), expected, "{name}");
        check("00000001.log", Some(1));
        check("123456789.log", Some(123_456_789));
        check("1.log", None);
        check("+0000001.log", None);
        check("00000001.log.damaged", None);
        check("notes.txt", None);
    }
}
