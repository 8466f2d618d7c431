//! What runs right now.

use super::api::Api;
use super::caller::Caller;
use super::fault::{Answer, Fault};
use super::input::Params;
use super::view::blocking;
use crate::pulse::{AppPulse, Sums};
use axum::Json;
use axum::extract::State;
use cumulet_control::RevisionRef;
use cumulet_spec::api::{
    LATENCY_BOUNDS_US, LIVE_APPS, LIVE_APPS_MAX, LiveApp, LiveNode, LiveRevision, LiveView, Problem, ProblemKind,
};
use cumulet_spec::id::{AppId, Digest, TenantId};
use cumulet_spec::outcome::Outcome;
use cumulet_spec::token::Scope;
use serde::Deserialize;
use std::cmp::Reverse;
use std::sync::Arc;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// How much of the memory of this process is resident: pages, in the second place.
const RESIDENT_FILE: &str = "/proc/self/statm";

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(live))
}

/// Of what.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LiveParams {
    /// Apps of this tenant only.
    tenant: Option<String>,
    /// The most apps; 200 if absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// What ran since the node started: counters, of which clients take differences.
#[utoipa::path(get, path = "/v1/live", tag = "node", params(LiveParams), responses(
    (status = 200, body = LiveView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn live(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Params(params): Params<LiveParams>,
) -> Answer<Json<LiveView>> {
    let limit = params.limit.unwrap_or(LIVE_APPS);
    if !(1..=LIVE_APPS_MAX).contains(&limit) {
        return Err(Fault::new(ProblemKind::Invalid, format!("limit is {limit}, and 1 to {LIVE_APPS_MAX} can be")));
    }
    let tenant = params.tenant.map(|text| text.parse::<TenantId>()).transpose();
    let tenant = tenant.map_err(|error| Fault::new(ProblemKind::Invalid, error.to_string()))?;
    let tenant = tenant.or_else(|| caller.0.reach.tenant().cloned());
    blocking(move || {
        match &tenant {
            Some(tenant) => caller.may(&api, Scope::Read, tenant)?,
            None => caller.may_on_node(Scope::Read)?,
        }
        let is_of_node = caller.0.may_on_node(Scope::Read);
        Ok(Json(api.live(tenant.as_ref(), is_of_node, limit)))
    })
    .await
}

impl Api {
    /// Blocks.
    fn live(&self, tenant: Option<&TenantId>, is_of_node: bool, limit: usize) -> LiveView {
        let pulse = self.ship.apps.workshop.pulse.as_ref();
        let wanted = |id: &AppId| tenant.is_none_or(|tenant| id.tenant == *tenant);
        let mut apps = pulse.map(|pulse| pulse.read(wanted)).unwrap_or_default();
        apps.sort_by(|(one, left), (other, right)| {
            (Reverse(left.all.executed_us), one).cmp(&(Reverse(right.all.executed_us), other))
        });
        apps.truncate(limit);
        LiveView {
            at_us: self.ship.now_us(),
            started_us: pulse.map(|pulse| pulse.started_us).unwrap_or_default(),
            node: is_of_node.then(|| self.live_node()),
            latency_bounds_us: LATENCY_BOUNDS_US.to_vec(),
            apps: apps.into_iter().map(|(id, pulse)| self.live_app(id, &pulse)).collect(),
        }
    }

    fn live_node(&self) -> LiveNode {
        let apps = &self.ship.apps;
        let (slots, loaded) = (apps.workshop.admission.slots(), apps.totals());
        let (cold_starts, cold_start_failures) = apps.cold.counts();
        LiveNode {
            slots: slots.capacity().into(),
            slots_in_use: slots.inside().into(),
            slots_waiting: slots.waiting().into(),
            loaded_apps: loaded.apps,
            loaded_bytes: loaded.bytes,
            evictions: loaded.evicted,
            cold_starts,
            cold_start_failures,
            events_dropped: apps.workshop.events.dropped(),
            memory_bytes: resident_bytes().unwrap_or_default(),
        }
    }

    fn live_app(&self, id: AppId, pulse: &AppPulse) -> LiveApp {
        let AppPulse { revisions, all, cold_starts, last_us } = pulse;
        let revisions = revisions.iter().map(|(digest, sums)| self.live_revision(&id, digest, sums)).collect();
        let outcomes = Outcome::ALL.iter().zip(all.outcomes).filter(|(_, count)| *count > 0);
        LiveApp {
            revisions,
            requests: all.requests(),
            errors: all.errors,
            outcomes: outcomes.map(|(outcome, count)| (outcome.label().to_owned(), count)).collect(),
            latency: all.latency.to_vec(),
            executed_us: all.executed_us,
            wall_us: all.wall_us,
            memory_peak_bytes: all.memory_peak_bytes,
            bytes_in: all.bytes_in,
            bytes_out: all.bytes_out,
            cold_starts: *cold_starts,
            last_us: *last_us,
            tenant: id.tenant,
            app: id.app,
        }
    }

    fn live_revision(&self, id: &AppId, digest: &Digest, sums: &Sums) -> LiveRevision {
        // One that was forgotten since is still known by its digest.
        let number = self.registry().revision_number(&id.tenant, &id.app, digest).ok().flatten();
        LiveRevision {
            revision: number.map_or_else(|| RevisionRef::Digest(*digest).to_string(), |number| number.to_string()),
            requests: sums.requests(),
            errors: sums.errors,
            latency: sums.latency.to_vec(),
            executed_us: sums.executed_us,
            wall_us: sums.wall_us,
        }
    }
}

/// The memory of this process that is resident, where the system says it.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string(RESIDENT_FILE).ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}
