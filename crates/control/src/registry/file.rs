//! The file: its format, and how a connection to it is set up.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::failure::RegistryErrorKind;
use super::format::{FORMAT, STEPS};

/// Marks the file as one of ours: `CMRG`.
const APPLICATION_ID: i64 = 0x434d_5247;
/// How long one process waits for another that writes to the same file, as during a change of releases.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The most memory that a connection keeps pages in, in KiB. The system keeps more of the file.
const READER_CACHE_KIB: i64 = 1_024;
/// The same for the connection that writes, which a deploy of very many apps profits from.
const WRITER_CACHE_KIB: i64 = 8_192;
/// To what size the log of SQLite shrinks after it was written back, in bytes.
const LOG_BYTES_MAX: i64 = 4 << 20;
/// Statements that a connection keeps prepared.
const STATEMENTS_KEPT: usize = 64;

/// Makes what is missing of the file, checks the rest, and returns the connection for writing. Every commit is synced.
pub(super) fn create(path: &Path) -> Result<Connection, RegistryErrorKind> {
    make(path).map_err(RegistryErrorKind::File)?;
    let mut connection = connect(path, WRITER_CACHE_KIB)?;
    prepare(&mut connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX)?;
    Ok(connection)
}

/// A connection for reading.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path, READER_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn connect(path: &Path, cache_kib: i64) -> rusqlite::Result<Connection> {
    // Without the flag for URIs: a folder's name is never read as one.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // Else a join is planned anew for each value that is bound, which takes five times as long as running it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Makes an empty file that nobody else reads, and its name durable. SQLite gives the files beside it the same mode.
fn make(path: &Path) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Brings the file to our format in one step, or leaves it as it is.
fn prepare(connection: &mut Connection) -> Result<(), RegistryErrorKind> {
    if check(connection)? == FORMAT {
        return Ok(());
    }
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been first.
    let found = check(&transaction)?;
    for step in STEPS.iter().skip(usize::try_from(found).unwrap_or_default()) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    Ok(transaction.commit()?)
}

/// The format of the file, 0 where there is nothing in it.
fn check(connection: &Connection) -> Result<i64, RegistryErrorKind> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, found) = (number("application_id")?, number("user_version")?);
    if application == APPLICATION_ID {
        let newer = RegistryErrorKind::Newer { found, known: FORMAT };
        return if found <= FORMAT { Ok(found) } else { Err(newer) };
    }
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    if tables == 0 && application == 0 && found == 0 { Ok(0) } else { Err(RegistryErrorKind::Foreign) }
}
