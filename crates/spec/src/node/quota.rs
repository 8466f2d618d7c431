//! Reads the limits of a quota, wherever they stand.

use std::time::Duration;

use super::value;
use crate::document::{Findings, Problem, Section};
use crate::quantity::format_duration;
use crate::quota::{Quota, QuotaError, QuotaLimit};

/// A window of executed time has room for this many time slices: an invocation reserves one beyond what it asks for.
const SLICES_MIN: u32 = 4;

/// The keys of a quota, and others that stand beside them.
pub(super) fn keys<'a>(others: &[&'a str]) -> Vec<&'a str> {
    others.iter().copied().chain(QuotaLimit::ALL.map(QuotaLimit::label)).collect()
}

/// The quota; what cannot be meant is a problem, and not limited in what is returned.
pub(super) fn read(section: &Section<'_, '_>, findings: &mut Findings) -> Quota {
    let key = QuotaLimit::label;
    let mut quota = Quota {
        requests_per_second: value::count(
            section,
            key(QuotaLimit::RequestsPerSecond),
            Quota::REQUESTS_PER_SECOND_MAX,
            findings,
        ),
        concurrency: value::count(section, key(QuotaLimit::Concurrency), Quota::CONCURRENCY_MAX, findings),
        cpu_per_minute: value::duration(section, key(QuotaLimit::CpuPerMinute), findings),
        cpu_per_day: value::duration(section, key(QuotaLimit::CpuPerDay), findings),
        memory: value::bytes(section, key(QuotaLimit::Memory), findings),
        loaded: value::bytes(section, key(QuotaLimit::Loaded), findings),
    };
    while let Err(error) = quota.check() {
        findings.problem(problem(section, &error));
        error.limit.clear(&mut quota);
    }
    quota
}

/// An app's quota within its tenant's.
pub(super) fn check_within(section: &Section<'_, '_>, app: Quota, tenant: &Quota, findings: &mut Findings) {
    let mut app = app;
    while let Err(error) = app.check_within(tenant) {
        findings.problem(problem(section, &error));
        error.limit.clear(&mut app);
    }
}

/// A budget that is less than a few slices would never let anything in.
pub(super) fn check_slices(section: &Section<'_, '_>, quota: &Quota, slice: Duration, findings: &mut Findings) {
    let least = slice * SLICES_MIN;
    for (limit, cpu) in [(QuotaLimit::CpuPerMinute, quota.cpu_per_minute), (QuotaLimit::CpuPerDay, quota.cpu_per_day)] {
        if cpu.is_some_and(|cpu| cpu < least) {
            let key = limit.label();
            let message = format!(
                "{} must be at least {}, {SLICES_MIN} of the node's time slices",
                section.named(key),
                format_duration(least)
            );
            let help = "give it more, or make `slice` in `limit` shorter";
            findings.problem(Problem::new(section.value_span(key), message).with_help(help));
        }
    }
}

fn problem(section: &Section<'_, '_>, error: &QuotaError) -> Problem {
    let key = error.limit.label();
    let problem = Problem::new(section.value_span(key), format!("{} {}", section.named(key), error.fault));
    problem.with_help("leave it out for no limit")
}
