//! What happened between two looks at a node, for each second of it.

use cumulet_spec::api::{LiveApp, LiveRevision, quantile};

/// Counters of an app or a revision.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted<'v> {
    requests: u64,
    errors: u64,
    executed_us: u64,
    latency: &'v [u64],
}

/// What an app or a revision did. Whole numbers of small units, so that they have an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rates {
    /// Requests in a thousand seconds.
    pub(super) requests_milli: u64,
    /// Failed ones in a thousand seconds.
    pub(super) errors_milli: u64,
    /// Microseconds of executed time in a second: millionths of one core.
    pub(super) executed_ppm: u64,
    /// Invocations in each bucket of latency.
    pub(super) latency: Vec<u64>,
    /// Half of the invocations took no longer; absent without invocations.
    pub(super) p50_us: Option<u64>,
    /// All but a hundredth of them took no longer.
    pub(super) p99_us: Option<u64>,
}

impl<'v> From<&'v LiveApp> for Counted<'v> {
    fn from(app: &'v LiveApp) -> Self {
        let LiveApp { requests, errors, executed_us, latency, .. } = app;
        Self { requests: *requests, errors: *errors, executed_us: *executed_us, latency }
    }
}

impl<'v> From<&'v LiveRevision> for Counted<'v> {
    fn from(revision: &'v LiveRevision) -> Self {
        let LiveRevision { requests, errors, executed_us, latency, .. } = revision;
        Self { requests: *requests, errors: *errors, executed_us: *executed_us, latency }
    }
}

impl Rates {
    /// What happened since `before`, which was `elapsed_us` earlier; since the beginning where there was nothing then.
    ///
    /// Counters that went down were begun anew in between.
    pub(super) fn between(now: Counted<'_>, before: Option<Counted<'_>>, bounds: &[u64], elapsed_us: u64) -> Self {
        let before = before.filter(|before| before.requests <= now.requests);
        let less = |now: u64, then: fn(&Counted<'_>) -> u64| now.saturating_sub(before.as_ref().map_or(0, then));
        let then = before.map(|before| before.latency).unwrap_or_default();
        let then = then.iter().copied().chain(std::iter::repeat(0));
        let latency: Vec<u64> = now.latency.iter().zip(then).map(|(now, then)| now.saturating_sub(then)).collect();
        Self {
            requests_milli: per(less(now.requests, |one| one.requests), 1_000, elapsed_us),
            errors_milli: per(less(now.errors, |one| one.errors), 1_000, elapsed_us),
            executed_ppm: per(less(now.executed_us, |one| one.executed_us), 1, elapsed_us),
            p50_us: quantile(bounds, &latency, 0.5),
            p99_us: quantile(bounds, &latency, 0.99),
            latency,
        }
    }
}

/// `amount` in `elapsed_us`, as so much in `seconds` seconds.
pub(super) fn per(amount: u64, seconds: u64, elapsed_us: u64) -> u64 {
    let amount = u128::from(amount) * u128::from(seconds) * 1_000_000;
    u64::try_from(amount / u128::from(elapsed_us.max(1))).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_become_rates() {
        let count = |requests, errors, executed_us, latency| Counted { requests, errors, executed_us, latency };
        let check =
            |now: Counted<'_>, before: Option<Counted<'_>>, elapsed_us, expect: (u64, u64, u64, Option<u64>)| {
                let rates = Rates::between(now, before, &[100, 200], elapsed_us);
                let found = (rates.requests_milli, rates.errors_milli, rates.executed_ppm, rates.p99_us);
                assert_eq!(found, expect, "{now:?} after {before:?}");
            };
        let now = count(30, 3, 500_000, &[20, 10, 0]);
        check(now, Some(count(10, 1, 100_000, &[10, 0, 0])), 2_000_000, (10_000, 1_000, 200_000, Some(200)));
        check(now, None, 1_000_000, (30_000, 3_000, 500_000, Some(200)));
        // Nothing happened.
        check(now, Some(now), 1_000_000, (0, 0, 0, None));
        // It was begun anew: what was before is not taken off.
        check(now, Some(count(31, 9, 9, &[99, 99, 99])), 1_000_000, (30_000, 3_000, 500_000, Some(200)));
        // Two looks at the same time, and numbers at their end.
        check(count(u64::MAX, 0, u64::MAX, &[]), None, 0, (u64::MAX, 0, u64::MAX, None));
    }
}
