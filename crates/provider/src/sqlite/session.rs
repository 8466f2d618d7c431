//! SQLite itself: how a connection is set up, how one statement runs, how its traces are removed.

use std::path::Path;
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{CachedStatement, Connection, OpenFlags, Statement, StatementStatus};

use super::authorizer::Authorizer;
use super::database::{Limits, OpenErrorKind};
use super::failure::Failure;
use super::reading::{Reading, Unread};
use super::watch::{Stop, Watch};
use super::{Rows, STATEMENT_BYTES_MAX, Value, function};

/// The longest value or row, in bytes.
const LENGTH_MAX: usize = 4 << 20;

/// Besides the file, SQLite's own limits are what keeps a statement small. The sizes are those that its authors
/// recommend for hostile SQL, widened where ordinary applications need it.
const LIMITS: [(Limit, usize); 12] = [
    (Limit::SQLITE_LIMIT_LENGTH, LENGTH_MAX),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, STATEMENT_BYTES_MAX),
    (Limit::SQLITE_LIMIT_COLUMN, 256),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 256),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 100),
    (Limit::SQLITE_LIMIT_VDBE_OP, 250_000),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 100),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 32_766),
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 32),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

/// How each connection begins. Sorting and temporary tables spill to files that have no name, so that the heap of a
/// statement stays near `cache_size` (in KiB, when negative). `hard_heap_limit` holds for all databases of this process
/// together: a statement that would pass it fails, and the process does not.
const SETUP: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = FILE;
    PRAGMA cache_size = -2000;
    PRAGMA journal_size_limit = 16777216;
    PRAGMA hard_heap_limit = 536870912;";

/// Makes `last_insert_rowid()` and `changes()` 0 again, which only an insertion and a deletion can do.
const FORGET: &str = "
    CREATE TEMP TABLE cumulet_forget (x);
    INSERT INTO temp.cumulet_forget (rowid, x) VALUES (0, 0);
    DELETE FROM temp.cumulet_forget WHERE x = 1;
    DROP TABLE temp.cumulet_forget;";

/// Instructions of SQLite's machine between two looks at the time: some tens of microseconds.
const INSTRUCTIONS_BETWEEN_LOOKS: i32 = 1_000;
/// Statements that a connection keeps prepared.
const STATEMENTS_KEPT_MAX: usize = 32;
/// The largest program that is kept prepared, in bytes.
const STATEMENT_KEPT_BYTES_MAX: i32 = 64 << 10;

/// One connection to the file, used by one invocation at a time.
#[derive(Debug)]
pub(super) struct Session {
    connection: Connection,
    authorizer: Arc<Authorizer>,
    watch: Arc<Watch>,
    limits: Limits,
    changes_before: u64,
}

/// One statement with its parameters.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) statement: String,
    pub(super) parameters: Vec<Value>,
}

