//! The environment of this process, read in this one place.

use std::collections::BTreeMap;

/// Every variable whose name and value are text.
pub(crate) fn variables() -> BTreeMap<String, String> {
    let texts = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    std::env::vars_os().filter_map(texts).collect()
}
