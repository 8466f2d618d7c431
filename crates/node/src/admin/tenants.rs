//! Tenants.

use super::api::{Api, Attempt};
use super::caller::Caller;
use super::fault::{Answer, Fault};
use super::input::{Document, Names, PageParams, Params};
use super::view::{self, blocking};
use axum::Json;
use axum::extract::State;
use cumulet_control::{Host, PutTenant};
use cumulet_spec::api::{Page, Problem, ProblemKind, TenantRequest, TenantView};
use cumulet_spec::id::TenantId;
use cumulet_spec::token::Scope;
use http::StatusCode;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show, put, remove))
}

/// The tenants that an admin made, in the order of their names; those of the node's file are not among them.
#[utoipa::path(get, path = "/v1/tenants", tag = "tenants", params(PageParams), responses(
    (status = 200, body = Page<TenantView>),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(page): Params<PageParams>,
) -> Answer<Json<Page<TenantView>>> {
    caller.may_on_node(Scope::Read)?;
    let (after, limit) = (page.after::<TenantId>()?, page.limit()?);
    blocking(move || {
        let rows = api.registry().tenants(after.as_ref(), limit)?;
        let next = rows.last().filter(|_| rows.len() == limit).map(|row| row.tenant.to_string());
        Ok(Json(Page { items: rows.iter().map(view::tenant).collect(), next }))
    })
    .await
}

/// A tenant.
#[utoipa::path(get, path = "/v1/tenants/{tenant}", tag = "tenants", params(("tenant" = String, Path)), responses(
    (status = 200, body = TenantView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn show(State(api): State<Arc<Api>>, caller: Caller, names: Names) -> Answer<Json<TenantView>> {
    let tenant = names.tenant()?;
    blocking(move || {
        caller.may(&api, Scope::Read, &tenant)?;
        let mut shown = match api.registry().tenant(&tenant)? {
            Some(row) => view::tenant(&row),
            None => TenantView { tenant: tenant.clone(), hosts: Vec::new() },
        };
        let config = api.ship.apps.workshop.accounts.config();
        shown.hosts.extend(config.tenants.get(&tenant).iter().flat_map(|named| named.hosts.iter().cloned()));
        Ok(Json(shown))
    })
    .await
}

/// Makes a tenant, or gives it other hosts.
#[utoipa::path(put, path = "/v1/tenants/{tenant}", tag = "tenants", params(("tenant" = String, Path)),
    request_body = TenantRequest, responses(
    (status = 200, body = TenantView),
    (status = 201, body = TenantView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn put(
    State(api): State<Arc<Api>>,
    caller: Caller,
    names: Names,
    Document(request): Document<TenantRequest>,
) -> Answer<(StatusCode, Json<TenantView>)> {
    caller.may_on_node(Scope::Admin)?;
    let tenant = names.tenant()?;
    let hosts = request.hosts.iter().map(|host| Host::parse(host)).collect::<Result<Vec<Host>, _>>();
    let hosts = hosts.map_err(|error| Fault::new(ProblemKind::Invalid, error.to_string()))?;
    let config = api.ship.apps.workshop.accounts.config();
    let named =
        |host: &Host| config.tenants.iter().find(|(_, other)| other.hosts.iter().any(|own| own == host.as_str()));
    if let Some((host, (other, _))) = hosts.iter().find_map(|host| named(host).map(|other| (host, other)))
        && *other != tenant
    {
        let detail = format!("host {host} is granted to tenant {other} in the node's file");
        return Err(Fault::new(ProblemKind::Conflict, detail).next("take it from that one first"));
    }
    blocking(move || {
        let put = PutTenant {
            tenant: tenant.clone(),
            hosts,
            by: caller.0.actor(),
            at_us: api.ship.now_us(),
            expected_generation: None,
        };
        let changed = api.registry().put_tenant(&put)?;
        api.audit(Attempt { tenant: Some(&tenant), ..Attempt::by(&caller.0, "tenant.put", tenant.as_str()) });
        let row = api.registry().tenant(&tenant)?.ok_or_else(|| Fault::not_found(&format!("tenant {tenant}")))?;
        let status = if changed.is_new { StatusCode::CREATED } else { StatusCode::OK };
        Ok((status, Json(view::tenant(&row))))
    })
    .await
}

/// Removes a tenant without apps.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}", tag = "tenants", params(("tenant" = String, Path)), responses(
    (status = 204, description = "It is gone."),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn remove(State(api): State<Arc<Api>>, caller: Caller, names: Names) -> Answer<StatusCode> {
    caller.may_on_node(Scope::Admin)?;
    let tenant = names.tenant()?;
    blocking(move || {
        api.registry().remove_tenant(&tenant, &caller.0.actor(), api.ship.now_us())?;
        api.audit(Attempt { tenant: Some(&tenant), ..Attempt::by(&caller.0, "tenant.remove", tenant.as_str()) });
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
