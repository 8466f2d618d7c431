//! An `http` or `https` URL, as far as a request needs it taken apart.

use std::fmt::{self, Display};

/// The most bytes that a URL may have.
pub const URL_BYTES_MAX: usize = 2048;

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
}

/// A URL whose parts were checked: it can stand in a header, in a page and in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Url<'t> {
    text: &'t str,
    scheme: Scheme,
    authority: &'t str,
    path_and_query: &'t str,
}

/// Why a text is no URL that is taken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlError {
    /// It is empty.
    Empty,
    /// It is longer than [`URL_BYTES_MAX`].
    TooLong,
    /// It has a space, a control character, or anything else that has to be percent-encoded.
    Letter,
    /// It starts with neither `http://` nor `https://`.
    Scheme,
    /// It has no host, or a user's name before it.
    Host,
}

impl Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the URL is empty"),
            Self::TooLong => write!(f, "a URL may have {URL_BYTES_MAX} bytes at most"),
            Self::Letter => f.write_str(
                "a URL has visible ASCII letters only; spaces, control characters and others have to be percent-encoded",
            ),
            Self::Scheme => f.write_str("a URL has to start with http:// or https://"),
            Self::Host => f.write_str("a URL needs a host after its scheme, without a user's name"),
        }
    }
}

impl std::error::Error for UrlError {}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl<'t> Url<'t> {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// When it is none, or one that is not taken here.
    pub fn parse(text: &'t str) -> Result<Self, UrlError> {
        if text.is_empty() {
            return Err(UrlError::Empty);
        }
        if text.len() > URL_BYTES_MAX {
            return Err(UrlError::TooLong);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(UrlError::Letter);
        }
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let scheme = [Scheme::Http, Scheme::Https].into_iter().find(|known| known.name().eq_ignore_ascii_case(scheme));
        let scheme = scheme.ok_or(UrlError::Scheme)?;
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
        // What stands before an `@` is often taken for the host by people, and never by browsers.
        let host = authority.split(':').next().unwrap_or_default();
        if host.is_empty() || authority.contains('@') || rest.starts_with('\\') {
            return Err(UrlError::Host);
        }
        let path_and_query = rest.split('#').next().unwrap_or_default();
        Ok(Self { text, scheme, authority, path_and_query })
    }

    /// The whole URL, as it was given.
    #[must_use]
    pub fn as_str(&self) -> &'t str {
        self.text
    }

    /// The scheme.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host, with its port where one is given.
    #[must_use]
    pub fn authority(&self) -> &'t str {
        self.authority
    }

    /// The path with its query, without the fragment: what a request is for.
    #[must_use]
    pub fn path_and_query(&self) -> String {
        let slash = if self.path_and_query.starts_with('/') { "" } else { "/" };
        format!("{slash}{}", self.path_and_query)
    }

    /// Scheme and authority: what a manifest grants.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme.name(), self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, expect: Result<(&str, &str), UrlError>) {
        let url = Url::parse(text);
        let parts = url.map(|url| (url.origin(), url.path_and_query()));
        assert_eq!(parts, expect.map(|(origin, path)| (origin.to_owned(), path.to_owned())), "{text}");
    }

    #[test]
    fn urls() {
        parts("https://a.example", Ok(("https://a.example", "/")));
        parts("HTTP://a.example:80/b/c?d=http://e/#f", Ok(("http://a.example:80", "/b/c?d=http://e/")));
        parts("http://a.example?b#c", Ok(("http://a.example", "/?b")));
        parts("http://[::1]:3000/x", Ok(("http://[::1]:3000", "/x")));
        parts("", Err(UrlError::Empty));
        parts("ftp://a.example/", Err(UrlError::Scheme));
        parts("javascript:alert(1)", Err(UrlError::Scheme));
        parts("https:///path", Err(UrlError::Host));
        parts("https://:80/", Err(UrlError::Host));
        parts("https://good.example@evil.example/", Err(UrlError::Host));
        parts("https://evil.example\\@good.example/", Err(UrlError::Host));
        parts("https://a.example/a b", Err(UrlError::Letter));
        parts("https://a.example/\r\nset-cookie:x", Err(UrlError::Letter));
        parts("https://a.example/é", Err(UrlError::Letter));
    }

    #[test]
    fn length() {
        let longest = format!("https://a.example/{}", "x".repeat(URL_BYTES_MAX - 18));
        assert!(Url::parse(&longest).is_ok());
        assert_eq!(Url::parse(&format!("{longest}x")), Err(UrlError::TooLong));
    }
}