impl Session {
    /// Opens a file that exists.
    pub(super) fn open(path: &Path, limits: Limits) -> Result<Self, OpenErrorKind> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(limits.busy_time)?;
        let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
        if mode != "wal" {
            return Err(OpenErrorKind::Journal(mode));
        }
        connection.execute_batch(SETUP)?;
        let page_bytes: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages_max = u32::try_from(limits.size_bytes_max / u64::from(page_bytes.max(1))).unwrap_or(u32::MAX).max(1);
        connection.pragma_update_and_check(None, "max_page_count", pages_max, |_| Ok(()))?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false)?;
        for (limit, value) in LIMITS {
            connection.set_limit(limit, i32::try_from(value).unwrap_or(i32::MAX))?;
        }
        function::replace_all(&connection, LENGTH_MAX)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT_MAX);
        // A lock is waited for outside, where waiting holds no thread.
        connection.busy_timeout(std::time::Duration::ZERO)?;
        let (authorizer, watch) = (Arc::<Authorizer>::default(), Arc::<Watch>::default());
        connection.authorizer(Some(authorizer.callback()))?;
        let watched = Arc::clone(&watch);
        connection.progress_handler(INSTRUCTIONS_BETWEEN_LOOKS, Some(move || watched.must_stop()))?;
        Ok(Self { connection, authorizer, watch, limits, changes_before: 0 })
    }

    /// Runs one statement.
    pub(super) fn run(&self, call: &Call, stop: Stop) -> Result<Rows, Failure> {
        self.authorizer.take_denied();
        self.watch.begin(self.limits.statement_time, stop);
        let result = self.run_watched(call);
        self.watch.end();
        result
    }

    pub(super) fn last_insert_rowid(&self) -> i64 {
        self.connection.last_insert_rowid()
    }

    pub(super) fn changes(&self) -> u64 {
        self.connection.changes()
    }

    /// Rolls back what is open and forgets everything that the next invocation could see. `None` if that cannot be
    /// done: then the connection is closed.
    pub(super) fn into_clean(mut self) -> Option<Self> {
        let cleaned = self.authorizer.trusting(|| {
            if !self.connection.is_autocommit() {
                self.connection.execute_batch("ROLLBACK")?;
            }
            let has_changed = self.connection.total_changes() != self.changes_before;
            if !self.authorizer.is_tainted() && (has_changed || self.connection.last_insert_rowid() != 0) {
                self.connection.execute_batch(FORGET)?;
            }
            Ok::<(), rusqlite::Error>(())
        });
        if let Err(error) = &cleaned {
            tracing::warn!(error = %error, "a connection to a database could not be cleaned and is closed");
        }
        self.changes_before = self.connection.total_changes();
        (cleaned.is_ok() && !self.authorizer.is_tainted()).then_some(self)
    }

    fn run_watched(&self, call: &Call) -> Result<Rows, Failure> {
        if call.statement.contains('\0') {
            return Err(Failure::statement("a statement cannot contain a NUL character"));
        }
        let mut statement = self.connection.prepare_cached(&call.statement).map_err(|error| self.failure(error))?;
        // Only an empty statement changes nothing, returns nothing and has no text.
        if statement.readonly() && statement.column_count() == 0 && statement.expanded_sql().is_none() {
            return Err(Failure::statement("there is no statement"));
        }
        let result = self.run_prepared(&mut statement, &call.parameters);
        if statement.get_status(StatementStatus::MemUsed) > STATEMENT_KEPT_BYTES_MAX {
            CachedStatement::discard(statement);
        }
        result
    }

    fn run_prepared(&self, statement: &mut Statement<'_>, parameters: &[Value]) -> Result<Rows, Failure> {
        let places = statement.parameter_count();
        if places != parameters.len() {
            let given = parameters.len();
            return Err(Failure::statement(&format!("the statement has {places} parameters, and {given} were given")));
        }
        for (index, parameter) in parameters.iter().enumerate() {
            statement.raw_bind_parameter(index + 1, parameter).map_err(|error| self.failure(error))?;
        }
        // With RETURNING, all changes are made before the first row comes: rows that are too many take them back.
        if statement.readonly() || statement.column_count() == 0 {
            return self.read(statement);
        }
        self.own("SAVEPOINT cumulet_returning")?;
        let result = self.read(statement).and_then(|rows| {
            self.own("RELEASE cumulet_returning")?;
            Ok(rows)
        });
        if result.is_err() && !self.connection.is_autocommit() {
            self.own("ROLLBACK TO cumulet_returning; RELEASE cumulet_returning")?;
        }
        result
    }

    fn read(&self, statement: &mut Statement<'_>) -> Result<Rows, Failure> {
        Reading::all_of(statement).map_err(|unread| match unread {
            Unread::Sqlite(error) => self.failure(error),
            Unread::Refused(failure) => failure,
        })
    }

    /// A statement of our own beside a guest's.
    fn own(&self, statement: &str) -> Result<(), Failure> {
        self.authorizer.trusting(|| self.connection.execute_batch(statement)).map_err(|error| self.failure(error))
    }

    fn failure(&self, error: rusqlite::Error) -> Failure {
        Failure::of(error, &self.authorizer, &self.limits)
    }
}
