//! The file: where it lies, its format, and how a connection to it is set up.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::super::OpenErrorKind;

/// The format that this version writes. A file with a later one is refused.
const FORMAT: i64 = 1;
/// Marks the file as one of ours: `CMKV`.
const APPLICATION_ID: i64 = 0x434d_4b56;
/// How long one process waits for another that writes to the same file, as during a change of versions.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The most memory that one connection keeps pages in, in KiB. The system keeps more of the file.
const CACHE_KIB: i64 = 1_024;
/// To what size the log shrinks after it was written back.
const LOG_BYTES_MAX: i64 = 4 << 20;

/// Keys are bytes, because SQLite makes no promise for text that holds a NUL. Versions come from the one counter in
/// `store`, and are never given twice, whatever is deleted between. The keys have an index apart from the values, because
/// a search in a tree that holds both reads every large value that it passes; the value stands last for the same reason.
const SCHEMA: &str = "
    CREATE TABLE store (only INTEGER PRIMARY KEY CHECK (only = 1), last_version INTEGER NOT NULL) STRICT;
    INSERT INTO store VALUES (1, 0);
    CREATE TABLE entry (
        id INTEGER PRIMARY KEY,
        bucket TEXT NOT NULL,
        key BLOB NOT NULL,
        version INTEGER NOT NULL,
        value BLOB NOT NULL,
        UNIQUE (bucket, key)
    ) STRICT;
";

/// Makes what is missing of the file, checks the rest, and returns a connection for reading.
pub(super) fn create(path: &Path) -> Result<Connection, OpenErrorKind> {
    make_folder(path).map_err(OpenErrorKind::File)?;
    // SQLite gives the files beside this one the same mode.
    OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(OpenErrorKind::File)?;
    let mut connection = connect(path).map_err(database)?;
    prepare(&mut connection)?;
    connection.pragma_update(None, "query_only", true).map_err(database)?;
    Ok(connection)
}

/// A further connection for reading.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// A connection for writing. Every commit is synced.
pub(super) fn writer(path: &Path, bytes_max: u64) -> rusqlite::Result<Connection> {
    let connection = connect(path)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX)?;
    let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = i64::try_from(bytes_max).unwrap_or(i64::MAX).checked_div(page_bytes).unwrap_or(1);
    connection.pragma_update_and_check(None, "max_page_count", pages.max(1), |_| Ok(()))?;
    Ok(connection)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // Without the flag for URIs: a folder's name is never read as one.
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(connection)
}

fn prepare(connection: &mut Connection) -> Result<(), OpenErrorKind> {
    if check(connection)? == FORMAT {
        return Ok(());
    }
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).map_err(database)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(database)?;
    // Another process may have been first.
    if check(&transaction)? != FORMAT {
        transaction.execute_batch(SCHEMA).map_err(database)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(database)?;
        transaction.pragma_update(None, "user_version", FORMAT).map_err(database)?;
    }
    transaction.commit().map_err(database)
}

/// The format of the file, 0 where there is nothing in it.
fn check(connection: &Connection) -> Result<i64, OpenErrorKind> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(database);
    let (application, found) = (number("application_id")?, number("user_version")?);
    if application == APPLICATION_ID {
        return if found <= FORMAT { Ok(found) } else { Err(OpenErrorKind::Newer { found, known: FORMAT }) };
    }
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0)).map_err(database)?;
    if tables == 0 && application == 0 && found == 0 { Ok(0) } else { Err(OpenErrorKind::Foreign) }
}

fn database(error: rusqlite::Error) -> OpenErrorKind {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => OpenErrorKind::Foreign,
        Some(_) | None => OpenErrorKind::Database(error.to_string()),
    }
}

/// Makes the folder of a file, for nobody else to read. The name of a new folder is on the disk before anything is
/// written into it: a synced file in a folder that is lost is lost.
fn make_folder(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    if folder.is_dir() {
        return Ok(());
    }
    let missing: Vec<&Path> = folder.ancestors().take_while(|ancestor| !ancestor.exists()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    for new in missing {
        let above = new.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(above)?.sync_all()?;
    }
    Ok(())
}
