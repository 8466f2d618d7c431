//! Deploys over the admin API: what was asked for is written down, then made ready step by step, then live.
//!
//! A deploy is a row. Whoever works on it holds nothing that a kill could lose: what it needs next follows from what is
//! there ([`reconcile`](cumulet_control::reconcile)), so a node that was restarted goes on where it was.

mod intake;
mod probe;
mod sweep;
mod trials;
mod work;

use crate::apps::Apps;
use crate::node::wait_for;
use crate::serving::Serving;
use cumulet_control::{DeployRow, Registry, RegistryError};
use cumulet_spec::deploy::DeployId;
use cumulet_spec::id::AppId;
use cumulet_spec::token::Actor;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;

pub(crate) use intake::{Asked, IntakeError};
pub use sweep::{SweepError, Swept};

/// How many deploys are linked at once.
const AT_ONCE: usize = 4;

/// Everything that deploys need.
#[derive(Debug)]
pub(crate) struct Ship {
    pub(crate) apps: Arc<Apps>,
    serving: Arc<Serving>,
    turns: Semaphore,
    tasks: TaskTracker,
    /// Grows with every step of any deploy.
    steps: watch::Sender<u64>,
    stop: watch::Sender<bool>,
    runtime: Handle,
}

impl Ship {
    /// Must be called on a runtime.
    pub(crate) fn new(apps: Arc<Apps>, serving: Arc<Serving>) -> Arc<Self> {
        Arc::new(Self {
            apps,
            serving,
            turns: Semaphore::new(AT_ONCE),
            tasks: TaskTracker::new(),
            steps: watch::Sender::new(0),
            stop: watch::Sender::new(false),
            runtime: Handle::current(),
        })
    }

    /// Goes on with what an earlier process left unfinished.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub(crate) fn resume(self: &Arc<Self>) -> Result<(), RegistryError> {
        for row in self.apps.registry.unfinished_deploys()? {
            self.work_on(row);
        }
        Ok(())
    }

    /// Sees to a deploy that has begun.
    pub(crate) fn work_on(self: &Arc<Self>, row: DeployRow) {
        let ship = Arc::clone(self);
        self.until_stopped(async move { work::work(&ship, row).await });
    }

    /// Starts work that is cut off where it waits when the node stops, and goes on after the next start.
    fn until_stopped(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        let ship = Arc::clone(self);
        let until = async move {
            tokio::select! {
                () = work => {}
                () = ship.stopped() => {}
            }
        };
        self.tasks.spawn_on(until, &self.runtime);
    }

    /// A deploy as it is once more than `seen` of its phases are behind it, it has ended, the time is over, or the node stops.
    pub(crate) async fn wait(
        &self,
        deploy: &DeployId,
        seen: usize,
        time_max: Duration,
    ) -> Result<Option<DeployRow>, RegistryError> {
        let mut steps = self.steps.subscribe();
        let waited = async {
            loop {
                steps.borrow_and_update();
                match self.read(deploy).await? {
                    Some(row) if row.phases.len() <= seen && !row.phase.is_end() => {}
                    found => return Ok(found),
                }
                if steps.changed().await.is_err() {
                    return self.read(deploy).await;
                }
            }
        };
        let waited = tokio::select! {
            waited = tokio::time::timeout(time_max, waited) => waited.ok(),
            // What is under way goes on after the next start.
            () = self.stopped() => None,
        };
        match waited {
            Some(found) => found,
            None => self.read(deploy).await,
        }
    }

    /// A deploy as it is now. What it has reached answers.
    pub(crate) async fn read(&self, deploy: &DeployId) -> Result<Option<DeployRow>, RegistryError> {
        let _telling = self.apps.telling().await;
        // Takes microseconds.
        self.apps.registry.find_deploy(deploy)
    }

    /// Tells whoever waits that a deploy went on.
    fn stepped(&self) {
        self.steps.send_modify(|steps| *steps += 1);
    }

    /// Changes what an app leads to, as [`Apps::change`] does, and tells whoever waits. Blocks.
    ///
    /// # Errors
    /// Those of the change.
    pub(crate) fn change<T, E>(&self, id: &AppId, change: impl FnOnce(&Registry) -> Result<T, E>) -> Result<T, E> {
        let done = self.apps.change(id, change)?;
        self.stepped();
        Ok(done)
    }

    /// Stops working. What is under way goes on after the next start.
    pub(crate) async fn stop(&self) {
        self.stop.send_replace(true);
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Comes to its end when the node stops.
    pub(crate) async fn stopped(&self) {
        wait_for(self.stop.subscribe()).await;
    }

    pub(crate) fn now_us(&self) -> u64 {
        self.apps.workshop.books.now_us()
    }
}

/// Who asks, and for which app.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) id: AppId,
    pub(crate) by: Actor,
}
