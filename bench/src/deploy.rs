//! `deploy`: from bytes to the first right answer, what it costs others, and whether anything is lost on the way.

mod admin;
mod shop;
mod storm;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use self::admin::Admin;
use self::shop::{PHASES, Shop, TENANT, Took, fresh, says};
use self::storm::Storm;
use crate::cores::{Cores, Split};
use crate::fleet::{Model, NodeLaunch, NodeProcess, Program};
use crate::load::{Latency, Rate, open_loop};
use crate::report::{Cell, Report, Table};
use crate::settings::Settings;
use crate::spread::Spread;

/// Components of the app that is deployed: together they are as large as what is promised.
const COMPONENTS: u64 = 2;
/// Requests a second to another app.
const PER_SECOND: u32 = 200;
/// The most requests a second to the app that is deployed and rolled back.
const STORM_PER_SECOND_MAX: u32 = 10_000;
/// Targets, in milliseconds.
const UNCACHED_MS: f64 = 700.0;
const CACHED_MS: f64 = 20.0;
const SWITCH_MS: f64 = 50.0;
/// By how much others may be slower.
const OTHERS: f64 = 2.0;

/// How much is done.
#[derive(Debug, Clone, Copy)]
struct Amount {
    /// Deploys of each kind that are timed.
    deploys: usize,
    /// Switches and rollbacks that are timed.
    switches: usize,
    /// Deploys and rollbacks under load, together.
    changes: usize,
    /// For how long another app is asked.
    time: Duration,
}

const FULL: Amount = Amount { deploys: 20, switches: 50, changes: 100, time: Duration::from_secs(10) };
const QUICK: Amount = Amount { deploys: 4, switches: 10, changes: 10, time: Duration::from_secs(2) };

/// A node that serves, and what is deployed to it.
struct Stage<'s> {
    settings: &'s Settings,
    amount: Amount,
    split: Split,
    data: TempDir,
    node: NodeProcess,
    model: Model,
    /// What makes the next components differ from all others.
    number: u64,
}

/// Runs the bench.
pub(crate) fn bench(settings: &Settings, logs: &Path) -> Result<Report> {
    let mut report = Report::new("deploy");
    let (program, guest) = match (Program::find(settings), settings.guest("stores")) {
        (Ok(program), Ok(guest)) => (program, guest),
        (program, guest) => {
            program.err().into_iter().chain(guest.err()).for_each(|missing| report.left_out(missing));
            return Ok(report);
        }
    };
    let mut stage = Stage::new(settings, &program, &guest, logs)?;
    report.table(stage.first_answers().context("deploys")?);
    report.table(stage.switches().context("switches")?);
    report.table(stage.others().context("other apps")?);
    let table = stage.storm(&mut report).context("under load")?;
    report.table(table);
    notes(&mut report, &stage);
    stage.node.stop()?;
    Ok(report)
}

impl<'s> Stage<'s> {
    fn new(settings: &'s Settings, program: &Program, guest: &Path, logs: &Path) -> Result<Self> {
        let data = tempfile::tempdir().context("cannot make a data folder")?;
        let model = Model::read("stores", guest, ("/", b""))?;
        let allowed = Cores::allowed()?;
        // One core for the client, where that leaves the node one to compile on and one to serve on.
        let split = allowed.split(allowed.count().saturating_sub(1).max(2));
        split.load.confine()?;
        let node = NodeProcess::start(&NodeLaunch {
            program,
            data: data.path(),
            config: &format!("[tenant.{TENANT}]\n"),
            cores: &split.server,
            log: &logs.join("deploy-node.log"),
        })?;
        let amount = if settings.quick { QUICK } else { FULL };
        Ok(Self { settings, amount, split, data, node, model, number: 0 })
    }

    fn shop(&self, name: &str) -> Result<Shop> {
        let admin = Admin::open(&self.node, self.data.path(), TENANT)?;
        Shop::new(&self.node, admin, name)
    }

    /// Components that were never sent.
    fn fresh(&mut self) -> Vec<Vec<u8>> {
        self.number += 1;
        fresh(&self.model, self.number)
    }

    fn first_answers(&mut self) -> Result<Table> {
        let mut shop = self.shop("shop")?;
        let (mut uncached, mut cached) = (Vec::new(), Vec::new());
        for place in 0..self.amount.deploys {
            let components = self.fresh();
            uncached.push(shop.deploy(&format!("new-{place}"), Some(&components))?);
            cached.push(shop.deploy(&format!("same-{place}"), None)?);
        }
        let columns = ["components", "deploys", "p50", "p99", "upload", "taken"];
        let phases = PHASES.iter().map(|(phase, _)| *phase);
        let columns: Vec<&str> =
            columns.into_iter().chain(phases).chain(["answer", "target p50", "p50/target"]).collect();
        let mut table = Table::new("from sending a deploy to the first right answer, ms, by phase", &columns);
        table.row(deploys("never seen", &uncached, UNCACHED_MS));
        table.row(deploys("compiled already", &cached, CACHED_MS));
        Ok(table)
    }

