//! What one usage record costs.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cumulet_meter::ledger::{Entry, Ledger, LedgerLimits, SubjectId};
use cumulet_spec::id::{AppName, ComponentName, Digest, InvocationId, NodeName, TenantId};
use cumulet_spec::invocation::Trigger;
use cumulet_spec::outcome::Outcome;
use cumulet_spec::usage::{Usage, UsageSubject};

use crate::clock;
use crate::report::{Cell, Table};
use crate::settings::Settings;

/// Records between two drains: fewer than one lane of the ring holds.
const BATCH: u64 = 4_096;
/// Batches in one repetition.
const BATCHES: u64 = 64;
/// The same where the run is quick.
const BATCHES_QUICK: u64 = 8;
/// Subjects that records are about, in turns.
const SUBJECTS: usize = 64;
/// Some moment, in microseconds since the Unix epoch.
const STARTED_US: u64 = 1_700_000_000_000_000;

/// Fills and drains a ledger on the disk.
pub(super) fn measure(settings: &Settings) -> Result<Table> {
    let (mut append, mut drain, mut one) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..settings.repetitions() {
        let data = tempfile::tempdir().context("cannot make a data folder")?;
        let ledger = Ledger::open(data.path(), LedgerLimits::default()).context("cannot open a ledger")?;
        let subjects = ledger.subjects(&subjects()?).context("cannot enter subjects")?;
        let batches = if settings.quick { BATCHES_QUICK } else { BATCHES };
        let (mut appending, mut draining) = (Duration::ZERO, Duration::ZERO);
        for batch in 0..batches {
            let first = batch * BATCH;
            let began = clock::now();
            fill(&ledger, &subjects, first..first + BATCH)?;
            appending += began.elapsed();
            draining += drained(&ledger, BATCH)?;
        }
        let first = batches * BATCH;
        fill(&ledger, &subjects, first..first + 1)?;
        one.push(drained(&ledger, 1)?.as_secs_f64() * 1e3);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let records = first as f64;
        append.push(appending.as_secs_f64() * 1e9 / records);
        drain.push(draining.as_secs_f64() * 1e9 / records);
    }
    let mut table = Table::new("one usage record", &["what", "cost"]);
    table.row(vec![Cell::text("reserve and append, ns"), Cell::spread(&append, 0)]);
    table.row(vec![Cell::text(format!("drain, {BATCH} at once, ns for each")), Cell::spread(&drain, 0)]);
    table.row(vec![Cell::text("drain, one alone, ms"), Cell::spread(&one, 2)]);
    Ok(table)
}

fn subjects() -> Result<Vec<UsageSubject>> {
    let subject = |number: usize| {
        Ok(UsageSubject {
            node: NodeName::local(),
            tenant: TenantId::parse("acme")?,
            app: AppName::parse(&format!("app-{number}"))?,
            component: ComponentName::parse("main")?,
            revision: Digest::of(&number.to_le_bytes()),
            trigger: Trigger::Http,
        })
    };
    (0..SUBJECTS).map(subject).collect()
}

fn fill(ledger: &Ledger, subjects: &[SubjectId], ids: std::ops::Range<u64>) -> Result<()> {
    for (id, subject) in ids.zip(subjects.iter().cycle()) {
        let usage = Usage { wall_us: 100, executed_us: 50, memory_peak_bytes: 1 << 20, ..Usage::default() };
        let place = ledger.reserve().context("the ring is full")?;
        let entry =
            Entry { subject: *subject, id: InvocationId(id), started_us: STARTED_US + id, outcome: Outcome::Ok, usage };
        place.append(&entry);
    }
    Ok(())
}

fn drained(ledger: &Ledger, expect: u64) -> Result<Duration> {
    let began = clock::now();
    let drained = ledger.drain(STARTED_US, &[]).context("cannot drain")?;
    let took = began.elapsed();
    ensure!(drained.records == expect, "{} records were drained instead of {expect}", drained.records);
    Ok(took)
}
