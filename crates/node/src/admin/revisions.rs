//! The revisions of an app.

use super::api::Api;
use super::caller::Caller;
use super::fault::Answer;
use super::input::{Names, PageParams, Params};
use super::view::{self, blocking};
use axum::Json;
use axum::extract::State;
use cumulet_control::{RevisionNumber, RevisionRef};
use cumulet_spec::api::{Page, Problem, RevisionDetail, RevisionView};
use cumulet_spec::id::Digest;
use cumulet_spec::token::Scope;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
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
        let rows = api.ship.apps.tell(|registry| registry.revisions(&id.tenant, &id.app, after, limit))?;
        let next = rows.last().filter(|_| rows.len() == limit).map(|row| row.number.to_string());
        let mut items = Vec::new();
        for row in rows {
            // One that is damaged does not hide the others.
            let number = RevisionRef::Number(row.number);
            let read = api.ship.apps.tell(|registry| registry.revision(&id.tenant, &id.app, &number));
            items.extend(read.ok().map(|(row, revision)| view::revision(row, &revision)));
        }
        Ok(Json(Page { items, next }))
    })
    .await
}

/// A revision: its components, what they may use and reach, and where they answer.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/apps/{app}/revisions/{revision}", tag = "revisions",
    params(("tenant" = String, Path), ("app" = String, Path),
        ("revision" = String, Path, description = "Its number, `r7`, or 8 or more hex digits of its digest.")),
    responses(
    (status = 200, body = RevisionDetail),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn show(State(api): State<Arc<Api>>, caller: Caller, names: Names) -> Answer<Json<RevisionDetail>> {
    let (id, wanted) = (names.app()?, names.get::<RevisionRef>("revision")?);
    blocking(move || {
        caller.may(&api, Scope::Read, &id.tenant)?;
        let (row, revision) = api.ship.apps.tell(|registry| registry.revision(&id.tenant, &id.app, &wanted))?;
        let components = &api.ship.apps.workshop.components;
        let digests = revision.components.values().map(|parts| parts.digest);
        let bytes: BTreeMap<Digest, u64> =
            digests.filter_map(|digest| Some((digest, components.length(&digest)?))).collect();
        Ok(Json(RevisionDetail::of(view::revision(row, &revision), &revision, &bytes)))
    })
    .await
}
