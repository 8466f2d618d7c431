//! Whose log is meant, where an app's name alone is said.

use cumulet_node::logs::{LogQuery, LogReader};
use cumulet_spec::api::{LogPage, ProblemKind, UsageView, WhoAmI};
use cumulet_spec::id::{AppId, AppName, TenantId};

use super::reading::{resource, unreadable};
use crate::client::{CallError, Client, Resource};
use crate::exit::Exit;
use crate::failure::Failure;

/// Names that are suggested in the place of one that is not known.
const NEAR_MAX: usize = 3;

/// The app of this name whose log lies in a folder: the tenant's, or the only one.
pub(super) fn in_folder(
    reader: &LogReader,
    (tenant, app): (Option<&TenantId>, &AppName),
) -> Result<AppId, Box<Failure>> {
    let wanted = AppId { tenant: tenant.cloned().unwrap_or_else(TenantId::local), app: app.clone() };
    let apps = reader.apps().map_err(|error| unreadable(&error))?;
    if apps.contains(&wanted) {
        return Ok(wanted);
    }
    let others = apps.into_iter().filter(|known| tenant.is_none() && known.app == *app);
    match only(app, others.map(|known| known.tenant))? {
        Some(tenant) => Ok(AppId { tenant, ..wanted }),
        None => {
            let near = reader.near(&wanted).map_err(|error| unreadable(&error))?;
            Err(unknown(&wanted, &near))
        }
    }
}

/// The app of this name on a node: the tenant's, the token's, that of `local`, or the only one.
pub(super) async fn on_node(
    client: &Client,
    who: &WhoAmI,
    (tenant, app): (Option<&TenantId>, &AppName),
) -> Result<AppId, Box<Failure>> {
    let of = |tenant: TenantId| AppId { tenant, app: app.clone() };
    if let Some(tenant) = tenant.or(who.tenant.as_ref()) {
        return Ok(of(tenant.clone()));
    }
    let local = of(TenantId::local());
    let probe = LogQuery { limit: 1, ..LogQuery::all(local.clone()) };
    let error = match client.get::<LogPage>(&resource(&probe, None)).await {
        Ok(_page) => return Ok(local),
        Err(error) => error,
    };
    let failure = |error: CallError| error.failure("cannot show the log");
    if error.kind() != Some(ProblemKind::NotFound) {
        return Err(failure(error));
    }
    // The ledger knows each app from its first request on, as logs do.
    let used = Resource::usage().asking("app", app).asking("by", "tenant");
    let tenants = match client.get::<UsageView>(&used).await {
        Ok(used) => used.rows.into_iter().filter_map(|row| row.tenant.flatten()).collect(),
        Err(error) if error.kind() == Some(ProblemKind::NotFound) => Vec::new(),
        Err(error) => return Err(failure(error)),
    };
    match only(app, tenants.into_iter())? {
        Some(tenant) => Ok(of(tenant)),
        None => Err(failure(error)),
    }
}

/// The one tenant of all that have such an app, if any has.
fn only(app: &AppName, mut tenants: impl Iterator<Item = TenantId>) -> Result<Option<TenantId>, Box<Failure>> {
    let Some(first) = tenants.next() else { return Ok(None) };
    let rest: Vec<TenantId> = tenants.collect();
    if rest.is_empty() {
        return Ok(Some(first));
    }
    let names: Vec<String> = std::iter::once(&first).chain(&rest).map(|tenant| format!("`{tenant}`")).collect();
    let what = format!("more than one tenant has an app `{app}`: {}", names.join(", "));
    Err(Failure::new(Exit::USAGE, what).next("say whose with --tenant"))
}

fn unknown(wanted: &AppId, near: &[AppId]) -> Box<Failure> {
    let failure = Failure::new(Exit::FAILED, format!("there is no log of app `{wanted}`"))
        .why("a log begins with the app's first request, and may have been removed to make room for newer ones");
    match near {
        [] => failure.next("check the name and the tenant"),
        near => {
            let command = |app: &AppId| match &app.tenant {
                local if *local == TenantId::local() => format!("`cumulet logs {}`", app.app),
                tenant => format!("`cumulet logs {} --tenant {tenant}`", app.app),
            };
            let commands: Vec<String> = near.iter().take(NEAR_MAX).map(command).collect();
            failure.next(format!("did you mean {}?", commands.join(" or ")))
        }
    }
}
