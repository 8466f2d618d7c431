//! Reading the entries of one bucket.

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::super::{BATCH_BYTES_MAX, KeyPage, PAGE_KEYS_MAX, Snapshot};

/// The value under a key.
pub(super) fn get(connection: &Connection, bucket: &str, key: &str) -> rusqlite::Result<Option<Bytes>> {
    connection
        .prepare_cached("SELECT value FROM entry WHERE bucket = ?1 AND key = ?2")?
        .query_row((bucket, key.as_bytes()), |row| value(row, 0))
        .optional()
}

/// Whether there is a value under a key.
pub(super) fn exists(connection: &Connection, bucket: &str, key: &str) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM entry WHERE bucket = ?1 AND key = ?2")?.exists((bucket, key.as_bytes()))
}

/// The value under a key with its version, which is 0 where there is none.
pub(super) fn snapshot(connection: &Connection, bucket: &str, key: &str) -> rusqlite::Result<Snapshot> {
    let found = connection
        .prepare_cached("SELECT version, value FROM entry WHERE bucket = ?1 AND key = ?2")?
        .query_row((bucket, key.as_bytes()), |row| Ok(Snapshot { version: version(row)?, value: Some(value(row, 1)?) }))
        .optional()?;
    Ok(found.unwrap_or(Snapshot { value: None, version: 0 }))
}

/// The values under several keys, as they were at one moment. It stops at the value with which they are more than a batch
/// may return.
pub(super) fn get_many(connection: &Connection, bucket: &str, keys: &[String]) -> rusqlite::Result<Vec<Option<Bytes>>> {
    // Each statement alone would see what was written since the one before it.
    let moment = connection.unchecked_transaction()?;
    let mut values = Vec::with_capacity(keys.len());
    let mut bytes = 0;
    for key in keys {
        let value = get(&moment, bucket, key)?;
        bytes += value.as_ref().map_or(0, Bytes::len);
        values.push(value);
        if bytes > BATCH_BYTES_MAX {
            break;
        }
    }
    moment.commit()?;
    Ok(values)
}

/// The keys after a cursor, which is the key that came last, in the order of their bytes.
pub(super) fn page(connection: &Connection, bucket: &str, cursor: Option<&str>) -> rusqlite::Result<KeyPage> {
    let after = cursor.unwrap_or_default().as_bytes();
    let mut statement =
        connection.prepare_cached("SELECT key FROM entry WHERE bucket = ?1 AND key > ?2 ORDER BY key")?;
    // One more than fits tells whether there are more.
    let rows = statement.query_map((bucket, after), key)?.take(PAGE_KEYS_MAX + 1);
    let mut keys = rows.collect::<rusqlite::Result<Vec<String>>>()?;
    let more = keys.len() > PAGE_KEYS_MAX;
    keys.truncate(PAGE_KEYS_MAX);
    let cursor = if more { keys.last().cloned() } else { None };
    Ok(KeyPage { keys, cursor })
}

/// The version under a key, 0 where there is no value.
pub(super) fn version_of(connection: &Connection, bucket: &str, key: &str) -> rusqlite::Result<u64> {
    let found = connection
        .prepare_cached("SELECT version FROM entry WHERE bucket = ?1 AND key = ?2")?
        .query_row((bucket, key.as_bytes()), version)
        .optional()?;
    Ok(found.unwrap_or(0))
}

fn version(row: &Row<'_>) -> rusqlite::Result<u64> {
    let number: i64 = row.get(0)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, number))
}

fn value(row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    Ok(Bytes::copy_from_slice(row.get_ref(column)?.as_blob()?))
}

fn key(row: &Row<'_>) -> rusqlite::Result<String> {
    String::from_utf8(row.get(0)?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, Box::new(error)))
}
