//! Who did what.

use super::api::Api;
use super::caller::Caller;
use super::fault::{Answer, Fault};
use super::input::{PageParams, Params};
use super::view::{self, blocking};
use axum::Json;
use axum::extract::State;
use cumulet_control::{AuditFilter, AuditNumber};
use cumulet_spec::api::{AuditView, Page, Problem, ProblemKind};
use cumulet_spec::id::TenantId;
use cumulet_spec::token::Scope;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct AuditParams {
    /// Those about one tenant's things; by default those about what this token reaches.
    tenant: Option<String>,
    /// `next` of the part before.
    after: Option<String>,
    /// The most entries; 100 if absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// The audit log, the newest entries first: what was done, and what was refused.
#[utoipa::path(get, path = "/v1/audit", tag = "audit", params(AuditParams), responses(
    (status = 200, body = Page<AuditView>),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(params): Params<AuditParams>,
) -> Answer<Json<Page<AuditView>>> {
    let page = PageParams { after: params.after, limit: params.limit };
    let (before, limit) = (page.after::<u64>()?.map(AuditNumber), page.limit()?);
    let tenant = params.tenant.map(|text| text.parse::<TenantId>()).transpose();
    let tenant = tenant.map_err(|error| Fault::new(ProblemKind::Invalid, error.to_string()))?;
    let tenant = tenant.or_else(|| caller.0.reach.tenant().cloned());
    blocking(move || {
        match &tenant {
            Some(tenant) => caller.may(&api, Scope::Admin, tenant)?,
            None => caller.may_on_node(Scope::Admin)?,
        }
        let rows = api.registry().audits(&AuditFilter { tenant }, before, limit)?;
        let next = rows.last().filter(|_| rows.len() == limit).map(|row| row.number.0.to_string());
        Ok(Json(Page { items: rows.into_iter().map(view::audit).collect(), next }))
    })
    .await
}
