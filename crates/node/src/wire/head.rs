//! What crosses besides bodies: header fields, the head of a response, and the end of an invocation.

use cumulet_gateway::Rejection;
use cumulet_spec::outcome::Outcome;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Header fields: names in lower case and values, in order, repeated where they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Fields(pub(super) Vec<(String, Vec<u8>)>);

/// The head of a response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ResponseHead {
    pub(super) status: u16,
    pub(super) headers: Fields,
    /// Bytes of the body, where all of it is known already.
    pub(super) body_bytes: Option<u64>,
}

/// How an invocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ending {
    pub(super) outcome: Outcome,
    /// When a retry may help, where it was turned away.
    pub(super) retry_after_ms: Option<u64>,
}

impl Fields {
    pub(super) fn of(map: &HeaderMap) -> Self {
        Self(map.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_owned())).collect())
    }

    pub(super) fn to_map(&self) -> Result<HeaderMap, http::Error> {
        let mut map = HeaderMap::with_capacity(self.0.len());
        for (name, value) in &self.0 {
            map.append(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_bytes(value)?);
        }
        Ok(map)
    }
}

impl ResponseHead {
    pub(super) fn of<B: http_body::Body>(response: &http::Response<B>) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: Fields::of(response.headers()),
            body_bytes: response.body().size_hint().exact(),
        }
    }

    pub(super) fn to_response<B>(&self, body: B) -> Result<http::Response<B>, http::Error> {
        let mut response = http::Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status)?;
        *response.headers_mut() = self.headers.to_map()?;
        Ok(response)
    }
}

impl From<Outcome> for Ending {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, retry_after_ms: None }
    }
}

impl From<Rejection> for Ending {
    fn from(rejection: Rejection) -> Self {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self { outcome: rejection.outcome, retry_after_ms: rejection.retry_after.map(millis) }
    }
}

impl From<Ending> for Rejection {
    fn from(ending: Ending) -> Self {
        Self { outcome: ending.outcome, retry_after: ending.retry_after_ms.map(Duration::from_millis) }
    }
}
