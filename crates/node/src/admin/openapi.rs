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

#[cfg(test)]
mod tests {
    use super::*;

    /// Written anew with `INSTA_UPDATE=always`, so that a change of the API is seen as one.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test is told by its environment, as the others are by `insta`")]
    fn the_description_that_is_checked_in_is_this_one() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
        let text = document().to_pretty_json().unwrap() + "\n";
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            std::fs::write(&path, &text).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == text, "docs/openapi.json is another one: see INSTA_UPDATE=always in CONTRIBUTING.md");
    }

    #[test]
    fn every_place_tells_of_its_problems() {
        let document = serde_json::to_value(document()).unwrap();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, place) in methods.as_object().unwrap() {
                let responses = place["responses"].as_object().unwrap();
                let is_open = path == "/v1/openapi.json";
                assert!(is_open || responses.contains_key("4XX"), "{method} {path}");
                assert!(place["summary"].is_string(), "{method} {path} says nothing of itself");
            }
        }
    }
}
