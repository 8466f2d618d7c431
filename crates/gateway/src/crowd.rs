//! All connections of a gateway: supervised, bounded in number and time, drained together.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::config::GatewayConfig;
use crate::connection::{Activity, Connection, Snapshot};
use crate::entrance::Entrance;
use crate::handler::Handler;
use crate::protocol::Protocols;

/// The longest time between two sweeps.
const SWEEP_MAX: Duration = Duration::from_secs(1);
/// The shortest one.
const SWEEP_MIN: Duration = Duration::from_millis(5);
/// Sweeps within the shortest bound: how finely it is kept.
const SWEEPS_PER_BOUND: u32 = 4;

/// The connections that are open.
pub(crate) struct Crowd<H, E> {
    handler: H,
    entrance: E,
    config: Arc<GatewayConfig>,
    protocols: Arc<Protocols>,
    bounds: Bounds,
    tasks: JoinSet<()>,
    members: HashMap<Id, Member>,
}

/// What became of the requests that were in flight when a drain began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    /// Requests that ended by themselves.
    pub finished: u64,
    /// Requests that were cut because the time for the drain was over.
    pub cut: u64,
}

/// The bounds on a connection's time, in sweeps.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    sweep: Duration,
    head: u32,
    idle: u32,
    stall: u32,
}

/// One connection, as the sweep remembers it.
struct Member {
    activity: Arc<Activity>,
    abort: AbortHandle,
    last: Snapshot,
    /// For how many sweeps in a row the connection was without a request, waited for the rest of a head, and
    /// could not be written to.
    idle: u32,
    head: u32,
    stall: u32,
}

impl<H: Handler, E: Entrance> Crowd<H, E> {
    pub(crate) fn new(handler: H, entrance: E, config: GatewayConfig) -> Self {
        Self {
            handler,
            entrance,
            protocols: Arc::new(Protocols::new(&config)),
            bounds: Bounds::new(&config),
            config: Arc::new(config),
            tasks: JoinSet::new(),
            members: HashMap::new(),
        }
    }

    /// When [`sweep`](Self::sweep) wants to be called.
    pub(crate) fn sweeps(&self) -> Interval {
        let period = self.bounds.sweep;
        let mut sweeps = interval_at(Instant::now() + period, period);
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        sweeps
    }

    /// Whether another connection may be added.
    pub(crate) fn has_room(&self) -> bool {
        self.members.len() < self.config.connections_max
    }

    /// Serves a connection on a task of its own.
    pub(crate) fn add(&mut self, stream: TcpStream, peer: SocketAddr) {
        let activity = Arc::<Activity>::default();
        let connection = Arc::new(Connection {
            handler: self.handler.clone(),
            config: Arc::clone(&self.config),
            peer,
            activity: Arc::clone(&activity),
            id_base: rand::random(),
        });
        let entering = (self.entrance.clone(), stream);
        let abort = self.tasks.spawn(Arc::clone(&self.protocols).serve(entering, connection));
        let last = activity.snapshot();
        self.members.insert(abort.id(), Member { activity, abort, last, idle: 0, head: 0, stall: 0 });
    }

    /// Waits for a connection to end; `None` when there is none.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub(crate) async fn next_ended(&mut self) -> Option<()> {
        let ended = self.tasks.join_next_with_id().await?;
        let id = match &ended {
            Ok((id, ())) => *id,
            Err(error) => error.id(),
        };
        self.members.remove(&id);
        if let Some(error) = ended.err().filter(JoinError::is_panic) {
            tracing::error!(%error, "a connection panicked");
        }
        Some(())
    }

    /// Ends the connections that are over one of their bounds.
    pub(crate) fn sweep(&mut self) {
        for member in self.members.values_mut() {
            member.sweep(&self.bounds);
        }
    }

    /// Tells every connection to end after what it has in flight.
    pub(crate) fn announce_drain(&self) {
        for member in self.members.values() {
            member.activity.leave();
        }
    }

    /// Lets everything in flight finish, and cuts what has not when the time is over.
    pub(crate) async fn drain(mut self) -> Drained {
        let before = self.in_flight();
        let limit = self.config.drain_timeout;
        let ended_in_time = tokio::time::timeout(limit, self.all_ended()).await.is_ok();
        let cut = if ended_in_time { 0 } else { self.in_flight() };
        self.tasks.shutdown().await;
        Drained { finished: before.saturating_sub(cut), cut }
    }

    /// Waits until no connection is left; their bounds go on to hold.
    async fn all_ended(&mut self) {
        let mut sweeps = self.sweeps();
        loop {
            tokio::select! {
                ended = self.next_ended() => if ended.is_none() { return },
                _ = sweeps.tick() => self.sweep(),
            }
        }
    }

    fn in_flight(&self) -> u64 {
        self.members.values().map(|member| member.activity.snapshot().in_flight).sum()
    }
}

impl Member {
    fn sweep(&mut self, bounds: &Bounds) {
        let now = self.activity.snapshot();
        let before = std::mem::replace(&mut self.last, now);
        let is_idle = now.in_flight == 0 && now.begun == before.begun;
        let is_reading = is_idle && (now.heard || now.begun == 0);
        let is_stalled = now.blocked && now.written == before.written;
        count(&mut self.idle, is_idle);
        count(&mut self.head, is_reading);
        count(&mut self.stall, is_stalled);
        if self.stall > bounds.stall {
            self.abort.abort();
        } else if self.head > bounds.head || self.idle > bounds.idle {
            self.end();
        }
    }

    /// Asks first, so that HTTP/2 says goodbye; the sweep after that does not ask.
    fn end(&self) {
        if self.activity.is_leaving() {
            self.abort.abort();
        } else {
            self.activity.leave();
        }
    }
}

impl Bounds {
    fn new(config: &GatewayConfig) -> Self {
        let shortest = config.header_read_timeout.min(config.idle_timeout).min(config.stall_timeout);
        let sweep = (shortest / SWEEPS_PER_BOUND).clamp(SWEEP_MIN, SWEEP_MAX);
        let sweeps = |time: Duration| u32::try_from(time.as_nanos().div_ceil(sweep.as_nanos())).unwrap_or(u32::MAX);
        Self {
            sweep,
            head: sweeps(config.header_read_timeout),
            idle: sweeps(config.idle_timeout),
            stall: sweeps(config.stall_timeout),
        }
    }
}

/// Counts up while the condition holds, from zero again when it does not.
fn count(sweeps: &mut u32, holds: bool) {
    *sweeps = if holds { sweeps.saturating_add(1) } else { 0 };
}
