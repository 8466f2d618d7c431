//! The keys of a bucket, in the server's own order.

use std::collections::BTreeSet;

use ::redis::aio::ConnectionManager;
use ::redis::{RedisResult, cmd};

use super::super::{BucketError, KEY_BYTES_MAX, KeyPage, PAGE_KEYS_MAX};
use super::failure::bucket_error;

/// Keys that one step looks at. A step may bring some more than that, for which a page keeps room.
const STEP_KEYS: usize = PAGE_KEYS_MAX / 2;
/// Steps for one page, which may find nothing where the server holds far more than this bucket.
const STEPS_MAX: usize = 64;

/// Some keys that begin with `prefix`, without it.
///
/// A page has more than [`PAGE_KEYS_MAX`] keys only where a single step brings them, as it may while the server makes its
/// table of keys much smaller: keys cannot be left behind for the next page.
pub(super) async fn page(
    connection: &mut ConnectionManager,
    prefix: &str,
    cursor: Option<&str>,
) -> Result<KeyPage, BucketError> {
    let mut position = match cursor {
        // 0 is where a listing ends.
        Some(text) => text.parse().ok().filter(|position| *position != 0).ok_or(BucketError::Cursor)?,
        None => 0_u64,
    };
    let pattern = format!("{}*", escape(prefix));
    // A step may bring a key twice.
    let mut keys = BTreeSet::new();
    for _ in 0..STEPS_MAX {
        let (next, found) = step(connection, &pattern, position).await.map_err(|error| bucket_error(&error))?;
        keys.extend(found.into_iter().filter_map(|key| ours(key, prefix)));
        position = next;
        if position == 0 || keys.len() > PAGE_KEYS_MAX - STEP_KEYS {
            break;
        }
    }
    let cursor = (position != 0).then(|| position.to_string());
    Ok(KeyPage { keys: keys.into_iter().collect(), cursor })
}

async fn step(connection: &mut ConnectionManager, pattern: &str, position: u64) -> RedisResult<(u64, Vec<Vec<u8>>)> {
    let mut scan = cmd("SCAN");
    scan.arg(position).arg("MATCH").arg(pattern).arg("COUNT").arg(STEP_KEYS).arg("TYPE").arg("string");
    scan.query_async(connection).await
}

/// What of another program's keys cannot be a key of ours is not listed.
fn ours(key: Vec<u8>, prefix: &str) -> Option<String> {
    let key = String::from_utf8(key).ok()?;
    let key = key.strip_prefix(prefix)?;
    (1..=KEY_BYTES_MAX).contains(&key.len()).then(|| key.to_owned())
}

/// A text as a pattern that matches nothing else.
fn escape(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}
