//! `examples`: the example apps under load, beside the same code as a native process, and Node.js.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cumulet_engine::EngineClass;

use crate::app::{App, Case};
use crate::call::Ask;
use crate::clock;
use crate::cores::{Cores, Split};
use crate::load::{Latency, Rate, open_loop};
use crate::ours::Ours;
use crate::peer;
use crate::process::{LISTEN, Launch, Server};
use crate::report::{Cell, Report, Table};
use crate::settings::{Settings, own_program};
use crate::spread::Spread;
use crate::wire::Connection;

/// Connections of the open loop.
const CONNECTIONS: usize = 32;
/// Requests before each run.
const WARM_REQUESTS: usize = 20;
/// The longest that one reply may take.
const REPLY_MAX: Duration = Duration::from_secs(30);
/// Isolates that are started to measure a start.
const STARTS: usize = 200;

#[derive(Debug, Default)]
struct Runs {
    latency: Vec<Latency>,
    cpu_ms: Vec<f64>,
}

/// Runs the bench.
pub(crate) fn bench(settings: &Settings, logs: &Path) -> Result<Report> {
    let mut report = Report::new("examples");
    let split = Cores::allowed()?.split(1);
    split.load.confine()?;
    let data = tempfile::tempdir().context("cannot make a data folder")?;
    for app in App::ALL {
        match settings.component(&app.component()) {
            Ok(component) => {
                let launches = launches(settings, app, (&component, data.path()), &mut report)?;
                report.table(load(settings, app, &launches, (&split, logs))?);
                report.table(isolates(settings, app, &component)?);
            }
            Err(missing) => report.left_out(missing),
        }
    }
    report.note(format!(
        "servers on core {}, open loop on {} from the intended send time, which never sleeps",
        split.server, split.load
    ));
    report.note("native: the function that the component calls, behind bare hyper; it parses the key set for each token, as the component does");
    report.note("node: node:http and node:crypto (OpenSSL), keys parsed once");
    report.note(
        "isolates: on Cumulet's engine in this process; start: store, instance and an answer that computes nothing",
    );
    report.note("executed: thread CPU time over every poll of the guest, which is what is billed");
    Ok(report)
}

fn launches(settings: &Settings, app: App, paths: (&Path, &Path), report: &mut Report) -> Result<Vec<Launch>> {
    let (component, data) = paths;
    let native = Launch::new(format!("native {}", app.name()), own_program()?);
    let mut launches = vec![native.args(["serve-hyper", "--listen", LISTEN, "--app", app.name()])];
    match settings.cumulet() {
        Ok(program) => {
            let manifest = app.write_manifest(component, data)?;
            let name = format!("cumulet {}", app.name());
            launches.push(peer::cumulet(&name, &program, &manifest, &data.join(app.name())));
        }
        Err(missing) => report.left_out(missing),
    }
    if app == App::TokenVerify {
        if Command::new("node").arg("--version").output().is_ok_and(|out| out.status.success()) {
            let script = Settings::root().join("bench/peers/token-verify.mjs");
            let node = Launch::new("node token-verify", "node").args([script]).args([LISTEN]).args([App::key_set()]);
            launches.push(node);
        } else {
            report.left_out("node token-verify: Node.js 20 or newer on PATH");
        }
    }
    Ok(launches)
}

fn load(settings: &Settings, app: App, launches: &[Launch], place: (&Split, &Path)) -> Result<Table> {
    let (split, logs) = place;
    let case = app.cases()?.into_iter().next().context("no case")?;
    let servers = launches.iter().map(|launch| launch.start(&split.server, logs)).collect::<Result<Vec<_>>>()?;
    for server in &servers {
        server.pause()?;
    }
    let mut all: Vec<Runs> = servers.iter().map(|_| Runs::default()).collect();
    for _ in 0..settings.repetitions() {
        for (server, runs) in servers.iter().zip(&mut all) {
            server.resume()?;
            let done = measure(settings, app, (server, &case), runs);
            server.pause()?;
            done.with_context(|| format!("{}; {}", server.name, server.complaints()))?;
        }
    }
    let title = format!("{}, open loop at {} requests a second", case.name, app.rate());
    let mut table = Table::new(title, &["server", "p50 µs", "p99 µs", "max µs", "cpu ms each", "start ms", "peak MiB"]);
    for (server, runs) in servers.iter().zip(&all) {
        let of = |pick: fn(&Latency) -> f64| Cell::spread(&runs.latency.iter().map(pick).collect::<Vec<_>>(), 0);
        table.row(vec![
            Cell::text(&server.name),
            of(|run| run.p50_us),
            of(|run| run.p99_us),
            of(|run| run.max_us),
            Cell::spread(&runs.cpu_ms, 3),
            Cell::Number(server.started.as_secs_f64() * 1000.0, 1),
            Cell::number(server.peak_mib(), 1),
        ]);
    }
    Ok(table)
}

fn measure(settings: &Settings, app: App, what: (&Server, &Case), runs: &mut Runs) -> Result<()> {
    let (server, case) = what;
    let bytes = case.ask.to_wire();
    let mut connection = Connection::open(server.address)?;
    for _ in 0..WARM_REQUESTS {
        let reply = connection.exchange(&bytes, REPLY_MAX)?;
        ensure!(reply.status == case.status, "answered {}: {}", reply.status, String::from_utf8_lossy(&reply.body));
    }
    drop(connection);
    server.empty_log()?;
    let time = Duration::from_secs(if settings.quick { 2 } else { 6 });
    let rate = Rate { per_second: app.rate(), time, connections: CONNECTIONS, request: &bytes, expect: None };
    let before = server.cpu_seconds()?;
    runs.latency.push(open_loop(server.address, rate)?);
    let spent = server.cpu_seconds()? - before;
    runs.cpu_ms.push(spent * 1000.0 / (f64::from(app.rate()) * time.as_secs_f64()));
    Ok(())
}

/// What isolates of the app take, without a server around them.
fn isolates(settings: &Settings, app: App, component: &Path) -> Result<Table> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let title = format!("{}: isolates", app.name());
    let mut table = Table::new(title, &["case", "start to answer µs", "executed ms", "peak memory MiB"]);
    runtime.block_on(async {
        let ours = Ours::new(component, EngineClass::Plain, &app.grants()?).await?;
        let mut starts = Vec::new();
        let nothing = Ask::get("/nothing-here");
        for _ in 0..STARTS {
            let request = nothing.to_guest()?;
            let began = clock::now();
            ours.touch(request).await?;
            starts.push(began.elapsed().as_secs_f64() * 1e6);
        }
        for case in app.cases()? {
            let (mut executed, mut peak) = (Vec::new(), 0.0);
            for _ in 0..settings.repetitions() * 2 {
                let (call, used) = ours.call(case.ask.to_guest()?).await?;
                ensure!(call.status == case.status, "{} answered {}", case.name, call.status);
                executed.push(used.executed_ms);
                peak = f64::max(peak, used.peak_mib);
            }
            let start = Spread::of(&starts).map(|spread| spread.median);
            table.row(vec![
                Cell::text(&case.name),
                Cell::number(start, 0),
                Cell::spread(&executed, 3),
                Cell::Number(peak, 1),
            ]);
        }
        Ok(table)
    })
}
