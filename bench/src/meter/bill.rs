//! Billed time beside the processor time of the node's threads.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::clock;
use crate::cores::Split;
use crate::fleet::{App, Billed, Caller, Model, NodeLaunch, NodeProcess, Program, Threads, billed, deploy, get};
use crate::report::{Cell, Table};
use crate::settings::Settings;
use crate::wire::Connection;

/// The threads that poll guests: tokio's run first slices, the runners all others.
const GUEST_THREADS: [&str; 2] = ["tokio", "runner"];
/// For how long each load is made.
const TIME: Duration = Duration::from_secs(10);
/// The same where the run is quick.
const TIME_QUICK: Duration = Duration::from_secs(2);
/// Several times what passes between two moves of records into the ledger.
const SETTLE: Duration = Duration::from_secs(1);
/// Requests before measuring.
const WARM_REQUESTS: usize = 100;
/// The longest that an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(60);

/// Where the node is started.
pub(super) struct Stage<'s> {
    pub(super) settings: &'s Settings,
    pub(super) program: Program,
    pub(super) split: &'s Split,
    pub(super) logs: &'s Path,
}

/// A load, and what its repetitions gave.
struct Load {
    name: &'static str,
    app: App,
    connections: usize,
    runs: Runs,
}

#[derive(Debug, Default)]
struct Runs {
    requests: Vec<f64>,
    billed_ms: Vec<f64>,
    guest_ms: Vec<f64>,
    process_ms: Vec<f64>,
    guest_unbilled: Vec<f64>,
    process_unbilled: Vec<f64>,
}

impl Stage<'_> {
    /// Makes each load in turns, and reads both.
    pub(super) fn measure(&self, hello: &Path, hostile: &Path) -> Result<Table> {
        let mut loads = loads(hello, hostile)?;
        let data = tempfile::tempdir().context("cannot make a data folder")?;
        let of = |place: usize| loads.get(place).map(|load| load.app.clone()).context("no load");
        deploy(data.path(), &[of(0)?, of(1)?])?;
        let node = NodeProcess::start(&NodeLaunch {
            program: &self.program,
            data: data.path(),
            config: "",
            cores: &self.split.server,
            log: &self.logs.join("meter-node.log"),
        })?;
        for load in &loads {
            let mut caller = Caller::new(&node)?;
            let count = if load.app.model.name == "hello" { WARM_REQUESTS } else { 2 };
            for _ in 0..count {
                caller.ask(&load.app)?;
            }
        }
        for _ in 0..self.settings.repetitions() {
            for load in &mut loads {
                self.once(&node, data.path(), load).with_context(|| load.name)?;
            }
        }
        node.stop()?;
        Ok(table(&loads))
    }

    fn once(&self, node: &NodeProcess, data: &Path, load: &mut Load) -> Result<()> {
        thread::sleep(SETTLE);
        let before = bill(data)?;
        let threads = Threads::of(node.pid())?;
        let time = if self.settings.quick { TIME_QUICK } else { TIME };
        let sent = closed_loop(node, load, time)?;
        let after_threads = Threads::of(node.pid())?;
        thread::sleep(SETTLE);
        let after = bill(data)?;
        let records = after.invocations - before.invocations;
        ensure!(records == sent, "{sent} requests made {records} usage records");
        let billed = Duration::from_micros(after.executed_us - before.executed_us).as_secs_f64();
        let guests = after_threads.seconds(&GUEST_THREADS) - threads.seconds(&GUEST_THREADS);
        load.runs.add(sent, billed, (guests, after_threads.all() - threads.all()));
        Ok(())
    }
}

impl Runs {
    fn add(&mut self, sent: u64, billed: f64, spent: (f64, f64)) {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let requests = sent as f64;
        let (guests, process) = spent;
        self.requests.push(requests);
        self.billed_ms.push(billed * 1e3 / requests);
        self.guest_ms.push(guests * 1e3 / requests);
        self.process_ms.push(process * 1e3 / requests);
        self.guest_unbilled.push((guests - billed) / guests * 100.0);
        self.process_unbilled.push((process - billed) / process * 100.0);
    }
}

/// The first two are of different apps.
fn loads(hello: &Path, hostile: &Path) -> Result<Vec<Load>> {
    let one = |model: Model| App::many("acme", &Arc::new(model), 1).pop().context("no app");
    let hello = one(Model::read("hello", hello, ("/", b"Hello, world!\n"))?)?;
    let mut loads = vec![Load { name: "hello, 1 connection", app: hello, connections: 1, runs: Runs::default() }];
    let works = [
        ("1 ms, 1 connection", 1, 1),
        ("5 ms, 1 connection", 5, 1),
        ("20 ms, 1 connection", 20, 1),
        ("20 ms, 4 connections", 20, 4),
    ];
    for (name, ms, connections) in works {
        let path = format!("/work?ms={ms}");
        let app = one(Model::read("work", hostile, (&path, b"worked\n"))?)?;
        loads.push(Load { name, app, connections, runs: Runs::default() });
    }
    Ok(loads)
}

/// What everybody is billed for so far.
fn bill(data: &Path) -> Result<Billed> {
    let all = billed(data)?;
    let add = |sum: Billed, one: &Billed| Billed {
        invocations: sum.invocations + one.invocations,
        executed_us: sum.executed_us + one.executed_us,
    };
    Ok(all.values().fold(Billed::default(), add))
}

/// Keeps connections busy, and says how many requests were answered right.
fn closed_loop(node: &NodeProcess, load: &Load, time: Duration) -> Result<u64> {
    let host = load.app.host();
    let bytes = get(&host, &load.app.model.path);
    let mut connections = (0..load.connections).map(|_| node.connect()).collect::<Result<Vec<Connection>>>()?;
    let began = clock::now();
    let mut answered = 0;
    for connection in &mut connections {
        connection.send(&bytes)?;
    }
    while !connections.is_empty() {
        let mut busy = Vec::with_capacity(connections.len());
        for mut connection in connections {
            if let Some(reply) = connection.poll().context("a connection broke off")? {
                NodeProcess::check(&host, &reply, &load.app.model.expect)?;
                answered += 1;
                if began.elapsed() >= time {
                    continue;
                }
                connection.send(&bytes)?;
            }
            busy.push(connection);
        }
        connections = busy;
        ensure!(began.elapsed() < time + ANSWER_MAX, "{host} does not answer");
    }
    Ok(answered)
}

fn table(loads: &[Load]) -> Table {
    let columns = [
        "load",
        "requests",
        "billed ms each",
        "guest threads ms each",
        "unbilled %",
        "process ms each",
        "unbilled of the process %",
    ];
    let mut table = Table::new("billed executed time beside processor time", &columns);
    for Load { name, runs, .. } in loads {
        table.row(vec![
            Cell::text(*name),
            Cell::spread(&runs.requests, 0),
            Cell::spread(&runs.billed_ms, 3),
            Cell::spread(&runs.guest_ms, 3),
            Cell::spread(&runs.guest_unbilled, 1),
            Cell::spread(&runs.process_ms, 3),
            Cell::spread(&runs.process_unbilled, 1),
        ]);
    }
    table
}
