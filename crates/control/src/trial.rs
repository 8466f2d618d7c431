//! The trial of a new revision: whether it stays within the bounds of its manifest.
//!
//! A revision is on trial from going live until its window is over and enough of its requests were seen. It is judged by
//! its requests of the last window; where these are too few, by all since its trial began.

use std::time::Duration;

use cumulet_spec::id::{AppName, Digest, TenantId};
use cumulet_spec::rollout::Rollout;

/// What the audit log calls it that a revision was, or should have been, taken back.
pub const TAKE_BACK_ACTION: &str = "revision.take-back";
/// Steps in which a window moves on.
const STEPS: usize = 12;

/// A revision that passed its bounds is to get no requests any more.
#[derive(Debug, Clone)]
pub struct TakeBack {
    /// Who owns the app.
    pub tenant: TenantId,
    /// The app.
    pub app: AppName,
    /// The revision.
    pub revision: Digest,
    /// Which bound it passed, and by how much: on one line.
    pub why: String,
    /// When that was noticed, in µs since 1970.
    pub at_us: u64,
}

/// A request that a revision on trial answered, or failed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// When it ended, in µs since 1970.
    pub at_us: u64,
    /// Whether it ended in a status of 500 or above, or in a fault of the guest.
    pub is_error: bool,
    /// From admission to the end of the response.
    pub wall: Duration,
}

/// What a trial comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It stayed within its bounds.
    Keep,
    /// It passed one: which, and by how much.
    TakeBack(String),
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    requests: u64,
    errors: u64,
    slow: u64,
}

/// A trial under way.
#[derive(Debug, Clone)]
pub struct TrialRun {
    bounds: Rollout,
    began_us: u64,
    /// Since it began.
    all: Counts,
    /// The last window, in steps; `step` is the number of the newest.
    steps: [Counts; STEPS],
    step: u64,
}

impl TrialRun {
    /// A trial that begins, at a time in µs since 1970.
    #[must_use]
    pub fn begin(bounds: Rollout, began_us: u64) -> Self {
        Self { bounds, began_us, all: Counts::default(), steps: [Counts::default(); STEPS], step: 0 }
    }

    /// Counts a request, and says whether the trial has come to an end with it.
    pub fn count(&mut self, answered: &Answered) -> Option<Verdict> {
        self.move_on(answered.at_us);
        let is_slow = self.bounds.p99.is_some_and(|p99| answered.wall > p99);
        let place = usize::try_from(self.step % STEPS as u64).unwrap_or(0);
        for counts in self.steps.get_mut(place).into_iter().chain([&mut self.all]) {
            counts.requests += 1;
            counts.errors += u64::from(answered.is_error);
            counts.slow += u64::from(is_slow);
        }
        self.verdict(answered.at_us)
    }

    /// Forgets what is older than the window.
    fn move_on(&mut self, now_us: u64) {
        let window_us = u64::try_from(self.bounds.window.as_micros()).unwrap_or(u64::MAX);
        let step = now_us.saturating_sub(self.began_us) / (window_us / STEPS as u64).max(1);
        for passed in (self.step + 1..=step).take(STEPS) {
            let place = usize::try_from(passed % STEPS as u64).unwrap_or(0);
            if let Some(counts) = self.steps.get_mut(place) {
                *counts = Counts::default();
            }
        }
        self.step = self.step.max(step);
    }

    fn verdict(&self, now_us: u64) -> Option<Verdict> {
        let least = u64::from(self.bounds.requests);
        let window = self.steps.iter().fold(Counts::default(), |sum, step| Counts {
            requests: sum.requests + step.requests,
            errors: sum.errors + step.errors,
            slow: sum.slow + step.slow,
        });
        let judged = if window.requests >= least { window } else { self.all };
        if judged.requests < least {
            return None;
        }
        if let Some(why) = self.passed(judged) {
            return Some(Verdict::TakeBack(why));
        }
        let is_over = Duration::from_micros(now_us.saturating_sub(self.began_us)) >= self.bounds.window;
        is_over.then_some(Verdict::Keep)
    }

