//! `instance`: a fresh store, an instance, a call and their end, inside one process, beside bare wasmtime.

use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cumulet_engine::EngineClass;
use cumulet_spec::grant::Grants;
use hdrhistogram::Histogram;

use crate::bare::{Bare, Epochs};
use crate::call::{Ask, Call};
use crate::clock;
use crate::cores::Cores;
use crate::ours::Ours;
use crate::report::{Cell, Report, Table};
use crate::settings::Settings;
use crate::spread::Spread;

/// Calls before each measured run.
const WARM_CALLS: usize = 2000;
/// Calls that are checked for freshness on each side.
const FRESH_CALLS: usize = 100;
/// Calls between two looks at the clock for the end of a run.
const BATCH_CALLS: usize = 64;
/// The longest call that is told apart, in nanoseconds.
const CALL_NS_MAX: u64 = 10_000_000_000;

/// One way to run a component.
enum Side {
    Bare(Bare),
    Ours(Ours),
}

impl Side {
    fn name(&self) -> &'static str {
        match self {
            Self::Bare(_) => "bare wasmtime",
            Self::Ours(_) => "cumulet engine",
        }
    }

    async fn touch(&self, ask: &Ask) -> Result<u16> {
        match self {
            Self::Bare(bare) => bare.touch(ask.to_guest()?).await,
            Self::Ours(ours) => ours.touch(ask.to_guest()?).await,
        }
    }

    async fn call(&self, ask: &Ask) -> Result<Call> {
        match self {
            Self::Bare(bare) => bare.call(ask.to_guest()?).await,
            Self::Ours(ours) => ours.call(ask.to_guest()?).await.map(|(call, _)| call),
        }
    }
}

/// What the repetitions of one side gave.
#[derive(Debug, Default, Clone)]
struct Runs {
    p50_ns: Vec<f64>,
    p99_ns: Vec<f64>,
    per_second: Vec<f64>,
}

/// Runs the bench.
pub(crate) fn bench(settings: &Settings) -> Result<Report> {
    let mut report = Report::new("instance");
    let component = match settings.component("hello") {
        Ok(component) => component,
        Err(missing) => {
            report.left_out(missing);
            return Ok(report);
        }
    };
    let sides = sides(&component)?;
    let cores: Vec<Cores> = Cores::allowed()?.each().collect();
    let time = Duration::from_millis(if settings.quick { 300 } else { 2000 });
    let columns = ["side", "p50 ns", "p99 ns", "calls per s", "p50 against bare", "against one thread"];
    let mut table = Table::new("a fresh store, instance, call and drop of hello (0.2)", &columns);
    let mut single: Vec<Runs> = Vec::new();
    for threads in [1, 2] {
        let Some(cores) = cores.get(..threads) else {
            report.left_out(format!("{threads} threads: this machine lends {} core", cores.len()));
            continue;
        };
        let all = repeat(settings, &sides, cores, time)?;
        let bare = all.first().and_then(|runs| Spread::of(&runs.p50_ns)).map(|spread| spread.median);
        for (place, (side, runs)) in sides.iter().zip(&all).enumerate() {
            let median = |values: &[f64]| Spread::of(values).map(|spread| spread.median);
            let one = single.get(place).and_then(|one| median(&one.per_second));
            table.row(vec![
                Cell::text(format!("{}, {threads} thread{}", side.name(), if threads == 1 { "" } else { "s" })),
                Cell::spread(&runs.p50_ns, 0),
                Cell::spread(&runs.p99_ns, 0),
                Cell::spread(&runs.per_second, 0),
                Cell::number(median(&runs.p50_ns).zip(bare).map(|(own, bare)| own / bare), 2),
                Cell::number(median(&runs.per_second).zip(one).map(|(two, one)| two / one), 2),
            ]);
        }
        if single.is_empty() {
            single = all;
        }
    }
    report.table(table);
    report.note(format!(
        "both sides: pooling allocator, {FRESH_CALLS} calls of /count said 1 each, threads on cores of their own"
    ));
    report.note(
        "cumulet engine: with limits, time slices and measurement of executed time; bare wasmtime: with none of them",
    );
    let reset = if cumulet_engine::pagemap_scan_is_safe() { "PAGEMAP_SCAN" } else { "madvise" };
    report.note(format!("memory is reset by {reset} on both sides"));
    Ok(report)
}

fn sides(component: &Path) -> Result<Vec<Side>> {
    let runtime = runtime()?;
    let ours = runtime.block_on(Ours::new(component, EngineClass::Plain, &Grants::default()))?;
    let sides = vec![Side::Bare(Bare::new(component, Epochs::Off, &Grants::default())?), Side::Ours(ours)];
    for side in &sides {
        for _ in 0..FRESH_CALLS {
            let call = runtime.block_on(side.call(&Ask::get("/count")))?;
            ensure!(call.status == 200 && *call.body == *b"1", "{} answered {call:?} on /count", side.name());
        }
    }
    Ok(sides)
}

fn repeat(settings: &Settings, sides: &[Side], cores: &[Cores], time: Duration) -> Result<Vec<Runs>> {
    let mut all = vec![Runs::default(); sides.len()];
    for _ in 0..settings.repetitions() {
        for (side, runs) in sides.iter().zip(&mut all) {
            let (histogram, per_second) = measure(side, cores, time).with_context(|| side.name())?;
            #[expect(clippy::cast_precision_loss, reason = "at most seconds in nanoseconds")]
            let at = |quantile: f64| histogram.value_at_quantile(quantile) as f64;
            runs.p50_ns.push(at(0.5));
            runs.p99_ns.push(at(0.99));
            runs.per_second.push(per_second);
        }
    }
    Ok(all)
}

/// Calls on one thread for each core at the same time.
fn measure(side: &Side, cores: &[Cores], time: Duration) -> Result<(Histogram<u64>, f64)> {
    let barrier = Barrier::new(cores.len());
    let barrier = &barrier;
    let parts: Vec<Result<(Histogram<u64>, f64)>> = thread::scope(|scope| {
        let threads: Vec<_> =
            cores.iter().map(|core| scope.spawn(move || one_thread(side, core, (barrier, time)))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| anyhow::bail!("a thread panicked"))).collect()
    });
    let mut sum = histogram()?;
    let mut rate = 0.0;
    for part in parts {
        let (histogram, per_second) = part?;
        sum.add(&histogram).context("histograms differ")?;
        rate += per_second;
    }
    Ok((sum, rate))
}

fn one_thread(side: &Side, core: &Cores, run: (&Barrier, Duration)) -> Result<(Histogram<u64>, f64)> {
    let (barrier, time) = run;
    core.confine()?;
    let runtime = runtime()?;
    let mut histogram = histogram()?;
    let ask = Ask::get("/");
    runtime.block_on(async {
        let mut warm = Ok(());
        for _ in 0..WARM_CALLS {
            warm = warm.and(side.touch(&ask).await.map(drop));
        }
        // Everybody waits for everybody, failed or not.
        barrier.wait();
        warm?;
        let began = clock::now();
        let mut calls = 0.0;
        while began.elapsed() < time {
            for _ in 0..BATCH_CALLS {
                let before = clock::now();
                let status = side.touch(&ask).await?;
                histogram.saturating_record(u64::try_from(before.elapsed().as_nanos()).unwrap_or(u64::MAX));
                ensure!(status == 200, "the guest answered {status}");
                calls += 1.0;
            }
        }
        let per_second = calls / began.elapsed().as_secs_f64();
        Ok((histogram, per_second))
    })
}

fn histogram() -> Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, CALL_NS_MAX, 3).context("histogram bounds")
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start a runtime")
}
