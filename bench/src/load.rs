//! Load: closed loop for throughput, open loop for latency.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use hdrhistogram::Histogram;

use crate::clock;
use crate::cores::Cores;
use crate::wire::{Connection, Reply, request};

/// The longest that one reply may take.
const REPLY_MAX: Duration = Duration::from_secs(60);
/// The largest latency that is told apart: one minute, in nanoseconds.
const LATENCY_NS_MAX: u64 = 60_000_000_000;

/// What closed-loop load did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Done {
    /// Requests that were answered with success.
    pub(crate) requests: f64,
    /// For how long.
    pub(crate) seconds: f64,
}

/// What makes closed-loop load.
#[derive(Debug, Clone)]
pub(crate) enum Generator {
    /// wrk with one thread.
    Wrk(PathBuf),
    /// The harness itself, on one thread.
    Own,
}

impl Generator {
    /// wrk where it is installed.
    pub(crate) fn find() -> Self {
        // It prints its version and ends with 1 when it is asked for nothing else.
        let found = Command::new("wrk").arg("-v").output().is_ok_and(|out| out.stdout.starts_with(b"wrk "));
        if found { Self::Wrk("wrk".into()) } else { Self::Own }
    }

    /// Keeps `connections` connections busy with GET requests for `path` for some whole seconds.
    pub(crate) fn drive(&self, target: Target<'_>, connections: usize, seconds: u64, cores: &Cores) -> Result<Done> {
        match self {
            Self::Wrk(program) => {
                let mut command = Command::new(program);
                command.arg("-t1").arg(format!("-c{connections}")).arg(format!("-d{seconds}s"));
                command.arg(format!("http://{}{}", target.address, target.path));
                let out = cores.run(|| command.output())?.context("cannot run wrk")?;
                parse_wrk(&String::from_utf8_lossy(&out.stdout))
            }
            Self::Own => {
                cores.run(|| closed(target, connections, Until::Passed(Duration::from_secs(seconds)), None))?
            }
        }
    }
}

/// Where to send requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'t> {
    /// The server.
    pub(crate) address: SocketAddr,
    /// The path.
    pub(crate) path: &'t str,
}

fn parse_wrk(text: &str) -> Result<Done> {
    ensure!(!text.contains("Non-2xx") && !text.contains("Socket errors"), "wrk saw errors: {text}");
    let line = text.lines().find(|line| line.contains(" requests in ")).context("wrk printed no sum")?;
    let mut words = line.split_whitespace();
    let requests = words.next().and_then(|word| word.parse().ok()).context("wrk printed no number of requests")?;
    let seconds = words.nth(2).and_then(|word| word.strip_suffix("s,")).and_then(|word| word.parse().ok());
    Ok(Done { requests, seconds: seconds.with_context(|| format!("wrk ran for no time: {line}"))? })
}

/// Sends `count` requests over `connections` connections and fails unless every body is `expect`.
pub(crate) fn verify(target: Target<'_>, connections: usize, count: usize, expect: &[u8]) -> Result<()> {
    closed(target, connections, Until::Sent(count), Some(expect)).map(drop)
}

#[derive(Debug, Clone, Copy)]
enum Until {
    Passed(Duration),
    Sent(usize),
}

fn closed(target: Target<'_>, connections: usize, until: Until, expect: Option<&[u8]>) -> Result<Done> {
    let bytes = request("GET", target.path, &[]);
    let mut open = (0..connections).map(|_| Connection::open(target.address)).collect::<Result<Vec<_>, _>>()?;
    let began = clock::now();
    let (mut sent, mut answered) = (0_usize, 0_u32);
    let more = |sent: usize| match until {
        Until::Passed(time) => began.elapsed() < time,
        Until::Sent(count) => sent < count,
    };
    let mut busy = VecDeque::new();
    for mut connection in open.drain(..) {
        if more(sent) {
            connection.send(&bytes)?;
            sent += 1;
            busy.push_back(connection);
        }
    }
    while let Some(mut connection) = busy.pop_front() {
        let Some(reply) = connection.poll().with_context(|| format!("{} broke off", target.address))? else {
            ensure!(began.elapsed() < REPLY_MAX * 2, "{} does not answer", target.address);
            busy.push_back(connection);
            continue;
        };
        check(target, &reply, expect)?;
        answered += 1;
        if more(sent) {
            connection.send(&bytes)?;
            sent += 1;
            busy.push_back(connection);
        }
    }
    Ok(Done { requests: f64::from(answered), seconds: began.elapsed().as_secs_f64() })
}

fn check(target: Target<'_>, reply: &Reply, expect: Option<&[u8]>) -> Result<()> {
    let body = || String::from_utf8_lossy(reply.body.get(..reply.body.len().min(200)).unwrap_or_default()).into_owned();
    if !(200..300).contains(&reply.status) {
        bail!("{} answered {} on {}: {}", target.address, reply.status, target.path, body());
    }
    ensure!(
        expect.is_none_or(|expect| reply.body == expect),
        "{} answered on {}: {}",
        target.address,
        target.path,
        body()
    );
    Ok(())
}

