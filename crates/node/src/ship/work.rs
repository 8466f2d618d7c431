//! Works on one deploy until it is live, or cannot be.

use super::{Ship, probe};
use crate::apps::{Made, ReadyRevision, Spent, WakeError, make};
use crate::chain::chain;
use crate::compiler::CompileFailure;
use crate::deploy::fits_loaded;
use crate::furnish;
use crate::load::LoadErrorKind;
use crate::recipe::Recipe;
use cumulet_control::{
    ChangeErrorKind, DeployErrorKind, DeployRow, DeployStep, DesiredDeploy, Observation, ObservedDeploy, RegistryError,
    RevisionErrorKind, RevisionRef, reconcile,
};
use cumulet_spec::deploy::{DeployFailure, DeployPhase};
use cumulet_spec::id::{AppId, Digest};
use cumulet_spec::revision::Revision;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// What is told when the fault is not the app's.
const TRY_AGAIN: &str = "deploy again; if it happens again, look at the node's log";
/// The pause after the registry failed, which doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// See [`PAUSE_MIN`].
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// One deploy under way.
struct Work<'a> {
    ship: &'a Arc<Ship>,
    row: DeployRow,
    id: AppId,
    revision: Arc<Revision>,
    observed: ObservedDeploy,
    /// Held until the end, so that the first request finds the code mapped.
    ready: Option<Arc<ReadyRevision>>,
    /// Whether compiled files that are there, and do not load, were made anew.
    is_compiled_again: bool,
}

/// Takes the steps that a deploy needs, in the order that [`reconcile`] says.
///
/// Without the registry nothing can be noted: then it begins again after a pause, from what is there by then.
pub(super) async fn work(ship: &Arc<Ship>, row: DeployRow) {
    let mut pause = PAUSE_MIN;
    while let Err(error) = run(ship, row.clone()).await {
        let app = AppId { tenant: row.tenant.clone(), app: row.app.clone() };
        tracing::error!(deploy = %row.id, %app, error = %chain(&error), "a deploy waits for the registry");
        tokio::time::sleep(pause).await;
        pause = (2 * pause).min(PAUSE_MAX);
    }
    ship.stepped();
}

async fn run(ship: &Arc<Ship>, row: DeployRow) -> Result<(), RegistryError> {
    let id = AppId { tenant: row.tenant.clone(), app: row.app.clone() };
    let (revision, observed) = match read(ship, &row).await {
        Some(Ok(revision)) => (revision, ObservedDeploy::default()),
        Some(Err(RevisionErrorKind::Registry(error))) => return Err(error),
        Some(Err(kind)) => {
            let failure = DeployFailure::new(DeployPhase::Received, chain(&kind), "deploy again");
            return give_up(ship, &row, failure).await.map(drop);
        }
        None => return Ok(()),
    };
    let mut work =
        Work { ship, row, id, revision: Arc::new(revision), observed, ready: None, is_compiled_again: false };
    loop {
        work.observe().await?;
        let step = reconcile(&work.desired(), &work.observed);
        match &step {
            DeployStep::Done => return Ok(()),
            DeployStep::Compile(units) => work.compile(units).await,
            DeployStep::Link => work.link().await,
            DeployStep::Probe => work.probe().await,
            DeployStep::GoLive => work.go_live().await?,
            DeployStep::Refuse(_) | DeployStep::Fail(_) => work.give_up(step.failure()).await?,
        }
        ship.stepped();
    }
}

