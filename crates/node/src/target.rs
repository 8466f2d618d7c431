//! What a route leads to: a component that is ready to run, with everything that its invocations share.

use crate::values::Feed;
use cumulet_capability::Prepared;
use cumulet_engine::Gauge;
use cumulet_meter::Lane;
use cumulet_spec::id::{AppName, ComponentName};
use cumulet_spec::manifest::Component;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// One component of one revision, ready to run.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) app: AppName,
    pub(crate) component: ComponentName,
    pub(crate) prepared: Arc<Prepared>,
    pub(crate) lane: Arc<Lane>,
    /// Whose turn it is in the run queue: one number for each app.
    pub(crate) turn: u64,
    cpu_nanos_max: u64,
    memory_bytes_max: u64,
    pub(crate) time_max: Duration,
    /// Whether a grant lets it call other components of its app.
    pub(crate) calls_inside: bool,
    /// Keeps its configuration current.
    _feed: Option<Feed>,
}

/// What a route leads to.
#[derive(Clone, Debug)]
pub(crate) struct Routed {
    pub(crate) target: Arc<Target>,
    /// Whom it may call; nobody where no grant names a component of the app.
    pub(crate) crew: Option<Arc<Crew>>,
}

/// The components of one revision, which may call one another.
#[derive(Debug)]
pub(crate) struct Crew {
    targets: BTreeMap<ComponentName, Arc<Target>>,
}

impl Crew {
    pub(crate) fn new(targets: BTreeMap<ComponentName, Arc<Target>>) -> Arc<Self> {
        Arc::new(Self { targets })
    }

    /// A component of this revision, by its name.
    pub(crate) fn routed(crew: &Arc<Self>, name: &ComponentName) -> Option<Routed> {
        let target = Arc::clone(crew.targets.get(name)?);
        let crew = target.calls_inside.then(|| Arc::clone(crew));
        Some(Routed { target, crew })
    }
}

impl Target {
    pub(crate) fn new(
        names: (AppName, ComponentName),
        turn: u64,
        ready: (Arc<Prepared>, Option<Feed>),
        lane: Arc<Lane>,
        component: &Component,
    ) -> Self {
        let limits = &component.limits;
        let calls_inside = component.grants.http.iter().any(|grant| grant.origin.host.is_inside());
        let (app, component) = names;
        let (prepared, feed) = ready;
        Self {
            app,
            component,
            prepared,
            lane,
            turn,
            cpu_nanos_max: u64::try_from(limits.cpu.as_nanos()).unwrap_or(u64::MAX),
            memory_bytes_max: limits.memory.0,
            time_max: limits.time,
            calls_inside,
            _feed: feed,
        }
    }

    /// A gauge at zero with this component's limits.
    pub(crate) fn gauge(&self) -> Gauge {
        Gauge::new(self.cpu_nanos_max, self.memory_bytes_max)
    }
}
