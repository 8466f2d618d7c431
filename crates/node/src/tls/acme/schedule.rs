//! When to ask for a certificate: at two thirds of the life of the one before, and after failures ever later.

use cumulet_gateway::Certificate;

/// How long after the first failure it is tried again, in seconds; each further one doubles it.
const RETRY_S: u64 = 5 * 60;
/// The longest time between two attempts, in seconds. Servers count failures by the hour and the week.
const RETRY_S_MAX: u64 = 12 * 60 * 60;

/// From when to when a certificate is valid, in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) from_s: u64,
    pub(super) to_s: u64,
}

/// How a host stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Standing {
    failures: u32,
    due_s: u64,
}

impl Life {
    pub(super) fn of(certificate: &Certificate) -> Self {
        Self { from_s: certificate.not_before(), to_s: certificate.not_after() }
    }

    /// When a third is left.
    fn renewal_s(self) -> u64 {
        self.from_s + self.to_s.saturating_sub(self.from_s) / 3 * 2
    }
}

impl Standing {
    /// When it is to be asked for a certificate, in seconds since the Unix epoch. At once, as long as nothing happened.
    pub(super) fn due_s(&self) -> u64 {
        self.due_s
    }

    /// There is a certificate.
    pub(super) fn succeeded(&mut self, life: Life) {
        *self = Self { failures: 0, due_s: life.renewal_s() };
    }

    /// There is none, or not another. `chance` is any number: it moves the next attempt by up to a quarter, so that many
    /// nodes which failed together do not come back together.
    pub(super) fn failed(&mut self, now_s: u64, chance: u32) {
        let doublings = self.failures.min(16);
        self.failures += 1;
        let wait = (RETRY_S << doublings).min(RETRY_S_MAX);
        let quarter = wait / 4;
        self.due_s = now_s + wait - quarter / 2 + u64::from(chance) % (quarter + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 60 * 60;

    #[test]
    fn a_certificate_is_renewed_when_a_third_is_left() {
        let mut standing = Standing::default();
        assert_eq!(standing.due_s(), 0, "what was never asked for is due");
        standing.succeeded(Life { from_s: 1_000 * DAY, to_s: 1_090 * DAY });
        assert_eq!(standing.due_s(), 1_060 * DAY);
        standing.succeeded(Life { from_s: 5, to_s: 0 });
        assert_eq!(standing.due_s(), 5, "a certificate that ends before it begins is due");
    }

    #[test]
    fn attempts_become_rare_and_never_end() {
        let mut standing = Standing::default();
        let mut now_s = 1_000 * DAY;
        let mut waits = Vec::new();
        for failure in 0..100_u32 {
            standing.failed(now_s, failure.wrapping_mul(2_654_435_761));
            waits.push(standing.due_s() - now_s);
            now_s = standing.due_s();
        }
        let nominal = (0..100).map(|failure| (RETRY_S << failure.min(16)).min(RETRY_S_MAX));
        for (wait, nominal) in waits.iter().zip(nominal) {
            assert!((nominal * 7 / 8..=nominal * 9 / 8).contains(wait), "{wait} for {nominal}");
        }
        assert!(waits.iter().take_while(|wait| **wait < 3_600).count() <= 5, "{waits:?}");
        // A success forgets all of it.
        standing.succeeded(Life { from_s: now_s, to_s: now_s + 90 * DAY });
        standing.failed(now_s + 60 * DAY, 0);
        assert!(standing.due_s() < now_s + 60 * DAY + 2 * RETRY_S);
    }
}
