//! The revisions of an app.

use super::api::Api;
use super::caller::Caller;
use super::fault::Answer;
use super::input::{Names, PageParams, Params};
use super::view::{self, blocking};
use axum::Json;
use axum::extract::State;
use cumulet_control::{RevisionNumber, RevisionRef};
use cumulet_spec::api::{Page, Problem, RevisionView};
use cumulet_spec::token::Scope;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// The revisions of an app that are kept, the newest first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/apps/{app}/revisions", tag = "revisions",
    params(("tenant" = String, Path), ("app" = String, Path), PageParams), responses(
    (status = 200, body = Page<RevisionView>),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    names: Names,
    Params(page): Params<PageParams>,
) -> Answer<Json<Page<RevisionView>>> {
    let (id, after, limit) = (names.app()?, page.after::<RevisionNumber>()?, page.limit()?);
    blocking(move || {
        caller.may(&api, Scope::Read, &id.tenant)?;
        let rows = api.registry().revisions(&id.tenant, &id.app, after, limit)?;
        let next = rows.last().filter(|_| rows.len() == limit).map(|row| row.number.to_string());
        let mut items = Vec::new();
        for row in rows {
            // One that is damaged does not hide the others.
            let read = api.registry().revision(&id.tenant, &id.app, &RevisionRef::Number(row.number));
            items.extend(read.ok().map(|(row, revision)| view::revision(row, &revision)));
        }
        Ok(Json(Page { items, next }))
    })
    .await
}
