//! What may go wrong between machines.

use std::time::Duration;

use cumulet_spec::id::Digest;
use reqwest::Url;
use serde::Deserialize;
use thiserror::Error;

use crate::credential::CredentialError;

/// The most characters of another machine's words that are told.
const SAID_CHARS_MAX: usize = 200;

/// Something could not be fetched or sent.
#[derive(Debug, Error)]
#[error("{place}")]
pub struct TransferError {
    /// Where: a URL without what may be secret in it, or a reference.
    pub place: String,
    /// What is wrong.
    #[source]
    pub kind: TransferErrorKind,
}

/// What is wrong with a transfer.
#[derive(Debug, Error)]
pub enum TransferErrorKind {
    /// It would go over a network unencrypted.
    #[error("plain HTTP is spoken with this machine only; use an https:// address")]
    Insecure,
    /// Certificates cannot be checked.
    #[error("cannot set up TLS")]
    Tls(#[source] Cause),
    /// No connection came about.
    #[error("cannot connect; see that the address is right and can be reached from here")]
    Connect(#[source] Cause),
    /// The connection broke.
    #[error("the connection broke before everything had come; try again")]
    Lost(#[source] Cause),
    /// Nothing came.
    #[error("it does not answer in time; try again")]
    Silent,
    /// It took too long.
    #[error("it took longer than {} s", max.as_secs())]
    Late {
        /// What it may take.
        max: Duration,
    },
    /// It refused.
    #[error("it answered with status {status}{}", because(said))]
    Status {
        /// The status of HTTP.
        status: u16,
        /// What it said, on one line; empty when it said nothing.
        said: String,
    },
    /// It wants to know who asks, and is not content with what it is told.
    #[error("{}", unauthorized(registry, *had_credential))]
    Unauthorized {
        /// The registry.
        registry: String,
        /// Whether it was told a name and a password.
        had_credential: bool,
    },
    /// How it wants to be told who asks is not understood.
    #[error("it asks who calls in a way that is not understood: {0}")]
    Challenge(&'static str),
    /// The credentials cannot be had.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// It led from one place to the next.
    #[error("it leads from one place to the next, more than {max} times")]
    Redirects {
        /// How many are followed.
        max: usize,
    },
    /// It leads to no place.
    #[error("it leads to another place, and does not say where")]
    RedirectNowhere,
    /// It leads to where a network could change what comes.
    #[error("it leads to {to}, which is not encrypted, and is not followed there")]
    RedirectInsecure {
        /// Where.
        to: String,
    },
    /// It has more bytes than are read.
    #[error("it has more than the {max} bytes that are read")]
    TooLarge {
        /// How many are read.
        max: u64,
    },
    /// It does not have as many bytes as was said.
    #[error("it has {found} bytes, and {expected} were promised; try again, and if it stays so, push it again")]
    Size {
        /// What was promised.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// It is something else.
    #[error(
        "its {bytes} bytes have the digest {found}, and {expected} is asked for; nothing of it is used: find out who \
         changed it before you change the digest"
    )]
    Digest {
        /// What was asked for.
        expected: Digest,
        /// What came.
        found: Digest,
        /// How much came.
        bytes: u64,
    },
    /// The registry has nothing of that name or digest.
    #[error("{0}")]
    Missing(String),
    /// What a registry says makes no sense.
    #[error("the registry answers what it must not: {0}")]
    Nonsense(String),
    /// It is no component.
    #[error("it holds no WebAssembly: {0}")]
    NotWasm(String),
    /// It is several things, of which one is to be chosen.
    #[error("it holds several, of which one is to be named by its digest: {0}")]
    Several(String),
    /// The reference does not say which.
    #[error("it names neither a tag nor a digest; write REGISTRY/REPOSITORY:TAG")]
    Unnamed,
    /// It cannot be sent.
    #[error("{0}")]
    Unfit(&'static str),
}

/// What a library said last of what went wrong below it; what it said before repeats where that was, with all of a URL.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct Cause(String);

impl Cause {
    pub(crate) fn of(error: &dyn std::error::Error) -> Self {
        match error.source() {
            Some(source) => Self::of(source),
            None => Self(error.to_string()),
        }
    }
}

impl TransferError {
    pub(crate) fn at(url: &Url, kind: TransferErrorKind) -> Self {
        Self { place: place(url), kind }
    }

    /// Whether the same may succeed at another time, with nobody doing anything about it.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match &self.kind {
            TransferErrorKind::Connect(_) | TransferErrorKind::Lost(_) | TransferErrorKind::Silent => true,
            TransferErrorKind::Status { status, .. } => matches!(status, 408 | 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }
}

/// A URL without user, query and fragment, any of which may be secret.
pub(crate) fn place(url: &Url) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

/// What the body of a refusal says: the first error of a registry, or the first line of a text.
pub(crate) fn said(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        code: Option<String>,
        message: Option<String>,
    }
    if let Ok(errors) = serde_json::from_slice::<Errors>(body) {
        let first = errors.errors.into_iter().next();
        let words = first.into_iter().flat_map(|one| [one.code, one.message]).flatten().collect::<Vec<_>>();
        return plain(&words.join(": "));
    }
    let text = std::str::from_utf8(body).unwrap_or_default().trim();
    // A page for a browser says nothing on a terminal.
    if text.starts_with('<') { String::new() } else { plain(text) }
}

/// One line without anything that moves a terminal's cursor.
fn plain(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.chars().filter(|char| !char.is_control()).take(SAID_CHARS_MAX).collect()
}

fn because(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(": {said}") }
}

fn unauthorized(registry: &str, had_credential: bool) -> String {
    if had_credential {
        format!("it does not let this user do that; log in as another with `docker login {registry}`")
    } else {
        format!("it wants to know who asks; log in with `docker login {registry}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_a_line() {
        for (body, expect) in [
            (r#"{"errors":[{"code":"DENIED","message":"not yours"},{"code":"X"}]}"#, "DENIED: not yours"),
            (r#"{"errors":[{"code":"DENIED"}]}"#, "DENIED"),
            (r#"{"errors":[]}"#, ""),
            ("no such file\nat all", "no such file"),
            ("\u{1b}[2Jgone", "[2Jgone"),
            ("<html>", ""),
            ("", ""),
        ] {
            assert_eq!(said(body.as_bytes()), expect, "{body}");
        }
        assert_eq!(said(&[0xff; 10]), "");
        assert_eq!(said("x".repeat(5_000).as_bytes()).len(), SAID_CHARS_MAX);
    }

    #[test]
    fn a_place_tells_no_secret() {
        let url = Url::parse("https://me:hunter2@r.example:8443/a/b?X-Signature=hunter2#hunter2").unwrap();
        assert_eq!(place(&url), "https://r.example:8443/a/b");
    }
}
