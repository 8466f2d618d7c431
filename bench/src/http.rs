//! `http`: one small component, a fresh instance for every request, beside the peers that serve the same bytes.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::cores::{Cores, Split};
use crate::load::{Generator, Latency, Rate, Target, open_loop, verify};
use crate::peer::{CUMULET_P2, CUMULET_P3, HYPER, WASMTIME_P2, WASMTIME_P3, hello};
use crate::process::{Launch, Server};
use crate::report::{Cell, Report, Table};
use crate::settings::Settings;
use crate::wire::request;

/// Connections of the closed-loop runs.
const CONNECTIONS: [usize; 3] = [1, 16, 64];
/// Replies that are checked for freshness before each measured run.
const FRESH_REPLIES: usize = 1000;
/// The rate of the open-loop runs, modest beside what one core serves.
const OPEN_PER_SECOND: u32 = 2000;
/// Connections of the open-loop runs.
const OPEN_CONNECTIONS: usize = 32;
/// Requests for each instance, where instances are reused.
const REUSE: u32 = 1000;
/// Load before each measured run, so that caches and branches are this server's.
const WARM_REPLIES: usize = 500;

/// What one server did in the repetitions of one setting.
#[derive(Debug, Default, Clone)]
struct Runs {
    per_cpu_second: Vec<f64>,
    per_second: Vec<f64>,
}

impl Runs {
    fn median(&self) -> Option<f64> {
        crate::spread::Spread::of(&self.per_cpu_second).map(|spread| spread.median)
    }
}

/// Servers on the same cores under the same load.
struct Stage<'s> {
    settings: &'s Settings,
    generator: Generator,
    split: Split,
    servers: Vec<Server>,
    /// Whether every request gets an instance of its own.
    is_fresh: bool,
}

/// Runs the bench.
pub(crate) fn bench(settings: &Settings, logs: &Path) -> Result<Report> {
    let mut report = Report::new("http");
    let data = tempfile::tempdir().context("cannot make a data folder")?;
    let launches = hello(settings, data.path(), 1, &mut report)?;
    let allowed = Cores::allowed()?;
    let one = Stage::start(settings, &launches, allowed.split(1), logs)?;
    let mut single = Vec::new();
    for connections in CONNECTIONS {
        let runs = one.repeat(connections)?;
        report.table(throughput(&one, connections, &runs));
        single = runs;
    }
    report.table(one.latency()?);
    report.table(one.memory());
    notes(&mut report, &one);
    drop(one);
    let two = Stage::start(settings, &launches, allowed.split(2), logs)?;
    let double = two.repeat(*CONNECTIONS.last().context("no connections")?)?;
    report.table(scaling(&two, &single, &double));
    drop(two);
    if settings.reuse {
        let launches = hello(settings, &data.path().join("reuse"), REUSE, &mut Report::new("http"))?;
        let stage = Stage { is_fresh: false, ..Stage::start(settings, &launches, allowed.split(1), logs)? };
        for connections in CONNECTIONS {
            let runs = stage.repeat(connections)?;
            report.table(throughput(&stage, connections, &runs));
        }
    }
    Ok(report)
}

impl<'s> Stage<'s> {
    fn start(settings: &'s Settings, launches: &[Launch], split: Split, logs: &Path) -> Result<Self> {
        split.load.confine()?;
        let servers = launches.iter().map(|launch| launch.start(&split.server, logs)).collect::<Result<Vec<_>>>()?;
        for server in &servers {
            server.pause()?;
        }
        Ok(Self { settings, generator: Generator::find(), split, servers, is_fresh: true })
    }

    /// Every server once, then every server again, so that what changes on the machine falls on all of them.
    fn repeat(&self, connections: usize) -> Result<Vec<Runs>> {
        let mut all = vec![Runs::default(); self.servers.len()];
        for _ in 0..self.settings.repetitions() {
            for (server, runs) in self.servers.iter().zip(&mut all) {
                server.resume()?;
                let done = self.measure(server, connections, runs);
                server.pause()?;
                done.with_context(|| format!("{} with {connections} connections", server.name))?;
            }
        }
        Ok(all)
    }

    fn measure(&self, server: &Server, connections: usize, runs: &mut Runs) -> Result<()> {
        let target = Target { address: server.address, path: "/" };
        verify(target, connections, WARM_REPLIES, b"Hello, world!\n")?;
        if server.name != HYPER && self.is_fresh {
            verify(Target { path: "/count", ..target }, connections, FRESH_REPLIES, b"1")?;
        }
        server.empty_log()?;
        let seconds = if self.settings.quick { 1 } else { 4 };
        let before = server.cpu_seconds()?;
        let done = self.generator.drive(target, connections, seconds, &self.split.load)?;
        let spent = server.cpu_seconds()? - before;
        runs.per_cpu_second.push(done.requests / spent);
        runs.per_second.push(done.requests / done.seconds);
        Ok(())
    }