    fn switches(&mut self) -> Result<Table> {
        let mut shop = self.shop("switched")?;
        let components = self.fresh();
        shop.deploy("one", Some(&components))?;
        shop.deploy("two", None)?;
        let (mut switched, mut rolled) = (Vec::new(), Vec::new());
        for _ in 0..self.amount.switches {
            switched.push(shop.switch("r1", "one")?);
            rolled.push(shop.roll_back("two")?);
        }
        let columns = ["change", "changes", "said p50 ms", "said max", "so p50", "so max", "target", "max/target"];
        let mut table =
            Table::new("from asking for other traffic until the node says so, and until it is so", &columns);
        for (name, all) in [("traffic switch", &switched), ("rollback", &rolled)] {
            let said = Spread::of(&all.iter().map(|[said, _]| *said).collect::<Vec<_>>());
            let so = Spread::of(&all.iter().map(|[_, so]| *so).collect::<Vec<_>>());
            let mut row = vec![Cell::text(name), Cell::number(Some(whole(all.len())), 0)];
            row.extend([said, so].iter().flat_map(|spread| {
                [Cell::number(spread.map(|spread| spread.median), 2), Cell::number(spread.map(|spread| spread.max), 2)]
            }));
            row.push(Cell::text(format!("< {SWITCH_MS:.0}")));
            row.push(Cell::number(so.map(|spread| spread.max / SWITCH_MS), 2));
            table.row(row);
        }
        Ok(table)
    }

    /// Another app's latency, alone and beside deploys; alternating, so that neither has the better time of the day.
    fn others(&mut self) -> Result<Table> {
        let mut other = self.shop("other")?;
        let components = self.fresh();
        other.deploy("other", Some(&components))?;
        let mut shop = self.shop("beside")?;
        let (ask, expect) = (other.ask(), says("other"));
        let rate = Rate {
            per_second: PER_SECOND,
            time: self.amount.time,
            connections: 64,
            request: &ask,
            expect: Some(&expect),
        };
        let address = self.node.address;
        let (mut alone, mut beside, mut ratios, mut deploys) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for _ in 0..self.settings.repetitions() {
            let quiet = open_loop(address, rate)?;
            let is_over = AtomicBool::new(false);
            let busy = thread::scope(|scope| -> Result<Latency> {
                let shipping = scope.spawn(|| self.ship_until(&is_over, &mut shop));
                let busy = open_loop(address, rate);
                is_over.store(true, Ordering::Relaxed);
                deploys += shipping.join().map_err(|_panic| anyhow::anyhow!("the deploys panicked"))??;
                busy
            })?;
            ratios.push(busy.p99_us / quiet.p99_us);
            alone.push(quiet);
            beside.push(busy);
        }
        let columns = ["beside", "deploys", "p50 ms", "p99", "p99.9", "p99 beside/alone", "target"];
        let title = format!("another app's {PER_SECOND} requests a second, ms from the intended send time");
        let mut table = Table::new(title, &columns);
        table.row(latencies("nothing", &alone, [Cell::number(Some(0.0), 0), Cell::None, Cell::None]));
        let target = Cell::text(format!("≤ {OTHERS:.0}"));
        let last = [Cell::number(Some(whole(deploys)), 0), Cell::spread(&ratios, 2), target];
        table.row(latencies("deploys never seen", &beside, last));
        Ok(table)
    }

    /// Deploys what was never seen, again and again, and counts.
    fn ship_until(&mut self, is_over: &AtomicBool, shop: &mut Shop) -> Result<usize> {
        let mut count = 0;
        while !is_over.load(Ordering::Relaxed) {
            let components = self.fresh();
            shop.deploy(&format!("v{}", self.number), Some(&components))?;
            count += 1;
        }
        Ok(count)
    }

