//! What apps used.

use super::api::Api;
use super::caller::Caller;
use super::fault::{Answer, Fault};
use super::input::Params;
use super::view::blocking;
use crate::usage::{Comparison, Dimension, Question, Report, ReportError, Window};
use axum::Json;
use axum::extract::State;
use cumulet_spec::api::{Problem, ProblemKind, UsageView};
use cumulet_spec::id::{AppName, TenantId};
use cumulet_spec::token::Scope;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(show))
}

/// Of what.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct UsageParams {
    /// What one tenant used; by default what this token reaches.
    #[param(value_type = Option<String>)]
    tenant: Option<TenantId>,
    /// What apps of this name used.
    #[param(value_type = Option<String>)]
    app: Option<AppName>,
    /// What was admitted from then on, in microseconds since 1970, rounded down to the minute.
    since_us: Option<u64>,
    /// What was admitted before then, likewise.
    until_us: Option<u64>,
    /// By what rows are told apart, with commas: `tenant`, `app`, `component`, `revision`, `outcome`; the first three if
    /// absent.
    by: Option<String>,
    /// Whether to estimate what the same work would cost at list prices of Lambda, Workers and Fastly.
    #[serde(default)]
    compare: bool,
}

/// What apps used, from the ledger: requests, executed time, memory-time, egress, rejections.
#[utoipa::path(get, path = "/v1/usage", tag = "usage", params(UsageParams), responses(
    (status = 200, body = UsageView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn show(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(params): Params<UsageParams>,
) -> Answer<Json<UsageView>> {
    let compare = params.compare;
    let mut question = params.question()?;
    question.tenant = question.tenant.or_else(|| caller.0.reach.tenant().cloned());
    let _turn = api.readings.acquire().await.map_err(|_closed| Fault::interrupted())?;
    let there = Arc::clone(&api);
    blocking(move || {
        match &question.tenant {
            Some(tenant) => caller.may(&there, Scope::Read, tenant)?,
            None => caller.may_on_node(Scope::Read)?,
        }
        let data = &there.ship.apps.workshop.data_dir;
        let report = there.report(&question)?;
        let compared = compare.then(|| Comparison::read(data, &question)).transpose()?;
        Ok(Json(report.view(&question, compared.as_ref())))
    })
    .await
}

impl UsageParams {
    fn question(self) -> Answer<Question> {
        let invalid = |detail: String| Fault::new(ProblemKind::Invalid, detail);
        let by = match self.by {
            None => vec![Dimension::Tenant, Dimension::App, Dimension::Component],
            Some(text) => dimensions(&text).map_err(|name| {
                let known = Dimension::ALL.map(Dimension::label).join(", ");
                invalid(format!("rows cannot be told apart by {name:?}")).next(&format!("{known} can be"))
            })?,
        };
        let window = Window::new(self.since_us, self.until_us)
            .map_err(|error| invalid(error.to_string()).next("let `until_us` be at least a minute after `since_us`"))?;
        Ok(Question { tenant: self.tenant, app: self.app, window, by })
    }
}

/// The dimensions of these names in the order of a report's columns; or a name that none has.
fn dimensions(text: &str) -> Result<Vec<Dimension>, String> {
    let names: Vec<&str> = text.split(',').filter(|name| !name.is_empty()).collect();
    let is_known = |name: &&str| Dimension::ALL.iter().any(|dimension| dimension.label() == *name);
    match names.iter().find(|name| !is_known(name)) {
        Some(unknown) => Err((*unknown).to_owned()),
        None => Ok(Dimension::ALL.into_iter().filter(|dimension| names.contains(&dimension.label())).collect()),
    }
}

impl Api {
    /// What is there and has used nothing has an empty report. Blocks.
    fn report(&self, question: &Question) -> Answer<Report> {
        let data = &self.ship.apps.workshop.data_dir;
        let error = match Report::read(data, question) {
            Ok(report) => return Ok(report),
            Err(ReportError::Ledger(error)) => return Err(error.into()),
            Err(error @ ReportError::Unknown { .. }) => error,
        };
        let is_there = match (&question.tenant, &question.app) {
            (Some(tenant), Some(app)) => self.registry().find(tenant, app)?.is_some(),
            // That there is such a tenant was looked at before; what other tenants are called is not this one's business.
            (Some(_), None) => true,
            (None, _) => false,
        };
        if is_there {
            return Ok(Report::sum(data, question)?);
        }
        let fault = Fault::new(ProblemKind::NotFound, error.to_string());
        match error {
            ReportError::Unknown { what: "app", nearest: Some(nearest), .. } => {
                Err(fault.next(&format!("did you mean `{nearest}`?")))
            }
            ReportError::Unknown { .. } | ReportError::Ledger(_) => {
                Err(fault.next("leave `app` out to see all that used something"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_told_apart_as_asked() {
        let check = |text: &str, expect: Result<Vec<Dimension>, String>| assert_eq!(dimensions(text), expect, "{text}");
        check("", Ok(Vec::new()));
        check("outcome,tenant,outcome", Ok(vec![Dimension::Tenant, Dimension::Outcome]));
        check("app,minute", Err("minute".to_owned()));
    }
}
