//! Works on one deploy until it is live, or cannot be.

use super::{Ship, probe};
use crate::apps::{Made, ReadyRevision, Spent, WakeError, make};
use crate::chain::chain;
use crate::furnish;
use crate::load::LoadErrorKind;
use cumulet_control::{
    DeployErrorKind, DeployRow, DeployStep, DesiredDeploy, Observation, ObservedDeploy, RegistryError, RevisionRef,
    reconcile,
};
use cumulet_spec::deploy::{DeployFailure, DeployPhase};
use cumulet_spec::id::{AppId, Digest};
use cumulet_spec::revision::Revision;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What is told when the fault is not the app's.
const TRY_AGAIN: &str = "deploy again; if it happens again, the node's log says more under `a deploy failed`";

/// One deploy under way.
struct Work<'a> {
    ship: &'a Arc<Ship>,
    row: DeployRow,
    id: AppId,
    revision: Arc<Revision>,
    observed: ObservedDeploy,
    /// Held until the end, so that the first request finds the code mapped.
    ready: Option<Arc<ReadyRevision>>,
}

/// Takes the steps that a deploy needs, in the order that [`reconcile`] says.
pub(super) async fn work(ship: &Arc<Ship>, row: DeployRow) {
    let Ok(_turn) = ship.turns.acquire().await else { return };
    let (deploy, app) = (row.id.clone(), AppId { tenant: row.tenant.clone(), app: row.app.clone() });
    if let Err(error) = run(ship, row).await {
        // It goes on after the next start: without the registry nothing can be noted.
        tracing::error!(%deploy, %app, error = %chain(&error), "a deploy failed");
    }
    ship.stepped();
}

async fn run(ship: &Arc<Ship>, row: DeployRow) -> Result<(), RegistryError> {
    let id = AppId { tenant: row.tenant.clone(), app: row.app.clone() };
    let revision = {
        let (ship, row) = (Arc::clone(ship), row.clone());
        blocking(move || {
            let found = ship.apps.registry.revision(&row.tenant, &row.app, &RevisionRef::Number(row.number));
            found.map(|(_, revision)| revision).map_err(|error| {
                let failure = DeployFailure::new(DeployPhase::Received, chain(&error), "deploy again");
                let _noted = ship.apps.registry.fail(&row.id, &failure, ship.now_us());
            })
        })
        .await
    };
    let Some(Ok(revision)) = revision else { return Ok(()) };
    let mut work =
        Work { ship, row, id, revision: Arc::new(revision), observed: ObservedDeploy::default(), ready: None };
    loop {
        work.observe().await?;
        let step = reconcile(&work.desired(), &work.observed);
        match &step {
            DeployStep::Done => return Ok(()),
            DeployStep::Compile(components) => work.compile(components).await,
            DeployStep::Link => work.link().await,
            DeployStep::Probe => work.probe().await,
            DeployStep::GoLive => work.go_live().await?,
            DeployStep::Refuse(_) | DeployStep::Fail(_) => return work.give_up(step.failure()).await,
        }
        ship.stepped();
    }
}

