//! The bytes of components, sent before a deploy names them.

use super::api::{Api, Attempt};
use super::caller::Caller;
use super::fault::{Answer, Fault};
use super::input::{Names, read};
use super::view::blocking;
use axum::Json;
use axum::extract::{Request, State};
use cumulet_artifact::Upload;
use cumulet_spec::api::{BlobView, Problem, ProblemKind, UPLOAD_LENGTH, UPLOAD_OFFSET, UPLOAD_PIECE_BYTES_MAX};
use cumulet_spec::id::Digest;
use cumulet_spec::token::Scope;
use http::HeaderMap;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// What one tenant may have sent, in bytes.
const TENANT_BYTES_MAX: u64 = 16 << 30;
/// The same in blobs.
const TENANT_BLOBS_MAX: u64 = 100_000;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(show, send))
}

/// How much of a component this tenant has sent. What other tenants have sent is not looked at.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/blobs/{digest}", tag = "blobs",
    params(("tenant" = String, Path), ("digest" = String, Path, example = "sha256:…")), responses(
    (status = 200, body = BlobView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn show(State(api): State<Arc<Api>>, caller: Caller, names: Names) -> Answer<Json<BlobView>> {
    let (tenant, digest) = (names.tenant()?, names.get::<Digest>("digest")?);
    blocking(move || {
        caller.may(&api, Scope::Read, &tenant)?;
        if let Some(bytes) = api.ship.apps.blob_bytes(&tenant, &digest)? {
            return Ok(Json(BlobView { digest, offset: bytes, complete: true }));
        }
        let offset = api.uploads.offset(&tenant, &digest).ok_or_else(|| Fault::not_found(&format!("blob {digest}")))?;
        Ok(Json(BlobView { digest, offset, complete: false }))
    })
    .await
}

/// Sends the next piece of a component, at most 8 MiB; the first one begins at 0, and the last one makes it complete.
#[utoipa::path(patch, path = "/v1/tenants/{tenant}/blobs/{digest}", tag = "blobs",
    params(
        ("tenant" = String, Path),
        ("digest" = String, Path, example = "sha256:…"),
        ("upload-offset" = u64, Header, description = "Where the piece begins, in bytes"),
        ("upload-length" = u64, Header, description = "How long the whole is, in bytes"),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 200, body = BlobView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn send(State(api): State<Arc<Api>>, caller: Caller, names: Names, request: Request) -> Answer<Json<BlobView>> {
    let (tenant, digest) = (names.tenant()?, names.get::<Digest>("digest")?);
    caller.may(&api, Scope::Deploy, &tenant)?;
    let at = (number(request.headers(), UPLOAD_OFFSET)?, number(request.headers(), UPLOAD_LENGTH)?);
    let piece = read(request, UPLOAD_PIECE_BYTES_MAX).await?;
    blocking(move || {
        if let Some(bytes) = api.ship.apps.blob_bytes(&tenant, &digest)? {
            return Ok(Json(BlobView { digest, offset: bytes, complete: true }));
        }
        let totals = api.registry().blob_totals(&tenant)?;
        if totals.bytes.saturating_add(at.1) > TENANT_BYTES_MAX || totals.blobs >= TENANT_BLOBS_MAX {
            let detail = format!("tenant {tenant} has sent {} components of {} bytes", totals.blobs, totals.bytes);
            return Err(Fault::new(ProblemKind::TooLarge, detail).next("remove apps that are not needed any more"));
        }
        let bytes = match api.uploads.append(&tenant, &digest, at, &piece)? {
            Upload::Open(offset) => return Ok(Json(BlobView { digest, offset, complete: false })),
            Upload::Complete(bytes) => bytes,
        };
        let offset = bytes.len() as u64;
        let _arriving = api.ship.apps.workshop.arrivals.blocking_read();
        api.ship.apps.workshop.components.put(&bytes).map_err(|error| {
            tracing::error!(error = %crate::chain::chain(&error), "a component cannot be kept");
            Fault::new(ProblemKind::Busy, "the node cannot keep the bytes; its disk may be full")
                .next("try again later")
        })?;
        api.registry().put_blob(&tenant, &digest, offset, api.ship.now_us())?;
        let target = digest.to_string();
        api.audit(Attempt { tenant: Some(&tenant), ..Attempt::by(&caller.0, "blob.send", &target) });
        Ok(Json(BlobView { digest, offset, complete: true }))
    })
    .await
}

fn number(headers: &HeaderMap, name: &'static str) -> Answer<u64> {
    let number = headers.get(name).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    number.ok_or_else(|| {
        Fault::new(ProblemKind::Invalid, format!("the header {name} is missing, or no number of bytes"))
            .next("a piece is sent with upload-offset and upload-length")
    })
}
