//! What two tenants get of the processor when both want more than there is.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::Stage;
use super::spin::{Loop, Spinners};
use crate::clock;
use crate::fleet::{App, Billed, Caller, NodeLaunch, NodeProcess, billed};
use crate::report::{Cell, Table};

/// Requests that never end, of the one and of the other tenant.
const SPINNING: [usize; 2] = [100, 2];
/// Weights of the one and of the other.
const WEIGHTS: [[u32; 2]; 2] = [[100, 100], [100, 300]];
/// For how long they spin.
const TIME: Duration = Duration::from_secs(20);
/// The same where the run is quick.
const TIME_QUICK: Duration = Duration::from_secs(5);
/// The longest until the ledger knows of requests that have ended.
const BOOKED_MAX: Duration = Duration::from_secs(30);
/// Several times what passes between two moves of records into the ledger.
const SETTLE: Duration = Duration::from_secs(1);
/// How often is looked whether it does.
const LOOK: Duration = Duration::from_millis(50);

/// Spins on all cores, and reads from the ledger who got how much.
pub(super) fn measure(stage: &Stage<'_>) -> Result<Table> {
    let columns =
        ["weights", "spinning", "seconds", "executed s of the one", "of the other", "the other's %", "its weight's %"];
    let mut table = Table::new("two tenants that want all of the processor, all cores, by the usage records", &columns);
    for weights in WEIGHTS {
        let (mut one, mut other, mut share) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..stage.settings.repetitions() {
            let [alpha, beta] = once(stage, weights)?;
            share.push(beta / (alpha + beta) * 100.0);
            one.push(alpha);
            other.push(beta);
        }
        let [first, second] = weights.map(f64::from);
        table.row(vec![
            Cell::text(format!("{first} and {second}")),
            Cell::text(SPINNING.map(|count| count.to_string()).join(" and ")),
            Cell::number(Some(time(stage).as_secs_f64()), 0),
            Cell::spread(&one, 2),
            Cell::spread(&other, 2),
            Cell::spread(&share, 1),
            Cell::number(Some(second / (first + second) * 100.0), 1),
        ]);
    }
    Ok(table)
}

fn time(stage: &Stage<'_>) -> Duration {
    if stage.settings.quick { TIME_QUICK } else { TIME }
}

/// Executed seconds of both.
fn once(stage: &Stage<'_>, weights: [u32; 2]) -> Result<[f64; 2]> {
    let [first, second] = weights;
    let config = format!("[tenant.alpha]\nweight = {first}\n[tenant.beta]\nweight = {second}\n");
    let node = NodeProcess::start(&NodeLaunch {
        program: &stage.program,
        data: stage.data.path(),
        config: &config,
        cores: &stage.split.server.with(&stage.split.load),
        log: &stage.logs.join("neighbour-shares.log"),
    })?;
    let mut caller = Caller::new(&node)?;
    let tenants = [&stage.alpha, &stage.beta];
    for app in tenants {
        caller.ask(app)?;
    }
    // What came before is in the ledger by then.
    thread::sleep(SETTLE);
    let before = billed(stage.data.path())?;
    let mut spinners = Vec::new();
    for (app, count) in tenants.into_iter().zip(SPINNING) {
        spinners.push(Spinners::start(node.address, app, Loop::Plain, count)?);
    }
    thread::sleep(time(stage));
    for spinner in spinners {
        spinner.check()?;
    }
    let after = booked(stage, &before, SPINNING.map(|count| count as u64))?;
    node.stop()?;
    let seconds = |app: &App| {
        let of = |all: &BTreeMap<String, Billed>| all.get(&app.tenant).map_or(0, |billed| billed.executed_us);
        Duration::from_micros(of(&after).saturating_sub(of(&before))).as_secs_f64()
    };
    Ok([seconds(&stage.alpha), seconds(&stage.beta)])
}

/// What the ledger says once it has so many records more of each tenant.
fn booked(stage: &Stage<'_>, before: &BTreeMap<String, Billed>, more: [u64; 2]) -> Result<BTreeMap<String, Billed>> {
    let deadline = clock::now() + BOOKED_MAX;
    loop {
        let now = billed(stage.data.path())?;
        let count =
            |all: &BTreeMap<String, Billed>, tenant: &str| all.get(tenant).map_or(0, |billed| billed.invocations);
        let is_there = [&stage.alpha, &stage.beta]
            .into_iter()
            .zip(more)
            .all(|(app, more)| count(&now, &app.tenant) >= count(before, &app.tenant) + more);
        if is_there {
            return Ok(now);
        }
        ensure!(clock::now() < deadline, "the ledger knows of {now:?} only");
        thread::sleep(LOOK);
    }
}
