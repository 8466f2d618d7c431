//! Deploys: asked for, followed.

use super::api::{Api, Attempt};
use super::caller::Caller;
use super::fault::{Answer, Fault};
use super::input::{Document, Key, Names, PageParams, Params};
use super::view::blocking;
use crate::ship::{Asked, Asker};
use axum::Json;
use axum::extract::State;
use cumulet_control::DeployRow;
use cumulet_spec::api::{DeployRequest, DeployView, Page, Plan, Problem, ProblemKind};
use cumulet_spec::deploy::DeployId;
use cumulet_spec::id::AppId;
use cumulet_spec::token::Scope;
use http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The longest that a request waits for a deploy to go on, in seconds.
const WAIT_S_MAX: u64 = 30;
/// The longest note, in characters.
const NOTE_CHARS_MAX: usize = 200;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list, begin)).routes(routes!(show)).routes(routes!(plan))
}

/// The deploys of an app that are kept, the newest first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/apps/{app}/deploys", tag = "deploys",
    params(("tenant" = String, Path), ("app" = String, Path), PageParams), responses(
    (status = 200, body = Page<DeployView>),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    names: Names,
    Params(page): Params<PageParams>,
) -> Answer<Json<Page<DeployView>>> {
    let (id, limit) = (names.app()?, page.limit()?);
    blocking(move || {
        caller.may(&api, Scope::Read, &id.tenant)?;
        let rows = api.ship.apps.tell(|registry| registry.deploys(&id.tenant, &id.app, limit))?;
        Ok(Json(Page { items: rows.into_iter().map(|row| api.deploy_view(row)).collect(), next: None }))
    })
    .await
}

/// Begins a deploy: it goes on by itself, also over a restart of the node. What runs is only replaced once the new
/// revision was compiled, linked and probed.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/apps/{app}/deploys", tag = "deploys",
    params(("tenant" = String, Path), ("app" = String, Path)), request_body = DeployRequest, responses(
    (status = 202, body = DeployView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn begin(
    State(api): State<Arc<Api>>,
    caller: Caller,
    names: Names,
    key: Key,
    Document(request): Document<DeployRequest>,
) -> Answer<(StatusCode, Json<DeployView>)> {
    let id = names.app()?;
    if request.note.as_ref().is_some_and(|note| note.chars().count() > NOTE_CHARS_MAX) {
        return Err(Fault::new(ProblemKind::Invalid, format!("the note has more than {NOTE_CHARS_MAX} characters")));
    }
    blocking(move || {
        caller.may(&api, Scope::Deploy, &id.tenant)?;
        let asker = Asker { id: id.clone(), by: caller.0.actor() };
        let row = api.ship.begin(Asked { asker, request, key: key.0 })?;
        let target = format!("{} {}", id.app, row.number);
        api.audit(Attempt { tenant: Some(&id.tenant), ..Attempt::by(&caller.0, "deploy.begin", &target) });
        Ok((StatusCode::ACCEPTED, Json(api.deploy_view(row))))
    })
    .await
}

/// What a deploy would change. Nothing is changed.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/apps/{app}/plan", tag = "deploys",
    params(("tenant" = String, Path), ("app" = String, Path)), request_body = DeployRequest, responses(
    (status = 200, body = Plan),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn plan(
    State(api): State<Arc<Api>>,
    caller: Caller,
    names: Names,
    Document(request): Document<DeployRequest>,
) -> Answer<Json<Plan>> {
    let id = names.app()?;
    blocking(move || {
        caller.may(&api, Scope::Deploy, &id.tenant)?;
        let asker = Asker { id, by: caller.0.actor() };
        Ok(Json(api.ship.intake(&Asked { asker, request, key: None })?.plan))
    })
    .await
}

/// How long to wait.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct WaitParams {
    /// How many phases the client has seen: the answer comes once there are more, or the deploy has ended.
    #[param(minimum = 0, maximum = 1000)]
    seen: Option<usize>,
    /// How long to wait for that, in seconds; not at all if absent.
    #[param(minimum = 0, maximum = 30)]
    wait: Option<u64>,
}

/// A deploy, at once or as soon as it goes on.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/apps/{app}/deploys/{id}", tag = "deploys",
    params(("tenant" = String, Path), ("app" = String, Path), ("id" = String, Path), WaitParams), responses(
    (status = 200, body = DeployView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    names: Names,
    Params(params): Params<WaitParams>,
) -> Answer<Json<DeployView>> {
    let (id, deploy) = (names.app()?, names.get::<DeployId>("id")?);
    caller.may(&api, Scope::Read, &id.tenant)?;
    let wait = params.wait.unwrap_or(0);
    if wait > WAIT_S_MAX {
        return Err(Fault::new(ProblemKind::Invalid, format!("wait is {wait}, and at most {WAIT_S_MAX} can be")));
    }
    let found = match wait {
        0 => api.ship.read(&deploy).await?,
        _ => api.ship.wait(&deploy, params.seen.unwrap_or(0), Duration::from_secs(wait)).await?,
    };
    let row = found.filter(|row| is_of(row, &id)).ok_or_else(|| Fault::not_found(&format!("deploy {deploy}")))?;
    Ok(Json(api.deploy_view(row)))
}

fn is_of(row: &DeployRow, id: &AppId) -> bool {
    row.tenant == id.tenant && row.app == id.app
}
