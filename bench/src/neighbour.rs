//! `neighbour`: one tenant's requests beside another's that never end, and what each of them gets of the processor.

mod pulse;
mod server;
mod shares;
mod spin;

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use self::pulse::{Pulse, pulse};
use self::server::Peer;
use self::spin::{Loop, Spinners};
use crate::clock;
use crate::cores::{Cores, Split};
use crate::fleet::{App, Model, Program, deploy};
use crate::report::{Cell, Report, Table};
use crate::settings::Settings;

/// Requests a second of the tenant that is measured.
const PER_SECOND: u32 = 200;
/// For how long.
const TIME: Duration = Duration::from_secs(10);
/// The same where the run is quick.
const TIME_QUICK: Duration = Duration::from_secs(2);
/// How long the spinning requests run before measuring.
const SPIN_FIRST: Duration = Duration::from_millis(500);
/// What is measured: which loop, and how many requests run it.
const CASES: [(Loop, usize); 6] =
    [(Loop::Plain, 0), (Loop::Plain, 2), (Loop::Plain, 8), (Loop::Plain, 64), (Loop::Bulk, 2), (Loop::Bulk, 8)];
/// Requests that never end are not to meet a limit meanwhile.
const ENDLESS: &str = "[component.main.limit]\ncpu = \"1h\"\ntime = \"1h\"\n";

/// Deployed apps, and what serves them.
struct Stage<'s> {
    settings: &'s Settings,
    program: Program,
    split: Split,
    data: TempDir,
    /// What a peer reads.
    folder: TempDir,
    logs: &'s Path,
    /// Whose requests never end.
    alpha: App,
    /// Who is measured.
    beta: App,
}

/// What the repetitions of one case gave.
#[derive(Debug, Default)]
struct Runs {
    p50_ms: Vec<f64>,
    p99_ms: Vec<f64>,
    p999_ms: Vec<f64>,
    busy: Vec<f64>,
    away: Vec<f64>,
    due: usize,
    errors: usize,
}

/// Runs the bench.
pub(crate) fn bench(settings: &Settings, logs: &Path) -> Result<Report> {
    let mut report = Report::new("neighbour");
    let (program, guest) = match (Program::find(settings), settings.guest("hostile")) {
        (Ok(program), Ok(guest)) => (program, guest),
        (program, guest) => {
            program.err().into_iter().chain(guest.err()).for_each(|missing| report.left_out(missing));
            return Ok(report);
        }
    };
    let stage = Stage::new(settings, program, &guest, logs)?;
    let peers = stage.peers(&guest, &mut report);
    let mut table = Table::new(
        format!(
            "a tenant's {PER_SECOND} requests a second beside another's that never end, ms from the intended send time"
        ),
        &["server", "loop", "spinning", "p50", "p99", "p99.9", "requests", "errors", "cores busy", "client away %"],
    );
    for (kind, count) in CASES {
        let mut all: Vec<(&Peer, Runs)> =
            peers.iter().filter(|peer| peer.runs(kind)).map(|peer| (peer, Runs::default())).collect();
        for _ in 0..settings.repetitions() {
            for (peer, runs) in &mut all {
                let once = stage.once(peer, (kind, count), runs);
                once.with_context(|| format!("{} beside {count} of {kind:?}", peer.name()))?;
            }
        }
        for (peer, runs) in &all {
            table.row(runs.row(peer.name(), (kind, count)));
        }
    }
    report.table(table);
    report.table(shares::measure(&stage)?);
    notes(&mut report, &stage);
    Ok(report)
}

