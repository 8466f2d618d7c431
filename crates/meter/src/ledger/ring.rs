//! The file of the ring: a page that says what it is, then the places of each lane.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::failure::{LedgerError, LedgerErrorKind};
use super::folder;
use super::lane::{Found, Lane};
use super::mapped::Mapped;
use super::record::{self, WORDS};

/// The format of the ring.
const FORMAT: u64 = 1;
/// Marks the file as a ring.
const MAGIC: u64 = u64::from_le_bytes(*b"CMLTRING");
/// Bytes before the first lane: a page, so that places never cross one.
const HEADER_BYTES: usize = 4_096;
/// Words of the header that hold something.
const HEADER_WORDS: usize = 7;
/// Lanes that a ring may have.
const LANES_MAX: u64 = 64;
/// Places that a lane may have.
pub(super) const PLACES_MAX: u64 = 1 << 20;

/// How many lanes a ring has, and how many places each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) lanes: u64,
    pub(super) places: u64,
}

impl Geometry {
    fn is_valid(self) -> bool {
        (1..=LANES_MAX).contains(&self.lanes) && (1..=PLACES_MAX).contains(&self.places)
    }

    fn file_bytes(self) -> u64 {
        (HEADER_BYTES as u64).saturating_add(self.lanes * self.places * record::RECORD_BYTES as u64)
    }
}

/// The mapped file of a ring.
#[derive(Debug)]
pub(super) struct RingFile {
    mapped: Mapped,
    geometry: Geometry,
    /// Held for as long as anyone may still append.
    _lock: Arc<File>,
}

impl RingFile {
    /// Opens the ring at `path`, or makes one with this geometry when there is none.
    pub(super) fn open(
        path: &Path,
        ledger: u64,
        geometry: Geometry,
        lock: &Arc<File>,
    ) -> Result<Arc<Self>, LedgerError> {
        if !path.try_exists().map_err(LedgerError::file("look for", path))? {
            create(path, ledger, geometry).map_err(LedgerError::file("make", path))?;
        }
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(LedgerError::file("open", path))?;
        let length = file.metadata().map_err(LedgerError::file("read", path))?.len();
        let mapped = Mapped::new(&file).map_err(LedgerError::file("map", path))?;
        let geometry = check(mapped.words(), ledger)
            .and_then(|geometry| check_length(geometry, length))
            .map_err(|kind| LedgerError::new("use", path, kind))?;
        Ok(Arc::new(Self { mapped, geometry, _lock: Arc::clone(lock) }))
    }

    pub(super) fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// Places of each lane.
    pub(super) fn places(&self) -> u64 {
        self.geometry.places
    }

    /// The words of a place.
    pub(super) fn cells(&self, lane: u8, place: u64) -> &[AtomicU64] {
        let before = u64::from(lane) * self.geometry.places + place;
        let start = usize::try_from(before).unwrap_or(usize::MAX).saturating_mul(WORDS);
        let start = start.saturating_add(HEADER_BYTES / size_of::<u64>());
        // The length of the file was held against its geometry: it is there.
        self.mapped.words().get(start..start.saturating_add(WORDS)).unwrap_or_default()
    }

    /// Reads a place; what it says is whole only when its check is right.
    pub(super) fn read(&self, lane: u8, place: u64) -> [u64; WORDS] {
        let cells = self.cells(lane, place);
        let mut words = [0; WORDS];
        let ([body @ .., check], [cells @ .., commit]) = (&mut words, cells) else { return words };
        // The check was written last, so it is read first.
        *check = commit.load(Ordering::Acquire);
        for (word, cell) in body.iter_mut().zip(cells) {
            *word = cell.load(Ordering::Relaxed);
        }
        words
    }

