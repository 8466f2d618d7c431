//! `density`: many apps that sleep, each called once, and many isolates that wait at once.

mod asleep;
mod called;
mod held;
mod isolates;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};

use self::asleep::Step;
use crate::cores::Cores;
use crate::fleet::{App, Model, NodeLaunch, NodeProcess, Program};
use crate::report::Report;
use crate::settings::Settings;

/// Apps that are deployed unless `--apps` says otherwise.
const APPS: usize = 1_000;
/// The same where the run is quick.
const APPS_QUICK: usize = 200;
/// Numbers of apps at which is measured on the way to a larger one.
const STEPS: [usize; 3] = [1_000, 10_000, 100_000];
/// One app of real size for so many small ones.
const REAL_PART: usize = 50;
/// The fewest apps of real size.
const REAL_MIN: usize = 9;

/// Where nodes are started.
struct Stage<'s> {
    settings: &'s Settings,
    program: Program,
    cores: Cores,
    logs: &'s Path,
}

/// Runs the bench.
pub(crate) fn bench(settings: &Settings, logs: &Path) -> Result<Report> {
    let mut report = Report::new("density");
    let program = match Program::find(settings) {
        Ok(program) => program,
        Err(missing) => {
            report.left_out(missing);
            return Ok(report);
        }
    };
    let real = real_models(settings, &mut report)?;
    let stage = Stage { settings, program, cores: Cores::allowed()?, logs };
    let data = tempfile::tempdir().context("cannot make a data folder")?;
    let (mut steps, mut apps): (Vec<Step>, Vec<App>) = (Vec::new(), Vec::new());
    let none = stage.asleep(&data.path().join("none"), &apps)?;
    for count in counts(settings) {
        let added = apps_between(&apps, count, &real)?;
        apps.extend(added.iter().cloned());
        steps.push(stage.step(&data.path().join("many"), &added, &apps)?);
    }
    report.table(asleep::table(&none, &steps));
    report.table(called::table(&steps));
    report.table(called::memory(&steps));
    match settings.guest("hostile") {
        Ok(guest) => report.table(isolates::measure(&stage, &guest)?),
        Err(missing) => report.left_out(missing),
    }
    notes(&mut report, &stage, &real);
    Ok(report)
}

/// How many small apps there are at each step.
fn counts(settings: &Settings) -> Vec<usize> {
    let most = settings.apps.unwrap_or(if settings.quick { APPS_QUICK } else { APPS });
    let mut counts: Vec<usize> = STEPS.into_iter().filter(|step| *step < most).collect();
    counts.push(most);
    counts
}

/// What is to be deployed in addition to `apps`, so that there are `count` small ones.
fn apps_between(apps: &[App], count: usize, real: &[Arc<Model>]) -> Result<Vec<App>> {
    let small = Arc::new(Model::small()?);
    let known = |tenant: &str| apps.iter().filter(|app| app.tenant == tenant).count();
    let mut added = App::many("small", &small, count).split_off(known("small"));
    if !real.is_empty() {
        let each = (count / REAL_PART).max(REAL_MIN).div_ceil(real.len());
        let known = known("real") / real.len();
        added.extend(real.iter().flat_map(|model| App::many("real", model, each).split_off(known)));
    }
    Ok(added)
}

/// Components of real size, which need no grant.
fn real_models(settings: &Settings, report: &mut Report) -> Result<Vec<Arc<Model>>> {
    let known: [(&str, _, (&str, &[u8])); 2] = [
        ("hello-p3", settings.component("hello_p3"), ("/", b"Hello, world!\n")),
        ("hostile", settings.guest("hostile"), ("/count", b"1\n")),
    ];
    let mut models = Vec::new();
    for (name, file, ask) in known {
        match file {
            Ok(file) => models.push(Arc::new(Model::read(name, &file, ask)?)),
            Err(missing) => report.left_out(missing),
        }
    }
    Ok(models)
}

impl Stage<'_> {
    fn start(&self, data: &Path, config: &str) -> Result<NodeProcess> {
        NodeProcess::start(&NodeLaunch {
            program: &self.program,
            data,
            config,
            cores: &self.cores,
            log: &self.logs.join("density-node.log"),
        })
    }
}

fn notes(report: &mut Report, stage: &Stage<'_>, real: &[Arc<Model>]) {
    let real: Vec<String> =
        real.iter().map(|model| format!("{} of {} KB", model.name, model.length() / 1000)).collect();
    report.note(format!(
        "every app has bytes of its own; of real size: {}; node on cores {}",
        real.join(", "),
        stage.cores
    ));
    report.note(
        "asleep: after a restart, before any request; what an app takes is the difference to a node without apps",
    );
    report
        .note("that difference is noise where all apps together take less than the starts differ by: see the spreads");
    report.note(
        "PSS counts a page that is mapped often once, so that shared images and code are not counted for each isolate",
    );
    if stage.settings.apps.is_none() {
        report.note("1k, 10k and 100k apps, and 2,000 of real size: --apps 100000");
    }
}

fn mib(bytes: f64) -> f64 {
    bytes / 1_048_576.0
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn whole(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_add_up_to_the_apps_that_were_asked_for() {
        let real = Arc::new(Model::small().unwrap());
        let mut apps: Vec<App> = Vec::new();
        for count in [100, 1_000, 1_000, 2_000] {
            let added = apps_between(&apps, count, std::slice::from_ref(&real)).unwrap();
            apps.extend(added);
            let small = apps.iter().filter(|app| app.tenant == "small").count();
            assert_eq!((small, apps.len() - small), (count, (count / REAL_PART).max(REAL_MIN)));
        }
        let mut names: Vec<String> = apps.iter().map(App::host).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), apps.len());
    }
}
