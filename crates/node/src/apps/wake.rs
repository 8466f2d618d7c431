//! An app that is called wakes up: from a row and a compiled file to something that runs.

use crate::apps::make::{Made, ReadyRevision, Spent, make};
use crate::apps::{Apps, Arms, LoadCost, LoadedApp, LoadedRevision, Phase, Since};
use crate::clock::{Moment, now};
use crate::furnish;
use crate::load::LoadErrorKind;
use crate::recipe::Recipe;
use cumulet_control::{DeployedApp, FindError, RegistryError};
use cumulet_spec::id::{AppId, ComponentName};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::runtime::Handle;

/// How long a request waits for its turn to load an app, and for the app.
const WAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// How often an app is read that is deployed again and again meanwhile.
const ATTEMPTS_MAX: u32 = 16;
/// What a loaded app takes besides its code, in bytes: tables, grants, what a component is linked to.
const COMPONENT_BYTES: u64 = 24 << 10;

/// An app could not be loaded.
#[derive(Debug, Error)]
pub(crate) enum WakeError {
    /// The registry cannot be read.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// What it says of this app cannot be used.
    #[error(transparent)]
    Find(#[from] FindError),
    /// One of its components is not to be had.
    #[error("component `{component}` of {app} cannot be loaded")]
    Component {
        /// Whose it is.
        app: AppId,
        /// The component.
        component: ComponentName,
        /// Why.
        #[source]
        kind: LoadErrorKind,
    },
    /// Too many others are being loaded.
    #[error("the node is busy loading others")]
    Busy,
    /// The work was lost.
    #[error("loading was interrupted")]
    Interrupted,
}

/// How far one attempt came.
enum Attempt {
    /// No app has this host.
    Unknown,
    Ready(Arc<LoadedApp>),
    /// It was deployed anew meanwhile.
    Changed,
    /// What is to be compiled first.
    Uncompiled(AppId, Vec<Recipe>),
}

impl Apps {
    /// Loads the app that answers at a host, or waits for whoever does; `None` when there is none.
    ///
    /// # Cancel safety
    /// Whoever goes away while it loads for others leaves the work to the next of them.
    pub(crate) async fn wake(self: &Arc<Self>, host: &str) -> Result<Option<Arc<LoadedApp>>, Arc<WakeError>> {
        let waking = Arc::clone(self.waking.lock().entry(host.into()).or_default());
        let work = waking.get_or_init(|| async {
            self.load(host).await.map_err(|error| {
                self.cold.failed();
                Arc::new(error)
            })
        });
        let woken = tokio::time::timeout(WAKE_TIME_MAX, work).await.cloned();
        // From now on it is among the loaded ones, or the next request asks anew.
        let mut all = self.waking.lock();
        if all.get(host).is_some_and(|current| Arc::ptr_eq(current, &waking)) {
            all.remove(host);
        }
        drop(all);
        woken.unwrap_or_else(|_elapsed| Err(Arc::new(WakeError::Busy)))
    }

    async fn load(self: &Arc<Self>, host: &str) -> Result<Option<Arc<LoadedApp>>, WakeError> {
        let Ok(_turn) = self.turns.acquire().await else { return Err(WakeError::Interrupted) };
        // Another may have loaded it, and be gone, since this one looked.
        if let Some(app) = self.find(host) {
            return Ok(Some(app));
        }
        let mut is_compiled = false;
        for _ in 0..ATTEMPTS_MAX {
            match self.attempt(host).await? {
                Attempt::Ready(app) => return Ok(Some(app)),
                Attempt::Unknown => return Ok(None),
                Attempt::Uncompiled(..) if is_compiled => break,
                Attempt::Uncompiled(app, missing) => {
                    self.compile(&app, missing).await?;
                    is_compiled = true;
                }
                Attempt::Changed => {}
            }
        }
        Err(WakeError::Interrupted)
    }

    async fn attempt(self: &Arc<Self>, host: &str) -> Result<Attempt, WakeError> {
        let (apps, host, runtime) = (Arc::clone(self), host.to_owned(), Handle::current());
        let work = tokio::task::spawn_blocking(move || apps.attempt_here(&host, &runtime));
        work.await.unwrap_or(Err(WakeError::Interrupted))
    }

