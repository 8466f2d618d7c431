//! The database: subjects, sums, and how far draining has come.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Row, Transaction, TransactionBehavior, params};

use super::failure::{LedgerError, LedgerErrorKind};
use super::folder;
use super::segment::Tail;

/// The format that this version writes. A file of another one is refused.
const FORMAT: u64 = 1;
/// Marks the file as one of ours: `CMLG`.
const APPLICATION_ID: i64 = 0x434d_4c47;
/// How long a connection waits for another one that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The most memory that one connection keeps pages in, in KiB.
const CACHE_KIB: i64 = 4_096;
/// To what size the log shrinks after it was written back.
const LOG_BYTES_MAX: i64 = 16 << 20;

/// Sums stand in the order of time, so that a drain writes few pages however many apps were busy. Memory-time is byte-µs
/// in two parts, because it does not fit into 64 bits: `memory_high` counts 2^32 byte-µs. `hour_executed` holds what is billed,
/// for budgets: a day of minutes takes tens of milliseconds to look through, a day of hours well under one.
const SCHEMA: &str = "
    CREATE TABLE ledger (
        only INTEGER PRIMARY KEY CHECK (only = 1),
        id INTEGER NOT NULL,
        segment INTEGER NOT NULL,
        segment_bytes INTEGER NOT NULL,
        drained_us INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE lane (lane INTEGER PRIMARY KEY, drained INTEGER NOT NULL) STRICT;
    CREATE TABLE subject (
        id INTEGER PRIMARY KEY,
        tenant TEXT NOT NULL,
        app TEXT NOT NULL,
        component TEXT NOT NULL,
        revision BLOB NOT NULL,
        node TEXT NOT NULL,
        trigger TEXT NOT NULL,
        UNIQUE (tenant, app, component, revision, node, trigger)
    ) STRICT;
    CREATE TABLE minute_sum (
        minute INTEGER NOT NULL,
        subject INTEGER NOT NULL,
        outcome INTEGER NOT NULL,
        invocations INTEGER NOT NULL,
        wall_us INTEGER NOT NULL,
        executed_us INTEGER NOT NULL,
        memory_high INTEGER NOT NULL,
        memory_low INTEGER NOT NULL,
        bytes_in INTEGER NOT NULL,
        bytes_out INTEGER NOT NULL,
        http_calls INTEGER NOT NULL,
        keyvalue_calls INTEGER NOT NULL,
        blobstore_calls INTEGER NOT NULL,
        config_calls INTEGER NOT NULL,
        secret_calls INTEGER NOT NULL,
        env_calls INTEGER NOT NULL,
        file_calls INTEGER NOT NULL,
        network_calls INTEGER NOT NULL,
        sqlite_calls INTEGER NOT NULL,
        postgres_calls INTEGER NOT NULL,
        PRIMARY KEY (minute, subject, outcome)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE hour_executed (
        hour INTEGER NOT NULL,
        subject INTEGER NOT NULL,
        executed_us INTEGER NOT NULL,
        PRIMARY KEY (hour, subject)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE rejection_sum (
        minute INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        app TEXT NOT NULL,
        component TEXT NOT NULL,
        outcome INTEGER NOT NULL,
        rejections INTEGER NOT NULL,
        PRIMARY KEY (minute, tenant, app, component, outcome)
    ) STRICT, WITHOUT ROWID;
";

/// How far a ledger has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Tells this ledger from every other; the ring and the segments carry it too.
    pub(super) ledger: u64,
    /// Where the records end.
    pub(super) tail: Tail,
    /// When the last drain was, in microseconds since the Unix epoch.
    pub(super) drained_us: u64,
    /// For each lane of the ring, the sequence of the first record that is not drained.
    pub(super) lanes: BTreeMap<u8, u64>,
}

/// The connection that writes. Makes the file when it is missing. Every commit is synced.
pub(super) fn writer(path: &Path) -> Result<Connection, LedgerError> {
    make(path).map_err(LedgerError::file("make", path))?;
    let attempt = || -> rusqlite::Result<Connection> {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX)?;
        Ok(connection)
    };
    let mut connection = attempt().map_err(LedgerError::database("open", path))?;
    if is_new(&connection).map_err(LedgerError::database("open", path))? {
        create(&mut connection).map_err(LedgerError::database("make", path))?;
    }
    check(&connection, path)?;
    Ok(connection)
}

/// Makes an empty file when there is none. SQLite gives the files beside this one the same mode.
///
/// One that is there is not even opened: closing it would give up the locks of every connection of this process.
fn make(path: &Path) -> io::Result<()> {
    match OpenOptions::new().append(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => folder::sync_above(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// A connection that only reads, beside the one that writes, in this process or another.
pub(super) fn reader(path: &Path) -> Result<Connection, LedgerError> {
    if !path.try_exists().map_err(LedgerError::file("look for", path))? {
        return Err(LedgerError::new("open", path, LedgerErrorKind::Missing));
    }
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(LedgerError::database("open", path))?;
    check(&connection, path)?;
    Ok(connection)
}

/// Reads how far the ledger has come.
pub(super) fn state(connection: &Connection) -> rusqlite::Result<State> {
    let read = "SELECT id, segment, segment_bytes, drained_us FROM ledger";
    let mut state = connection.query_row(read, (), |row| {
        Ok(State {
            ledger: natural(row, 0)?,
            tail: Tail { number: natural(row, 1)?, length: natural(row, 2)? },
            drained_us: natural(row, 3)?,
            lanes: BTreeMap::new(),
        })
    })?;
    let mut lanes = connection.prepare("SELECT lane, drained FROM lane")?;
    state.lanes = lanes.query_map((), |row| Ok((row.get(0)?, natural(row, 1)?)))?.collect::<rusqlite::Result<_>>()?;
    Ok(state)
}

/// Writes how far the ledger has come.
pub(super) fn set_state(transaction: &Transaction<'_>, state: &State) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("UPDATE ledger SET segment = ?1, segment_bytes = ?2, drained_us = ?3")?
        .execute([state.tail.number, state.tail.length, state.drained_us].map(whole))?;
    let mut statement = transaction.prepare_cached("INSERT OR REPLACE INTO lane VALUES (?1, ?2)")?;
    for (lane, drained) in &state.lanes {
        statement.execute(params![lane, whole(*drained)])?;
    }
    Ok(())
}

/// A number as SQLite holds it; it stops at the largest one.
pub(super) fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that [`whole`] wrote.
pub(super) fn natural(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    // Without the flag for URIs: a folder's name is never read as one.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(connection)
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}

fn is_new(connection: &Connection) -> rusqlite::Result<bool> {
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    Ok(tables == 0 && number(connection, "application_id")? == 0)
}

fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(SCHEMA)?;
    transaction.execute("INSERT INTO ledger VALUES (1, ?1, 0, 0, 0)", [whole(rand::random::<u64>() >> 1)])?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", whole(FORMAT))?;
    transaction.commit()
}

fn check(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let read = |pragma| number(connection, pragma).map_err(LedgerError::database("read", path));
    if read("application_id")? != APPLICATION_ID {
        let kind = LedgerErrorKind::DatabaseDamaged { what: "it is not the database of a ledger" };
        return Err(LedgerError::new("use", path, kind));
    }
    let found = u64::try_from(read("user_version")?).unwrap_or_default();
    if found != FORMAT {
        return Err(LedgerError::new("use", path, LedgerErrorKind::Format { found, known: FORMAT }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A change here is a new format.
    #[test]
    fn the_tables_stay_as_they_are() {
        insta::assert_snapshot!(format!("format {FORMAT}{SCHEMA}"));
    }

    #[test]
    fn every_sum_has_its_column() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        let table = "SELECT name FROM pragma_table_info('minute_sum')";
        let mut statement = connection.prepare(table).unwrap();
        let names: Vec<String> = statement.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let expected: Vec<String> = ["minute", "subject", "outcome"].map(str::to_owned).into_iter().collect();
        assert_eq!(names, [expected, super::super::sums::columns()].concat());
    }
}
