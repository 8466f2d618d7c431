//! The compile processes of a node: who gets one, and how long it lives.

use crate::clock::{self, Moment};
use crate::compiler::failure::CompileFailure;
use crate::compiler::frame::{self, Kind, class_code};
use crate::compiler::process::{Answer, Process, WorkerProgram};
use crate::compiler::turns::{Full, Turns};
use crate::compiler::worker::WorkerLimits;
use cumulet_engine::{EngineClass, Fingerprints, Snapshot};
use cumulet_spec::id::TenantId;
use cumulet_spec::node::CompileLimits;
use cumulet_spec::quantity::Bytes;
use parking_lot::Mutex;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Processes of a node that is told nothing, at most: more would compile faster and answer slower.
const PROCESSES_DEFAULT_MAX: usize = 2;

/// How much compiling may take.
#[derive(Clone, Copy, Debug)]
pub struct CompilerSettings {
    /// Processes at once, at least 1. Each takes up to a core, at a low priority.
    pub processes: usize,
    /// What one process may take.
    pub limits: WorkerLimits,
    /// How long a process may take until it is ready.
    pub ready_time: Duration,
    /// Components that a process compiles before it is ended, at least 1.
    pub compilations_max: u32,
    /// How long a process without work is kept for the next component of its tenant.
    pub idle: Duration,
    /// Compilations of one tenant that may wait for a process.
    pub waiting_max: usize,
    /// How long each of them waits at most.
    pub waiting_time: Duration,
}

impl CompilerSettings {
    /// The defaults, with what a node's configuration says.
    #[must_use]
    pub fn of(limits: CompileLimits) -> Self {
        let default = Self::default();
        Self {
            processes: limits.processes.map_or(default.processes, |count| usize::try_from(count).unwrap_or(1)),
            limits: WorkerLimits {
                memory: limits.memory.unwrap_or(default.limits.memory),
                time: limits.time.unwrap_or(default.limits.time),
            },
            ..default
        }
    }
}

impl Default for CompilerSettings {
    /// One process for each core but one, at least 1 and at most 2, of 1 GiB and 60 s of processor time each.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            processes: cores.saturating_sub(1).clamp(1, PROCESSES_DEFAULT_MAX),
            limits: WorkerLimits { memory: Bytes::gib(1), time: Duration::from_secs(60) },
            // It sets up its engines, which takes milliseconds.
            ready_time: Duration::from_secs(10),
            compilations_max: 64,
            idle: Duration::from_secs(10),
            waiting_max: 64,
            waiting_time: Duration::from_mins(10),
        }
    }
}

/// Compile processes, handed out to tenants in turns.
///
/// A process that served one tenant is ended before another is served, so that whatever a component did to it stays
/// with its owner. All processes end when the pool is dropped, and when the node dies.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
    /// Ends what is idle; ends itself with the pool.
    _keeper: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    program: WorkerProgram,
    settings: CompilerSettings,
    hello: Vec<u8>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Places that nobody has, each with the process that was left there.
    free: Vec<Option<Warm>>,
    waiting: Turns<oneshot::Sender<Seat>>,
}

/// A process that may serve its tenant again.
#[derive(Debug)]
struct Warm {
    process: Process,
    tenant: TenantId,
    compilations: u32,
    since: Moment,
}

/// The right to run one process. Dropping it hands it on.
#[derive(Debug)]
#[must_use]
struct Seat {
    /// Nothing once it was handed on.
    shared: Option<Arc<Shared>>,
    warm: Option<Warm>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            shared.hand_on(self.warm.take());
        }
    }
}

impl Pool {
    /// A pool that compiles for engines with these fingerprints. No process is started before there is something to compile. Must be called
    /// where tokio runs.
    #[must_use]
    pub fn new(fingerprints: &Fingerprints, program: WorkerProgram, settings: CompilerSettings) -> Self {
        let state = State {
            free: (0..settings.processes.max(1)).map(|_| None).collect(),
            waiting: Turns::new(settings.waiting_max),
        };
        let hello = frame::hello(fingerprints);
        let shared = Arc::new(Shared { program, settings, hello, state: Mutex::new(state) });
        let mut keeper = JoinSet::new();
        keeper.spawn(keep(Arc::downgrade(&shared), settings.idle));
        Self { shared, _keeper: keeper }
    }

    pub(super) async fn compile(
        &self,
        tenant: &TenantId,
        class: EngineClass,
        component: &[u8],
    ) -> Result<Vec<u8>, CompileFailure> {
        let (_, code) = self.work(tenant, Kind::Compile, &[&[class_code(class)], component]).await?;
        Ok(code)
    }

    pub(super) async fn snapshot(&self, tenant: &TenantId, component: &[u8]) -> Result<Snapshot, CompileFailure> {
        Ok(match self.work(tenant, Kind::Snapshot, &[component]).await? {
            (Kind::Unfit, text) => Snapshot::Unfit(String::from_utf8_lossy(&text).into_owned()),
            (_, bytes) => Snapshot::Taken(bytes),
        })
    }

