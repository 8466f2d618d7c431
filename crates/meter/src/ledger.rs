//! The ledger: every usage record exactly once, on disk, with sums by the minute.
//!
//! A record goes into the ring, a mapped file, before its response ends: the end of the process loses none. A drain moves
//! records into segments and adds them to the sums, in one transaction with the note of how far it came: none is counted
//! twice. `docs/adr/0009-the-ledger.md` says why.
//!
//! ```text
//! DATA/ledger/lock                   held by the node
//!             ring                   records that are not drained
//!             records/00000001.seg   records that are, up to a bound in bytes
//!             ledger.db              subjects, sums (for good), and how far draining has come
//! ```

mod database;
mod drain;
mod failure;
mod folder;
mod lane;
mod mapped;
mod minute;
mod reader;
mod record;
mod ring;
mod segment;
mod segments;
mod subject;
mod sums;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cumulet_spec::usage::UsageSubject;
use parking_lot::Mutex;
use rusqlite::Connection;

pub use self::drain::Drained;
pub use self::failure::{LedgerError, LedgerErrorKind};
pub use self::lane::Place;
pub use self::minute::Minute;
pub use self::reader::{Dimension, LedgerReader, Query, Records, SumRow};
pub use self::record::{Entry, Position};
pub use self::subject::SubjectId;
pub use self::sums::{RejectionSum, Sums};

use self::database::State;
use self::drain::Drain;
use self::lane::Lane;
use self::ring::{Geometry, PLACES_MAX, RingFile};
use self::segments::Segments;
use crate::shard::{SHARDS, shard};

/// The bounds of a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerLimits {
    /// Records that each of the ring's 8 lanes holds, of 128 bytes; from 1 to 1,048,576. A change takes effect when the
    /// ledger is opened with an empty ring.
    pub places: u32,
    /// The length in bytes from which on a segment is followed by the next one.
    pub segment_bytes_max: u64,
    /// How many bytes of segments are kept; the oldest are removed for new ones. It never removes the one that is
    /// written. Sums are kept for good.
    pub records_bytes_max: u64,
}

impl Default for LedgerLimits {
    fn default() -> Self {
        Self { places: 8_192, segment_bytes_max: 64 << 20, records_bytes_max: 1 << 30 }
    }
}

/// What an earlier process left when it ended without draining.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Records in the ring; the next drain moves them.
    pub records: u64,
    /// Bytes of a segment that were written and not committed, and are now cut off: their records are in the ring.
    pub cut_bytes: u64,
}

/// The ledger of a node.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    lanes: Vec<Arc<Lane>>,
    lookup: Mutex<Connection>,
    drain: Mutex<Drain>,
    recovered: Recovered,
}

impl Ledger {
    /// Opens the ledger in a data folder, or makes one. It stays locked until this and every [`Place`] are dropped.
    ///
    /// # Errors
    /// When another node uses the folder, when it cannot be written, or when something in it is damaged, of another
    /// format, or of another ledger.
    pub fn open(data: &Path, limits: LedgerLimits) -> Result<Self, LedgerError> {
        let folder = folder::ledger(data);
        folder::make(&folder)?;
        let lock = Arc::new(folder::lock(&folder)?);
        let path = folder::database(&folder);
        let connection = database::writer(&path)?;
        let state = database::state(&connection).map_err(LedgerError::database("read", &path))?;
        let (segments, cut_bytes) = Segments::open(folder::records(&folder), state.ledger, state.tail, limits)?;
        let ring = folder::ring(&folder);
        let geometry = Geometry { lanes: SHARDS as u64, places: u64::from(limits.places).clamp(1, PLACES_MAX) };
        let (lanes, records) = open_lanes(&ring, &state, geometry, &lock)?;
        Ok(Self {
            lookup: Mutex::new(database::reader(&path)?),
            drain: Mutex::new(Drain {
                path: path.clone(),
                connection,
                segments,
                state,
                failed: None,
                #[cfg(test)]
                killed_at: None,
            }),
            path,
            lanes,
            recovered: Recovered { records, cut_bytes },
        })
    }

    /// What an earlier process left.
    #[must_use]
    pub fn recovered(&self) -> Recovered {
        self.recovered
    }

    /// The number of a subject, which its records carry. A new subject is on the disk when this returns.
    ///
    /// It takes tens of microseconds for a subject that is known, and waits for a sync, and for a drain that is under
    /// way, for one that is not: register subjects before their apps are deployed, never on the path of a request.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub fn subject(&self, subject: &UsageSubject) -> Result<SubjectId, LedgerError> {
        let known = subject::find(&self.lookup.lock(), subject).map_err(LedgerError::database("read", &self.path))?;
        if let Some(id) = known {
            return subject::id_of(id, &self.path);
        }
        let full = LedgerErrorKind::Full { what: "subjects" };
        let ids = self.subjects(std::slice::from_ref(subject))?;
        ids.into_iter().next().ok_or_else(|| LedgerError::new("use", &self.path, full))
    }

    /// The numbers of many subjects in their order, with one sync for all that are new.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn subjects(&self, subjects: &[UsageSubject]) -> Result<Vec<SubjectId>, LedgerError> {
        subject::add(&mut self.drain.lock().connection, subjects, &self.path)
    }

    /// Reserves room for the record of an invocation, before it is admitted.
    ///
    /// Nothing when the ring is full, because draining has failed for a while or does not keep up: then the node must
    /// shed. Takes one atomic operation when the lane of the calling thread has room, and no lock.
    #[must_use]
    pub fn reserve(&self) -> Option<Place> {
        let home = shard() % self.lanes.len().max(1);
        let (before, after) = self.lanes.split_at_checked(home)?;
        after.iter().chain(before).find_map(Lane::reserve)
    }

    /// Records for which there is room in the ring.
    #[must_use]
    pub fn free_places(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.free_places()).sum()
    }

    /// Moves the records of the ring into a segment and into the sums, and adds these rejections to the sums.
    ///
    /// When it returns, what was appended before it was called is on the disk, but for records behind one that another
    /// thread was just writing: the next drain moves those. The rejections count once it
    /// succeeds: give them again after an error. Blocks for two syncs; does nothing when there is nothing.
    ///
    /// # Errors
    /// When a segment or the database cannot be written. Nothing is lost: the records stay in the ring until a later
    /// drain succeeds.
    pub fn drain(&self, now_us: u64, rejections: &[RejectionSum]) -> Result<Drained, LedgerError> {
        self.drain.lock().drain(&self.lanes, now_us, rejections)
    }
}

/// Opens the ring, and makes it anew when it is empty and should have other lanes or places.
fn open_lanes(
    path: &Path,
    state: &State,
    geometry: Geometry,
    lock: &Arc<fs::File>,
) -> Result<(Vec<Arc<Lane>>, u64), LedgerError> {
    let drained = |lane: u8| state.lanes.get(&lane).copied().unwrap_or_default();
    let file = RingFile::open(path, state.ledger, geometry, lock)?;
    let found = file.lanes(drained).map_err(|kind| LedgerError::new("use", path, kind))?;
    let records = found.iter().map(|(_, found)| found.records).sum();
    if file.geometry() == geometry || records > 0 {
        return Ok((found.into_iter().map(|(lane, _)| lane).collect(), records));
    }
    fs::remove_file(path).map_err(LedgerError::file("remove", path))?;
    let file = RingFile::open(path, state.ledger, geometry, lock)?;
    let found = file.lanes(drained).map_err(|kind| LedgerError::new("use", path, kind))?;
    Ok((found.into_iter().map(|(lane, _)| lane).collect(), 0))
}
