//! One file of records: a header, then records of a fixed size, only ever appended.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::failure::{LedgerError, LedgerErrorKind};
use super::folder;
use super::record::RECORD_BYTES;

/// The format of segments.
const FORMAT: u64 = 1;
/// Marks the file as a segment.
const MAGIC: [u8; 8] = *b"CMLTSEGM";
/// Bytes before the first record: as many as a record has.
pub(super) const HEADER_BYTES: u64 = RECORD_BYTES as u64;

/// Which segment a file must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    /// The ledger that it belongs to.
    pub(super) ledger: u64,
    /// Its number; the first one is 1.
    pub(super) number: u64,
}

/// How far the records of a ledger reach.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tail {
    /// The segment that is written; 0 before the first.
    pub(super) number: u64,
    /// Its length in bytes, with the header.
    pub(super) length: u64,
}

/// The segment that is written.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    path: PathBuf,
    file: Arc<File>,
    tail: Tail,
}

pub(super) fn path(records: &Path, number: u64) -> PathBuf {
    records.join(format!("{number:08}.seg"))
}

/// The number of the segment at this path, if it is one.
pub(super) fn number(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    name.strip_suffix(".seg").filter(|digits| digits.len() >= 8).and_then(|digits| digits.parse().ok())
}

impl Segment {
    /// Makes an empty segment. One of this number that was never committed is overwritten.
    pub(super) fn create(records: &Path, identity: Identity) -> Result<Self, LedgerError> {
        let path = path(records, identity.number);
        let attempt = || -> io::Result<File> {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            file.write_all_at(&header(identity), 0)?;
            file.sync_all()?;
            folder::sync_above(&path)?;
            Ok(file)
        };
        let file = attempt().map_err(LedgerError::file("make", &path))?;
        let tail = Tail { number: identity.number, length: HEADER_BYTES };
        Ok(Self { path, file: Arc::new(file), tail })
    }

    /// Opens the segment that the ledger ends in, and cuts off what was not committed. Says how many bytes that were.
    ///
    /// Nothing when the file is not there.
    pub(super) fn resume(records: &Path, ledger: u64, tail: Tail) -> Result<Option<(Self, u64)>, LedgerError> {
        let path = path(records, tail.number);
        let file = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(LedgerError::file("open", &path)(error)),
        };
        check(&file, Identity { ledger, number: tail.number }).map_err(|kind| LedgerError::new("use", &path, kind))?;
        let length = file.metadata().map_err(LedgerError::file("read", &path))?.len();
        let Some(extra) = length.checked_sub(tail.length) else {
            let kind = LedgerErrorKind::Damaged { what: "it is shorter than ledger.db says" };
            return Err(LedgerError::new("use", &path, kind));
        };
        if extra > 0 {
            file.set_len(tail.length).map_err(LedgerError::file("cut", &path))?;
        }
        Ok(Some((Self { path, file: Arc::new(file), tail }, extra)))
    }

    pub(super) fn tail(&self) -> Tail {
        self.tail
    }

    /// Writes records after those that are committed.
    pub(super) fn write(&self, records: &[u8]) -> Result<(), LedgerError> {
        self.file.write_all_at(records, self.tail.length).map_err(LedgerError::file("write", &self.path))
    }

    /// Waits until what was written is on the disk.
    pub(super) fn sync(&self) -> Result<(), LedgerError> {
        self.file.sync_data().map_err(LedgerError::file("sync", &self.path))
    }

    /// The same segment, with so many bytes more.
    pub(super) fn longer(mut self, bytes: u64) -> Self {
        self.tail.length += bytes;
        self
    }
}

fn header(identity: Identity) -> [u8; RECORD_BYTES] {
    let mut header = [0; RECORD_BYTES];
    let fields = [u64::from_le_bytes(MAGIC), FORMAT, RECORD_BYTES as u64, identity.ledger, identity.number];
    for (place, word) in header.chunks_exact_mut(8).zip(fields.iter().chain([&super::record::check(&fields)])) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    header
}

/// Reads the header of a segment, and holds it against what the segment must be.
pub(super) fn check(mut file: &File, identity: Identity) -> Result<(), LedgerErrorKind> {
    let mut found = [0; RECORD_BYTES];
    file.read_exact(&mut found).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => LedgerErrorKind::Damaged { what: "it is too short for a header" },
        _ => LedgerErrorKind::File(error),
    })?;
    let expected = header(identity);
    if found == expected {
        return Ok(());
    }
    let [magic, format, size, ledger, number, ..] = super::record::words_of(&found);
    if magic != u64::from_le_bytes(MAGIC) {
        return Err(LedgerErrorKind::Damaged { what: "it is not a segment of usage records" });
    }
    if format != FORMAT {
        return Err(LedgerErrorKind::Format { found: format, known: FORMAT });
    }
    if size == RECORD_BYTES as u64 && found == header(Identity { ledger, number }) {
        return Err(LedgerErrorKind::Disagrees { what: "it belongs to another ledger, or has another number" });
    }
    Err(LedgerErrorKind::Damaged { what: "its header is damaged" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_stays_as_it_is() {
        let header = header(Identity { ledger: 0x0123_4567_89ab_cdef, number: 7 });
        let lines: Vec<String> =
            header.chunks(8).map(|word| word.iter().map(|b| format!("{b:02x}")).collect()).collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn another_header_is_refused_with_a_reason() {
        let ours = Identity { ledger: 1, number: 2 };
        let check = |change: fn(&mut Vec<u8>), expected: &str| {
            let mut bytes = header(ours).to_vec();
            change(&mut bytes);
            let path = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(&path, bytes).unwrap();
            let error = super::check(&File::open(&path).unwrap(), ours).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        };
        check(|bytes| bytes.truncate(9), "it is too short for a header");
        check(|bytes| bytes[0] ^= 1, "it is not a segment of usage records");
        check(|bytes| bytes[8] = 2, "it is of format 2, this version reads format 1");
        check(|bytes| bytes[40] ^= 1, "its header is damaged");
        check(|bytes| *bytes = header(Identity { ledger: 1, number: 3 }).to_vec(), "it belongs to another ledger");
    }

    #[test]
    fn a_name_says_the_number() {
        let check = |name: &str, expected: Option<u64>| assert_eq!(number(Path::new(name)), expected, "{name}");
        check("00000001.seg", Some(1));
        check("123456789.seg", Some(123_456_789));
        check("1.seg", None);
        check("00000001.seg.damaged", None);
        check("notes.txt", None);
    }
}
