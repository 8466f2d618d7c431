//! Requests at a steady rate, whatever becomes of them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::clock;
use crate::fleet::{App, Times, get};
use crate::wire::Connection;

/// Connections: where all of them wait, a request waits for one, and its latency grows.
const CONNECTIONS: usize = 256;
/// Requests before measuring.
const WARM_REQUESTS: usize = 50;
/// A turn of the client's loop that takes longer was interrupted: it polls one connection and waits for nothing.
const TURN_MAX: Duration = Duration::from_micros(200);
/// The longest that is waited for an answer before measuring.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// What is asked, and how often.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pulse<'p> {
    /// The server.
    pub(super) address: SocketAddr,
    /// The app.
    pub(super) app: &'p App,
    /// Requests a second.
    pub(super) per_second: u32,
    /// The longest that is waited for answers after the last request.
    pub(super) grace: Duration,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Beat {
    /// From the intended send time to the answer; for what had none, to the end.
    pub(super) times: Times,
    /// Requests that were to be sent: all of them, unless no connection came free for so long.
    pub(super) due: usize,
    /// Those of them without the right answer.
    pub(super) errors: usize,
    /// The part of the time in which something else ran on the client's core: latency that is not the server's.
    pub(super) away: f64,
}

impl Pulse<'_> {
    /// Connections that the server has accepted, and answered some requests on.
    pub(super) fn connect(&self) -> Result<Vec<Connection>> {
        let open = |_| Connection::open(self.address).context("cannot connect");
        let mut connections = (0..CONNECTIONS).map(open).collect::<Result<Vec<_>>>()?;
        let bytes = self.bytes();
        for connection in connections.iter_mut().take(WARM_REQUESTS) {
            let reply = connection.exchange(&bytes, ANSWER_MAX).context("no answer before measuring")?;
            ensure!(reply.status == 200 && reply.body == self.app.model.expect, "answered {reply:?} before measuring");
        }
        Ok(connections)
    }

    fn bytes(&self) -> Vec<u8> {
        get(&self.app.host(), &self.app.model.path)
    }
}

/// Sends for some time. The calling thread never sleeps: give it a core of its own.
pub(super) fn pulse(pulse: &Pulse<'_>, mut idle: Vec<Connection>, time: Duration) -> Result<Beat> {
    let bytes = pulse.bytes();
    let gap = Duration::from_secs(1) / pulse.per_second.max(1);
    let mut waiting: VecDeque<(Instant, Connection)> = VecDeque::new();
    let mut beat = Beat::default();
    let began = clock::now();
    let (mut intended, mut last, mut away) = (began, began, Duration::ZERO);
    loop {
        let now = clock::now();
        let turn = now - last;
        away += if turn > TURN_MAX { turn } else { Duration::ZERO };
        last = now;
        let is_due = intended.duration_since(began) < time;
        if is_due
            && now >= intended
            && let Some(mut connection) = idle.pop()
        {
            connection.send(&bytes)?;
            waiting.push_back((intended, connection));
            intended += gap;
        }
        // A server that answers nobody leaves no connection to send on.
        if (!is_due && waiting.is_empty()) || began.elapsed() > time + pulse.grace {
            break;
        }
        let Some((from, mut connection)) = waiting.pop_front() else {
            std::hint::spin_loop();
            continue;
        };
        match connection.poll() {
            Ok(None) => waiting.push_back((from, connection)),
            Ok(Some(reply)) => {
                beat.times.push(from.elapsed());
                beat.errors += usize::from(reply.status != 200 || reply.body != pulse.app.model.expect);
                idle.push(connection);
            }
            Err(_broken) => {
                beat.times.push(from.elapsed());
                beat.errors += 1;
                idle.push(Connection::open(pulse.address).context("cannot connect again")?);
            }
        }
    }
    beat.away = away.as_secs_f64() / began.elapsed().as_secs_f64();
    let unanswered = waiting.into_iter().map(|(from, _connection)| from);
    let unsent = std::iter::successors(Some(intended), |from| Some(*from + gap));
    let unsent = unsent.take_while(|from| from.duration_since(began) < time);
    let answered = beat.times.len();
    unanswered.chain(unsent).for_each(|from| beat.times.push(from.elapsed()));
    beat.errors += beat.times.len() - answered;
    beat.due = beat.times.len();
    Ok(beat)
}
