//! `cold`: what the first request to an app that sleeps costs beyond a warm one, beside starting a container and a process.

mod beside;
mod container;
mod first;
mod kind;
mod start;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use tempfile::TempDir;

use self::first::Runs;
use self::kind::Kind;
use crate::cores::{Cores, Split};
use crate::fleet::{App, Model, NodeLaunch, NodeProcess, Program, deploy};
use crate::report::{Cell, Report, Table};
use crate::settings::Settings;

/// Apps made from each component.
const APPS: usize = 60;
/// The same where the run is quick.
const APPS_QUICK: usize = 24;
/// The tenant of all of them.
const TENANT: &str = "acme";
/// Grants of the guest of stores: without one for each of its imports it is not served.
const STORES: &str =
    "[component.main.grant]\nkeyvalue = [\"default\"]\nblobstore = [\"default\"]\nsqlite = [\"default\"]\n";

/// Deployed apps, and where they are served.
struct Stage<'s> {
    settings: &'s Settings,
    program: Program,
    split: Split,
    data: TempDir,
    log: PathBuf,
    /// What apps are made from.
    models: Vec<Arc<Model>>,
    /// The apps, neighbours made from different components.
    apps: Vec<App>,
    /// An app that is called before measuring.
    warm: App,
}

/// Runs the bench.
pub(crate) fn bench(settings: &Settings, logs: &Path) -> Result<Report> {
    let mut report = Report::new("cold");
    let program = match Program::find(settings) {
        Ok(program) => program,
        Err(missing) => {
            report.left_out(missing);
            return Ok(report);
        }
    };
    let models = models(settings, &mut report)?;
    if models.is_empty() {
        return Ok(report);
    }
    let stage = Stage::new(settings, program, models, logs)?;
    let mut all: Vec<(Kind, Runs)> = Vec::new();
    for kind in Kind::ALL {
        let runs = stage.repeat(kind).with_context(|| format!("{kind:?}"))?;
        all.push((kind, runs));
    }
    report.table(beyond(&stage, &all));
    report.table(phases(&all));
    let started = stage.start_to_answer()?;
    report.table(start::table(&started));
    let table = beside::table(&stage, &all, &started, &mut report, logs)?;
    report.table(table);
    notes(&mut report, &stage);
    Ok(report)
}

/// Components of the size that is measured, and a smaller one.
fn models(settings: &Settings, report: &mut Report) -> Result<Vec<Arc<Model>>> {
    let hello = ("/", b"Hello, world!\n".as_slice());
    let unknown = b"this guest knows no store \"none\"\n".as_slice();
    let known = [
        ("hello", settings.component("hello"), hello, ""),
        ("hello-p3", settings.component("hello_p3"), hello, ""),
        ("hostile", settings.guest("hostile"), ("/count", b"1\n"), ""),
        ("stores", settings.guest("stores"), ("/none", unknown), STORES),
    ];
    let mut models = Vec::new();
    for (name, file, ask, tables) in known {
        match file {
            Ok(file) => models.push(Arc::new(Model::read(name, &file, ask)?.with(tables))),
            Err(missing) => report.left_out(missing),
        }
    }
    Ok(models)
}

impl<'s> Stage<'s> {
    fn new(settings: &'s Settings, program: Program, models: Vec<Arc<Model>>, logs: &Path) -> Result<Self> {
        let data = tempfile::tempdir().context("cannot make a data folder")?;
        let count = if settings.quick { APPS_QUICK } else { APPS };
        let of_each: Vec<Vec<App>> = models.iter().map(|model| App::many(TENANT, model, count)).collect();
        let place = |number: usize| of_each.iter().filter_map(move |apps| apps.get(number)).cloned();
        let apps: Vec<App> = (0..count).flat_map(place).collect();
        let warm = App::many("warm", models.first().context("no components")?, 1).pop().context("no app")?;
        let mut all = apps.clone();
        all.push(warm.clone());
        deploy(data.path(), &all)?;
        let split = Cores::allowed()?.split(1);
        split.load.confine()?;
        Ok(Self { settings, program, split, data, log: logs.join("cold-node.log"), models, apps, warm })
    }

    fn start(&self, config: &str) -> Result<NodeProcess> {
        NodeProcess::start(&NodeLaunch {
            program: &self.program,
            data: self.data.path(),
            config,
            cores: &self.split.server,
            log: &self.log,
        })
    }
}

fn beyond(stage: &Stage<'_>, all: &[(Kind, Runs)]) -> Table {
    let columns = [
        "which, component",
        "wasm KB",
        "requests",
        "cold p50 µs",
        "cold p99",
        "warm p50",
        "warm p99",
        "p50 beyond",
        "p99 beyond",
    ];
    let mut table = Table::new("the first request to an app that is not loaded, beyond a warm one", &columns);
    for (kind, runs) in all {
        for model in &stage.models {
            let Some(sample) = runs.models.get(&model.name) else { continue };
            let (p50, p99) = (sample.beyond(0.5), sample.beyond(0.99));
            table.row(vec![
                Cell::text(format!("{}, {}", kind.name(), model.name)),
                Cell::number(Some(kilobytes(model.length())), 0),
                Cell::number(Some(whole(sample.cold.len())), 0),
                Cell::spread(&sample.cold_p50, 0),
                Cell::number(sample.cold.quantile(0.99), 0),
                Cell::number(sample.warm.quantile(0.5), 0),
                Cell::number(sample.warm.quantile(0.99), 0),
                Cell::number(p50, 0),
                Cell::number(p99, 0),
            ]);
        }
    }
    table
}

fn phases(all: &[(Kind, Runs)]) -> Table {
    let columns = ["which", "cold starts", "lookup µs", "verify", "map", "link", "compile", "disk KB read"];
    let mut table = Table::new("its steps, µs for each app that was loaded, as /metrics says", &columns);
    for (kind, runs) in all {
        let mut row = vec![Cell::text(kind.name()), Cell::number(Some(runs.loaded), 0)];
        row.extend(runs.phases_us.iter().map(|micros| Cell::number(*micros, 0)));
        row.push(Cell::number(Some(runs.read_bytes / 1000.0 / runs.loaded.max(1.0)), 1));
        table.row(row);
    }
    table
}

fn notes(report: &mut Report, stage: &Stage<'_>) {
    let shared = if stage.split.shared { ", the same" } else { "" };
    report.note(format!(
        "node on core {}, the client on {}{shared}; one kept connection, requests one after the other",
        stage.split.server, stage.split.load
    ));
    report.note(format!("{} byte-different apps of each component", stage.apps.len() / stage.models.len().max(1)));
    for kind in Kind::ALL {
        report.note(format!("{}: {}", kind.name(), kind.meaning()));
    }
    report.note("beyond: the cold quantile less the warm one; each app is asked again at once for the warm ones");
}

fn kilobytes(bytes: usize) -> f64 {
    whole(bytes) / 1000.0
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn whole(count: usize) -> f64 {
    count as f64
}
