//! Functions of SQLite that are replaced.
//!
//! SQLite asks between two instructions whether to stop, never inside a function. In its own `instr`, `replace`, `trim`
//! and `unhex`, the time grows with the product of the lengths of the arguments: hours, for two texts of a megabyte.
//! Those here give the same results in a time that grows with the sum.

use std::borrow::Cow;
use std::collections::HashSet;

use memchr::memmem;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result, ffi};

/// Replaces them on one connection.
pub(super) fn replace_all(connection: &Connection, length_max: usize) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("instr", 2, flags, |context| Ok(position(context)))?;
    connection.create_scalar_function("replace", 3, flags, move |context| replaced(context, length_max))?;
    connection.create_scalar_function("trim", 2, flags, |context| Ok(trimmed(context, Ends::Both)))?;
    connection.create_scalar_function("ltrim", 2, flags, |context| Ok(trimmed(context, Ends::Left)))?;
    connection.create_scalar_function("rtrim", 2, flags, |context| Ok(trimmed(context, Ends::Right)))?;
    connection.create_scalar_function("unhex", 2, flags, |_| -> Result<Option<Vec<u8>>> {
        Err(failure(ffi::SQLITE_ERROR, "unhex takes one argument here"))
    })
}

/// `instr(haystack, needle)`: from 1, in characters, or in bytes between two blobs; 0 where there is none.
fn position(context: &Context<'_>) -> Option<i64> {
    let (haystack, needle) = (context.get_raw(0), context.get_raw(1));
    let in_bytes = matches!((haystack, needle), (ValueRef::Blob(_), ValueRef::Blob(_)));
    let (haystack, needle) = (bytes(haystack)?, bytes(needle)?);
    let Some(found) = memmem::find(&haystack, &needle) else {
        return Some(0);
    };
    let before = haystack.get(..found).unwrap_or_default();
    let count = if in_bytes { before.len() } else { before.iter().filter(|byte| **byte & 0xc0 != 0x80).count() };
    i64::try_from(count + 1).ok()
}

/// `replace(text, from, to)`.
fn replaced(context: &Context<'_>, length_max: usize) -> Result<Option<String>> {
    let (Some(text), Some(from)) = (bytes(context.get_raw(0)), bytes(context.get_raw(1))) else {
        return Ok(None);
    };
    if from.is_empty() {
        return Ok(Some(String::from_utf8_lossy(&text).into_owned()));
    }
    let Some(to) = bytes(context.get_raw(2)) else {
        return Ok(None);
    };
    let mut result = Vec::with_capacity(text.len());
    let mut rest = 0;
    for found in memmem::find_iter(&text, &*from) {
        result.extend_from_slice(text.get(rest..found).unwrap_or_default());
        result.extend_from_slice(&to);
        rest = found + from.len();
        if result.len() > length_max {
            return Err(failure(ffi::SQLITE_TOOBIG, "string or blob too big"));
        }
    }
    result.extend_from_slice(text.get(rest..).unwrap_or_default());
    Ok(Some(String::from_utf8_lossy(&result).into_owned()))
}

#[derive(Clone, Copy)]
enum Ends {
    Both,
    Left,
    Right,
}

/// `trim(text, characters)` and its halves.
fn trimmed(context: &Context<'_>, ends: Ends) -> Option<String> {
    let (text, removed) = (bytes(context.get_raw(0))?, bytes(context.get_raw(1))?);
    let text = String::from_utf8_lossy(&text);
    let removed: HashSet<char> = String::from_utf8_lossy(&removed).chars().collect();
    let is_removed = |character: char| removed.contains(&character);
    let kept = match ends {
        Ends::Both => text.trim_matches(is_removed),
        Ends::Left => text.trim_start_matches(is_removed),
        Ends::Right => text.trim_end_matches(is_removed),
    };
    Some(kept.to_owned())
}

/// An argument as SQLite would turn it into text; `None` for NULL.
fn bytes(value: ValueRef<'_>) -> Option<Cow<'_, [u8]>> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(Cow::Owned(number.to_string().into_bytes())),
        ValueRef::Real(number) => Some(Cow::Owned(real_text(number).into_bytes())),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(Cow::Borrowed(bytes)),
    }
}

/// A floating-point number in SQLite's spelling: `1.0`, `1.0e+20`, `-Inf`.
fn real_text(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "Inf" } else { "-Inf" }.to_owned();
    }
    let text = format!("{number:?}");
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    let point = if digits.contains('.') { "" } else { ".0" };
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}{point}e{sign}{exponent:0>2}")
}

fn failure(code: std::ffi::c_int, text: &str) -> Error {
    Error::SqliteFailure(ffi::Error::new(code), Some(text.to_owned()))
}
