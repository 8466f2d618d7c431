//! The first request of a node to an app of each language: its compiled file is there, and nothing is loaded.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::language::Built;
use crate::cores::Split;
use crate::fleet::{App, Caller, Model, NodeLaunch, NodeProcess, Program, Times, deploy, empty_page_cache};
use crate::report::{Cell, Report, Table};
use crate::settings::Settings;

/// Whose apps they are.
const TENANT: &str = "acme";
/// Starts of the node in each repetition.
const STARTS: usize = 4;
/// What is called before, so that the node's own code is warm.
const WARM_REQUESTS: usize = 200;

/// Measures every language, and adds a table.
pub(super) fn measure(
    settings: &Settings,
    languages: &[Built],
    place: (&Split, &Path),
    report: &mut Report,
) -> Result<()> {
    let Ok(program) = Program::find(settings) else { return Ok(()) };
    let columns = ["language", "wasm KB", "C1 p50 ms", "C1 most", "C2 p50 ms", "C2 most", "warm p50 ms"];
    let mut table = Table::new("the first request to an app that the node has not loaded", &columns);
    let other = Arc::new(Model::small()?);
    for built in languages {
        // A program that was not built as this one was compiles anew what was deployed, which may take longer than a
        // request waits.
        match first_requests((settings, &program), built, &other, place) {
            Ok(row) => table.row(row),
            Err(error) => report.left_out(format!("{}, not loaded: {error:#}", built.name)),
        }
    }
    report.table(table);
    report.note("C1: the compiled file is in the page cache, and this process has neither verified nor loaded it");
    report.note("the first app of WASI 0.3 after a start also makes the engine of its class, in C1 and in C2");
    report.note("C2: as C1, after posix_fadvise(DONTNEED) on all files of the data folder");
    Ok(())
}

/// A language's row.
fn first_requests(
    (settings, program): (&Settings, &Program),
    built: &Built,
    other: &Arc<Model>,
    (split, logs): (&Split, &Path),
) -> Result<Vec<Cell>> {
    let starts = settings.repetitions() * if settings.quick { 1 } else { STARTS };
    let data = tempfile::tempdir().context("cannot make a data folder")?;
    let name = built.name.to_lowercase().replace([' ', '.'], "-");
    let model = Arc::new(Model::read(&name, &built.component, ("/", &built.expect))?);
    let app = App::many(TENANT, &model, 1).pop().context("no app")?;
    let warm = App::many("warm", other, 1).pop().context("no app")?;
    deploy(data.path(), &[app.clone(), warm.clone()])?;
    let (mut first, mut again) = ([Times::default(), Times::default()], Times::default());
    for _ in 0..starts {
        for (is_on_disk, times) in [false, true].into_iter().zip(&mut first) {
            let node = NodeProcess::start(&NodeLaunch {
                program,
                data: data.path(),
                config: "",
                cores: &split.server,
                log: &logs.join("start-node.log"),
            })?;
            let mut caller = Caller::new(&node)?;
            for _ in 0..WARM_REQUESTS {
                caller.ask(&warm)?;
            }
            if is_on_disk {
                empty_page_cache(data.path())?;
            }
            times.push(caller.ask(&app)?);
            again.push(caller.ask(&app)?);
            node.stop()?;
        }
    }
    let [cached, disk] = &first;
    let millis = |times: &Times, part: f64| Cell::number(times.quantile(part).map(|micros| micros / 1000.0), 2);
    #[expect(clippy::cast_precision_loss, reason = "a file is far below 2^52 bytes")]
    let kilobytes = model.length() as f64 / 1000.0;
    Ok(vec![
        Cell::text(built.name),
        Cell::Number(kilobytes, 0),
        millis(cached, 0.5),
        millis(cached, 1.0),
        millis(disk, 0.5),
        millis(disk, 1.0),
        millis(&again, 0.5),
    ])
}
