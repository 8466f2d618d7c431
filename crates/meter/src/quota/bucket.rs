//! Requests per second.

/// One second, in nanoseconds.
const SECOND_NANOS: u64 = 1_000_000_000;

/// A bucket of tokens that fills at a steady rate up to one second's worth.
///
/// It keeps one number: when all that was taken will have been filled up again (the generic cell rate algorithm, ITU-T
/// I.371).
#[derive(Debug)]
pub(super) struct Bucket {
    /// Time that one token takes, rounded up: the rate is never passed.
    interval_nanos: u64,
    /// When the bucket is full again, since the Unix epoch.
    full_at_nanos: u64,
}

impl Bucket {
    pub(super) fn new(per_second: u32) -> Self {
        Self { interval_nanos: SECOND_NANOS.div_ceil(u64::from(per_second.max(1))), full_at_nanos: 0 }
    }

    /// How long until there is a token, in microseconds; `None` when there is one.
    pub(super) fn wait_us(&mut self, now_us: u64) -> Option<u64> {
        let now_nanos = now_us.saturating_mul(1_000);
        // A clock that was set back would make the bucket seem empty until it has caught up.
        self.full_at_nanos = self.full_at_nanos.min(now_nanos.saturating_add(SECOND_NANOS));
        let has_token_at = self.full_at_nanos.saturating_add(self.interval_nanos).saturating_sub(SECOND_NANOS);
        (has_token_at > now_nanos).then(|| (has_token_at - now_nanos).div_ceil(1_000))
    }

    pub(super) fn take(&mut self, now_us: u64) {
        self.full_at_nanos = self.full_at_nanos.max(now_us.saturating_mul(1_000)).saturating_add(self.interval_nanos);
    }

    /// Gives a token back that was not needed.
    pub(super) fn give_back(&mut self) {
        self.full_at_nanos = self.full_at_nanos.saturating_sub(self.interval_nanos);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_second_s_worth_and_then_the_rate() {
        let check = |per_second: u32| {
            let mut bucket = Bucket::new(per_second);
            let start = 1_700_000_000_000_000;
            let mut takes = |now_us| {
                let mut taken = 0;
                while bucket.wait_us(now_us).is_none() {
                    bucket.take(now_us);
                    taken += 1;
                }
                taken
            };
            let burst = takes(start);
            // With an interval that is rounded up, the last token of a second may be just past it.
            assert!((per_second.saturating_sub(1)..=per_second).contains(&burst), "{per_second}: {burst}");
            assert_eq!(takes(start), 0);
            let half = takes(start + 500_000);
            assert!(half.abs_diff(per_second / 2) <= 1, "{per_second}: {half}");
        };
        [1, 2, 3, 7, 100, 999, 1_000_000].into_iter().for_each(check);
    }

    #[test]
    fn the_wait_is_until_the_next_token() {
        let mut bucket = Bucket::new(4);
        (0..4).for_each(|_| bucket.take(1_000_000));
        assert_eq!(bucket.wait_us(1_000_000), Some(250_000));
        assert_eq!(bucket.wait_us(1_249_999), Some(1));
        assert_eq!(bucket.wait_us(1_250_000), None);
    }

    #[test]
    fn a_clock_that_is_set_back_costs_a_second_at_most() {
        let mut bucket = Bucket::new(1);
        bucket.take(9_000_000_000);
        assert_eq!(bucket.wait_us(1_000_000), Some(1_000_000));
        assert_eq!(bucket.wait_us(2_000_000), None);
    }

    proptest! {
        /// Over any stretch, no more than its rate and one second's worth.
        #[test]
        fn the_rate_is_never_passed(per_second in 1_u32..5_000, steps in prop::collection::vec(0_u64..300_000, 1..300)) {
            let mut bucket = Bucket::new(per_second);
            let (mut now_us, mut taken) = (1_700_000_000_000_000_u64, 0_u64);
            let start = now_us;
            for step in steps {
                now_us += step;
                while bucket.wait_us(now_us).is_none() {
                    bucket.take(now_us);
                    taken += 1;
                }
            }
            let allowed = u64::from(per_second) * (now_us - start + 1_000_000) / 1_000_000;
            prop_assert!(taken <= allowed, "{} taken, {} allowed", taken, allowed);
        }
    }
}
