//! `cumulet usage` over a ledger that a node might have written.

use std::fmt::Write as _;
use std::path::Path;

use cumulet_meter::ledger::{Entry, Ledger, LedgerLimits, Minute, RejectionSum};
use cumulet_spec::id::{AppName, ComponentName, Digest, InvocationId, NodeName, TenantId};
use cumulet_spec::invocation::Trigger;
use cumulet_spec::outcome::Outcome;
use cumulet_spec::usage::{Usage, UsageSubject};

use crate::session::{run, show};

/// 2026-11-21 at midnight, in microseconds since the Unix epoch.
const DAY_US: u64 = 1_795_219_200_000_000;
/// An hour in microseconds.
const HOUR_US: u64 = 3_600_000_000;

/// Tenant, app, hour of the day, outcome, executed time in microseconds, how often.
type Case = (&'static str, &'static str, u64, Outcome, u64, u64);

const CASES: [Case; 6] = [
    ("acme", "blog", 9, Outcome::Ok, 900, 40),
    ("acme", "shop", 9, Outcome::Ok, 1_234, 1_000),
    ("acme", "shop", 9, Outcome::Trap, 10, 3),
    ("acme", "shop", 10, Outcome::HostError, 5_000, 1),
    ("acme", "shop", 10, Outcome::CpuLimit, 10_000_000, 1),
    ("local", "hello", 23, Outcome::Ok, 61, 1),
];

fn subject(tenant: &str, app: &str) -> UsageSubject {
    UsageSubject {
        node: NodeName::local(),
        tenant: TenantId::parse(tenant).unwrap(),
        app: AppName::parse(app).unwrap(),
        component: ComponentName::parse("front").unwrap(),
        revision: Digest::of(app.as_bytes()),
        trigger: Trigger::Http,
    }
}

fn write(data: &Path) -> Ledger {
    let ledger = Ledger::open(data, LedgerLimits::default()).unwrap();
    for (number, (tenant, app, hour, outcome, executed_us, times)) in CASES.into_iter().enumerate() {
        let subject = ledger.subject(&subject(tenant, app)).unwrap();
        let usage = Usage {
            executed_us,
            wall_us: executed_us + 2_000,
            memory_peak_bytes: 3 << 20,
            bytes_in: 10,
            bytes_out: 1_500,
            ..Usage::default()
        };
        for time in 0..times {
            let id = InvocationId(number as u64 * 10_000 + time);
            let entry = Entry { subject, id, started_us: DAY_US + hour * HOUR_US, outcome, usage };
            ledger.reserve().unwrap().append(&entry);
        }
    }
    let UsageSubject { tenant, app, component, .. } = subject("acme", "shop");
    let minute = Minute::of_us(DAY_US + 10 * HOUR_US);
    let rejected = RejectionSum { minute, tenant, app, component, outcome: Outcome::Quota, rejections: 250 };
    ledger.drain(DAY_US + 24 * HOUR_US, &[rejected]).unwrap();
    ledger
}

#[test]
fn reports_beside_a_node_that_writes() {
    let folder = tempfile::tempdir().unwrap();
    let _node = write(&folder.path().join(".cumulet"));
    let mut seen = String::new();
    for arguments in [
        "usage",
        "usage shop --by outcome",
        "usage --by tenant --since 2026-11-21T10:00:00Z --until 2026-11-21T11:00:00Z",
        "usage --by revision,app --tenant acme --quiet",
        "usage --compare",
        "usage shop --json --by app,revision --compare",
        "usage shop --since 2026-11-22",
        "usage shpo",
        "usage --tenant acne --json",
    ] {
        writeln!(seen, "$ cumulet {arguments}").unwrap();
        seen.push_str(&show(&run(folder.path(), arguments.split_whitespace()), folder.path()));
    }
    insta::assert_snapshot!(seen);
}
