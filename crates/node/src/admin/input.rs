//! What handlers are given: parsed once, with a problem that says what is wrong.

use super::fault::Fault;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use cumulet_control::IdempotencyKey;
use cumulet_spec::api::{IDEMPOTENCY_KEY, PAGE_MAX, ProblemKind};
use cumulet_spec::id::{AppId, AppName, TenantId};
use http::request::Parts;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::str::FromStr;
use utoipa::IntoParams;

/// The largest document that is read, in bytes.
const DOCUMENT_BYTES_MAX: usize = 4 << 20;

/// A body in JSON.
#[derive(Debug)]
pub(super) struct Document<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Document<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, _: &S) -> Result<Self, Fault> {
        let bytes = read(request, DOCUMENT_BYTES_MAX).await?;
        let value = serde_json::from_slice(&bytes).map_err(|error| {
            Fault::new(ProblemKind::Invalid, format!("the body is not what is expected here: {error}"))
                .next("see /v1/openapi.json for its form")
        })?;
        Ok(Self(value))
    }
}

/// Reads a body whole.
pub(super) async fn read(request: Request, bytes_max: usize) -> Result<bytes::Bytes, Fault> {
    axum::body::to_bytes(request.into_body(), bytes_max).await.map_err(|_too_large_or_broken| {
        Fault::new(ProblemKind::TooLarge, format!("the body has more than {bytes_max} bytes, or did not come whole"))
            .next("send less at once")
    })
}

/// The names in a path.
#[derive(Debug)]
pub(super) struct Names(HashMap<String, String>);

impl Names {
    /// One of them. A name that nothing can have is one that nothing has.
    pub(super) fn get<T: FromStr>(&self, key: &str) -> Result<T, Fault> {
        self.0.get(key).and_then(|text| text.parse().ok()).ok_or_else(|| Fault::not_found(&format!("such {key}")))
    }

    pub(super) fn tenant(&self) -> Result<TenantId, Fault> {
        self.get("tenant")
    }

    pub(super) fn app(&self) -> Result<AppId, Fault> {
        Ok(AppId { tenant: self.tenant()?, app: self.get::<AppName>("app")? })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Names {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let path = Path::<HashMap<String, String>>::from_request_parts(parts, state).await;
        Ok(Self(path.map_err(|_| Fault::not_found("such place"))?.0))
    }
}

/// What stands behind the `?`.
#[derive(Debug)]
pub(super) struct Params<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        let Query(value) = Query::try_from_uri(&parts.uri).map_err(|error| {
            Fault::new(ProblemKind::Invalid, format!("the query is not what is expected here: {}", error.body_text()))
                .next("see /v1/openapi.json for its form")
        })?;
        Ok(Self(value))
    }
}

/// Which part of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PageParams {
    /// `next` of the part before.
    pub(super) after: Option<String>,
    /// The most entries; 100 if absent.
    #[param(minimum = 1, maximum = 1000)]
    pub(super) limit: Option<usize>,
}

impl PageParams {
    pub(super) fn limit(&self) -> Result<usize, Fault> {
        match self.limit {
            None => Ok(100),
            Some(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
            Some(limit) => {
                Err(Fault::new(ProblemKind::Invalid, format!("limit is {limit}, and 1 to {PAGE_MAX} can be")))
            }
        }
    }

    /// Where it begins.
    pub(super) fn after<T: FromStr>(&self) -> Result<Option<T>, Fault> {
        let after = self.after.as_deref().filter(|after| !after.is_empty());
        let nowhere = || Fault::new(ProblemKind::NotFound, "no part of this list begins there");
        let parsed = after.map(str::parse).transpose();
        parsed.map_err(|_| nowhere().next("send `next` of the part before as `after`, or leave it out"))
    }
}

/// What the client calls its request.
#[derive(Debug)]
pub(super) struct Key(pub(super) Option<IdempotencyKey>);

impl<S: Send + Sync> FromRequestParts<S> for Key {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        let Some(value) = parts.headers.get(IDEMPOTENCY_KEY) else { return Ok(Self(None)) };
        let key = value.to_str().ok().and_then(|text| IdempotencyKey::parse(text).ok());
        let invalid = || Fault::new(ProblemKind::Invalid, cumulet_control::IdempotencyKeyError.to_string());
        Ok(Self(Some(key.ok_or_else(invalid)?)))
    }
}
