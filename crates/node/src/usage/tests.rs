//! Reports over a real ledger.

use cumulet_meter::ledger::{Entry, Ledger, LedgerLimits, Minute, RejectionSum};
use cumulet_spec::id::{AppName, ComponentName, Digest, InvocationId, NodeName, TenantId};
use cumulet_spec::invocation::Trigger;
use cumulet_spec::outcome::Outcome;
use cumulet_spec::usage::{Usage, UsageSubject};

use super::*;

/// 2026-11-21, at the begin of a minute.
const START_US: u64 = 1_795_219_200_000_000;

/// An app, the minute, the outcome and the executed time in microseconds.
type Case = (&'static str, u64, Outcome, u64);

const CASES: [Case; 5] = [
    ("shop", 0, Outcome::Ok, 1),
    ("shop", 0, Outcome::Trap, 20),
    ("shop", 1, Outcome::Ok, 300),
    ("shop", 1, Outcome::HostError, 4_000),
    ("blog", 2, Outcome::Ok, 50_000),
];

fn filled() -> tempfile::TempDir {
    let data = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(data.path(), LedgerLimits { places: 64, ..LedgerLimits::default() }).unwrap();
    let tenant = TenantId::parse("acme").unwrap();
    let component = ComponentName::parse("front").unwrap();
    for (app, minute, outcome, executed_us) in CASES {
        let subject = UsageSubject {
            node: NodeName::local(),
            tenant: tenant.clone(),
            app: AppName::parse(app).unwrap(),
            component: component.clone(),
            revision: Digest::of(app.as_bytes()),
            trigger: Trigger::Http,
        };
        let usage = Usage { executed_us, wall_us: 10, memory_peak_bytes: 1 << 20, bytes_out: 5, ..Usage::default() };
        let started_us = START_US + minute * 60_000_000 + 59_999_999;
        let subject = ledger.subject(&subject).unwrap();
        ledger.reserve().unwrap().append(&Entry { subject, id: InvocationId(executed_us), started_us, outcome, usage });
    }
    let minute = Minute::of_us(START_US);
    let app = AppName::parse("shop").unwrap();
    let rejected = RejectionSum { minute, tenant, app, component, outcome: Outcome::Quota, rejections: 7 };
    ledger.drain(START_US + 3, &[rejected]).unwrap();
    data
}

fn question(by: &[Dimension]) -> Question {
    Question { by: by.to_vec(), ..Question::default() }
}

#[test]
fn rows_say_what_is_billed() {
    let data = filled();
    let check = |question: &Question, expect: &[(&str, u64, u64, u64, u64)]| {
        let report = Report::read(data.path(), question).unwrap();
        let found: Vec<_> = report
            .rows
            .iter()
            .map(|row| {
                let app = row.app.as_ref().map(ToString::to_string);
                let name = [app, row.outcome.map(|outcome| outcome.to_string())].into_iter().flatten();
                let Amount { billed, unbilled, rejections } = row.amount;
                (
                    name.collect::<Vec<_>>().join(" "),
                    billed.invocations,
                    billed.executed_us,
                    unbilled.invocations,
                    rejections,
                )
            })
            .collect();
        let expect: Vec<_> = expect.iter().map(|(name, a, b, c, d)| ((*name).to_owned(), *a, *b, *c, *d)).collect();
        assert_eq!(found, expect, "{question:?}");
        let summed: u64 = report.rows.iter().map(|row| row.amount.billed.executed_us).sum();
        assert_eq!((report.total.billed.executed_us, report.as_of_us), (summed, START_US + 3));
    };
    check(&question(&[]), &[("", 4, 50_321, 1, 7)]);
    check(&question(&[Dimension::App]), &[("blog", 1, 50_000, 0, 0), ("shop", 3, 321, 1, 7)]);
    check(
        &Question { app: Some(AppName::parse("shop").unwrap()), ..question(&[Dimension::Outcome]) },
        &[("ok", 2, 301, 0, 0), ("trap", 1, 20, 0, 0), ("quota", 0, 0, 0, 7), ("host-error", 0, 0, 1, 0)],
    );
    let second = Window::new(Some(START_US + 60_000_001), Some(START_US + 120_000_000)).unwrap();
    check(&Question { window: second, ..question(&[]) }, &[("", 1, 300, 1, 0)]);
}

#[test]
fn windows_that_follow_one_another_count_everything_once() {
    let data = filled();
    let middle = Some(START_US + 90_000_000);
    let executed =
        |window| Report::read(data.path(), &Question { window, ..question(&[]) }).unwrap().total.billed.executed_us;
    let parts = [Window::new(None, middle), Window::new(middle, None)].map(|window| executed(window.unwrap()));
    assert_eq!(parts.iter().sum::<u64>(), executed(Window::default()));
    assert!(Window::new(Some(1), Some(59_999_999)).is_err());
    assert!(Window::new(Some(60_000_000), Some(1)).is_err());
}

#[test]
fn what_was_never_heard_of_is_told_with_the_nearest() {
    let data = filled();
    let check = |tenant: Option<&str>, app: Option<&str>, expect: Option<(&str, Option<&str>)>| {
        let tenant = tenant.map(|name| TenantId::parse(name).unwrap());
        let app = app.map(|name| AppName::parse(name).unwrap());
        let since = Window::new(Some(START_US * 2), None).unwrap();
        let found = Report::read(data.path(), &Question { tenant, app, window: since, by: Vec::new() });
        match (found, expect) {
            (Err(ReportError::Unknown { name, nearest, .. }), Some(expect)) => {
                assert_eq!((name.as_str(), nearest.as_deref()), expect);
            }
            (found, expect) => assert!(found.is_ok_and(|report| report.rows.is_empty()) && expect.is_none()),
        }
    };
    check(None, Some("shpo"), Some(("shpo", Some("shop"))));
    check(None, Some("accounts"), Some(("accounts", None)));
    check(Some("acne"), Some("shop"), Some(("acne", Some("acme"))));
    check(Some("acme"), Some("shop"), None);
    check(None, None, None);
}

#[test]
fn a_comparison_counts_what_is_billed() {
    let data = filled();
    let comparison = Comparison::read(data.path(), &question(&[Dimension::Outcome])).unwrap();
    let costs: Vec<_> = comparison.costs.iter().map(|(_, cost)| (cost.requests.0, cost.compute.0)).collect();
    // Four requests. Lambda: 4 x 1 ms x 0.125 GB, in two outcomes and two apps that are each rounded; the others: 50.321 ms
    // of the processor.
    assert_eq!(costs[0], (800_000_000, 8_333_351));
    assert_eq!(costs[1], (1_200_000_000, 1_006_420_000));
    assert_eq!(costs[2], (2_000_000_000, 2_516_050_000));
}
