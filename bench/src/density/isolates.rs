//! Isolates that are alive at once, each waiting for the answer to a request that it sent.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cumulet_node::descriptors::raise_descriptors;

use super::held::Held;
use super::{Stage, mib, whole};
use crate::clock;
use crate::fleet::{App, Caller, Memory, Model, NodeProcess, deploy, get};
use crate::report::{Cell, Table};
use crate::wire::Connection;

/// Isolates at once.
const ISOLATES: usize = 2_000;
/// The same where the run is quick.
const ISOLATES_QUICK: usize = 500;
/// Isolates of one app: fewer than the requests that one component may have under way.
const OF_ONE_APP: usize = 250;
/// Requests that are sent before the ones before them wait.
const BURST: usize = 50;
/// The longest that a burst may take until all of it waits, and an answer once it is there.
const BURST_MAX: Duration = Duration::from_secs(20);
/// How often is looked whether it does.
const LOOK: Duration = Duration::from_millis(1);
/// How long the node is left alone before its memory is read.
const SETTLE: Duration = Duration::from_millis(500);

/// Memory with so many that wait.
struct Look {
    waiting: usize,
    memory: Memory,
    instances: Option<f64>,
}

/// Takes them up in four steps, and lets them go.
pub(super) fn measure(stage: &Stage<'_>, guest: &Path) -> Result<Table> {
    raise_descriptors();
    let held = Held::start()?;
    let grant = format!("[component.main.grant]\nhttp = [\"http://{}\"]\n", held.address);
    let tables = format!("{grant}[component.main.limit]\ntime = \"5m\"\n");
    let model = Arc::new(Model::read("waiting", guest, ("/count", b"1\n"))?.with(&tables));
    let wanted = if stage.settings.quick { ISOLATES_QUICK } else { ISOLATES };
    let apps = App::many("acme", &model, wanted.div_ceil(OF_ONE_APP));
    let data = tempfile::tempdir().context("cannot make a data folder")?;
    deploy(data.path(), &apps)?;
    let node = stage.start(data.path(), "")?;
    let mut caller = Caller::new(&node)?;
    for app in &apps {
        caller.ask(app)?;
    }
    let mut looks = vec![Look::at(&node, 0)?];
    let mut waiting: Vec<Connection> = Vec::new();
    for part in 1..=4 {
        while waiting.len() < wanted * part / 4 {
            burst(&node, &held, &apps, &mut waiting)?;
        }
        looks.push(Look::at(&node, waiting.len())?);
    }
    held.release()?;
    for connection in &mut waiting {
        let reply = answer(connection)?;
        ensure!(reply == b"status 200\n", "an isolate answered {}", String::from_utf8_lossy(&reply));
    }
    drop(waiting);
    looks.push(Look::at(&node, 0)?);
    node.stop()?;
    Ok(table(&looks))
}

/// Sends some more requests, and waits until all that were sent wait.
fn burst(node: &NodeProcess, held: &Held, apps: &[App], waiting: &mut Vec<Connection>) -> Result<()> {
    for _ in 0..BURST {
        let app = apps.get(waiting.len() / OF_ONE_APP).context("too few apps")?;
        let mut connection = node.connect()?;
        connection.send(&get(&app.host(), &format!("/outbound?url=http://{}/", held.address)))?;
        waiting.push(connection);
    }
    let deadline = clock::now() + BURST_MAX;
    while held.waiting() < waiting.len() {
        ensure!(clock::now() < deadline, "{} of {} isolates wait; see the node's log", held.waiting(), waiting.len());
        thread::sleep(LOOK);
    }
    Ok(())
}

fn answer(connection: &mut Connection) -> Result<Vec<u8>> {
    let deadline = clock::now() + BURST_MAX;
    loop {
        if let Some(reply) = connection.poll().context("an isolate's connection broke off")? {
            return Ok(reply.body);
        }
        ensure!(clock::now() < deadline, "an isolate does not answer");
        thread::yield_now();
    }
}

impl Look {
    fn at(node: &NodeProcess, waiting: usize) -> Result<Self> {
        thread::sleep(SETTLE);
        let memory = node.memory()?;
        Ok(Self { waiting, memory, instances: node.metrics()?.get("cumulet_instances") })
    }
}

fn table(looks: &[Look]) -> Table {
    let columns =
        ["waiting", "instances", "resident MiB", "PSS MiB", "resident KiB each", "PSS KiB each", "anonymous KiB each"];
    let mut table =
        Table::new("isolates alive at once, each waiting on an outbound request, connections included", &columns);
    let Some(none) = looks.first().map(|look| look.memory) else { return table };
    for (place, look) in looks.iter().enumerate() {
        let each = |pick: fn(&Memory) -> f64| {
            let grown = pick(&look.memory) - pick(&none);
            Cell::number((look.waiting > 0).then(|| grown / 1024.0 / whole(look.waiting)), 1)
        };
        let after = if place > 0 && look.waiting == 0 { " again" } else { "" };
        table.row(vec![
            Cell::text(format!("{}{after}", look.waiting)),
            Cell::number(look.instances, 0),
            Cell::number(Some(mib(look.memory.resident)), 1),
            Cell::number(Some(mib(look.memory.proportional)), 1),
            each(|memory| memory.resident),
            each(|memory| memory.proportional),
            each(|memory| memory.anonymous),
        ]);
    }
    table
}
