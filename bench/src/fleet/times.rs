//! How long single requests took.

use std::time::Duration;

/// Times of requests of one kind, in microseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Times(Vec<f64>);

impl Times {
    /// Adds one.
    pub(crate) fn push(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1e6);
    }

    /// Adds all of another's.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The time that a part of the requests, from 0 to 1, stayed within.
    pub(crate) fn quantile(&self, part: f64) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let place = (part * sorted.len() as f64).ceil() - 1.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place in the list, or before it"
        )]
        let place = place.max(0.0) as usize;
        sorted.get(place.min(sorted.len().saturating_sub(1))).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_times_that_were_measured() {
        let check = |count: u64, part: f64, expect: Option<f64>| {
            let mut times = Times::default();
            for micros in (1..=count).rev() {
                times.push(Duration::from_micros(micros));
            }
            let found = times.quantile(part).map(f64::round);
            assert_eq!(found, expect, "{part} of {count}");
        };
        check(0, 0.5, None);
        check(1, 0.99, Some(1.0));
        check(100, 0.5, Some(50.0));
        check(100, 0.99, Some(99.0));
        check(100, 1.0, Some(100.0));
    }
}