    /// All of it on one thread: handing over costs more than any of the steps.
    fn attempt_here(&self, host: &str, runtime: &Handle) -> Result<Attempt, WakeError> {
        let started = now();
        let Some((id, since, deployed)) = self.deployed(host)? else { return Ok(Attempt::Unknown) };
        let looked_up = self.passed(Phase::Lookup, started);
        let mut spent = Spent::default();
        let (mut revisions, mut missing) = (Vec::new(), Vec::new());
        for arm in deployed.arms() {
            match make(&self.workshop, &id, (arm.id, &arm.revision), (runtime, &mut spent))? {
                Made::Ready(revision) => revisions.push(revision),
                Made::Uncompiled(components) => missing.extend(components),
            }
        }
        if !missing.is_empty() {
            return Ok(Attempt::Uncompiled(id, missing));
        }
        self.hear(&id, &deployed);
        let app = self.loaded_app(id, &deployed, revisions);
        let Some(gone) = self.loaded.insert(Arc::clone(&app), host, since) else { return Ok(Attempt::Changed) };
        drop(gone);
        self.cold.add(Phase::Verify, spent.verify);
        self.cold.add(Phase::Map, spent.map);
        self.cold.add(Phase::Link, looked_up.elapsed().saturating_sub(spent.verify + spent.map));
        self.cold.loaded();
        Ok(Attempt::Ready(app))
    }

    /// The pulse hears of an app that was loaded, and of the trials of its revisions.
    fn hear(&self, id: &AppId, deployed: &DeployedApp) {
        let Some(pulse) = &self.workshop.pulse else { return };
        let now_us = self.workshop.books.now_us();
        pulse.woke(id, now_us);
        for arm in deployed.arms() {
            // That it cannot be told keeps no request waiting, and takes nothing back.
            let is_on_trial = || self.registry.is_on_trial(&id.tenant, &id.app, &arm.id).unwrap_or(false);
            if let Some(bounds) = arm.revision.rollout.as_ref().filter(|_| is_on_trial()) {
                pulse.try_out(id, arm.id, bounds, now_us);
            }
        }
    }

    fn loaded_app(&self, id: AppId, deployed: &DeployedApp, revisions: Vec<ReadyRevision>) -> Arc<LoadedApp> {
        let tenant = self.workshop.accounts.config().share(&id.tenant).quota;
        let cost = LoadCost {
            bytes: revisions.iter().map(|revision| revision.components).sum::<u64>() * COMPONENT_BYTES,
            code_bytes: revisions.iter().map(|revision| revision.code_bytes).sum(),
            tenant_bytes_max: tenant.loaded.map_or(u64::MAX, |loaded| loaded.0),
        };
        let revisions = revisions.into_iter().map(|ReadyRevision { id, routes, .. }| LoadedRevision { id, routes });
        let arms = Arms::new(&deployed.traffic, revisions.collect());
        Arc::new(LoadedApp::new(id, deployed.generation.0, arms, cost))
    }

    fn deployed(&self, host: &str) -> Result<Option<(AppId, Since, DeployedApp)>, WakeError> {
        if let Some(id) = self.domain.app_of(host) {
            return self.read(id);
        }
        let Some((tenant, app)) = self.registry.find_host(host)? else { return Ok(None) };
        // It may have given the host up since; another may have it now, and the next request asks for that one.
        let names_host = |app: &DeployedApp| {
            let mut routes = app.arms().iter().flat_map(|arm| &arm.revision.routes);
            routes.any(|route| route.host.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(host)))
        };
        Ok(self.read(AppId { tenant, app })?.filter(|(_, _, deployed)| names_host(deployed)))
    }

    fn read(&self, id: AppId) -> Result<Option<(AppId, Since, DeployedApp)>, WakeError> {
        let since = self.loaded.since(&id);
        let deployed = self.registry.find(&id.tenant, &id.app)?;
        Ok(deployed.map(|deployed| (id, since, deployed)))
    }

    fn passed(&self, phase: Phase, since: Moment) -> Moment {
        let at = now();
        self.cold.add(phase, at.saturating_duration_since(since));
        at
    }

    async fn compile(&self, id: &AppId, missing: Vec<Recipe>) -> Result<(), WakeError> {
        let started = now();
        for recipe in missing {
            let component = recipe.name().clone();
            let compiled = furnish::compile_again(&self.workshop, &id.tenant, recipe).await;
            compiled.map_err(|kind| WakeError::Component { app: id.clone(), component, kind })?;
        }
        self.passed(Phase::Compile, started);
        Ok(())
    }
}
