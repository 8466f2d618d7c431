//! `compute`: guest code beside the same code run natively, with and without epochs.

use std::hint::black_box;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::app::{App, Case, Native};
use crate::bare::{Bare, Epochs};
use crate::clock;
use crate::cores::Cores;
use crate::report::{Cell, Report, Table};
use crate::settings::Settings;
use crate::spread::Spread;

/// The ways to run a case: in the order of the columns.
#[derive(Debug, Default)]
struct Times {
    native_us: Vec<f64>,
    plain_us: Vec<f64>,
    epochs_us: Vec<f64>,
}

/// Runs the bench.
pub(crate) fn bench(settings: &Settings) -> Result<Report> {
    let mut report = Report::new("compute");
    Cores::allowed()?.split(1).server.confine()?;
    let columns =
        ["case", "native µs", "guest µs", "guest with epochs µs", "native to guest", "with epochs", "same bytes"];
    let mut table = Table::new("time of one request inside one process", &columns);
    for app in App::ALL {
        let component = match settings.component(&app.component()) {
            Ok(component) => component,
            Err(missing) => {
                report.left_out(missing);
                continue;
            }
        };
        let grants = app.grants()?;
        let plain = Bare::new(&component, Epochs::Off, &grants)?;
        let epochs = Bare::new(&component, Epochs::On, &grants)?;
        let native = Native::new(app)?;
        for case in app.cases()? {
            table.row(row(settings, (&native, &plain, &epochs), &case)?);
        }
    }
    report.table(table);
    report.note(
        "guest: wasmtime with a fresh instance for each request, its body copied in and out; one thread, one core",
    );
    report
        .note("native: the same function of the same crate, called directly, with this program's allocator (mimalloc)");
    report.note("native code keeps what its libraries set up once for as long as the process lives; a fresh isolate sets it up each time");
    report.note("epochs: a tick of 500 µs and a yield at each; the target is native to guest ≥ 0.8");
    Ok(report)
}

fn row(settings: &Settings, sides: (&Native, &Bare, &Bare), case: &Case) -> Result<Vec<Cell>> {
    let (native, plain, epochs) = sides;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let native = || native.answer((&case.ask).into());
    let guest = |bare: &Bare| runtime.block_on(async { bare.call(case.ask.to_guest()?).await });
    let (expect, call) = (native(), guest(plain)?);
    ensure!(
        call.status == expect.status,
        "{}: native answered {}, the guest {}",
        case.name,
        expect.status,
        call.status
    );
    let same = expect.body.concat() == *call.body;
    let time = Duration::from_millis(if settings.quick { 300 } else { 2000 });
    let mut times = Times::default();
    for _ in 0..settings.repetitions() {
        times.native_us.push(mean_us(time, || Ok(black_box(native()).status))?);
        times.plain_us.push(mean_us(time, || Ok(guest(plain)?.status))?);
        times.epochs_us.push(mean_us(time, || Ok(guest(epochs)?.status))?);
    }
    let median = |values: &[f64]| Spread::of(values).map(|spread| spread.median);
    let ratio = |values: &[f64]| median(&times.native_us).zip(median(values)).map(|(native, guest)| native / guest);
    Ok(vec![
        Cell::text(&case.name),
        Cell::spread(&times.native_us, 1),
        Cell::spread(&times.plain_us, 1),
        Cell::spread(&times.epochs_us, 1),
        Cell::number(ratio(&times.plain_us), 2),
        Cell::number(ratio(&times.epochs_us), 2),
        Cell::text(if same { "yes" } else { "no" }),
    ])
}

/// Calls `work` until `time` is over, once at least, and returns the mean in microseconds.
fn mean_us(time: Duration, mut work: impl FnMut() -> Result<u16>) -> Result<f64> {
    work()?;
    let began = clock::now();
    let mut calls = 0.0;
    while began.elapsed() < time {
        work()?;
        calls += 1.0;
    }
    Ok(began.elapsed().as_secs_f64() * 1e6 / f64::max(calls, 1.0))
}
