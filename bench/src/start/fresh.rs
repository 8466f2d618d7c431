//! Requests one after the other, each to an isolate of its own, beside `wasmtime serve` on the same component.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::language::Built;
use crate::clock;
use crate::cores::Split;
use crate::fleet::{Memory, Times};
use crate::peer::{WASMTIME_P2, WASMTIME_P3, cumulet, wasmtime};
use crate::process::{Launch, Server};
use crate::report::{Cell, Report, Table};
use crate::settings::Settings;
use crate::spread::Spread;
use crate::wire::{Connection, request};
use crate::workerd;

/// Requests before each measured run.
const WARM_REQUESTS: usize = 100;
/// The pause before each request that does not come at once after the answer to the one before.
const PAUSE: Duration = Duration::from_millis(5);
/// Isolates that wait at once, to see what each of them holds.
const WAITING: usize = 16;
/// How long they are given to come so far.
const SETTLING: Duration = Duration::from_millis(500);
/// How long one answer may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);
/// The body that isolates wait for.
const BODY: &[u8] = b"{\"numbers\": [1, 2, 3]}";

/// A server, and what it did in each repetition.
struct Side {
    server: Server,
    p50_us: Vec<f64>,
    p99_us: Vec<f64>,
    paused_p50_us: Vec<f64>,
    paused_p99_us: Vec<f64>,
    per_cpu_second: Vec<f64>,
    faults: Vec<f64>,
    waiting_kib: Option<f64>,
    is_fresh: bool,
}

/// Measures every language, and adds a table.
pub(super) fn measure(
    settings: &Settings,
    (program, languages): (&Path, &[Built]),
    place: (&Split, &Path),
    report: &mut Report,
) -> Result<()> {
    let columns = [
        "language, server",
        "first byte p50 µs",
        "p99 µs",
        "p50 against wasmtime",
        "p99 against it",
        "with pauses p50 µs",
        "p99 µs",
        "p50 against wasmtime",
        "p99 against it",
        "requests per cpu-s",
        "page faults each",
        "KiB each that waits",
    ];
    let mut table = Table::new("a fresh isolate for each request, loaded, one connection", &columns);
    for built in languages {
        let sides = sides(settings, program, built, place, report);
        let sides = sides.with_context(|| format!("{} is not served", built.name))?;
        rows(&mut table, built, &sides);
    }
    report.table(table);
    notes(report, place.0);
    Ok(())
}

fn sides(
    settings: &Settings,
    program: &Path,
    built: &Built,
    (split, logs): (&Split, &Path),
    report: &mut Report,
) -> Result<Vec<Side>> {
    let data = tempfile::tempdir().context("cannot make a data folder")?;
    let manifest = manifest(data.path(), built)?;
    let mut launches = vec![(cumulet("cumulet", program, &manifest, &data.path().join("data")), true)];
    match settings.wasmtime() {
        Ok(wasmtime) => launches.push((peer(&wasmtime, built), true)),
        Err(missing) => report.left_out(format!("{}: {missing}", built.name)),
    }
    if let Some(project) = built.project.as_ref().filter(|_| built.name.starts_with("JavaScript")) {
        match warm(project, data.path()) {
            Ok(launch) => launches.push((launch, false)),
            Err(missing) => report.left_out(missing),
        }
    }
    let mut sides = Vec::new();
    // Compiled before, so that what compiling leaves behind is in no figure of memory; `wasmtime serve` keeps nothing.
    drop(launches.first().map(|(launch, _)| launch.start(&split.server, logs)).transpose()?);
    for (launch, is_fresh) in launches {
        let server = launch.start(&split.server, logs)?;
        server.pause()?;
        sides.push(Side::new(server, is_fresh));
    }
    for _ in 0..settings.repetitions() {
        for side in &mut sides {
            side.server.resume()?;
            let done = side.repeat(settings, built);
            side.server.pause()?;
            done.with_context(|| format!("{}\n{}", side.server.name, side.server.complaints()))?;
        }
    }
    for side in sides.iter_mut().filter(|side| side.is_fresh && built.project.is_some()) {
        side.server.resume()?;
        side.waiting_kib = Some(waiting_kib(&side.server)?);
        side.server.pause()?;
    }
    Ok(sides)
}

/// The routes of the JavaScript template in workerd.
fn warm(project: &Path, folder: &Path) -> Result<Launch, String> {
    let routes = project.join("src/routes.js");
    let routes = std::fs::read_to_string(&routes).map_err(|error| format!("{}: {error}", routes.display()))?;
    workerd::launch(folder, &[("start.mjs", include_str!("../../peers/start.mjs")), ("routes.js", &routes)])
}

/// The same component in `wasmtime serve`.
fn peer(program: &Path, built: &Built) -> Launch {
    let mut launch = wasmtime(if built.is_p3 { WASMTIME_P3 } else { WASMTIME_P2 }, program, &built.component, 1);
    launch.name = "wasmtime serve".into();
    launch
}