/// Requests at a fixed rate, whatever the server does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate<'r> {
    /// Requests per second.
    pub(crate) per_second: u32,
    /// For how long.
    pub(crate) time: Duration,
    /// The most connections; where all wait, a request waits too and its latency grows.
    pub(crate) connections: usize,
    /// The bytes of a request.
    pub(crate) request: &'r [u8],
    /// What every reply's body must be, where that is known.
    pub(crate) expect: Option<&'r [u8]>,
}

/// Latencies from the intended send time, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Latency {
    /// Half of all requests took no longer.
    pub(crate) p50_us: f64,
    /// 90 of 100.
    pub(crate) p90_us: f64,
    /// 99 of 100.
    pub(crate) p99_us: f64,
    /// 999 of 1000.
    pub(crate) p999_us: f64,
    /// The longest.
    pub(crate) max_us: f64,
}

/// Sends at a fixed rate and measures each request from the moment at which it should have been sent.
///
/// The calling thread never sleeps, so that its own wake-ups are no part of the latency: give it a core of its own.
pub(crate) fn open_loop(address: SocketAddr, rate: Rate<'_>) -> Result<Latency> {
    let target = Target { address, path: "an open-loop request" };
    let mut idle = (0..rate.connections).map(|_| Connection::open(address)).collect::<Result<Vec<_>, _>>()?;
    let mut waiting: VecDeque<(Instant, Connection)> = VecDeque::new();
    let mut histogram = Histogram::<u64>::new_with_bounds(1, LATENCY_NS_MAX, 3).context("histogram bounds")?;
    let gap = Duration::from_secs(1) / rate.per_second.max(1);
    let began = clock::now();
    let mut intended = began;
    loop {
        let now = clock::now();
        let due = intended.duration_since(began) < rate.time;
        if due && now >= intended {
            if let Some(mut connection) = idle.pop() {
                connection.send(rate.request)?;
                waiting.push_back((intended, connection));
                intended += gap;
            }
        } else if waiting.is_empty() {
            if !due {
                break;
            }
            std::hint::spin_loop();
            continue;
        }
        let Some((from, mut connection)) = waiting.pop_front() else { continue };
        let Some(reply) = connection.poll().with_context(|| format!("{address} broke off"))? else {
            ensure!(from.elapsed() < REPLY_MAX, "{address} does not answer");
            waiting.push_back((from, connection));
            continue;
        };
        let latency = u64::try_from(from.elapsed().as_nanos()).unwrap_or(u64::MAX);
        histogram.saturating_record(latency);
        check(target, &reply, rate.expect)?;
        idle.push(connection);
    }
    Ok(summary(&histogram))
}

fn summary(histogram: &Histogram<u64>) -> Latency {
    #[expect(clippy::cast_precision_loss, reason = "at most a minute in nanoseconds")]
    let at = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / 1000.0;
    Latency { p50_us: at(0.5), p90_us: at(0.9), p99_us: at(0.99), p999_us: at(0.999), max_us: at(1.0) }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn wrk_output() {
        let text = "Running 2s test\n  151234 requests in 2.10s, 20.33MB read\nRequests/sec:  72015.12\n";
        assert_eq!(parse_wrk(text).unwrap(), Done { requests: 151_234.0, seconds: 2.1 });
        assert!(parse_wrk(&format!("{text}  Non-2xx or 3xx responses: 4\n")).is_err());
        assert!(parse_wrk(&format!("{text}  Socket errors: connect 0, read 1, write 0, timeout 0\n")).is_err());
        assert!(parse_wrk("").is_err());
    }

    /// Answers the `n`th request on each connection with `n`, so that `1` everywhere means one request on each.
    fn counting_server() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                std::thread::spawn(move || count(stream.unwrap()));
            }
        });
        address
    }

    fn count(mut stream: TcpStream) {
        let mut bytes = [0; 1024];
        for count in 1..10 {
            if stream.read(&mut bytes).unwrap_or(0) == 0 {
                break;
            }
            stream.write_all(format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{count}").as_bytes()).unwrap();
        }
    }

    #[test]
    fn a_stale_instance_is_noticed() {
        let target = Target { address: counting_server(), path: "/count" };
        verify(target, 4, 4, b"1").unwrap();
        assert!(verify(target, 4, 5, b"1").unwrap_err().to_string().contains("/count: 2"));
    }

    #[test]
    fn an_open_loop_sends_all() {
        let request = request("GET", "/", &[]);
        let rate =
            Rate { per_second: 1000, time: Duration::from_millis(4), connections: 4, request: &request, expect: None };
        let latency = open_loop(counting_server(), rate).unwrap();
        assert!(latency.p50_us > 0.0 && latency.p50_us <= latency.max_us);
    }
}
