//! The pattern of a route, and the host of one.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::grant::is_host_name;

/// Which paths a route answers: `/exact` alone, or `/prefix/*` for `/prefix` and everything below it.
///
/// `/*` is every path. Paths are compared byte by byte as they came: nothing is decoded, stripped or normalised.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoutePattern {
    /// The exact path, or the prefix without `/*`.
    path: Box<str>,
    is_prefix: bool,
}

/// The text is not a route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a route: {kind}")]
pub struct PatternError {
    /// The text that was given.
    pub found: String,
    /// What is wrong with it.
    pub kind: PatternFault,
}

/// What is wrong with the text of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    /// It does not start at the root.
    #[error("it must start with `/`")]
    Relative,
    /// A `*` that is not the last segment.
    #[error("`*` can only be the last segment, as in `/api/*`")]
    Star,
    /// A query, a fragment or something that cannot stand in a path.
    #[error("a path holds no query, no fragment, no space and only visible ASCII; encode the rest with `%`")]
    Character,
}

/// The text is not the host of a route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a host: write a name without scheme or port, for example `shop.example.com`")]
pub struct HostError {
    /// The text that was given.
    pub found: String,
}

impl RoutePattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When it does not start with `/`, has a `*` anywhere but as its last segment, or holds what no path can.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let fault = |kind| PatternError { found: text.to_owned(), kind };
        if !text.starts_with('/') {
            return Err(fault(PatternFault::Relative));
        }
        let (path, is_prefix) = match text.strip_suffix("/*") {
            Some(prefix) => (prefix, true),
            None => (text, false),
        };
        if path.contains('*') {
            return Err(fault(PatternFault::Star));
        }
        if !path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#')) {
            return Err(fault(PatternFault::Character));
        }
        Ok(Self { path: path.into(), is_prefix })
    }

    /// The pattern of every path, `/*`.
    #[must_use]
    pub fn all() -> Self {
        Self { path: "".into(), is_prefix: true }
    }

    /// Whether the pattern answers this path.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        match path.strip_prefix(&*self.path) {
            Some("") => true,
            Some(rest) => self.is_prefix && rest.starts_with('/'),
            None => false,
        }
    }

    /// Whether it stands for one path alone.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        !self.is_prefix
    }

    /// The exact path, or the prefix without its `/*`: empty for `/*`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// Reads the host of a route: a name or an address, without scheme and port; it becomes lower case.
///
/// # Errors
/// When it is neither.
pub fn parse_route_host(text: &str) -> Result<String, HostError> {
    let is_address = match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => text.parse::<std::net::Ipv4Addr>().is_ok(),
    };
    if is_address || is_host_name(text) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(HostError { found: text.to_owned() })
    }
}

impl fmt::Display for RoutePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if self.is_prefix { f.write_str("/*") } else { Ok(()) }
    }
}

impl FromStr for RoutePattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for RoutePattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        Self::parse(&text)
    }
}

impl From<RoutePattern> for String {
    fn from(pattern: RoutePattern) -> Self {
        pattern.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_read_and_written_alike() {
        for text in
            ["/", "/*", "/api", "/api/*", "/api/", "/a/b/c", "/a%20b", "//*", "/é".replace('é', "%C3%A9").as_str()]
        {
            assert_eq!(RoutePattern::parse(text).map(|pattern| pattern.to_string()), Ok(text.to_owned()));
        }
        for (text, kind) in [
            ("", PatternFault::Relative),
            ("api", PatternFault::Relative),
            ("*", PatternFault::Relative),
            ("/a*", PatternFault::Star),
            ("/*/a", PatternFault::Star),
            ("/a/**", PatternFault::Star),
            ("/a/*/*", PatternFault::Star),
            ("/a?b", PatternFault::Character),
            ("/a#b", PatternFault::Character),
            ("/a b", PatternFault::Character),
            ("/é", PatternFault::Character),
        ] {
            assert_eq!(RoutePattern::parse(text).unwrap_err().kind, kind, "{text}");
        }
    }

    #[test]
    fn a_prefix_ends_at_a_slash() {
        let check = |pattern: &str, path: &str, expect: bool| {
            assert_eq!(RoutePattern::parse(pattern).unwrap().matches(path), expect, "{pattern} {path}");
        };
        check("/api/*", "/api", true);
        check("/api/*", "/api/", true);
        check("/api/*", "/api/a/b", true);
        check("/api/*", "/apis", false);
        check("/api/*", "/", false);
        check("/api/*", "/API/a", false);
        check("/api/*", "/%61pi/a", false);
        check("/*", "/", true);
        check("/*", "/anything", true);
        check("/", "/", true);
        check("/", "/a", false);
        check("/api", "/api", true);
        check("/api", "/api/", false);
        check("/api/", "/api", false);
    }

    #[test]
    fn a_host_has_no_scheme_and_no_port() {
        for (text, expect) in [
            ("Shop.Example.com", "shop.example.com"),
            ("localhost", "localhost"),
            ("10.0.0.1", "10.0.0.1"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(parse_route_host(text).as_deref(), Ok(expect));
        }
        for bad in ["", "http://a", "a:80", "a/b", "*.a", "a..b", "a.", "[::1", "::1"] {
            assert!(parse_route_host(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
