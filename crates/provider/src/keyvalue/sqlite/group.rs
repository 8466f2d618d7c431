//! One transaction for all writes that wait: they share its sync, but not each other's errors.

use bytes::Bytes;
use rusqlite::Connection;

use super::super::{BucketError, Snapshot, Swap, counter};
use super::entries;
use super::failure::bucket_error;

/// A write that waits for its turn.
pub(super) trait Write: Send {
    /// Does it, and keeps the result for later. It may be asked again after a transaction came to nothing.
    ///
    /// # Errors
    /// When it failed, so that what it did of its work is undone.
    fn run(&mut self, group: &mut Group<'_>) -> Result<(), Failed>;

    /// Whether anybody still waits for it.
    fn is_wanted(&self) -> bool;

    /// Tells the result, or why the transaction failed.
    fn answer(self: Box<Self>, committed: Result<(), BucketError>);
}

/// A write failed; it keeps the reason itself.
#[derive(Debug)]
pub(super) struct Failed;

/// A transaction under way.
#[derive(Debug)]
pub(super) struct Group<'c> {
    connection: &'c Connection,
    /// The last version that was given.
    version: i64,
}

/// Does all writes in one transaction and answers them.
///
/// # Errors
/// When the connection should not be used again.
pub(super) fn commit(connection: &Connection, mut writes: Vec<Box<dyn Write>>) -> Result<(), BucketError> {
    let committed = attempt(connection, &mut writes);
    if committed == Err(BucketError::Full) && writes.len() > 1 {
        // The disk has no room for all of them together. There may be room for some, and deletions make it.
        return writes.into_iter().try_for_each(|write| commit_one(connection, write));
    }
    writes.into_iter().for_each(|write| write.answer(committed.clone()));
    committed
}

fn commit_one(connection: &Connection, write: Box<dyn Write>) -> Result<(), BucketError> {
    let mut alone = [write];
    let committed = attempt(connection, &mut alone);
    let [write] = alone;
    write.answer(committed.clone());
    match committed {
        Err(BucketError::Full) | Ok(()) => Ok(()),
        Err(error) => Err(error),
    }
}

fn attempt(connection: &Connection, writes: &mut [Box<dyn Write>]) -> Result<(), BucketError> {
    let attempted = transact(connection, writes);
    if attempted.is_err() && !connection.is_autocommit() {
        // If this fails as well, closing the connection does it.
        drop(execute(connection, "ROLLBACK"));
    }
    attempted
}

fn transact(connection: &Connection, writes: &mut [Box<dyn Write>]) -> Result<(), BucketError> {
    execute(connection, "BEGIN IMMEDIATE")?;
    // Read anew each time, because another process may have written between.
    let before = last_version(connection).map_err(|error| bucket_error(&error))?;
    let mut group = Group { connection, version: before };
    for write in writes {
        execute(connection, "SAVEPOINT one")?;
        let done = write.run(&mut group);
        if connection.is_autocommit() {
            // SQLite gave up the whole transaction, which it does when it has no room at all.
            return Err(BucketError::Full);
        }
        if done.is_err() {
            execute(connection, "ROLLBACK TO one")?;
        }
        execute(connection, "RELEASE one")?;
    }
    if group.version != before {
        keep_version(connection, group.version).map_err(|error| bucket_error(&error))?;
    }
    execute(connection, "COMMIT")
}

fn execute(connection: &Connection, statement: &str) -> Result<(), BucketError> {
    let run = || connection.prepare_cached(statement)?.execute(());
    run().map(|_| ()).map_err(|error| bucket_error(&error))
}

fn last_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("SELECT last_version FROM store")?.query_row((), |row| row.get(0))
}

fn keep_version(connection: &Connection, version: i64) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE store SET last_version = ?1")?.execute([version]).map(|_| ())
}

impl Group<'_> {
    pub(super) fn set(&mut self, bucket: &str, key: &str, value: &[u8]) -> Result<(), BucketError> {
        self.version += 1;
        self.put(bucket, key, value).map_err(|error| bucket_error(&error))
    }

    pub(super) fn delete(&mut self, bucket: &str, key: &str) -> Result<(), BucketError> {
        let run = || {
            self.connection
                .prepare_cached("DELETE FROM entry WHERE bucket = ?1 AND key = ?2")?
                .execute((bucket, key.as_bytes()))
        };
        run().map(|_| ()).map_err(|error| bucket_error(&error))
    }

    pub(super) fn increment(&mut self, bucket: &str, key: &str, delta: i64) -> Result<i64, BucketError> {
        let value = entries::get(self.connection, bucket, key).map_err(|error| bucket_error(&error))?;
        let sum = counter::add(value.as_deref(), delta)?;
        self.set(bucket, key, sum.to_string().as_bytes())?;
        Ok(sum)
    }

    pub(super) fn swap(&mut self, bucket: &str, key: &str, change: &Change) -> Result<Swap, BucketError> {
        let version = entries::version_of(self.connection, bucket, key).map_err(|error| bucket_error(&error))?;
        if version != change.seen_version {
            let now = entries::snapshot(self.connection, bucket, key).map_err(|error| bucket_error(&error))?;
            return Ok(Swap::Changed(now));
        }
        self.set(bucket, key, &change.value)?;
        Ok(Swap::Done)
    }

    fn put(&self, bucket: &str, key: &str, value: &[u8]) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO entry (bucket, key, version, value) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (bucket, key) DO UPDATE SET version = excluded.version, value = excluded.value",
            )?
            .execute((bucket, key.as_bytes(), self.version, value))
            .map(|_| ())
    }
}

/// A new value for a key that still has a version.
#[derive(Debug)]
pub(super) struct Change {
    seen_version: u64,
    value: Bytes,
}

impl Change {
    pub(super) fn new(seen: &Snapshot, value: Bytes) -> Self {
        Self { seen_version: seen.version, value }
    }
}
