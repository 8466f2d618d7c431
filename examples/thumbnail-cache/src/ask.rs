//! Which thumbnail is asked for, and what it is called in the store.

use guest_http::{Query, Url, UrlError};
use sha2::{Digest, Sha256};

/// The most pixels that a thumbnail is wide.
pub const WIDTH_MAX: u32 = 1024;

/// A thumbnail: of which picture, and how wide at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thumbnail<'q> {
    /// Where the picture is.
    pub url: Url<'q>,
    /// Pixels in a row, at most.
    pub width: u32,
}

/// What a query lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// There is no URL, or no width.
    #[error("ask for /?url=URL&width=PIXELS")]
    Incomplete,
    /// The URL is none.
    #[error(transparent)]
    Url(UrlError),
    /// The width is no number, or too large.
    #[error("`width` can be a whole number from 1 to {WIDTH_MAX}")]
    Width,
}

/// The values of a query, decoded, for a [`Thumbnail`] to look into.
#[derive(Debug)]
pub struct Parameters {
    url: Option<String>,
    width: Option<String>,
}

impl Parameters {
    /// Takes the values out of a query.
    #[must_use]
    pub fn new(query: Query<'_>) -> Self {
        Self { url: query.get("url"), width: query.get("width") }
    }

    /// The thumbnail that they describe.
    ///
    /// # Errors
    /// When one is missing or wrong.
    pub fn thumbnail(&self) -> Result<Thumbnail<'_>, AskError> {
        let (url, width) = self.url.as_deref().zip(self.width.as_deref()).ok_or(AskError::Incomplete)?;
        let width = width.parse().ok().filter(|width| (1..=WIDTH_MAX).contains(width)).ok_or(AskError::Width)?;
        Ok(Thumbnail { url: Url::parse(url).map_err(AskError::Url)?, width })
    }
}

impl Thumbnail<'_> {
    /// What it is called in the store: a digest, as a URL is longer than a name may be and has other letters.
    #[must_use]
    pub fn name(&self) -> String {
        let text = format!("{} {}{}", self.width, self.url.origin(), self.url.path_and_query());
        let digest: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        digest + ".jpg"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(query: &str) -> Result<String, AskError> {
        Parameters::new(Query::new(query)).thumbnail().map(|thumbnail| thumbnail.name())
    }

    #[test]
    fn a_name_says_which_picture_and_how_wide() {
        let expect = name("url=http://a.example/b.jpg?c&width=160").unwrap();
        assert_eq!(expect, "d5feb3224a4abe69597b73eb6226f3e9429204dfdfea22126339827a73013766.jpg");
        assert_eq!(name("width=160&url=HTTP%3A%2F%2Fa.example%2Fb.jpg%3Fc%23top").unwrap(), expect);
        assert_ne!(name("url=http://a.example/b.jpg?c&width=161").unwrap(), expect);
        assert_ne!(name("url=http://a.example/b.jpg&width=160").unwrap(), expect);
    }

    #[test]
    fn refusals() {
        assert_eq!(name(""), Err(AskError::Incomplete));
        assert_eq!(name("url=http://a.example/"), Err(AskError::Incomplete));
        for width in ["0", "1025", "-1", "wide", ""] {
            assert_eq!(name(&format!("url=http://a.example/&width={width}")), Err(AskError::Width), "{width}");
        }
        assert_eq!(name("url=file:///etc/passwd&width=1"), Err(AskError::Url(UrlError::Scheme)));
    }
}
