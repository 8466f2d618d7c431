//! What a route leads to: a component that is ready to run, with everything that its invocations share.

use cumulet_capability::Prepared;
use cumulet_engine::Gauge;
use cumulet_meter::Lane;
use cumulet_spec::id::{AppName, ComponentName};
use cumulet_spec::limit::Limits;
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
}

impl Target {
    pub(crate) fn new(
        names: (AppName, ComponentName),
        turn: u64,
        prepared: Arc<Prepared>,
        lane: Arc<Lane>,
        limits: &Limits,
    ) -> Self {
        let (app, component) = names;
        Self {
            app,
            component,
            prepared,
            lane,
            turn,
            cpu_nanos_max: u64::try_from(limits.cpu.as_nanos()).unwrap_or(u64::MAX),
            memory_bytes_max: limits.memory.0,
            time_max: limits.time,
        }
    }

    /// A gauge at zero with this component's limits.
    pub(crate) fn gauge(&self) -> Gauge {
        Gauge::new(self.cpu_nanos_max, self.memory_bytes_max)
    }
}
