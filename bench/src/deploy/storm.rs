//! Requests at a steady rate while what answers them is deployed and rolled back: none may be lost.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::clock;
use crate::fleet::Times;
use crate::wire::Connection;

/// Connections: where all of them wait, a request waits for one, and its latency grows.
const CONNECTIONS: usize = 128;
/// The longest that is waited for answers after the last request.
const GRACE: Duration = Duration::from_secs(15);
/// How long the node is asked as much as it takes, before anything is deployed.
const FULL_TIME: Duration = Duration::from_secs(2);
/// How many of these answers are remembered as wrong.
const WRONG_KEPT: usize = 4;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Storm<'s> {
    /// The node.
    pub(super) address: SocketAddr,
    /// The bytes of a request.
    pub(super) ask: &'s [u8],
    /// Each answer is one of these.
    pub(super) right: &'s [Vec<u8>],
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Requests that were sent.
    pub(super) sent: usize,
    /// How often each right answer came.
    pub(super) right: Vec<usize>,
    /// Answers that are none of them.
    pub(super) wrong: usize,
    /// Requests without an answer.
    pub(super) lost: usize,
    /// From the intended send time to the answer.
    pub(super) times: Times,
    /// The first wrong answers, and why requests were lost.
    pub(super) strange: Vec<String>,
}

impl Storm<'_> {
    /// Requests a second that the node answers when it is asked as much as it takes.
    pub(super) fn full_rate(&self) -> Result<f64> {
        let began = clock::now();
        let outcome = self.run(u32::MAX, &|| began.elapsed() > FULL_TIME)?;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let answered = outcome.times.len() as f64;
        Ok(answered / began.elapsed().as_secs_f64())
    }

    /// Sends so many requests a second until it is over. The calling thread never sleeps.
    pub(super) fn run(&self, per_second: u32, is_over: &dyn Fn() -> bool) -> Result<Outcome> {
        let open = |_| Connection::open(self.address).context("cannot connect");
        let mut idle = (0..CONNECTIONS).map(open).collect::<Result<Vec<_>>>()?;
        let mut waiting: VecDeque<(Instant, Connection)> = VecDeque::new();
        let mut outcome = Outcome { right: vec![0; self.right.len()], ..Outcome::default() };
        let gap = Duration::from_secs(1) / per_second.max(1);
        let mut intended = clock::now();
        let mut ended = None;
        loop {
            let now = clock::now();
            if ended.is_none() && is_over() {
                ended = Some(now);
            }
            if ended.is_none()
                && now >= intended
                && let Some(mut connection) = idle.pop()
            {
                outcome.sent += 1;
                match connection.send(self.ask) {
                    Ok(()) => waiting.push_back((intended, connection)),
                    Err(error) => idle.push(self.lost(&mut outcome, &error.to_string())?),
                }
                intended += gap;
            }
            if ended.is_some_and(|ended| waiting.is_empty() || now.duration_since(ended) > GRACE) {
                break;
            }
            let Some((from, mut connection)) = waiting.pop_front() else {
                std::hint::spin_loop();
                continue;
            };
            match connection.poll() {
                Ok(None) => waiting.push_back((from, connection)),
                Ok(Some(reply)) => {
                    outcome.times.push(from.elapsed());
                    outcome.judge(self.right, reply.status, &reply.body);
                    idle.push(connection);
                }
                Err(error) => idle.push(self.lost(&mut outcome, &error.to_string())?),
            }
        }
        for _ in waiting {
            outcome.lost += 1;
            outcome.remember("no answer in the end".to_owned());
        }
        Ok(outcome)
    }

    /// Counts a request that was lost, and opens another connection.
    fn lost(&self, outcome: &mut Outcome, why: &str) -> Result<Connection> {
        outcome.lost += 1;
        outcome.remember(why.to_owned());
        Connection::open(self.address).context("cannot connect again")
    }
}

impl Outcome {
    fn judge(&mut self, right: &[Vec<u8>], status: u16, body: &[u8]) {
        let place = right.iter().position(|right| status == 200 && right == body);
        match place.and_then(|place| self.right.get_mut(place)) {
            Some(count) => *count += 1,
            None => {
                self.wrong += 1;
                let text = String::from_utf8_lossy(body.get(..body.len().min(80)).unwrap_or_default()).into_owned();
                self.remember(format!("{status}: {text}"));
            }
        }
    }

    fn remember(&mut self, what: String) {
        if self.strange.len() < WRONG_KEPT {
            self.strange.push(what);
        }
    }
}
