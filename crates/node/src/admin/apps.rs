//! Apps, and where their traffic goes.

use super::api::{Api, Attempt};
use super::caller::Caller;
use super::fault::{Answer, Fault};
use super::input::{Document, Key, Names, PageParams, Params};
use super::view::blocking;
use axum::Json;
use axum::extract::State;
use cumulet_control::{ChangeNumber, Remove, RevisionRef, Rollback, SetTraffic};
use cumulet_spec::api::{AppView, Page, Problem, ProblemKind, RollbackRequest, TrafficRequest};
use cumulet_spec::id::{AppId, AppName, Digest};
use cumulet_spec::token::Scope;
use cumulet_spec::traffic::{Arm, CookieName, HeaderRule, Percent, Sticky, Traffic};
use http::StatusCode;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, remove))
        .routes(routes!(traffic, set_traffic))
        .routes(routes!(rollback))
}

/// The apps of a tenant, in the order of their names.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/apps", tag = "apps",
    params(("tenant" = String, Path), PageParams), responses(
    (status = 200, body = Page<AppView>),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    names: Names,
    Params(page): Params<PageParams>,
) -> Answer<Json<Page<AppView>>> {
    let (tenant, after, limit) = (names.tenant()?, page.after::<AppName>()?, page.limit()?);
    blocking(move || {
        caller.may(&api, Scope::Read, &tenant)?;
        let rows = api.registry().tenant_apps(&tenant, after.as_ref(), limit)?;
        let next = rows.last().filter(|_| rows.len() == limit).map(|row| row.app.to_string());
        // One that is damaged, or was removed since, does not hide the others.
        let view = |app| api.app_view(&AppId { tenant: tenant.clone(), app }).ok();
        Ok(Json(Page { items: rows.into_iter().filter_map(|row| view(row.app)).collect(), next }))
    })
    .await
}

/// An app.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/apps/{app}", tag = "apps",
    params(("tenant" = String, Path), ("app" = String, Path)), responses(
    (status = 200, body = AppView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn show(State(api): State<Arc<Api>>, caller: Caller, names: Names) -> Answer<Json<AppView>> {
    let id = names.app()?;
    blocking(move || {
        caller.may(&api, Scope::Read, &id.tenant)?;
        Ok(Json(api.app_view(&id)?))
    })
    .await
}

/// Removes an app with its revisions. What it kept in stores stays.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/apps/{app}", tag = "apps",
    params(("tenant" = String, Path), ("app" = String, Path)), responses(
    (status = 204, description = "It is gone."),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn remove(State(api): State<Arc<Api>>, caller: Caller, names: Names, key: Key) -> Answer<StatusCode> {
    let id = names.app()?;
    blocking(move || {
        caller.may(&api, Scope::Deploy, &id.tenant)?;
        let remove = Remove {
            tenant: id.tenant.clone(),
            app: id.app.clone(),
            by: caller.0.actor(),
            at_us: api.ship.now_us(),
            idempotency_key: key.0,
            expected_generation: None,
        };
        api.ship.change(&id, |registry| registry.remove(&remove))?;
        api.audit(Attempt { tenant: Some(&id.tenant), ..Attempt::by(&caller.0, "app.remove", id.app.as_str()) });
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Which revisions answer.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/apps/{app}/traffic", tag = "traffic",
    params(("tenant" = String, Path), ("app" = String, Path)), responses(
    (status = 200, body = AppView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn traffic(api: State<Arc<Api>>, caller: Caller, names: Names) -> Answer<Json<AppView>> {
    show(api, caller, names).await
}

/// Says which revisions answer, from the next request on.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/apps/{app}/traffic", tag = "traffic",
    params(("tenant" = String, Path), ("app" = String, Path)), request_body = TrafficRequest, responses(
    (status = 200, body = AppView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn set_traffic(
    State(api): State<Arc<Api>>,
    caller: Caller,
    names: Names,
    key: Key,
    Document(request): Document<TrafficRequest>,
) -> Answer<Json<AppView>> {
    let id = names.app()?;
    blocking(move || {
        caller.may(&api, Scope::Deploy, &id.tenant)?;
        let traffic = read_traffic(&api, &id, &request)?;
        let set = SetTraffic {
            tenant: id.tenant.clone(),
            app: id.app.clone(),
            traffic,
            at_us: api.ship.now_us(),
            by: caller.0.actor(),
            idempotency_key: key.0,
            expected_generation: request.expected_generation.map(ChangeNumber),
        };
        api.ship.change(&id, |registry| registry.set_traffic(&set))?;
        api.audit(Attempt { tenant: Some(&id.tenant), ..Attempt::by(&caller.0, "traffic.set", id.app.as_str()) });
        Ok(Json(api.app_view(&id)?))
    })
    .await
}

/// Back to the traffic as it was before it was last changed, or all of it to one revision.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/apps/{app}/rollback", tag = "traffic",
    params(("tenant" = String, Path), ("app" = String, Path)), request_body = RollbackRequest, responses(
    (status = 200, body = AppView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn rollback(
    State(api): State<Arc<Api>>,
    caller: Caller,
    names: Names,
    key: Key,
    Document(request): Document<RollbackRequest>,
) -> Answer<Json<AppView>> {
    let id = names.app()?;
    blocking(move || {
        caller.may(&api, Scope::Deploy, &id.tenant)?;
        let rollback = Rollback {
            tenant: id.tenant.clone(),
            app: id.app.clone(),
            to: request.revision.as_deref().map(RevisionRef::parse).transpose()?,
            at_us: api.ship.now_us(),
            by: caller.0.actor(),
            idempotency_key: key.0,
            expected_generation: request.expected_generation.map(ChangeNumber),
        };
        api.ship.change(&id, |registry| registry.rollback(&rollback))?;
        api.audit(Attempt { tenant: Some(&id.tenant), ..Attempt::by(&caller.0, "traffic.rollback", id.app.as_str()) });
        Ok(Json(api.app_view(&id)?))
    })
    .await
}

fn read_traffic(api: &Api, id: &AppId, request: &TrafficRequest) -> Answer<Traffic> {
    let digest = |text: &str| -> Answer<Digest> {
        let (row, _) = api.registry().revision(&id.tenant, &id.app, &RevisionRef::parse(text)?)?;
        Ok(row.digest)
    };
    let invalid = |error: &dyn std::error::Error| Fault::new(ProblemKind::Invalid, error.to_string());
    let mut arms = Vec::new();
    for arm in &request.traffic {
        let percent = Percent::new(arm.percent.into()).map_err(|error| invalid(&error))?;
        arms.push(Arm { revision: digest(&arm.revision)?, percent });
    }
    let mut rules = Vec::new();
    for rule in &request.headers {
        let parsed = HeaderRule::new(&rule.name, &rule.value, digest(&rule.revision)?);
        rules.push(parsed.map_err(|error| invalid(&error))?);
    }
    let cookie = request.sticky.as_deref().map(CookieName::parse).transpose().map_err(|error| invalid(&error))?;
    Traffic::new(arms, rules, cookie.map(|cookie| Sticky { cookie })).map_err(|error| invalid(&error))
}
