//! Clocks that an operator has made coarse: what a guest cannot time finely, it can neither spy on nor depend on.

use crate::occupant::Occupant;
use std::time::Duration;
use wasmtime_wasi::clocks::{MonotonicClock, WallClock};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

/// A clock that notes that it was asked.
pub(crate) struct Noted<C> {
    pub(crate) clock: C,
    pub(crate) occupant: Occupant,
}

impl<C: HostWallClock> HostWallClock for Noted<C> {
    fn resolution(&self) -> Duration {
        self.clock.resolution()
    }

    fn now(&self) -> Duration {
        self.occupant.with(|exchange, _| exchange.asked_the_time());
        self.clock.now()
    }
}

/// A clock that moves in whole steps and is never ahead of the time.
pub(crate) struct Coarse<C> {
    clock: C,
    step: Duration,
}

impl Coarse<WallClock> {
    pub(crate) fn wall(step: Duration) -> Self {
        Self { clock: WallClock::new(), step }
    }
}

impl Coarse<MonotonicClock> {
    pub(crate) fn monotonic(step: Duration) -> Self {
        Self { clock: MonotonicClock::new(), step }
    }
}

fn rounded_down(nanos: u128, step: Duration) -> u128 {
    nanos - nanos % step.as_nanos().max(1)
}

impl<C: HostWallClock> HostWallClock for Coarse<C> {
    fn resolution(&self) -> Duration {
        self.step.max(self.clock.resolution())
    }

    fn now(&self) -> Duration {
        let nanos = rounded_down(self.clock.now().as_nanos(), self.step);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl<C: HostMonotonicClock> HostMonotonicClock for Coarse<C> {
    fn resolution(&self) -> u64 {
        u64::try_from(self.step.as_nanos()).unwrap_or(u64::MAX).max(self.clock.resolution())
    }

    fn now(&self) -> u64 {
        u64::try_from(rounded_down(self.clock.now().into(), self.step)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(Duration);

    impl HostWallClock for Fixed {
        fn resolution(&self) -> Duration {
            Duration::from_nanos(1)
        }

        fn now(&self) -> Duration {
            self.0
        }
    }

    impl HostMonotonicClock for Fixed {
        fn resolution(&self) -> u64 {
            1
        }

        fn now(&self) -> u64 {
            u64::try_from(self.0.as_nanos()).unwrap()
        }
    }

    #[test]
    fn it_moves_in_whole_steps() {
        let check = |now: u64, step: u64, expected: u64| {
            let (now, step) = (Duration::from_nanos(now), Duration::from_nanos(step));
            let wall: &dyn HostWallClock = &Coarse { clock: Fixed(now), step };
            assert_eq!(
                (wall.now(), wall.resolution()),
                (Duration::from_nanos(expected), step.max(Duration::from_nanos(1)))
            );
            let monotonic: &dyn HostMonotonicClock = &Coarse { clock: Fixed(now), step };
            assert_eq!(monotonic.now(), expected);
        };
        check(1_999_999, 1_000_000, 1_000_000);
        check(1_000_000, 1_000_000, 1_000_000);
        check(999_999, 1_000_000, 0);
        check(7, 0, 7);
    }
}
