//! Why what stands behind a bucket cannot be used at all.

use std::io;
use std::path::Path;

use thiserror::Error;

/// A store that cannot be opened, or a server that cannot be used.
#[derive(Debug, Error)]
#[error("cannot open the key-value store {place}")]
pub struct OpenError {
    /// The file, or the URL without its credentials, and the bucket where it is about one.
    pub place: String,
    /// What is wrong, and what to do about it.
    #[source]
    pub kind: OpenErrorKind,
}

/// What is wrong, and what to do about it.
#[derive(Debug, Error)]
pub enum OpenErrorKind {
    /// A folder or the file cannot be made or opened.
    #[error("the file or its folder cannot be used; check that they may be written")]
    File(#[source] io::Error),
    /// SQLite cannot use the file.
    #[error("the file cannot be used: {0}; check that it may be written, or bring it back from a copy")]
    Database(String),
    /// The file is something else.
    #[error("the file is no key-value store; move it away or name another one")]
    Foreign,
    /// The file was written by a later version of this program.
    #[error("the file has format {found}, and this version knows none beyond {known}; use a newer version of cumulet")]
    Newer {
        /// The format of the file.
        found: i64,
        /// The last format that is known here.
        known: i64,
    },
    /// The URL is none of this backend.
    #[error("the URL must look like {expected}")]
    Url {
        /// An example.
        expected: &'static str,
    },
    /// The name of the bucket is not one that the server takes.
    #[error("{0:?} cannot be the name of a bucket; use letters, digits, `_` and `-`, at most 64 of them")]
    Name(String),
    /// Nobody answers.
    #[error("the server cannot be reached: {0}; check that it runs and that the URL names its host and port")]
    Unreachable(String),
    /// The server does not let us in.
    #[error("the server refuses the credentials: {0}; check the user and the password of the URL")]
    Refused(String),
    /// The server answers, but cannot do what is needed.
    #[error("the server is not usable: {0}; {1}")]
    Unusable(String, &'static str),
}

impl OpenError {
    pub(super) fn file(path: &Path, kind: OpenErrorKind) -> Self {
        Self { place: path.display().to_string(), kind }
    }

    pub(super) fn url(url: &str, kind: OpenErrorKind) -> Self {
        Self { place: without_credentials(url), kind }
    }
}

/// A URL, or several between commas, as it may be shown: no user, no password, no query. What is not clearly an address
/// is not shown.
pub(super) fn without_credentials(urls: &str) -> String {
    // A comma may also stand in a password: it separates only where a whole URL follows.
    if urls.split(',').all(|url| url.contains("://")) {
        urls.split(',').map(one_without_credentials).collect::<Vec<_>>().join(",")
    } else {
        one_without_credentials(urls)
    }
}

fn one_without_credentials(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    // The last `@`, wherever it stands: a password that was not encoded may hold an `@` or a slash.
    let address = match rest.rsplit_once('@') {
        Some((before, _)) if before.contains(['?', '#']) => "…",
        Some((_, address)) => address,
        None => rest,
    };
    let address = address.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}{address}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_url_has_no_credentials() {
        let check = |url: &str, expected: &str| assert_eq!(without_credentials(url), expected);
        check("redis://host:6379/2", "redis://host:6379/2");
        check("redis://user:secret@host:6379/2", "redis://host:6379/2");
        check("rediss://:se/cr@et@host", "rediss://host");
        check("redis+unix:///run/redis.sock?user=a&pass=secret", "redis+unix:///run/redis.sock");
        check("nats://token@one:4222,nats://a:b@two", "nats://one:4222,nats://two");
        check("user:secret@host", "host");
        check("redis://user:sec?ret@host", "redis://…");
        check("nats://user:sec,ret@host", "nats://host");
    }
}