    /// The bound that these requests passed, in words.
    fn passed(&self, counts: Counts) -> Option<String> {
        let Counts { requests, errors, slow } = counts;
        if let Some(most) = self.bounds.errors
            && errors * 100 > requests * u64::from(most.get())
        {
            return Some(format!("{errors} of {requests} requests failed, and {} in 100 may", most.get()));
        }
        if let Some(p99) = self.bounds.p99
            && slow * 100 > requests
        {
            let p99 = cumulet_spec::quantity::format_duration(p99);
            return Some(format!("{slow} of {requests} requests took longer than {p99}, and 1 in 100 may"));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cumulet_spec::traffic::Percent;

    const SECOND: u64 = 1_000_000;

    fn bounds() -> Rollout {
        let errors = Some(Percent::new(10).unwrap());
        let p99 = Some(Duration::from_millis(100));
        Rollout { errors, p99, window: Duration::from_secs(12), requests: 20 }
    }

    /// Ten requests a second: `e` fails, `s` is slow, `.` is neither. Returns the place of the verdict.
    fn run(requests: &str) -> Option<(usize, Verdict)> {
        let mut run = TrialRun::begin(bounds(), 7 * SECOND);
        (0..).zip(requests.chars()).find_map(|(place, kind)| {
            let at_us = 7 * SECOND + u64::try_from(place).unwrap() * SECOND / 10;
            let wall = Duration::from_millis(if kind == 's' { 101 } else { 100 });
            let verdict = run.count(&Answered { at_us, is_error: kind == 'e', wall })?;
            Some((place, verdict))
        })
    }

    #[test]
    fn a_trial_ends_when_its_window_is_over_or_a_bound_is_passed() {
        let back = |why: &str| Verdict::TakeBack(why.to_owned());
        let check = |requests: &str, expect: Option<(usize, Verdict)>| assert_eq!(run(requests), expect, "{requests}");
        check(&".".repeat(200), Some((120, Verdict::Keep)));
        check(&".".repeat(120), None);
        // Too few to judge.
        check(&"e".repeat(19), None);
        check(&"e".repeat(20), Some((19, back("20 of 20 requests failed, and 10 in 100 may"))));
        // At the bound is within it.
        check(&".........e".repeat(20), Some((120, Verdict::Keep)));
        check(&format!("{}ee", ".........e".repeat(3)), Some((30, back("4 of 31 requests failed, and 10 in 100 may"))));
        check(
            &format!("{}s", ".".repeat(98)),
            Some((98, back("1 of 99 requests took longer than 100ms, and 1 in 100 may"))),
        );
        check(&format!("{}s{}", ".".repeat(99), ".".repeat(90)), Some((120, Verdict::Keep)));
    }

    #[test]
    fn a_window_that_holds_too_few_is_judged_with_all_before_it() {
        let mut run = TrialRun::begin(Rollout { requests: 200, ..bounds() }, 0);
        let mut count = |at_us, is_error| run.count(&Answered { at_us, is_error, wall: Duration::ZERO });
        for request in 0..150 {
            assert_eq!(count(request * SECOND / 5, false), None);
        }
        // 30 s later the window holds none of them, and all since the beginning are judged: 50 more make 200.
        let late: Vec<_> = (0..50).map(|request| count(90 * SECOND + request, true)).collect();
        assert_eq!(late[48], None);
        assert_eq!(late[49], Some(Verdict::TakeBack("50 of 200 requests failed, and 10 in 100 may".to_owned())));
    }

    #[test]
    fn a_window_moves_on() {
        let mut run = TrialRun::begin(bounds(), 0);
        for request in 0..1_000 {
            assert_eq!(run.count(&Answered { at_us: request * 10_000, is_error: false, wall: Duration::ZERO }), None);
        }
        // Ten seconds of good ones; after 30 s of nothing only the new ones count, and they are enough.
        let verdicts: Vec<_> = (0..20)
            .map(|request| run.count(&Answered { at_us: 40 * SECOND + request, is_error: true, wall: Duration::ZERO }))
            .collect();
        assert_eq!(verdicts[0], Some(Verdict::Keep), "its window is over, and all since it began is within bounds");
        assert_eq!(verdicts[19], Some(Verdict::TakeBack("20 of 20 requests failed, and 10 in 100 may".to_owned())));
    }
}
