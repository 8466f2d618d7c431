//! Every app is called once.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;

use super::asleep::Step;
use super::{Stage, mib, whole};
use crate::fleet::{App, Caller, Memory, Metrics, Times};
use crate::report::{Cell, Table};

/// Apps between two words about how far it is.
const WORD_EVERY: usize = 10_000;

/// What calling all of them gave. All of them answered right, or there is no result.
#[derive(Debug)]
pub(super) struct Called {
    /// By tenant, which stands for the size.
    times: BTreeMap<String, Times>,
    before: Memory,
    after: Memory,
    metrics: Metrics,
}

/// Calls every app once, in a node that has loaded none of them.
pub(super) fn call(stage: &Stage<'_>, data: &Path, apps: &[App]) -> Result<Called> {
    let node = stage.start(data, "")?;
    let before = node.memory()?;
    let mut caller = Caller::new(&node)?;
    let mut times: BTreeMap<String, Times> = BTreeMap::new();
    for (place, app) in apps.iter().enumerate() {
        let took = caller.ask(app)?;
        times.entry(app.tenant.clone()).or_default().push(took);
        if place > 0 && place.is_multiple_of(WORD_EVERY) {
            writeln!(std::io::stderr(), "  called {place} of {} apps", apps.len())?;
        }
    }
    let called = Called { times, before, after: node.memory()?, metrics: node.metrics()? };
    node.stop()?;
    Ok(called)
}

/// How long first calls took.
pub(super) fn table(steps: &[Step]) -> Table {
    let columns = ["apps", "size", "calls, all right", "p50 µs", "p99 µs", "p99.9 µs", "max µs"];
    let mut table = Table::new("each called once", &columns);
    for step in steps {
        for (size, times) in &step.called.times {
            table.row(vec![
                Cell::text(step.apps.to_string()),
                Cell::text(size),
                Cell::number(Some(whole(times.len())), 0),
                Cell::number(times.quantile(0.5), 0),
                Cell::number(times.quantile(0.99), 0),
                Cell::number(times.quantile(0.999), 0),
                Cell::number(times.quantile(1.0), 0),
            ]);
        }
    }
    table
}

/// What the node holds after it.
pub(super) fn memory(steps: &[Step]) -> Table {
    let columns = [
        "apps",
        "cold starts",
        "evictions",
        "loaded apps",
        "loaded MiB",
        "resident MiB before",
        "after",
        "anonymous MiB after",
    ];
    let mut table = Table::new("the node after each was called once", &columns);
    for step in steps {
        let Called { metrics, before, after, .. } = &step.called;
        let count = |name: &str| Cell::number(metrics.get(name), 0);
        table.row(vec![
            Cell::text(step.apps.to_string()),
            count("cumulet_cold_starts_total"),
            count("cumulet_evictions_total"),
            count("cumulet_loaded_apps"),
            Cell::number(metrics.get("cumulet_loaded_bytes").map(mib), 1),
            Cell::number(Some(mib(before.resident)), 1),
            Cell::number(Some(mib(after.resident)), 1),
            Cell::number(Some(mib(after.anonymous)), 1),
        ]);
    }
    table
}
