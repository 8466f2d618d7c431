//! A document: its value, and where each part of it stands in the text.

use serde_json::Value;

/// The most bytes that a request's body may have.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// How deep a document may be nested.
pub const DEPTH_MAX: usize = 64;
/// How large a document may become once its aliases are written out: one for each value, and one for every 16 bytes of
/// text in it.
pub const SIZE_MAX: usize = 200_000;

/// A line and a column in a text, both from 1. Columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Where a value stands, and where the values inside it do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Where the value begins.
    pub place: Place,
    /// What is inside.
    pub inside: Inside,
}

/// What is inside a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inside {
    /// Nothing: it is a number, a text, or the like.
    Nothing,
    /// The items of a sequence.
    Items(Vec<Spot>),
    /// The members of a mapping: names, where they stand, and their values.
    Members(Vec<(String, Place, Spot)>),
}

/// A value with the places of its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The value.
    pub value: Value,
    /// The places.
    pub spot: Spot,
}

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JSON (RFC 8259).
    Json,
    /// YAML 1.2 with its core schema.
    Yaml,
}

/// Why a text is no document.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}, at line {}, column {}", .place.line, .place.column)]
pub struct Malformed {
    /// What is wrong, as a fragment.
    pub message: String,
    /// Where.
    pub place: Place,
}

impl Malformed {
    pub(crate) fn new(message: impl Into<String>, place: Place) -> Self {
        Self { message: message.into(), place }
    }
}

impl Format {
    /// Chooses by the content type, and where that says nothing, by the first character.
    #[must_use]
    pub fn detect(content_type: Option<&str>, text: &str) -> Self {
        let named = content_type.unwrap_or_default();
        if named.contains("json") {
            Self::Json
        } else if named.contains("yaml") {
            Self::Yaml
        } else if text.trim_start().starts_with(['{', '[']) {
            Self::Json
        } else {
            Self::Yaml
        }
    }
}

impl Document {
    /// Reads a text.
    ///
    /// # Errors
    /// When it is malformed, nested too deeply, or too large once its aliases are written out.
    pub fn parse(text: &str, format: Format) -> Result<Self, Malformed> {
        match format {
            Format::Json => crate::json::parse(text),
            Format::Yaml => crate::yaml::parse(text),
        }
    }

    /// A member of the document, with its places.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name)?.clone();
        let Inside::Members(members) = &self.spot.inside else { return None };
        let (.., spot) = members.iter().find(|(key, ..)| key == name)?;
        Some(Self { value, spot: spot.clone() })
    }
}

impl Spot {
    /// Where the value under a JSON pointer stands. Where the pointer leads nowhere, the last place on the way.
    #[must_use]
    pub fn find(&self, pointer: &str) -> &Spot {
        pointer.split('/').skip(1).try_fold(self, |spot, step| spot.step(step).ok_or(spot)).unwrap_or_else(|last| last)
    }

    fn step(&self, step: &str) -> Option<&Spot> {
        match &self.inside {
            Inside::Nothing => None,
            Inside::Items(items) => items.get(step.parse::<usize>().ok()?),
            Inside::Members(members) => {
                let name = step.replace("~1", "/").replace("~0", "~");
                members.iter().find(|(key, ..)| *key == name).map(|(.., spot)| spot)
            }
        }
    }

    /// Where the name of a member stands.
    #[must_use]
    pub fn name(&self, name: &str) -> Option<Place> {
        let Inside::Members(members) = &self.inside else { return None };
        members.iter().find(|(key, ..)| key == name).map(|(_, place, _)| *place)
    }
}
