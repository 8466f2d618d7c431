//! Other ways to get the same answer from something that does not run yet.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::container::Image;
use super::start::Started;
use super::{Kind, Runs, Stage};
use crate::fleet::{Disk, Memory};
use crate::process::Launch;
use crate::report::{Cell, Report, Table};

/// Starts that are measured.
const STARTS: usize = 20;
/// The same where the run is quick.
const STARTS_QUICK: usize = 4;
/// Runtimes that start containers.
const RUNTIMES: [&str; 2] = ["crun", "runc"];
/// A server of Node.js that gives the answer at the address that [`Launch`] puts in.
const NODE_JS: &str = "const [host, port] = '{listen}'.split(':');\
require('http').createServer((_, reply) => reply.end('Hello, world!\\n')).listen(Number(port), host)";

/// One way.
#[derive(Debug, Default)]
struct Way {
    answer_ms: Vec<f64>,
    resident_mib: Vec<f64>,
    image_mib: Option<f64>,
}

impl Way {
    fn row(&self, name: &str) -> Vec<Cell> {
        vec![
            Cell::text(name),
            Cell::spread(&self.answer_ms, 2),
            Cell::spread(&self.resident_mib, 2),
            Cell::number(self.image_mib, 2),
        ]
    }

    fn add(&mut self, answered: std::time::Duration, memory: Memory) {
        self.answer_ms.push(answered.as_secs_f64() * 1e3);
        self.resident_mib.push(mib(memory.resident));
    }
}

/// All of them.
pub(super) fn table(
    stage: &Stage<'_>,
    all: &[(Kind, Runs)],
    started: &Started,
    report: &mut Report,
    logs: &Path,
) -> Result<Table> {
    let columns = ["hello, from nothing that runs", "to the answer ms", "resident MiB", "on disk MiB"];
    let mut table = Table::new("beside it", &columns);
    for (kind, runs) in all.iter().filter(|(kind, _)| matches!(kind, Kind::First | Kind::Later)) {
        table.row(app(stage, runs)?.row(&format!("cumulet, app not loaded ({})", kind.name())));
    }
    let node = Way {
        answer_ms: started.answer_ms.clone(),
        resident_mib: started.resident_mib.clone(),
        image_mib: Some(file_mib(stage.program.path())?),
    };
    table.row(node.row("cumulet node, the whole process (C4)"));
    containers(stage, &mut table, report, logs)?;
    match node_js(stage, logs) {
        Ok(way) => table.row(way.row("a Node.js process")),
        Err(missing) => report.left_out(format!("Node.js ({missing:#}): apt-get install nodejs")),
    }
    report.note("container: bare hyper with the libraries that it needs, host network, no cgroup settings");
    report.note("resident of an app: by how much the node grew for each app of all components together");
    Ok(table)
}

fn app(stage: &Stage<'_>, runs: &Runs) -> Result<Way> {
    let hello = stage.models.first().and_then(|model| runs.models.get(&model.name));
    let answer_ms = hello.map(|sample| sample.cold_p50.iter().map(|micros| micros / 1e3).collect());
    let disk = Disk::of(stage.data.path())?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let each = disk.bytes as f64 / super::whole(stage.apps.len());
    Ok(Way {
        answer_ms: answer_ms.unwrap_or_default(),
        resident_mib: runs.grown_bytes.iter().map(|bytes| mib(*bytes)).collect(),
        image_mib: Some(mib(each)),
    })
}

fn containers(stage: &Stage<'_>, table: &mut Table, report: &mut Report, logs: &Path) -> Result<()> {
    let image = Image::new()?;
    for runtime in RUNTIMES {
        let install = format!("apt-get install {runtime}");
        if Command::new(runtime).arg("--version").output().is_err() {
            report.left_out(format!("{runtime} (not found): {install}"));
            continue;
        }
        let mut way = Way { image_mib: Some(mib(bytes(image.bytes))), ..Way::default() };
        for _ in 0..starts(stage) {
            match image.start(runtime, &stage.split.server, &logs.join(format!("cold-{runtime}.log"))) {
                Ok(start) => way.add(start.answered, start.memory),
                Err(error) => {
                    report.left_out(format!("{runtime} (it cannot run here: {error:#}): {install}"));
                    break;
                }
            }
        }
        if !way.answer_ms.is_empty() {
            table.row(way.row(&format!("a container ({runtime})")));
        }
    }
    Ok(())
}

fn node_js(stage: &Stage<'_>, logs: &Path) -> Result<Way> {
    let mut way = Way::default();
    let launch = Launch::new("node-js", "node").args(["-e", NODE_JS]);
    for _ in 0..starts(stage) {
        let server = launch.start(&stage.split.server, logs)?;
        way.add(server.started, Memory::of(server.pid())?);
    }
    Ok(way)
}

fn starts(stage: &Stage<'_>) -> usize {
    if stage.settings.quick { STARTS_QUICK } else { STARTS }
}

fn file_mib(path: &Path) -> Result<f64> {
    Ok(mib(bytes(std::fs::metadata(path)?.len())))
}

fn mib(bytes: f64) -> f64 {
    bytes / 1_048_576.0
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn bytes(count: u64) -> f64 {
    count as f64
}
