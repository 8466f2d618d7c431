//! Attempts with a token that is none: each address has a few, and then waits.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

/// Failed attempts that an address has at once.
const ATTEMPTS: u32 = 20;
/// How long until it has one more, in microseconds.
const RETURN_US: u64 = 3_000_000;
/// Addresses that are remembered; beyond it the ones that failed longest ago are forgotten.
const ADDRESSES_MAX: usize = 4_096;

/// Failures by address.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<IpAddr, Failed>>);

#[derive(Debug, Clone, Copy)]
struct Failed {
    count: u32,
    since_us: u64,
}

impl Failed {
    /// What is left of it at a time.
    fn at(self, now_us: u64) -> Self {
        let returned = now_us.saturating_sub(self.since_us) / RETURN_US;
        let count = self.count.saturating_sub(u32::try_from(returned).unwrap_or(u32::MAX));
        Self { count, since_us: self.since_us + returned * RETURN_US }
    }
}

impl Failures {
    /// Whether an address that failed may be told why, and be noted.
    pub(super) fn may_try(&self, address: IpAddr, now_us: u64) -> bool {
        self.0.lock().get(&network(address)).is_none_or(|failed| failed.at(now_us).count < ATTEMPTS)
    }

    /// Notes a failure.
    pub(super) fn failed(&self, address: IpAddr, now_us: u64) {
        let mut all = self.0.lock();
        if all.len() >= ADDRESSES_MAX {
            all.retain(|_, failed| failed.at(now_us).count > 0);
        }
        if all.len() >= ADDRESSES_MAX
            && let Some(oldest) = all.iter().min_by_key(|(_, failed)| failed.since_us).map(|(address, _)| *address)
        {
            all.remove(&oldest);
        }
        let failed = all.entry(network(address)).or_insert(Failed { count: 0, since_us: now_us });
        *failed = failed.at(now_us);
        if failed.count == 0 {
            failed.since_us = now_us;
        }
        failed.count += 1;
    }
}

/// Whoever has one address of version 6 has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => address.into(),
            None => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_fails_often_waits_and_others_do_not() {
        let failures = Failures::default();
        let (evil, good): (IpAddr, IpAddr) = ("2001:db8::1".parse().unwrap(), "2001:db8:1::1".parse().unwrap());
        for _ in 0..ATTEMPTS {
            assert!(failures.may_try(evil, 1));
            failures.failed(evil, 1);
        }
        assert!(!failures.may_try("2001:db8::2".parse().unwrap(), 1), "another address of the same network may try");
        assert!(failures.may_try(good, 1));
        assert!(!failures.may_try(evil, RETURN_US));
        assert!(failures.may_try(evil, RETURN_US + 1));
        failures.failed(evil, RETURN_US + 1);
        assert!(!failures.may_try(evil, RETURN_US + 1));
    }

    #[test]
    fn addresses_are_bounded() {
        let failures = Failures::default();
        for number in 0..2 * u32::try_from(ADDRESSES_MAX).unwrap() {
            failures.failed(IpAddr::V4(number.into()), u64::from(number));
        }
        assert!(failures.0.lock().len() <= ADDRESSES_MAX);
    }
}