impl<'s> Stage<'s> {
    fn new(settings: &'s Settings, program: Program, guest: &Path, logs: &'s Path) -> Result<Self> {
        let data = tempfile::tempdir().context("cannot make a data folder")?;
        let folder = tempfile::tempdir().context("cannot make a folder for a peer")?;
        let model = Arc::new(Model::read("hostile", guest, ("/count", b"1\n"))?.with(ENDLESS));
        let app = |tenant: &str| App::many(tenant, &model, 1).pop().context("no app");
        let (alpha, mut beta) = (app("alpha")?, app("beta")?);
        // Code of its own, like every app that another tenant has.
        beta.number = 1;
        deploy(data.path(), &[alpha.clone(), beta.clone()])?;
        let split = Cores::allowed()?.split(1);
        split.load.confine()?;
        Ok(Self { settings, program, split, data, folder, logs, alpha, beta })
    }

    fn peers(&self, guest: &Path, report: &mut Report) -> Vec<Peer> {
        let mut peers = vec![Peer::Cumulet];
        match self.settings.wasmtime() {
            Ok(program) => peers.push(Peer::wasmtime(&program, guest)),
            Err(missing) => report.left_out(missing),
        }
        match Peer::workerd(self.folder.path()) {
            Ok(peer) => peers.push(peer),
            Err(missing) => report.left_out(missing),
        }
        peers
    }

    fn once(&self, peer: &Peer, case: (Loop, usize), runs: &mut Runs) -> Result<()> {
        let (kind, count) = case;
        let time = if self.settings.quick { TIME_QUICK } else { TIME };
        let server = peer.start(self)?;
        let (app, grace) = (&self.beta, peer.grace());
        let pulses = Pulse { address: server.address(), app, per_second: PER_SECOND, grace };
        let connections = pulses.connect()?;
        let spinners = Spinners::start(server.address(), &self.alpha, kind, count)?;
        thread::sleep(SPIN_FIRST);
        let (before, began) = (server.cpu_seconds()?, clock::now());
        let beat = pulse(&pulses, connections, time)?;
        runs.busy.push((server.cpu_seconds()? - before) / began.elapsed().as_secs_f64());
        runs.away.push(beat.away * 100.0);
        spinners.check()?;
        for (values, part) in [(&mut runs.p50_ms, 0.5), (&mut runs.p99_ms, 0.99), (&mut runs.p999_ms, 0.999)] {
            values.extend(beat.times.quantile(part).map(|micros| micros / 1e3));
        }
        runs.due += beat.due;
        runs.errors += beat.errors;
        Ok(())
    }
}

impl Runs {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn row(&self, name: &str, case: (Loop, usize)) -> Vec<Cell> {
        let (kind, count) = case;
        vec![
            Cell::text(name),
            Cell::text(kind.name()),
            Cell::number(Some(count as f64), 0),
            Cell::spread(&self.p50_ms, 2),
            Cell::spread(&self.p99_ms, 2),
            Cell::spread(&self.p999_ms, 2),
            Cell::number(Some(self.due as f64), 0),
            Cell::number(Some(self.errors as f64), 0),
            Cell::spread(&self.busy, 2),
            Cell::spread(&self.away, 1),
        ]
    }
}

fn notes(report: &mut Report, stage: &Stage<'_>) {
    let shared = if stage.split.shared { ", the same" } else { "" };
    report.note(format!("server on core {}, the client on {}{shared}", stage.split.server, stage.split.load));
    report.note("both tenants run the same guest, each in code of its own; every answer must say 1");
    report.note(
        "errors: other answers, broken connections, and what had no answer in the end, whose age is in the latency",
    );
    report.note(format!(
        "bulk: each turn fills 64 MiB in one instruction, which takes {:.1} ms natively here",
        bulk_ms()
    ));
    report.note("wasmtime serve has one tenant; it is given a timeout, without which its guests never yield");
    report.note(
        "workerd runs one worker, whose isolate is warm and does not yield: all that waits beside a loop is an error",
    );
}

/// How long a fill of as much memory as the guest's takes.
fn bulk_ms() -> f64 {
    let mut memory = vec![1_u8; 64 << 20];
    let began = clock::now();
    memory.fill(2);
    std::hint::black_box(&mut memory);
    began.elapsed().as_secs_f64() * 1e3
}
