//! The records that are kept, one after the other.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cumulet_spec::id::{AppName, ComponentName, Digest, NodeName, TenantId};
use cumulet_spec::invocation::Trigger;
use cumulet_spec::usage::{UsageRecord, UsageSubject};
use rusqlite::OptionalExtension as _;

use super::super::database;
use super::super::failure::{LedgerError, LedgerErrorKind};
use super::super::folder;
use super::super::record::{self, Position, RECORD_BYTES};
use super::super::segment::{self, HEADER_BYTES, Identity, Tail};
use super::super::segments;
use super::super::subject::SubjectId;
use super::LedgerReader;

/// Bytes of a segment that are read at once.
const BUFFER_BYTES: usize = 64 << 10;
/// Subjects whose names are kept while reading; all are forgotten when there are more.
const SUBJECTS_MAX: usize = 10_000;

/// Goes through the records that were drained before it was made, from the oldest that is kept.
///
/// After an error it goes on behind what could not be read: a record that is damaged, or the rest of a segment.
#[derive(Debug)]
pub struct Records<'a> {
    reader: &'a LedgerReader,
    ledger: u64,
    tail: Tail,
    folder: PathBuf,
    /// The segments still to come, the next one last.
    numbers: Vec<u64>,
    current: Option<Current>,
    subjects: HashMap<SubjectId, Arc<UsageSubject>>,
}

#[derive(Debug)]
struct Current {
    path: PathBuf,
    file: BufReader<File>,
    records_left: u64,
    offset: u64,
}

impl<'a> Records<'a> {
    pub(super) fn new(reader: &'a LedgerReader) -> Result<Self, LedgerError> {
        let state = database::state(&reader.connection).map_err(reader.unreadable())?;
        let folder = folder::records(&reader.folder);
        let listed = segments::list(&folder).map_err(LedgerError::file("list", &folder))?;
        let mut numbers: Vec<u64> =
            listed.into_iter().map(|(number, _)| number).filter(|number| *number <= state.tail.number).collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        let (ledger, tail) = (state.ledger, state.tail);
        Ok(Self { reader, ledger, tail, folder, numbers, current: None, subjects: HashMap::new() })
    }

    fn open(&self, number: u64) -> Result<Current, LedgerError> {
        let path = segment::path(&self.folder, number);
        let file = File::open(&path).map_err(LedgerError::file("open", &path))?;
        let written = file.metadata().map_err(LedgerError::file("read", &path))?.len();
        segment::check(&file, Identity { ledger: self.ledger, number })
            .map_err(|kind| LedgerError::new("use", &path, kind))?;
        // The last one may hold more than what is committed.
        let length = if number == self.tail.number { self.tail.length } else { written };
        let records_left = length.saturating_sub(HEADER_BYTES) / RECORD_BYTES as u64;
        Ok(Current { path, file: BufReader::with_capacity(BUFFER_BYTES, file), records_left, offset: HEADER_BYTES })
    }

    fn read(&mut self) -> Option<Result<(Position, UsageRecord), LedgerError>> {
        loop {
            if let Some(current) = self.current.as_mut().filter(|current| current.records_left > 0) {
                return Some(current.read().and_then(|(position, entry)| Ok((position, self.name(entry)?))));
            }
            let number = self.numbers.pop()?;
            match self.open(number) {
                Ok(current) => self.current = Some(current),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn name(&mut self, entry: record::Entry) -> Result<UsageRecord, LedgerError> {
        let subject = match self.subjects.get(&entry.subject) {
            Some(subject) => Arc::clone(subject),
            None => self.look_up(entry.subject)?,
        };
        let record::Entry { id, started_us, outcome, usage, .. } = entry;
        Ok(UsageRecord { id, subject, started_us, outcome, usage })
    }

    fn look_up(&mut self, id: SubjectId) -> Result<Arc<UsageSubject>, LedgerError> {
        let path: &Path = &self.reader.path;
        let text = "SELECT tenant, app, component, revision, node, trigger FROM subject WHERE id = ?1";
        let read = |row: &rusqlite::Row<'_>| {
            let names: [String; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(4)?];
            Ok((names, Digest::from_bytes(row.get(3)?), row.get::<_, String>(5)?))
        };
        let found = self
            .reader
            .connection
            .prepare_cached(text)
            .and_then(|mut statement| statement.query_row([id.0], read).optional());
        let found = found.map_err(LedgerError::database("read", path))?;
        let subject = found.and_then(|(names, revision, trigger)| subject(&names, revision, &trigger));
        let damaged = LedgerErrorKind::DatabaseDamaged { what: "it does not know the subject of a record" };
        let subject = Arc::new(subject.ok_or_else(|| LedgerError::new("use", path, damaged))?);
        if self.subjects.len() >= SUBJECTS_MAX {
            self.subjects.clear();
        }
        self.subjects.insert(id, Arc::clone(&subject));
        Ok(subject)
    }
}

impl Iterator for Records<'_> {
    type Item = Result<(Position, UsageRecord), LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read()
    }
}

impl Current {
    fn read(&mut self) -> Result<(Position, record::Entry), LedgerError> {
        let mut bytes = [0; RECORD_BYTES];
        self.records_left -= 1;
        if let Err(error) = self.file.read_exact(&mut bytes) {
            self.records_left = 0;
            return Err(LedgerError::file("read", &self.path)(error));
        }
        let damaged = LedgerErrorKind::RecordDamaged { offset: self.offset };
        self.offset += RECORD_BYTES as u64;
        record::decode(&record::words_of(&bytes)).ok_or_else(|| LedgerError::new("use", &self.path, damaged))
    }
}

fn subject(names: &[String; 4], revision: Digest, trigger: &str) -> Option<UsageSubject> {
    let [tenant, app, component, node] = names;
    Some(UsageSubject {
        node: NodeName::parse(node).ok()?,
        tenant: TenantId::parse(tenant).ok()?,
        app: AppName::parse(app).ok()?,
        component: ComponentName::parse(component).ok()?,
        revision,
        trigger: [Trigger::Http, Trigger::Command].into_iter().find(|known| known.label() == trigger)?,
    })
}
