//! What apps cost that nobody calls.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::called::{Called, call};
use super::{Stage, mib, whole};
use crate::clock;
use crate::fleet::{App, Caller, Disk, Memory, deploy};
use crate::report::{Cell, Table};
use crate::spread::Spread;

/// Starts of a node with nothing deployed, or with everything.
#[derive(Debug, Default)]
pub(super) struct Asleep {
    /// Milliseconds until it said that it serves.
    ready_ms: Vec<f64>,
    /// Milliseconds from starting the process until one app had answered.
    answer_ms: Vec<f64>,
    memory: Vec<Memory>,
    disk: Disk,
}

/// One number of apps.
#[derive(Debug)]
pub(super) struct Step {
    /// How many there are.
    pub(super) apps: usize,
    /// Each of them called once.
    pub(super) called: Called,
    added: usize,
    deployed: Duration,
    asleep: Asleep,
}

impl Stage<'_> {
    /// Starts a node over and over, and looks at its memory before anybody calls it.
    pub(super) fn asleep(&self, data: &Path, apps: &[App]) -> Result<Asleep> {
        let mut asleep = Asleep::default();
        for _ in 0..self.settings.repetitions() {
            let node = self.start(data, "")?;
            asleep.ready_ms.push(node.ready.as_secs_f64() * 1e3);
            let looked = clock::now();
            asleep.memory.push(node.memory()?);
            let looking = looked.elapsed();
            if let Some(app) = apps.last() {
                Caller::new(&node)?.ask(app)?;
                asleep.answer_ms.push((node.began.elapsed() - looking).as_secs_f64() * 1e3);
            }
            node.stop()?;
        }
        asleep.disk = Disk::of(data)?;
        Ok(asleep)
    }

    /// Deploys `added`, so that all of `apps` are deployed, and measures with them.
    pub(super) fn step(&self, data: &Path, added: &[App], apps: &[App]) -> Result<Step> {
        let deployed = deploy(data, added)?;
        let asleep = self.asleep(data, apps)?;
        let called = call(self, data, apps)?;
        Ok(Step { apps: apps.len(), called, added: added.len(), deployed, asleep })
    }
}

impl Asleep {
    fn of(&self, pick: fn(&Memory) -> f64) -> Vec<f64> {
        self.memory.iter().map(pick).collect()
    }

    /// What each of `apps` takes beyond a node without any, in bytes, by the medians.
    fn each(&self, none: &Self, apps: usize, pick: fn(&Memory) -> f64) -> Option<f64> {
        let median = |asleep: &Self| Spread::of(&asleep.of(pick)).map(|spread| spread.median);
        Some((median(self)? - median(none)?) / whole(apps))
    }

    fn cells(&self) -> Vec<Cell> {
        let memory =
            |pick: fn(&Memory) -> f64| Cell::spread(&self.of(pick).into_iter().map(mib).collect::<Vec<_>>(), 2);
        vec![
            Cell::spread(&self.ready_ms, 1),
            Cell::spread(&self.answer_ms, 1),
            memory(|memory| memory.resident),
            memory(|memory| memory.anonymous),
            memory(|memory| memory.proportional),
        ]
    }
}

/// All steps beside a node without apps.
pub(super) fn table(none: &Asleep, steps: &[Step]) -> Table {
    let columns = [
        "apps",
        "deploy ms each",
        "disk KB each",
        "files each",
        "ready ms",
        "first answer ms",
        "resident MiB",
        "anonymous MiB",
        "PSS MiB",
        "resident B each",
        "anonymous B each",
    ];
    let mut table = Table::new("deployed and asleep, after a restart", &columns);
    let mut row = vec![Cell::text("0"), Cell::None, Cell::None, Cell::None];
    row.extend(none.cells());
    row.extend([Cell::None, Cell::None]);
    table.row(row);
    for step in steps {
        let apps = whole(step.apps);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let grown = |pick: fn(&Disk) -> u64| pick(&step.asleep.disk) as f64 - pick(&none.disk) as f64;
        let (bytes, files) = (grown(|disk| disk.bytes), grown(|disk| disk.files));
        let mut row = vec![
            Cell::text(step.apps.to_string()),
            Cell::number(Some(step.deployed.as_secs_f64() * 1e3 / whole(step.added.max(1))), 2),
            Cell::number(Some(bytes / 1000.0 / apps), 1),
            Cell::number(Some(files / apps), 2),
        ];
        row.extend(step.asleep.cells());
        row.push(Cell::number(step.asleep.each(none, step.apps, |memory| memory.resident), 0));
        row.push(Cell::number(step.asleep.each(none, step.apps, |memory| memory.anonymous), 0));
        table.row(row);
    }
    table
}
