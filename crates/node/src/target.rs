//! What a route leads to: a component that is ready to run, with everything that its invocations share.

use crate::apps::Code;
use crate::books::Refused;
use crate::event::Place;
use crate::values::Feed;
use cumulet_capability::Prepared;
use cumulet_engine::Gauge;
use cumulet_meter::ledger::SubjectId;
use cumulet_meter::{Ask, Lane, QuotaGates, Turn};
use cumulet_spec::id::{AppId, ComponentName};
use cumulet_spec::limit::Limits;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// By how much a guest passes its limit of executed time before it is ended: two ticks, and some more where the machine
/// is busy.
const OVERRUN: Duration = Duration::from_millis(2);

/// One component of one revision, ready to run.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) id: AppId,
    pub(crate) component: ComponentName,
    /// What its events carry.
    pub(crate) place: Arc<Place>,
    pub(crate) prepared: Arc<Prepared>,
    pub(crate) lane: Arc<Lane>,
    /// Whose turn it is in the run queue.
    pub(crate) turn: Turn,
    /// Whom its usage records are about.
    pub(crate) subject: SubjectId,
    pub(crate) quotas: QuotaGates,
    pub(crate) refused: Arc<Refused>,
    ask: Ask,
    pub(crate) time_max: Duration,
    /// Whether a grant lets it call other components of its app.
    pub(crate) calls_inside: bool,
    /// Keeps its configuration current.
    _feeds: Vec<Feed>,
    /// Counts as loaded for as long as anything runs on it.
    _code: Arc<Code>,
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

/// What a target is made of.
pub(crate) struct TargetParts {
    pub(crate) id: AppId,
    pub(crate) component: ComponentName,
    pub(crate) place: Arc<Place>,
    pub(crate) prepared: Prepared,
    pub(crate) feeds: Vec<Feed>,
    pub(crate) code: Arc<Code>,
    pub(crate) lane: Arc<Lane>,
    pub(crate) turn: Turn,
    pub(crate) subject: SubjectId,
    pub(crate) quotas: QuotaGates,
    pub(crate) refused: Arc<Refused>,
    pub(crate) limits: Limits,
    pub(crate) calls_inside: bool,
}

impl Target {
    pub(crate) fn new(parts: TargetParts) -> Self {
        let TargetParts { limits, .. } = parts;
        let ask =
            Ask { cpu_nanos_max: nanos(limits.cpu), overrun_nanos: nanos(OVERRUN), memory_bytes: limits.memory.0 };
        Self {
            id: parts.id,
            component: parts.component,
            place: parts.place,
            prepared: Arc::new(parts.prepared),
            lane: parts.lane,
            turn: parts.turn,
            subject: parts.subject,
            quotas: parts.quotas,
            refused: parts.refused,
            ask,
            time_max: limits.time,
            calls_inside: parts.calls_inside,
            _feeds: parts.feeds,
            _code: parts.code,
        }
    }

    /// Whether a quota of the app or of its tenant bounds it.
    pub(crate) fn has_quota(&self) -> bool {
        self.quotas.app.is_some() || self.quotas.tenant.is_some()
    }

    /// What one invocation may come to use.
    pub(crate) fn ask(&self) -> Ask {
        self.ask
    }

    /// A gauge at zero with this component's limits, of which a quota may have left less executed time.
    pub(crate) fn gauge(&self) -> Gauge {
        Gauge::new(self.ask.cpu_nanos_max, self.ask.memory_bytes)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
