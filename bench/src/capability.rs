//! `capability`: what a call to a store costs through a guest, beside the same call to its provider from Rust.

mod outbound;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use cumulet_engine::EngineClass;
use cumulet_provider::keyvalue::{Bucket, Swap};
use cumulet_provider::{Bound, Stores};
use cumulet_servers::{Kind, Server};
use cumulet_spec::grant::{Capability, Grants};
use cumulet_spec::id::{AppId, AppName};
use cumulet_spec::sensitive::Sensitive;
use hdrhistogram::Histogram;
use tokio::runtime::Runtime;

use crate::call::Ask;
use crate::clock;
use crate::ours::Ours;
use crate::report::{Cell, Report, Table};
use crate::settings::Settings;
use crate::spread::Spread;

const COLUMNS: [&str; 7] = ["store", "call", "side", "p50 µs", "p99 µs", "calls per s", "more at p50, µs"];
/// The calls that are measured.
const CALLS: [&str; 3] = ["get", "set", "swap"];
/// Size of a value, in bytes: that of the guest's.
const VALUE_BYTES: usize = 100;
/// The longest call that is told apart, in nanoseconds.
const CALL_NS_MAX: u64 = 10_000_000_000;
/// Nanoseconds of a microsecond.
const NANOS: f64 = 1_000.0;

/// One store, called directly and through a guest.
struct Sides {
    name: &'static str,
    bucket: Arc<dyn Bucket>,
    guest: Ours,
    _server: Option<Server>,
    _data: tempfile::TempDir,
}

/// What one repetition of one side gave.
struct Run {
    p50_us: f64,
    p99_us: f64,
    per_second: f64,
}

#[derive(Default)]
struct Runs {
    p50_us: Vec<f64>,
    p99_us: Vec<f64>,
    per_second: Vec<f64>,
}

impl Runs {
    fn push(&mut self, run: &Run) {
        self.p50_us.push(run.p50_us);
        self.p99_us.push(run.p99_us);
        self.per_second.push(run.per_second);
    }
}

/// Runs the bench.
pub(crate) fn bench(settings: &Settings) -> Result<Report> {
    let mut report = Report::new("capability");
    let component = Settings::root().join("tests/guests/target/wasm32-wasip2/release/stores.wasm");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut table = Table::new(format!("key-value stores, values of {VALUE_BYTES} bytes, one caller"), &COLUMNS);
    for (name, kind) in [("sqlite", None), ("redis", Some(Kind::Redis)), ("nats", Some(Kind::Nats))] {
        let Some(sides) = open(&runtime, &component, name, kind)? else {
            report.left_out(format!("{name}: apt install {}", kind.map_or("", Kind::package)));
            continue;
        };
        for call in CALLS {
            measure(settings, &runtime, &sides, call, &mut table)?;
        }
    }
    report.table(table);
    let alone = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    for (runtime, threads) in [(&runtime, "two threads"), (&alone, "one thread")] {
        report.table(outbound::measure(settings, (runtime, threads), &component)?);
    }
    report.note("provider: the same trait, called from Rust on the same runtime; guest: a loop inside one instance");
    report.note("the guest reads its clock around each call, which is part of what it costs more");
    Ok(report)
}

fn open(runtime: &Runtime, component: &Path, name: &'static str, kind: Option<Kind>) -> Result<Option<Sides>> {
    let server = match kind.map(Server::start).transpose()? {
        Some(None) => return Ok(None),
        started => started.flatten(),
    };
    let place = (Capability::Keyvalue, "default".to_owned());
    let bound: Bound = server.iter().map(|server| (place.clone(), Sensitive::new(server.url()))).collect();
    let data = tempfile::tempdir()?;
    let stores = Arc::new(Stores::new(data.path(), bound));
    let grants = Grants { keyvalue: vec!["default".to_owned()], ..Grants::default() };
    let app = AppId::local(AppName::nearest("bench"));
    let bucket = runtime.block_on(stores.bucket(&app, "default"));
    let bucket = bucket.map_err(|error| anyhow::anyhow!(error.chain()))?;
    let guest = runtime.block_on(Ours::with_stores(component, EngineClass::Plain, &grants, stores))?;
    Ok(Some(Sides { name, bucket, guest, _server: server, _data: data }))
}

