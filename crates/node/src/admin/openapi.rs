//! The description of the API, made of the handlers themselves: `docs/openapi.json` and `/v1/openapi.json`.

use super::api::{Api, parts};
use axum::Json;
use std::sync::Arc;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cumulet",
        description = "The admin API of a node. Errors are problems (RFC 9457) whose `type` says what kind.",
        version = "1",
    ),
    security(("token" = [])),
)]
struct Document;

/// Every place with its handler and its description.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    let mut document = Document::openapi();
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("cumulet_ID_SECRET").build();
    document.components.get_or_insert_default().add_security_scheme("token", SecurityScheme::Http(scheme));
    let start = OpenApiRouter::with_openapi(document).routes(routes!(describe));
    parts().into_iter().fold(start, OpenApiRouter::merge)
}

/// The description of the API, in OpenAPI.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    routes().into_openapi()
}

/// This description.
#[utoipa::path(get, path = "/v1/openapi.json", tag = "node", security(()), responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
async fn describe() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}