    async fn work(&self, tenant: &TenantId, kind: Kind, content: &[&[u8]]) -> Result<Answer, CompileFailure> {
        let mut seat = self.shared.seat(tenant).await?;
        let mut warm = self.shared.process(seat.warm.take(), tenant).await?;
        let ended = warm.process.work(kind, content).await;
        warm.compilations += 1;
        warm.since = clock::now();
        if let Err(failure) = &ended {
            let (fault, detail) = (failure.fault().label(), warm.process.tail());
            tracing::warn!(%tenant, fault, error = %failure, detail, "a component was not compiled");
        }
        let is_sound = matches!(ended, Ok(_) | Err(CompileFailure::Invalid(_) | CompileFailure::Initialiser(_)));
        if is_sound && warm.compilations < self.shared.settings.compilations_max {
            seat.warm = Some(warm);
        }
        ended
    }

    /// Ends what has had nothing to do for as long as the settings say, at a moment.
    #[cfg(test)]
    pub(super) fn end_idle(&self, now: Moment) {
        self.shared.end_idle(now);
    }

    /// The processes that wait for more work.
    #[cfg(test)]
    pub(super) fn idle_processes(&self) -> Vec<u32> {
        let state = self.shared.state.lock();
        state.free.iter().flatten().filter_map(|warm| warm.process.id()).collect()
    }
}

impl Shared {
    /// Waits for a place, with the tenant's own process if one was left in it.
    async fn seat(self: &Arc<Self>, tenant: &TenantId) -> Result<Seat, CompileFailure> {
        let turn = {
            let mut state = self.state.lock();
            if let Some(warm) = state.take(tenant) {
                return Ok(Seat { shared: Some(Arc::clone(self)), warm });
            }
            let (sender, receiver) = oneshot::channel();
            let waits = |sender: &oneshot::Sender<Seat>| !sender.is_closed();
            state.waiting.push(tenant, sender, waits).map_err(|Full(count)| CompileFailure::Busy(count))?;
            receiver
        };
        let time = self.settings.waiting_time;
        match tokio::time::timeout(time, turn).await {
            Ok(Ok(seat)) => Ok(seat),
            Ok(Err(_)) | Err(_) => Err(CompileFailure::Waited(time)),
        }
    }

    /// The tenant's own process if it still lives, else a new one; that of another tenant is ended first.
    async fn process(&self, left: Option<Warm>, tenant: &TenantId) -> Result<Warm, CompileFailure> {
        let mut own = left.filter(|warm| warm.tenant == *tenant);
        if let Some(warm) = own.take_if(|warm| warm.process.is_alive()) {
            return Ok(warm);
        }
        drop(own);
        let started = Process::start(&self.program, &self.settings, &self.hello).await;
        match started {
            Ok(process) => Ok(Warm { process, tenant: tenant.clone(), compilations: 0, since: clock::now() }),
            Err(failure) => {
                tracing::error!(program = %self.program.path.display(), error = %failure, "no compile process");
                Err(failure)
            }
        }
    }

    /// Gives a place to the next in turn, or keeps it for whoever comes.
    fn hand_on(self: &Arc<Self>, mut warm: Option<Warm>) {
        loop {
            let next = {
                let mut state = self.state.lock();
                let Some(next) = state.waiting.next() else {
                    state.free.push(warm);
                    return;
                };
                next
            };
            // Outside of the lock: who does not wait any more gives the place back.
            let Err(mut refused) = next.send(Seat { shared: Some(Arc::clone(self)), warm }) else { return };
            refused.shared = None;
            warm = refused.warm.take();
        }
    }

    fn end_idle(&self, now: Moment) {
        let mut ended = Vec::new();
        for place in &mut self.state.lock().free {
            let idle = |warm: &mut Warm| now.saturating_duration_since(warm.since) >= self.settings.idle;
            ended.extend(place.take_if(idle));
        }
        // They are killed outside of the lock.
        drop(ended);
    }
}

impl State {
    /// A free place: the one with the tenant's own process, else one without a process, else any.
    fn take(&mut self, tenant: &TenantId) -> Option<Option<Warm>> {
        let own = |place: &Option<Warm>| place.as_ref().is_some_and(|warm| warm.tenant == *tenant);
        let position = self.free.iter().position(own).or_else(|| self.free.iter().position(Option::is_none));
        match position {
            Some(position) => Some(self.free.swap_remove(position)),
            None => self.free.pop(),
        }
    }
}

/// Looks after idle processes until the pool is gone.
async fn keep(shared: Weak<Shared>, idle: Duration) {
    loop {
        tokio::time::sleep(idle).await;
        let Some(shared) = shared.upgrade() else { return };
        shared.end_idle(clock::now());
    }
}
