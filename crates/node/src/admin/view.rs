//! Rows as the API shows them.

use super::api::Api;
use super::fault::{Answer, Fault};
use cumulet_control::{AuditRow, Bearer, DeployRow, RevisionNumber, RevisionRef, RevisionRow, TenantRow, TokenRow};
use cumulet_spec::api::{
    AppView, ArmView, AuditView, DeployView, HeaderView, PhaseView, RevisionView, TenantView, TokenView, WhoAmI,
};
use cumulet_spec::id::{AppId, Digest};
use cumulet_spec::revision::Revision;
use cumulet_spec::token::Reach;
use std::collections::BTreeMap;

pub(super) fn who(bearer: &Bearer) -> WhoAmI {
    WhoAmI {
        id: bearer.token.to_string(),
        name: bearer.name.to_string(),
        tenant: bearer.reach.tenant().cloned(),
        scope: bearer.scope,
    }
}

pub(super) fn token(row: &TokenRow) -> TokenView {
    let tenant = match &row.reach {
        Reach::Node => None,
        Reach::Tenant(tenant) => Some(tenant.clone()),
    };
    let who = WhoAmI { id: row.id.to_string(), name: row.name.to_string(), tenant, scope: row.scope };
    TokenView { who, made_us: row.at_us, by: row.by.to_string(), expires_us: row.expires_us }
}

pub(super) fn tenant(row: &TenantRow) -> TenantView {
    TenantView { tenant: row.tenant.clone(), hosts: row.hosts.iter().map(ToString::to_string).collect() }
}

pub(super) fn audit(row: AuditRow) -> AuditView {
    AuditView {
        number: row.number.0,
        at_us: row.at_us,
        who: row.who.to_string(),
        tenant: row.tenant,
        action: row.action,
        target: row.target,
        outcome: row.outcome.label().to_owned(),
        reason: row.reason,
    }
}

pub(super) fn revision(row: RevisionRow, revision: &Revision) -> RevisionView {
    RevisionView {
        revision: row.number.to_string(),
        digest: row.digest,
        version: revision.version.clone(),
        note: row.note,
        by: row.by.map(|by| by.to_string()).unwrap_or_default(),
        at_us: row.at_us,
        percent: row.percent,
        trial: row.trial,
    }
}

impl Api {
    pub(super) fn deploy_view(&self, row: DeployRow) -> DeployView {
        let id = AppId { tenant: row.tenant.clone(), app: row.app.clone() };
        DeployView {
            id: row.id.to_string(),
            urls: self.urls(&id, None),
            tenant: row.tenant,
            app: row.app,
            revision: row.number.to_string(),
            phase: row.phase,
            phases: row.phases.into_iter().map(|(phase, at_us)| PhaseView { phase, at_us }).collect(),
            failure: row.failure,
            by: row.by.to_string(),
        }
    }

    /// An app as it is now. Blocks.
    pub(super) fn app_view(&self, id: &AppId) -> Answer<AppView> {
        let found = self.ship.apps.tell(|registry| registry.find(&id.tenant, &id.app))?;
        let app = found.ok_or_else(|| Fault::not_found(&format!("app {}", id.app)))?;
        let mut names: BTreeMap<Digest, RevisionNumber> = BTreeMap::new();
        for digest in app.traffic.revisions() {
            let (row, _) = self.registry().revision(&id.tenant, &id.app, &RevisionRef::Digest(digest))?;
            names.insert(digest, row.number);
        }
        let name = |digest: &Digest| names.get(digest).map(ToString::to_string).unwrap_or_default();
        let arms = app.traffic.arms().iter();
        let rules = app.traffic.headers().iter();
        Ok(AppView {
            tenant: id.tenant.clone(),
            app: id.app.clone(),
            generation: app.generation.0,
            traffic: arms.map(|arm| ArmView { revision: name(&arm.revision), percent: arm.percent.get() }).collect(),
            headers: rules
                .map(|rule| HeaderView {
                    name: rule.name().to_string(),
                    value: rule.value().to_owned(),
                    revision: name(&rule.revision()),
                })
                .collect(),
            sticky: app.traffic.sticky().map(|sticky| sticky.cookie.to_string()),
            urls: self.urls(id, Some(&app.leading().revision)),
        })
    }

    /// Where an app answers: under the node's domain, and at the hosts of its routes.
    fn urls(&self, id: &AppId, revision: Option<&Revision>) -> Vec<String> {
        let own = self.ship.apps.host_of(id);
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("http", &self.url));
        let port = rest
            .trim_end_matches('/')
            .rsplit(':')
            .next()
            .filter(|port| !matches!((scheme, *port), ("http", "80") | ("https", "443")));
        let url = |host: &str| match port {
            Some(port) => format!("{scheme}://{host}:{port}/"),
            None => format!("{scheme}://{host}/"),
        };
        let mut urls = vec![url(&own)];
        for host in revision.iter().flat_map(|revision| &revision.routes).filter_map(|route| route.host.as_deref()) {
            let url = url(host);
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
        urls
    }
}

/// Runs what blocks on a thread for it.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Answer<T> + Send + 'static) -> Answer<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_stopping| Err(Fault::interrupted()))
}