/// Both sides in turns, and a row for each.
fn measure(settings: &Settings, runtime: &Runtime, sides: &Sides, call: &str, table: &mut Table) -> Result<()> {
    let calls = calls(settings);
    let path = format!("/bench?bucket=default&do={call}&n={calls}");
    let (mut direct_runs, mut guest_runs) = (Runs::default(), Runs::default());
    for _ in 0..settings.repetitions() {
        direct_runs.push(&runtime.block_on(direct(&*sides.bucket, call, calls))?);
        guest_runs.push(&runtime.block_on(through(&sides.guest, &path))?);
    }
    rows(table, (sides.name, call), &[("provider", &direct_runs), ("guest", &guest_runs)]);
    Ok(())
}

fn calls(settings: &Settings) -> u32 {
    if settings.quick { 200 } else { 2_000 }
}

/// A row for each side; the first is what the others are held against.
fn rows(table: &mut Table, (store, call): (&str, &str), sides: &[(&str, &Runs)]) {
    let median = |runs: &Runs| Spread::of(&runs.p50_us).map(|spread| spread.median);
    let base = sides.first().and_then(|(_, runs)| median(runs));
    for (place, (side, runs)) in sides.iter().enumerate() {
        let more = median(runs).zip(base).map(|(side, base)| side - base).filter(|_| place > 0);
        table.row(vec![
            Cell::text(store),
            Cell::text(call),
            Cell::text(*side),
            Cell::spread(&runs.p50_us, 1),
            Cell::spread(&runs.p99_us, 1),
            Cell::spread(&runs.per_second, 0),
            Cell::number(more, 1),
        ]);
    }
}

async fn direct(bucket: &dyn Bucket, call: &str, calls: u32) -> Result<Run> {
    let value = Bytes::from(vec![b'x'; VALUE_BYTES]);
    bucket.set("bench".to_owned(), value.clone()).await?;
    let mut histogram = Histogram::<u64>::new_with_bounds(1, CALL_NS_MAX, 3)?;
    for _ in 0..calls {
        let started = clock::now();
        match call {
            "get" => drop(bucket.get("bench".to_owned()).await?),
            "set" => bucket.set("bench".to_owned(), value.clone()).await?,
            _ => add(bucket).await?,
        }
        histogram.saturating_record(u64::try_from(started.elapsed().as_nanos())?);
    }
    Ok(run(&histogram))
}

/// One compare-and-swap that adds to a number, as the guest has it.
async fn add(bucket: &dyn Bucket) -> Result<()> {
    let mut seen = bucket.read("counter".to_owned()).await?;
    loop {
        let text = seen.value.as_deref().and_then(|bytes| std::str::from_utf8(bytes).ok());
        let number = text.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) + 1;
        match bucket.swap("counter".to_owned(), seen, Bytes::from(number.to_string())).await? {
            Swap::Done => return Ok(()),
            Swap::Changed(now) => seen = now,
        }
    }
}

async fn through(guest: &Ours, path: &str) -> Result<Run> {
    let (answer, _used) = guest.call(Ask::get(path).to_guest()?).await?;
    let text = std::str::from_utf8(&answer.body).context("the guest answered no text")?;
    let mut histogram = Histogram::<u64>::new_with_bounds(1, CALL_NS_MAX, 3)?;
    for line in text.lines() {
        histogram.saturating_record(line.parse().with_context(|| format!("the guest answered {line:?}"))?);
    }
    Ok(run(&histogram))
}

#[expect(clippy::cast_precision_loss, reason = "at most seconds in nanoseconds")]
fn run(histogram: &Histogram<u64>) -> Run {
    let at = |quantile: f64| histogram.value_at_quantile(quantile) as f64 / NANOS;
    Run { p50_us: at(0.5), p99_us: at(0.99), per_second: 1e9 / histogram.mean().max(1.0) }
}