    fn latency(&self) -> Result<Table> {
        let bytes = request("GET", "/count", &[]);
        let time = Duration::from_secs(if self.settings.quick { 1 } else { 4 });
        let mut all: Vec<Vec<Latency>> = vec![Vec::new(); self.servers.len()];
        for _ in 0..self.settings.repetitions() {
            for (server, runs) in self.servers.iter().zip(&mut all) {
                let expect = (server.name != HYPER).then_some(b"1".as_slice());
                let rate =
                    Rate { per_second: OPEN_PER_SECOND, time, connections: OPEN_CONNECTIONS, request: &bytes, expect };
                server.resume()?;
                let warm = verify(Target { address: server.address, path: "/" }, 16, WARM_REPLIES, b"Hello, world!\n");
                let latency = warm.and_then(|()| open_loop(server.address, rate));
                server.pause()?;
                runs.push(latency.with_context(|| format!("{} in the open loop", server.name))?);
            }
        }
        let title =
            format!("latency, open loop at {OPEN_PER_SECOND} requests a second, µs from the intended send time");
        let mut table = Table::new(title, &["server", "p50", "p90", "p99", "p99.9", "max"]);
        for (server, runs) in self.servers.iter().zip(&all) {
            let of = |pick: fn(&Latency) -> f64| Cell::spread(&runs.iter().map(pick).collect::<Vec<_>>(), 0);
            table.row(vec![
                Cell::text(&server.name),
                of(|run| run.p50_us),
                of(|run| run.p90_us),
                of(|run| run.p99_us),
                of(|run| run.p999_us),
                of(|run| run.max_us),
            ]);
        }
        Ok(table)
    }

    fn memory(&self) -> Table {
        let mut table = Table::new("process", &["server", "start to first answer ms", "peak memory MiB"]);
        for server in &self.servers {
            let start = server.started.as_secs_f64() * 1000.0;
            table.row(vec![Cell::text(&server.name), Cell::Number(start, 1), Cell::number(server.peak_mib(), 1)]);
        }
        table
    }
}

fn throughput(stage: &Stage<'_>, connections: usize, all: &[Runs]) -> Table {
    let reuse = if stage.is_fresh { String::new() } else { format!(", {REUSE} requests for each instance") };
    let title = format!("throughput, one core, {connections} connections{reuse}");
    let columns =
        ["server", "requests per cpu-s", "µs cpu each", "requests per s", "against hyper", "against wasmtime"];
    let mut table = Table::new(title, &columns);
    let median = |name: &str| {
        stage.servers.iter().position(|server| server.name == name).and_then(|at| all.get(at)).and_then(Runs::median)
    };
    for (server, runs) in stage.servers.iter().zip(all) {
        let own = runs.median();
        let against = |name: Option<&str>| own.zip(name.and_then(median)).map(|(own, other)| own / other);
        table.row(vec![
            Cell::text(&server.name),
            Cell::spread(&runs.per_cpu_second, 0),
            Cell::number(own.map(|own| 1e6 / own), 2),
            Cell::spread(&runs.per_second, 0),
            Cell::number(against(Some(HYPER)), 3),
            Cell::number(against(peer_of(&server.name)), 2),
        ]);
    }
    table
}

/// The peer that serves the same component.
fn peer_of(name: &str) -> Option<&'static str> {
    match name {
        CUMULET_P2 => Some(WASMTIME_P2),
        CUMULET_P3 => Some(WASMTIME_P3),
        _ => None,
    }
}

fn scaling(stage: &Stage<'_>, single: &[Runs], double: &[Runs]) -> Table {
    let shared = if stage.split.shared { ", shared with the load" } else { "" };
    let title = format!("scaling, cores {}{shared}, most connections", stage.split.server);
    let mut table = Table::new(title, &["server", "requests per cpu-s", "requests per s", "capacity of two to one"]);
    for ((server, one), two) in stage.servers.iter().zip(single).zip(double) {
        let ratio = two.median().zip(one.median()).map(|(two, one)| 2.0 * two / one);
        table.row(vec![
            Cell::text(&server.name),
            Cell::spread(&two.per_cpu_second, 0),
            Cell::spread(&two.per_second, 0),
            Cell::number(ratio, 2),
        ]);
    }
    table
}

fn notes(report: &mut Report, stage: &Stage<'_>) {
    let generator = match &stage.generator {
        Generator::Wrk(_) => "wrk with one thread",
        Generator::Own => "the harness's own closed loop on one thread (wrk is not installed)",
    };
    let Split { server, load, shared } = &stage.split;
    let alone = if *shared { "the same" } else { "other" };
    report.note(format!("server on core {server}, load by {generator} on {alone} cores {load}"));
    report.note("requests per cpu-s: of user and system time of the server's processes; median (least–most)");
    report.note(
        "capacity of two to one: twice the requests per cpu-s on two cores to those on one, at the most connections",
    );
    report.note(format!(
        "fresh: before each measured run {FRESH_REPLIES} replies of /count, and every reply of the open loop, said 1"
    ));
    report.note("every server's output, cumulet's event for each invocation among it, goes to a file");
    report.note("servers that are not measured are stopped by signal; the open loop never sleeps on its core");
    for server in &stage.servers {
        let length = std::fs::metadata(server.log_path()).map_or(0, |about| about.len());
        if server.name.starts_with("cumulet") && length == 0 {
            report.note(format!("{} wrote no events in its last run: its logging was off", server.name));
        }
    }
}
