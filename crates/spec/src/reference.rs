//! References to what OCI registries hold.

use std::fmt;
use std::str::FromStr;

use crate::id::Digest;

/// The longest path of a repository, in bytes (OCI distribution specification).
const REPOSITORY_BYTES_MAX: usize = 255;
/// The longest tag, in bytes (OCI distribution specification).
const TAG_BYTES_MAX: usize = 128;

/// What a registry holds, by name: `REGISTRY[:PORT]/REPOSITORY[:TAG][@DIGEST]`.
///
/// The registry is always named: there is no default one, so that a typing error leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// The text is not a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a reference: REGISTRY/REPOSITORY:TAG, for example ghcr.io/me/front:1.0")]
pub struct ReferenceError {
    /// The text that was given.
    pub found: String,
}

impl Reference {
    /// Reads a reference.
    ///
    /// # Errors
    /// When it names no registry (a host with a dot or a port, or `localhost`), or its repository, tag or digest is not
    /// one.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        split(text).ok_or_else(|| ReferenceError { found: text.to_owned() })
    }

    /// The registry: a host, with its port where one was given.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The path in the registry.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, where one was given.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest of the manifest, where one was given.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.digest
    }

    /// The same name, with the digest of what it stands for.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }

    /// The same name without a digest.
    #[must_use]
    pub fn without_digest(&self) -> Self {
        Self { digest: None, ..self.clone() }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        Self::parse(text)
    }
}

fn split(text: &str) -> Option<Reference> {
    let (registry, rest) = text.split_once('/')?;
    let (rest, digest) = match rest.split_once('@') {
        Some((rest, digest)) => (rest, Some(Digest::parse(digest).ok()?)),
        None => (rest, None),
    };
    let (repository, tag) = match rest.split_once(':') {
        Some((repository, tag)) => (repository, Some(tag)),
        None => (rest, None),
    };
    let is_whole = is_registry(registry) && is_repository(repository) && tag.is_none_or(is_tag);
    is_whole.then(|| Reference {
        registry: registry.to_ascii_lowercase(),
        repository: repository.to_owned(),
        tag: tag.map(str::to_owned),
        digest,
    })
}

/// A host that cannot be mistaken for the first part of a path.
fn is_registry(text: &str) -> bool {
    let uri = text.parse::<http::uri::Authority>().ok();
    let Some(host) = uri.as_ref().map(http::uri::Authority::host).filter(|_| !text.contains('@')) else { return false };
    let has_port = uri.as_ref().is_some_and(|uri| uri.port_u16().is_some());
    let is_whole = has_port || !text.ends_with(':') && text == host;
    is_whole && (has_port || host.contains('.') || host == "localhost")
}

fn is_repository(text: &str) -> bool {
    let is_part = |part: &str| {
        let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        ends(part.bytes().next()) && ends(part.bytes().next_back()) && part.bytes().all(inside) && !part.contains("..")
    };
    text.len() <= REPOSITORY_BYTES_MAX && text.split('/').all(is_part)
}

fn is_tag(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=TAG_BYTES_MAX).contains(&text.len()) && text.bytes().all(inside) && !text.starts_with(['.', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_reference_is_split_and_comes_back() {
        let both = format!("ghcr.io/me/front:1.0@{DIGEST}");
        let only = format!("127.0.0.1:5000/a@{DIGEST}");
        let long = format!("r.example/a:{}", "t".repeat(128));
        for (text, registry, repository, tag) in [
            ("ghcr.io/me/front:1.0", "ghcr.io", "me/front", Some("1.0")),
            ("localhost/front", "localhost", "front", None),
            ("localhost:5000/a/b__c-d.e/f:v_1", "localhost:5000", "a/b__c-d.e/f", Some("v_1")),
            ("[::1]:5000/a:1", "[::1]:5000", "a", Some("1")),
            (&both, "ghcr.io", "me/front", Some("1.0")),
            (&only, "127.0.0.1:5000", "a", None),
            (&long, "r.example", "a", Some(&long[12..])),
        ] {
            let read = Reference::parse(text).unwrap();
            assert_eq!((read.registry(), read.repository(), read.tag()), (registry, repository, tag), "{text}");
            assert_eq!(read.to_string(), text);
            assert_eq!(read.digest().is_some(), text.contains('@'), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let long = format!("r.example/a:{}", "t".repeat(129));
        let deep = format!("r.example/{}", "a/".repeat(128) + "a");
        for text in [
            "",
            "front",
            "me/front:1.0",
            "/front",
            "ghcr.io/",
            "ghcr.io//front",
            "ghcr.io/Front",
            "ghcr.io/front:",
            "ghcr.io/front:a b",
            "ghcr.io/front:.1",
            "ghcr.io/../front",
            "ghcr.io/a..b",
            "ghcr.io/a/../b",
            "ghcr.io/front@sha256:12",
            "ghcr.io:/front",
            "ghcr.io:99999/front",
            "me:secret@ghcr.io/front",
            "https://ghcr.io/front:1.0",
            "ghcr.io?/front",
            &long,
            &deep,
        ] {
            assert!(Reference::parse(text).is_err(), "{text:?} was accepted");
        }
    }
}