    /// Looks through a lane for what an earlier process left; everything before `drained` is in the ledger.
    ///
    /// Nothing when a record is so far ahead that the ledger cannot be of the same time.
    fn find(&self, lane: u8, drained: u64) -> Option<Found> {
        let mut found = Found { end: drained, records: 0 };
        for place in 0..self.geometry.places {
            let words = self.read(lane, place);
            // Most places hold what was drained long ago, or nothing: their check is not worth its time at every start.
            if record::sequence_of(&words) < drained {
                continue;
            }
            let Some((position, _)) = record::decode(&words) else { continue };
            let is_at_home = position.lane == lane && position.sequence % self.geometry.places == place;
            if !is_at_home {
                continue;
            }
            if position.sequence - drained >= self.geometry.places {
                return None;
            }
            found.end = found.end.max(position.sequence + 1);
            found.records += 1;
        }
        Some(found)
    }

    /// The lanes, to go on after what an earlier process left; `drained` gives each lane's position.
    pub(super) fn lanes(
        self: &Arc<Self>,
        drained: impl Fn(u8) -> u64,
    ) -> Result<Vec<(Arc<Lane>, Found)>, LedgerErrorKind> {
        let lanes = u8::try_from(self.geometry.lanes).unwrap_or(u8::MAX);
        (0..lanes)
            .map(|index| {
                let found = self.find(index, drained(index)).ok_or(LedgerErrorKind::Disagrees {
                    what: "it holds records that are far ahead of ledger.db, which must be an older copy",
                })?;
                Ok((Lane::new(Arc::clone(self), index, drained(index), found), found))
            })
            .collect()
    }
}

/// The file is filled with zeros, so that its blocks exist, and gets its name when it is complete.
fn create(path: &Path, ledger: u64, geometry: Geometry) -> io::Result<()> {
    let aside = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    let mut first: Vec<u8> = header(ledger, geometry).into_iter().flat_map(u64::to_ne_bytes).collect();
    first.resize(HEADER_BYTES, 0);
    file.write_all(&first)?;
    let lane = vec![0; usize::try_from(geometry.places).unwrap_or(0) * record::RECORD_BYTES];
    for _ in 0..geometry.lanes {
        file.write_all(&lane)?;
    }
    file.sync_all()?;
    fs::rename(&aside, path)?;
    folder::sync_above(path)
}

fn header(ledger: u64, geometry: Geometry) -> [u64; HEADER_WORDS] {
    let fields = [MAGIC, FORMAT, ledger, geometry.lanes, geometry.places, WORDS as u64];
    let [magic, format, owner, lanes, places, words] = fields;
    [magic, format, owner, lanes, places, words, record::check(&fields)]
}

fn check(words: &[AtomicU64], ledger: u64) -> Result<Geometry, LedgerErrorKind> {
    let mut header = [0; HEADER_WORDS];
    for (word, cell) in header.iter_mut().zip(words) {
        *word = cell.load(Ordering::Relaxed);
    }
    let [fields @ .., sum] = &header;
    let [magic, format, owner, lanes, places, record_words] = *fields;
    if magic != MAGIC {
        return Err(LedgerErrorKind::Damaged { what: "it is not a ring of usage records" });
    }
    if format != FORMAT {
        return Err(LedgerErrorKind::Format { found: format, known: FORMAT });
    }
    let geometry = Geometry { lanes, places };
    if record::check(fields) != *sum || !geometry.is_valid() || record_words != WORDS as u64 {
        return Err(LedgerErrorKind::Damaged { what: "its header is damaged" });
    }
    if owner != ledger {
        return Err(LedgerErrorKind::Disagrees { what: "it belongs to another ledger than ledger.db" });
    }
    Ok(geometry)
}

fn check_length(geometry: Geometry, length: u64) -> Result<Geometry, LedgerErrorKind> {
    if length == geometry.file_bytes() {
        Ok(geometry)
    } else {
        Err(LedgerErrorKind::Damaged { what: "its length is not what its header says" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_stays_as_it_is() {
        let header = header(0x0123_4567_89ab_cdef, Geometry { lanes: 8, places: 8_192 });
        insta::assert_snapshot!(header.map(|word| format!("{word:016x}")).join("\n"));
    }
}
