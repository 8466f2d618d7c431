//! What goes wrong becomes a problem.

use crate::chain::chain;
use crate::deploy::DeployError;
use crate::logs::LogError;
use crate::ship::IntakeError;
use crate::usage::LedgerError;
use axum::response::{IntoResponse, Response};
use cumulet_artifact::UploadError;
use cumulet_control::{
    BlobError, ChangeError, ChangeErrorKind, FindError, RegistryError, RevisionError, RevisionErrorKind,
    RevisionRefError, TenantError, TenantErrorKind, TokenError, TokenErrorKind,
};
use cumulet_spec::api::{Problem, ProblemKind};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};

/// What a handler returns that did not do what was asked.
#[derive(Debug)]
pub(super) struct Fault(pub(super) Box<Problem>);

/// What a handler returns.
pub(super) type Answer<T> = Result<T, Fault>;

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl Fault {
    pub(super) fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Problem::new(kind, detail).into()
    }

    pub(super) fn next(self, next: &str) -> Self {
        self.0.next(next).into()
    }

    /// What is not there, or is somebody else's: whoever asks cannot tell which.
    pub(super) fn not_found(what: &str) -> Self {
        Self::new(ProblemKind::NotFound, format!("there is no {what}, or it is not this token's"))
            .next("look at the list; `GET /v1/whoami` says what this token reaches")
    }

    /// Our own failure: the client learns that it happened, the log what.
    fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %chain(error), "a request of the API failed");
        Self::new(ProblemKind::Internal, "the node could not do this; its log says why")
            .next("try again; the log of the node has the cause under this request's id")
    }

    pub(super) fn interrupted() -> Self {
        Self::new(ProblemKind::Busy, "the node stops").next("try again in a moment")
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.0.kind == ProblemKind::Unauthorized {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"cumulet\""));
        }
        if matches!(self.0.kind, ProblemKind::TooMany | ProblemKind::Busy) {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("3"));
        }
        response
    }
}

impl From<RegistryError> for Fault {
    fn from(error: RegistryError) -> Self {
        Self::internal(&error)
    }
}

impl From<LogError> for Fault {
    fn from(error: LogError) -> Self {
        Self::internal(&error)
    }
}

impl From<LedgerError> for Fault {
    fn from(error: LedgerError) -> Self {
        Self::internal(&error)
    }
}

impl From<FindError> for Fault {
    fn from(error: FindError) -> Self {
        match error {
            FindError::Registry(error) => error.into(),
            damaged => Self::new(ProblemKind::Conflict, chain(&damaged)),
        }
    }
}

impl From<ChangeError> for Fault {
    fn from(error: ChangeError) -> Self {
        let kind = match &error.kind {
            ChangeErrorKind::Registry(_) => return Self::internal(&error),
            ChangeErrorKind::Generation { .. } => ProblemKind::Generation,
            ChangeErrorKind::NotDeployed => ProblemKind::NotFound,
            ChangeErrorKind::RevisionTooLarge { .. } => ProblemKind::TooLarge,
            _ => ProblemKind::Conflict,
        };
        Self::new(kind, chain(&error))
    }
}

impl From<RevisionError> for Fault {
    fn from(error: RevisionError) -> Self {
        let kind = match &error.kind {
            RevisionErrorKind::Registry(_) => return Self::internal(&error),
            RevisionErrorKind::Unknown { .. } => ProblemKind::NotFound,
            RevisionErrorKind::Ambiguous { .. } | RevisionErrorKind::Find(_) => ProblemKind::Conflict,
        };
        Self::new(kind, chain(&error))
    }
}

impl From<RevisionRefError> for Fault {
    fn from(error: RevisionRefError) -> Self {
        Self::new(ProblemKind::Invalid, error.to_string())
    }
}

impl From<TenantError> for Fault {
    fn from(error: TenantError) -> Self {
        let kind = match &error.kind {
            TenantErrorKind::Registry(_) => return Self::internal(&error),
            TenantErrorKind::Unknown => ProblemKind::NotFound,
            TenantErrorKind::Generation { .. } => ProblemKind::Generation,
            _ => ProblemKind::Conflict,
        };
        Self::new(kind, chain(&error))
    }
}

impl From<TokenError> for Fault {
    fn from(error: TokenError) -> Self {
        let kind = match &error.kind {
            TokenErrorKind::Registry(_) => return Self::internal(&error),
            TokenErrorKind::Unknown => ProblemKind::NotFound,
            TokenErrorKind::Exists | TokenErrorKind::TooMany | TokenErrorKind::LastAdmin => ProblemKind::Conflict,
        };
        Self::new(kind, chain(&error))
    }
}

impl From<BlobError> for Fault {
    fn from(error: BlobError) -> Self {
        Self::new(ProblemKind::Conflict, chain(&error))
    }
}

impl From<UploadError> for Fault {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::Io(_) => Self::internal(&error),
            UploadError::Length { .. } => Self::new(ProblemKind::TooLarge, error.to_string()),
            other => Self::new(ProblemKind::Upload, other.to_string()),
        }
    }
}

impl From<IntakeError> for Fault {
    fn from(error: IntakeError) -> Self {
        let (kind, next) = match error {
            IntakeError::Find(error) => return error.into(),
            IntakeError::Change(error) => return error.into(),
            IntakeError::Registry(error) => return error.into(),
            IntakeError::Grants(grants) => {
                let text = IntakeError::Grants(grants.clone()).to_string();
                let problem = Problem::new(ProblemKind::GrantsGained, text);
                let next = "look at `grants`, and send the same with `accept_grants: true` (`--accept-grants`)";
                return Problem { grants, ..problem }.next(next).into();
            }
            IntakeError::Fit(DeployError::Registry(error)) => return error.into(),
            IntakeError::Lost => (ProblemKind::Busy, "deploy again"),
            IntakeError::Missing(_) => (ProblemKind::Unfit, "send them as blobs, and deploy again"),
            IntakeError::Manifest(_) => {
                (ProblemKind::Unfit, "mend the manifest; `cumulet check` shows it with its places")
            }
            IntakeError::Denied { .. } => (ProblemKind::Unfit, "change the manifest, and deploy again"),
            IntakeError::Fit(DeployError::Host { .. }) => (
                ProblemKind::Forbidden,
                "ask the admin of the node for the host (`cumulet tenant put`), or leave it out",
            ),
            IntakeError::Signature(_) => {
                (ProblemKind::Forbidden, "sign the app as it is now (`cumulet sign`) with a key that the tenant trusts")
            }
            IntakeError::Fit(_) => (ProblemKind::Unfit, "lower the limit in the manifest, or ask for a larger quota"),
            IntakeError::App { .. }
            | IntakeError::NoSuchComponent(_)
            | IntakeError::NoDigest(_)
            | IntakeError::Value { .. }
            | IntakeError::Roots { .. }
            | IntakeError::Percent(_) => {
                (ProblemKind::Invalid, "mend the request; `cumulet deploy` sends it as it should be")
            }
        };
        Self::new(kind, chain(&error)).next(next)
    }
}
