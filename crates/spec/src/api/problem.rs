//! What went wrong, as RFC 9457 has it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::GrantLine;

/// What kind of thing went wrong. A client decides by it; the status follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// The request is not what the API expects.
    Invalid,
    /// The manifest or a component cannot be deployed as it is.
    Unfit,
    /// There is no token, or none that is valid.
    Unauthorized,
    /// The token does not allow it.
    Forbidden,
    /// It is not there, or not this token's to know of.
    NotFound,
    /// The method does not exist here.
    Method,
    /// It contradicts what is there.
    Conflict,
    /// There was a change that the client has not seen.
    Generation,
    /// The revision would get grants that the one before did not have.
    GrantsGained,
    /// Bytes are not what their digest says, or an upload does not go on where it ended.
    Upload,
    /// It is larger than what is taken.
    TooLarge,
    /// Too many attempts; later again.
    TooMany,
    /// The node is busy or stops; later again.
    Busy,
    /// The node's own fault.
    Internal,
}

impl ProblemKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Invalid,
        Self::Unfit,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Method,
        Self::Conflict,
        Self::Generation,
        Self::GrantsGained,
        Self::Upload,
        Self::TooLarge,
        Self::TooMany,
        Self::Busy,
        Self::Internal,
    ];

    /// The status of the response.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Invalid => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Method => 405,
            Self::Conflict | Self::Generation | Self::GrantsGained | Self::Upload => 409,
            Self::TooLarge => 413,
            Self::Unfit => 422,
            Self::TooMany => 429,
            Self::Internal => 500,
            Self::Busy => 503,
        }
    }

    /// A short text for people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Invalid => "the request is not valid",
            Self::Unfit => "this cannot be deployed",
            Self::Unauthorized => "a valid token is needed",
            Self::Forbidden => "the token does not allow this",
            Self::NotFound => "not found",
            Self::Method => "the method is not allowed here",
            Self::Conflict => "this contradicts what is there",
            Self::Generation => "the app has changed meanwhile",
            Self::GrantsGained => "the revision would gain grants",
            Self::Upload => "the upload does not fit",
            Self::TooLarge => "too large",
            Self::TooMany => "too many attempts",
            Self::Busy => "the node is busy",
            Self::Internal => "the node failed",
        }
    }
}

/// What went wrong: the body of every response that is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// What kind of thing.
    #[serde(rename = "type")]
    pub kind: ProblemKind,
    /// A short text for people.
    pub title: String,
    /// The status of the response.
    pub status: u16,
    /// What exactly, where, and why.
    pub detail: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The request, as the node's log has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The grants that would be gained.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<GrantLine>,
}

impl Problem {
    /// A problem of a kind.
    #[must_use]
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            title: kind.title().to_owned(),
            status: kind.status(),
            detail: detail.into(),
            next: None,
            request_id: None,
            grants: Vec::new(),
        }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }
}