fn manifest(folder: &Path, built: &Built) -> Result<PathBuf> {
    let path = folder.join("cumulet.toml");
    let text = format!(
        "manifest = 1\n[app]\nname = \"start\"\n[component.main]\nsource = {:?}\n[[trigger.http]]\nroute = \"/*\"\ncomponent = \"main\"\n",
        built.component,
    );
    std::fs::write(&path, text).context("cannot write a manifest")?;
    Ok(path)
}

impl Side {
    fn new(server: Server, is_fresh: bool) -> Self {
        let (p50_us, p99_us, paused_p50_us, paused_p99_us, per_cpu_second, faults) = Default::default();
        Self {
            server,
            p50_us,
            p99_us,
            paused_p50_us,
            paused_p99_us,
            per_cpu_second,
            faults,
            waiting_kib: None,
            is_fresh,
        }
    }

    fn repeat(&mut self, settings: &Settings, built: &Built) -> Result<()> {
        let mut connection = Connection::open(self.server.address)?;
        let bytes = request("GET", "/", &[]);
        let mut ask = || -> Result<Duration> {
            let (first, reply) = connection.first_byte(&bytes, ANSWER_TIME_MAX)?;
            let is_right = reply.status == 200 && reply.body == built.expect;
            ensure!(is_right, "it answered {}: {}", reply.status, String::from_utf8_lossy(&reply.body));
            Ok(first)
        };
        for _ in 0..WARM_REQUESTS {
            ask()?;
        }
        self.server.empty_log()?;
        let (cpu, faults) = (self.server.cpu_seconds()?, self.server.page_faults()?);
        let time = Duration::from_secs(if settings.quick { 1 } else { 4 });
        let (began, mut times) = (clock::now(), Times::default());
        while began.elapsed() < time {
            times.push(ask()?);
        }
        #[expect(clippy::cast_precision_loss, reason = "requests of seconds are far below 2^52")]
        let count = times.len() as f64;
        self.p50_us.extend(times.quantile(0.5));
        self.p99_us.extend(times.quantile(0.99));
        self.per_cpu_second.push(count / (self.server.cpu_seconds()? - cpu));
        self.faults.push((self.server.page_faults()? - faults) / count);
        let (began, mut times) = (clock::now(), Times::default());
        while began.elapsed() < time {
            let answered = clock::now();
            while answered.elapsed() < PAUSE {
                std::hint::spin_loop();
            }
            times.push(ask()?);
        }
        self.paused_p50_us.extend(times.quantile(0.5));
        self.paused_p99_us.extend(times.quantile(0.99));
        Ok(())
    }
}

/// What each isolate holds that waits for the rest of its request, in KiB.
fn waiting_kib(server: &Server) -> Result<f64> {
    let held = || Memory::of(server.pid()).map(|memory| memory.proportional / 1024.0);
    let mut open = Vec::new();
    let before = held()?;
    let head = format!("POST /sum HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", BODY.len());
    for _ in 0..WAITING {
        let mut connection = Connection::open(server.address)?;
        connection.send(head.as_bytes())?;
        open.push(connection);
    }
    std::thread::sleep(SETTLING);
    let after = held()?;
    for mut connection in open {
        let reply = connection.exchange(BODY, ANSWER_TIME_MAX)?;
        ensure!(reply.status == 200, "{} answered {} to /sum", server.name, reply.status);
    }
    #[expect(clippy::cast_precision_loss, reason = "a small constant")]
    let each = (after - before) / WAITING as f64;
    Ok(each)
}

fn rows(table: &mut Table, built: &Built, sides: &[Side]) {
    let median = |values: &[f64]| Spread::of(values).map(|spread| spread.median);
    let peer = sides.iter().find(|side| side.server.name.starts_with("wasmtime"));
    for side in sides {
        let against = |of: fn(&Side) -> &[f64]| {
            let peer = peer.filter(|peer| !std::ptr::eq(*peer, side))?;
            Some(median(of(side))? / median(of(peer))?)
        };
        table.row(vec![
            Cell::text(format!("{}, {}", built.name, side.server.name)),
            Cell::spread(&side.p50_us, 0),
            Cell::spread(&side.p99_us, 0),
            Cell::number(against(|side| &side.p50_us), 2),
            Cell::number(against(|side| &side.p99_us), 2),
            Cell::spread(&side.paused_p50_us, 0),
            Cell::spread(&side.paused_p99_us, 0),
            Cell::number(against(|side| &side.paused_p50_us), 2),
            Cell::number(against(|side| &side.paused_p99_us), 2),
            Cell::spread(&side.per_cpu_second, 0),
            Cell::spread(&side.faults, 1),
            Cell::number(side.waiting_kib, 0),
        ]);
    }
}

fn notes(report: &mut Report, split: &Split) {
    let shared = if split.shared { ", the same" } else { "" };
    report
        .note(format!("server on core {}, the client on {}{shared}, where it never sleeps", split.server, split.load));
    report.note("Rust: the example hello; other languages: GET / of their templates, without the store, which not every wasmtime has");
    report.note(format!(
        "at first each request follows the answer to the one before at once; then it comes {} ms later",
        PAUSE.as_millis()
    ));
    report.note("servers that are not measured are stopped by signal, and take turns in every repetition");
    report.note(format!(
        "KiB each that waits: what the process gains by {WAITING} requests whose bodies do not come, shared pages by share"
    ));
}