impl Work<'_> {
    fn desired(&self) -> DesiredDeploy {
        DesiredDeploy {
            components: self.revision.components.values().map(|component| component.digest).collect(),
            at_us: self.row.at_us,
            phase: self.row.phase,
        }
    }

    /// Looks at what is there, and notes in the row what was reached.
    async fn observe(&mut self) -> Result<(), RegistryError> {
        let (ship, revision, tenant) = (Arc::clone(self.ship), Arc::clone(&self.revision), self.id.tenant.clone());
        let seen = blocking(move || {
            let (mut blobs, mut compiled) = (BTreeSet::new(), BTreeSet::new());
            for component in revision.components.values() {
                if ship.apps.registry.has_blob(&tenant, &component.digest)? {
                    blobs.insert(component.digest);
                }
                if furnish::find(&ship.apps.workshop, component.digest, &component.limits).is_ok_and(|f| f.is_some()) {
                    compiled.insert(component.digest);
                }
            }
            Ok::<_, RegistryError>((blobs, compiled))
        })
        .await;
        if let Some(seen) = seen {
            (self.observed.blobs, self.observed.compiled) = seen?;
        }
        self.observed.now_us = self.ship.now_us();
        self.reached().await
    }

    /// The phases that what was observed amounts to, one after the other.
    async fn reached(&mut self) -> Result<(), RegistryError> {
        let is_compiled = self.desired().components.is_subset(&self.observed.compiled);
        let is_linked = is_compiled && self.observed.linked == Observation::Done;
        let is_probed = is_linked && self.observed.probed == Observation::Done;
        let phases =
            [(is_compiled, DeployPhase::Compiled), (is_linked, DeployPhase::Linked), (is_probed, DeployPhase::Probed)];
        for (is_reached, phase) in phases {
            if !is_reached || self.row.phase >= phase {
                continue;
            }
            let (ship, id, at_us) = (Arc::clone(self.ship), self.row.id.clone(), self.observed.now_us);
            match blocking(move || ship.apps.registry.advance(&id, phase, at_us)).await {
                Some(Ok(())) => self.row.phase = phase,
                Some(Err(error)) => return self.refused(error.kind),
                None => {}
            }
        }
        Ok(())
    }

    async fn compile(&mut self, components: &[Digest]) {
        let limits = self.revision.components.values().find(|component| components.contains(&component.digest));
        let Some(component) = limits else { return };
        let workshop = &self.ship.apps.workshop;
        let compiled = furnish::compile_again(workshop, &self.id.tenant, component.digest, &component.limits).await;
        if let Err(error) = compiled {
            self.observed.compiling = Observation::Failed(failure(DeployPhase::Compiled, &error));
        }
    }

    async fn link(&mut self) {
        let (ship, id, revision) = (Arc::clone(self.ship), self.id.clone(), Arc::clone(&self.revision));
        let digest = self.row.revision;
        let made = blocking(move || {
            let mut spent = Spent::default();
            make(&ship.apps.workshop, &id, (digest, &revision), (&ship.runtime, &mut spent))
        });
        match made.await {
            Some(Ok(Made::Ready(ready))) => {
                self.ready = Some(Arc::new(ready));
                self.observed.linked = Observation::Done;
            }
            // A compiled file went away meanwhile: what is observed next says so.
            Some(Ok(Made::Uncompiled(_))) | None => {}
            Some(Err(error)) => self.observed.linked = Observation::Failed(unlinked(&error)),
        }
    }

    async fn probe(&mut self) {
        let Some(ready) = &self.ready else {
            self.observed.linked = Observation::Open;
            return;
        };
        let host = self.ship.apps.host_of(&self.id);
        let probed = probe::probe(&self.ship.serving, &host, &self.revision, &ready.routes).await;
        self.observed.probed = match probed {
            Ok(()) => Observation::Done,
            Err(failure) => Observation::Failed(failure),
        };
    }

    async fn go_live(&mut self) -> Result<(), RegistryError> {
        let (ship, id, at_us) = (Arc::clone(self.ship), self.row.id.clone(), self.ship.now_us());
        match blocking(move || ship.apps.registry.go_live(&id, at_us)).await {
            Some(Ok(_)) => {
                self.row.phase = DeployPhase::Live;
                self.ship.changed(&self.id);
                Ok(())
            }
            Some(Err(error)) => self.refused(error.kind),
            None => Ok(()),
        }
    }

    /// The registry does not work, or does not want this deploy to go on.
    fn refused(&mut self, kind: DeployErrorKind) -> Result<(), RegistryError> {
        match kind {
            DeployErrorKind::Change(cumulet_control::ChangeErrorKind::Registry(error)) => Err(error),
            DeployErrorKind::Ended { phase } => {
                self.row.phase = phase;
                Ok(())
            }
            kind => {
                let failure = DeployFailure::new(DeployPhase::Live, chain(&kind), "look at the app, and deploy again");
                self.observed.live = Observation::Failed(failure);
                Ok(())
            }
        }
    }

    async fn give_up(&mut self, failure: Option<DeployFailure>) -> Result<(), RegistryError> {
        let Some(failure) = failure else { return Ok(()) };
        tracing::warn!(deploy = %self.row.id, app = %self.id, phase = %failure.phase, error = %failure.message, "a deploy was given up");
        let (ship, id, at_us) = (Arc::clone(self.ship), self.row.id.clone(), self.ship.now_us());
        match blocking(move || ship.apps.registry.fail(&id, &failure, at_us)).await {
            Some(Err(error)) => self.refused(error.kind),
            Some(Ok(())) | None => Ok(()),
        }
    }
}

fn unlinked(error: &WakeError) -> DeployFailure {
    match error {
        WakeError::Component { component, kind, .. } => {
            let inner = failure(DeployPhase::Linked, kind);
            DeployFailure::new(inner.phase, format!("component `{component}`: {}", inner.message), inner.next)
        }
        other => DeployFailure::new(DeployPhase::Linked, chain(other), TRY_AGAIN),
    }
}

fn failure(phase: DeployPhase, kind: &LoadErrorKind) -> DeployFailure {
    let next = match kind {
        LoadErrorKind::Compile(error) if error.fault() == cumulet_spec::outcome::Fault::Guest => {
            "make the component smaller or build it anew; `cumulet check` looks at it whole"
        }
        LoadErrorKind::Inspect(_) | LoadErrorKind::NotAHandler | LoadErrorKind::Prepare(_) => {
            "run `cumulet check`: it shows what the component imports and exports"
        }
        LoadErrorKind::Profile(_) | LoadErrorKind::Unbound(_) => "change the grants in the manifest, and deploy again",
        LoadErrorKind::Value(_) => "set the value on the node, and deploy again",
        LoadErrorKind::Roots(_) => "look at the files of `[app] roots`, and deploy again",
        _ => TRY_AGAIN,
    };
    DeployFailure::new(phase, chain(kind), next)
}

/// Runs what blocks on a thread for it; nothing if the node stops meanwhile.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