impl Work<'_> {
    fn desired(&self) -> DesiredDeploy {
        DesiredDeploy {
            components: self.revision.components.values().map(|component| component.digest).collect(),
            units: self.revision.units().map(|unit| unit.digest()).collect(),
            at_us: self.row.at_us,
            phase: self.row.phase,
        }
    }

    /// Looks at what is there, and notes in the row what was reached.
    async fn observe(&mut self) -> Result<(), RegistryError> {
        let (ship, revision, tenant) = (Arc::clone(self.ship), Arc::clone(&self.revision), self.id.tenant.clone());
        let seen = blocking(move || {
            let (mut blobs, mut compiled, mut broken) = (BTreeSet::new(), BTreeSet::new(), Observation::Open);
            for component in revision.components.values() {
                if ship.apps.registry.has_blob(&tenant, &component.digest)? {
                    blobs.insert(component.digest);
                }
            }
            for unit in revision.units() {
                let digest = unit.digest();
                match furnish::find(&ship.apps.workshop, digest, &unit.component.limits) {
                    Ok(None) => {}
                    Ok(Some(_)) => drop(compiled.insert(digest)),
                    Err(kind) => broken = Observation::Failed(failure(DeployPhase::Compiled, &kind)),
                }
            }
            Ok::<_, RegistryError>((blobs, compiled, broken))
        })
        .await;
        let broken = match seen.transpose()? {
            Some((blobs, compiled, broken)) => {
                (self.observed.blobs, self.observed.compiled) = (blobs, compiled);
                broken
            }
            None => interrupted(DeployPhase::Compiled),
        };
        if broken != Observation::Open {
            self.observed.compiling = broken;
        }
        self.observed.now_us = self.ship.now_us();
        self.reached().await
    }

    /// The phases that what was observed amounts to, one after the other.
    async fn reached(&mut self) -> Result<(), RegistryError> {
        let is_compiled = self.desired().units.is_subset(&self.observed.compiled);
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

    async fn compile(&mut self, units: &[Digest]) {
        let Some(unit) = self.revision.units().find(|unit| units.contains(&unit.digest())) else { return };
        self.follow(Recipe::of(unit)).await;
    }

    async fn follow(&mut self, recipe: Recipe) {
        let compiled = furnish::compile_again(&self.ship.apps.workshop, &self.id.tenant, recipe).await;
        if let Err(error) = compiled {
            self.observed.compiling = Observation::Failed(failure(DeployPhase::Compiled, &error));
        }
    }

    async fn link(&mut self) {
        let Ok(_turn) = self.ship.turns.acquire().await else { return };
        let (ship, id, revision) = (Arc::clone(self.ship), self.id.clone(), Arc::clone(&self.revision));
        let digest = self.row.revision;
        let made = blocking(move || {
            let mut spent = Spent::default();
            make(&ship.apps.workshop, &id, (digest, &revision), (&ship.runtime, &mut spent))
        });
        match made.await {
            Some(Ok(Made::Ready(ready))) => {
                self.observed.linked = match fits_loaded(&self.ship.apps.workshop, &self.id, ready.code_bytes) {
                    Ok(()) => Observation::Done,
                    Err(error) => {
                        let next = "make the components smaller, or ask for a larger quota";
                        Observation::Failed(DeployFailure::new(DeployPhase::Linked, chain(&error), next))
                    }
                };
                self.ready = Some(Arc::new(ready));
            }
            Some(Ok(Made::Uncompiled(missing))) => self.compile_again(missing).await,
            Some(Err(error)) => self.observed.linked = Observation::Failed(unlinked(&error)),
            None => self.observed.linked = interrupted(DeployPhase::Linked),
        }
    }

    /// Compiled files that are there and do not load are made anew, once; one that went away is observed to be missing.
    async fn compile_again(&mut self, missing: Vec<Recipe>) {
        if self.is_compiled_again {
            let text = "what was compiled does not load";
            self.observed.linked = Observation::Failed(DeployFailure::new(DeployPhase::Linked, text, TRY_AGAIN));
            return;
        }
        self.is_compiled_again = true;
        for recipe in missing {
            self.follow(recipe).await;
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
        let (ship, app, id, at_us) = (Arc::clone(self.ship), self.id.clone(), self.row.id.clone(), self.ship.now_us());
        match blocking(move || ship.change(&app, |registry| registry.go_live(&id, at_us))).await {
            Some(Ok(_)) => {
                self.row.phase = DeployPhase::Live;
                Ok(())
            }
            Some(Err(error)) => self.refused(error.kind),
            None => {
                self.observed.live = interrupted(DeployPhase::Live);
                Ok(())
            }
        }
    }

    /// The registry does not work, or does not want this deploy to go on.
    fn refused(&mut self, kind: DeployErrorKind) -> Result<(), RegistryError> {
        match kind {
            DeployErrorKind::Change(ChangeErrorKind::Registry(error)) => Err(error),
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
        // What is given up has a reason; a step without one would be taken for ever.
        let failure = failure.unwrap_or_else(|| DeployFailure::new(DeployPhase::Failed, "it cannot go on", TRY_AGAIN));
        self.row.phase = give_up(self.ship, &self.row, failure).await?;
        Ok(())
    }
}

/// Notes that a deploy was given up, and returns how it ended: it may have ended otherwise meanwhile.
async fn give_up(ship: &Arc<Ship>, row: &DeployRow, failure: DeployFailure) -> Result<DeployPhase, RegistryError> {
    tracing::warn!(deploy = %row.id, app = %row.app, tenant = %row.tenant, phase = %failure.phase, error = %failure.message, "a deploy was given up");
    let (ship, id, at_us) = (Arc::clone(ship), row.id.clone(), ship.now_us());
    match blocking(move || ship.apps.registry.fail(&id, &failure, at_us)).await.map(|done| done.map_err(|e| e.kind)) {
        Some(Err(DeployErrorKind::Change(ChangeErrorKind::Registry(error)))) => Err(error),
        Some(Err(DeployErrorKind::Ended { phase })) => Ok(phase),
        Some(Ok(()) | Err(_)) | None => Ok(DeployPhase::Failed),
    }
}

/// The revision that a deploy is about; nothing if the node stops meanwhile.
async fn read(ship: &Arc<Ship>, row: &DeployRow) -> Option<Result<Revision, RevisionErrorKind>> {
    let (ship, tenant, app, number) = (Arc::clone(ship), row.tenant.clone(), row.app.clone(), row.number);
    blocking(move || {
        let found = ship.apps.registry.revision(&tenant, &app, &RevisionRef::Number(number));
        found.map(|(_, revision)| revision).map_err(|error| error.kind)
    })
    .await
}

/// The work on a step was lost: the node stops, or broke on it.
fn interrupted(phase: DeployPhase) -> Observation {
    Observation::Failed(DeployFailure::new(phase, "the node broke on it", TRY_AGAIN))
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
        LoadErrorKind::Compile(CompileFailure::Initialiser(_)) => {
            "mend the initialiser, or write `snapshot = false` in its `[component.NAME]`"
        }
        LoadErrorKind::Compile(error) if error.fault() == cumulet_spec::outcome::Fault::Guest => {
            "make the component smaller or build it anew; `cumulet check` looks at it whole"
        }
        LoadErrorKind::Inspect(_)
        | LoadErrorKind::NotAHandler
        | LoadErrorKind::Program(_)
        | LoadErrorKind::Prepare(_) => "run `cumulet check`: it shows what the component imports and exports",
        LoadErrorKind::Compose(_) => "run `cumulet check`: it shows where the links do not fit",
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