    /// Requests to an app that is deployed and rolled back all the time.
    fn storm(&mut self, report: &mut Report) -> Result<Table> {
        let mut shop = self.shop("storm")?;
        let components = self.fresh();
        shop.deploy("one", Some(&components))?;
        let ask = shop.ask();
        let right = ["one", "two"].map(says);
        let storm = Storm { address: self.node.address, ask: &ask, right: &right };
        let full = storm.full_rate()?;
        let rate = self.settings.rate.unwrap_or_else(|| half(full)).max(1);
        let is_over = AtomicBool::new(false);
        let changes = self.amount.changes;
        let outcome = thread::scope(|scope| {
            let changing = scope.spawn(|| {
                let changed = change(&mut shop, changes);
                is_over.store(true, Ordering::Relaxed);
                changed
            });
            let outcome = storm.run(rate, &|| is_over.load(Ordering::Relaxed));
            changing.join().map_err(|_panic| anyhow::anyhow!("the deploys panicked"))??;
            outcome
        })?;
        for what in &outcome.strange {
            report.note(format!("under load, an answer or the want of one: {what}"));
        }
        let columns = [
            "changes",
            "asked/s",
            "could/s",
            "requests",
            "of one",
            "of two",
            "wrong",
            "lost",
            "p50 ms",
            "p99",
            "target lost",
        ];
        let mut table = Table::new("requests to an app during deploys and rollbacks of it", &columns);
        let quantile = |part| Cell::number(outcome.times.quantile(part).map(|micros| micros / 1e3), 2);
        let count = |count: usize| Cell::number(Some(whole(count)), 0);
        let of = |place: usize| count(outcome.right.get(place).copied().unwrap_or_default());
        table.row(vec![
            count(changes),
            Cell::number(Some(f64::from(rate)), 0),
            Cell::number(Some(full), 0),
            count(outcome.sent),
            of(0),
            of(1),
            count(outcome.wrong),
            count(outcome.lost),
            quantile(0.5),
            quantile(0.99),
            Cell::text("0"),
        ]);
        Ok(table)
    }
}

/// Deploys the other version, and rolls it back, in turn.
fn change(shop: &mut Shop, changes: usize) -> Result<()> {
    for place in 0..changes {
        if place.is_multiple_of(2) {
            shop.deploy("two", None)?;
        } else {
            shop.roll_back("one")?;
        }
    }
    Ok(())
}

fn deploys(name: &str, all: &[Took], target_ms: f64) -> Vec<Cell> {
    let of = |read: &dyn Fn(&Took) -> f64| all.iter().map(read).collect::<Vec<f64>>();
    let median = |read: &dyn Fn(&Took) -> f64| Spread::of(&of(read)).map(|spread| spread.median);
    let mut sorted = of(&|took| took.whole);
    sorted.sort_by(f64::total_cmp);
    let p99 = sorted.get((sorted.len() * 99).div_ceil(100).saturating_sub(1)).copied();
    let p50 = median(&|took| took.whole);
    let mut row = vec![Cell::text(name), Cell::number(Some(whole(all.len())), 0)];
    row.extend([Cell::number(p50, 1), Cell::number(p99, 1)]);
    row.extend([Cell::number(median(&|took| took.upload), 1), Cell::number(median(&|took| took.taken), 1)]);
    row.extend(
        (0..PHASES.len())
            .map(|place| Cell::number(median(&|took| took.phases.get(place).copied().unwrap_or_default()), 1)),
    );
    row.push(Cell::number(median(&|took| took.answer), 1));
    row.extend([Cell::text(format!("≤ {target_ms:.0}")), Cell::number(p50.map(|p50| p50 / target_ms), 2)]);
    row
}

fn latencies(name: &str, all: &[Latency], [deploys, ratio, target]: [Cell; 3]) -> Vec<Cell> {
    let spread =
        |read: fn(&Latency) -> f64| Cell::spread(&all.iter().map(|one| read(one) / 1e3).collect::<Vec<_>>(), 2);
    let (p50, p99) = (spread(|one| one.p50_us), spread(|one| one.p99_us));
    vec![Cell::text(name), deploys, p50, p99, spread(|one| one.p999_us), ratio, target]
}

/// Half of what a node can take: the rest is for the deploys.
fn half(full: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate is not negative, and what is too large becomes the largest"
    )]
    let half = (full / 2.0) as u32;
    half.min(STORM_PER_SECOND_MAX)
}

fn notes(report: &mut Report, stage: &Stage<'_>) {
    let shared = if stage.split.shared { ", the same" } else { "" };
    report.note(format!("node on cores {}, the client on {}{shared}", stage.split.server, stage.split.load));
    if stage.split.shared {
        report.note("the client takes time from the node's cores: figures are worse than with cores of its own");
    }
    report.note(format!(
        "deployed: {COMPONENTS} components of {:.0} KB each, which differ from all before them; a version says its name",
        whole(stage.model.length()) / 1e3
    ));
    report.note(
        "phases: medians; compiled to live as the node says, each from the one before; the rest as the client sees",
    );
    report.note("compiled already: another revision of the same components, of which nothing is sent");
    report.note("wrong: an answer of neither version, or with another status; lost: no answer, or a broken connection");
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn whole(count: usize) -> f64 {
    count as f64
}
