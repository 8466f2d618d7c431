//! Origins that outbound HTTP may reach.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A scheme, a host pattern and a port, written `https://api.example.com` or `https://*.example.org:8443`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HttpOrigin {
    /// The scheme.
    pub scheme: Scheme,
    /// The hosts.
    pub host: HostPattern,
    /// The port; that of the scheme when none was written.
    pub port: u16,
}

/// The scheme of an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Plain text.
    Http,
    /// Over TLS.
    Https,
}

/// A host name in which one label may be `*`, or an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// One name in lower case, without a dot at its end.
    Name(Box<str>),
    /// A name in lower case of which one whole label is `*` and stands for exactly one label.
    Wildcard(Box<str>),
    /// One address.
    Address(IpAddr),
}

/// The text is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not an origin: {kind}")]
pub struct OriginError {
    /// The text that was given.
    pub found: String,
    /// What is wrong with it.
    pub kind: OriginFault,
}

/// What is wrong with the text of an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OriginFault {
    /// No scheme, or one that is neither of the two.
    #[error("it must start with `https://` or `http://`")]
    Scheme,
    /// Something after the host and the port, or user information before them.
    #[error("it must be a scheme, a host and perhaps a port, nothing else")]
    Extra,
    /// Not a host name and not an address.
    #[error("the host is not a name or an address")]
    Host,
    /// A `*` that is not one whole label of a longer name, or a second one.
    #[error("`*` must stand for one whole label of a longer name, once, and not for the last one")]
    Wildcard,
    /// Not a port.
    #[error("the port must be 1 to 65535")]
    Port,
}

/// The domain under which the components of an app find one another.
pub const INSIDE: &str = "internal";

impl HostPattern {
    /// Whether it names components of the app.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        match self {
            Self::Name(name) | Self::Wildcard(name) => name.rsplit('.').next() == Some(INSIDE),
            Self::Address(_) => false,
        }
    }
}

impl HttpOrigin {
    /// Reads an origin.
    ///
    /// # Errors
    /// When the scheme is missing or unknown, the host is not valid, the port is not 1 to 65535, or anything follows.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        parse_origin(text).map_err(|kind| OriginError { found: text.to_owned(), kind })
    }

    /// Whether a request to this place is covered. `host` is as in a URL: an IPv6 address stands in brackets.
    #[must_use]
    pub fn allows(&self, scheme: Scheme, host: &str, port: u16) -> bool {
        self.scheme == scheme && self.port == port && self.host.matches(host)
    }
}

impl HostPattern {
    /// Whether this host is covered, in any case, with or without a dot at its end.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        match self {
            Self::Name(name) => name.eq_ignore_ascii_case(host),
            Self::Wildcard(pattern) => {
                let mut labels = host.split('.');
                let mut pairs = pattern.split('.').map(|wanted| (wanted, labels.next()));
                pairs.all(|(wanted, label)| label.is_some_and(|label| is_label_covered(wanted, label)))
                    && labels.next().is_none()
            }
            Self::Address(address) => parse_address(host) == Some(*address),
        }
    }

    /// The name, when only one is meant.
    #[must_use]
    pub fn as_name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Wildcard(_) | Self::Address(_) => None,
        }
    }
}

impl Scheme {
    /// The scheme as text.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that is meant when none is written.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

fn is_label_covered(wanted: &str, label: &str) -> bool {
    match wanted {
        "*" => !label.is_empty(),
        _ => wanted.eq_ignore_ascii_case(label),
    }
}

fn parse_origin(text: &str) -> Result<HttpOrigin, OriginFault> {
    let (scheme, rest) = text.split_once("://").ok_or(OriginFault::Scheme)?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return Err(OriginFault::Scheme),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#', '@']) {
        return Err(OriginFault::Extra);
    }
    let host_end = match rest.find(']') {
        Some(bracket) => bracket + 1,
        None => rest.find(':').unwrap_or(rest.len()),
    };
    let (host, port) = rest.split_at(host_end);
    let port = match port {
        "" => scheme.default_port(),
        port => port.strip_prefix(':').and_then(parse_port).ok_or(OriginFault::Port)?,
    };
    Ok(HttpOrigin { scheme, host: parse_pattern(host)?, port })
}

