//! The node, and who asks.

use super::api::Api;
use super::caller::Caller;
use super::view;
use axum::Json;
use axum::extract::State;
use cumulet_spec::api::{NodeView, Problem, WhoAmI};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(show)).routes(routes!(who))
}

/// The node.
#[utoipa::path(get, path = "/v1", tag = "node", responses(
    (status = 200, body = NodeView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn show(State(api): State<Arc<Api>>, _: Caller) -> Json<NodeView> {
    let config = api.ship.apps.workshop.accounts.config();
    Json(NodeView {
        name: config.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        domain: config.domain.clone(),
        url: api.url.clone(),
    })
}

/// Whose token this is, and what it may do.
#[utoipa::path(get, path = "/v1/whoami", tag = "node", responses(
    (status = 200, body = WhoAmI),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn who(Caller(bearer): Caller) -> Json<WhoAmI> {
    Json(view::who(&bearer))
}