fn parse_pattern(text: &str) -> Result<HostPattern, OriginFault> {
    if let Some(address) = parse_address(text) {
        return Ok(HostPattern::Address(address));
    }
    if !text.contains('*') {
        return match is_host_name(text) {
            true => Ok(HostPattern::Name(text.to_ascii_lowercase().into())),
            false => Err(OriginFault::Host),
        };
    }
    let stars = text.split('.').filter(|label| label.contains('*'));
    let whole = stars.clone().all(|label| label == "*");
    if !whole || stars.count() != 1 || text.ends_with('*') {
        return Err(OriginFault::Wildcard);
    }
    match is_host_name(&text.replacen('*', "x", 1)) {
        true => Ok(HostPattern::Wildcard(text.to_ascii_lowercase().into())),
        false => Err(OriginFault::Host),
    }
}

/// An address as it stands in a URL: IPv4 with dots, IPv6 in brackets.
fn parse_address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse().ok().map(IpAddr::V4),
    }
}

/// A port, 1 to 65535, in decimal digits alone.
pub(super) fn parse_port(digits: &str) -> Option<u16> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| plain && *port > 0)
}

/// Whether this can be a host name: labels of letters, digits, `-` and `_`, and not something that URL parsers
/// would read as an IPv4 address.
pub(crate) fn is_host_name(text: &str) -> bool {
    let label_is_valid = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let numeric = |label: &str| {
        label.bytes().all(|byte| byte.is_ascii_digit()) || label.starts_with("0x") || label.starts_with("0X")
    };
    text.len() <= 253 && text.split('.').all(label_is_valid) && !text.rsplit('.').next().is_some_and(numeric)
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) | Self::Wildcard(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Display for HttpOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.label(), self.host)?;
        if self.port == self.scheme.default_port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl FromStr for HttpOrigin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for HttpOrigin {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Self, OriginError> {
        Self::parse(&text)
    }
}

impl From<HttpOrigin> for String {
    fn from(origin: HttpOrigin) -> Self {
        origin.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_read_and_written_alike() {
        for text in [
            "https://api.example.com",
            "http://localhost:8080",
            "https://*.example.org:8443",
            "http://127.0.0.1:9",
            "https://[::1]",
            "https://[2001:db8::1]:8443",
            "http://a.*.internal",
            "https://my_host",
        ] {
            assert_eq!(HttpOrigin::parse(text).map(|origin| origin.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(HttpOrigin::parse("https://API.example.com:443/").unwrap().to_string(), "https://api.example.com");
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, kind) in [
            ("", OriginFault::Scheme),
            ("example.com", OriginFault::Scheme),
            ("ftp://a", OriginFault::Scheme),
            ("https://a/path", OriginFault::Extra),
            ("https://u@a", OriginFault::Extra),
            ("https://a?q", OriginFault::Extra),
            ("https://", OriginFault::Host),
            ("https://a..b", OriginFault::Host),
            ("https://a b", OriginFault::Host),
            ("https://[::g]", OriginFault::Host),
            ("https://1.2.3", OriginFault::Host),
            ("https://0x7f.1", OriginFault::Host),
            ("https://é.com", OriginFault::Host),
            ("https://*", OriginFault::Wildcard),
            ("https://a*.com", OriginFault::Wildcard),
            ("https://*.*.com", OriginFault::Wildcard),
            ("https://example.*", OriginFault::Wildcard),
            ("https://a:0", OriginFault::Port),
            ("https://a:", OriginFault::Port),
            ("https://a:70000", OriginFault::Port),
            ("https://a:+80", OriginFault::Port),
            ("https://[::1]80", OriginFault::Port),
        ] {
            assert_eq!(HttpOrigin::parse(text).unwrap_err().kind, kind, "{text}");
        }
    }

    #[test]
    fn only_the_named_place_is_allowed() {
        let check = |origin: &str, host: &str, expect: bool| {
            let origin = HttpOrigin::parse(origin).unwrap();
            assert_eq!(origin.allows(Scheme::Https, host, 443), expect, "{origin} {host}");
        };
        check("https://api.example.com", "API.Example.com", true);
        check("https://api.example.com", "api.example.com.", true);
        check("https://api.example.com", "xapi.example.com", false);
        check("https://api.example.com", "api.example.com.evil.test", false);
        check("https://*.example.com", "a.example.com", true);
        check("https://*.example.com", "a.b.example.com", false);
        check("https://*.example.com", "example.com", false);
        check("https://*.example.com", ".example.com", false);
        check("https://[::1]", "[0:0:0:0:0:0:0:1]", true);
        check("https://[::1]", "[::2]", false);
        check("https://api.example.com:8443", "api.example.com", false);
        check("http://api.example.com:443", "api.example.com", false);
    }
}
