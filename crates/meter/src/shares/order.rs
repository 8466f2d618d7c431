//! Tenants in the order of their clocks.

use super::virtual_time::VirtualTime;
use std::collections::BTreeSet;

/// Where a tenant stands beside the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// Its number.
    pub(super) tenant: u64,
    /// What it has used, by weight.
    pub(super) clock: VirtualTime,
    /// What its next slice will probably cost: what its last one did.
    pub(super) expected: VirtualTime,
    /// When it was put where it is; among equals, the earlier one goes first.
    pub(super) arrival: u64,
}

/// The tenants that are known, each either waiting or resting.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Those with something waiting, by where their clock would stand after their next slice.
    next: BTreeSet<(VirtualTime, u64, u64)>,
    /// The same, by clock.
    waiting: BTreeSet<(VirtualTime, u64)>,
    /// Those with nothing waiting, by clock.
    resting: BTreeSet<(VirtualTime, u64)>,
}

impl Standing {
    fn finish(&self) -> (VirtualTime, u64, u64) {
        (self.clock + self.expected, self.arrival, self.tenant)
    }
}

impl Order {
    /// The tenant whose turn it is.
    pub(super) fn first(&self) -> Option<u64> {
        self.next.first().map(|(_, _, tenant)| *tenant)
    }

    /// The least clock of those that wait.
    pub(super) fn least_clock(&self) -> Option<VirtualTime> {
        self.waiting.first().map(|(clock, _)| *clock)
    }

    pub(super) fn wait(&mut self, standing: Standing) {
        self.next.insert(standing.finish());
        self.waiting.insert((standing.clock, standing.tenant));
    }

    pub(super) fn rest(&mut self, standing: Standing) {
        self.resting.insert((standing.clock, standing.tenant));
    }

    /// Takes a tenant out, wherever it is. It has not changed since it was put there.
    pub(super) fn remove(&mut self, standing: Standing) {
        if self.next.remove(&standing.finish()) {
            self.waiting.remove(&(standing.clock, standing.tenant));
        } else {
            self.resting.remove(&(standing.clock, standing.tenant));
        }
    }

    /// Takes out one tenant that rests and is to be forgotten: its clock is not past `floor`, or more than `resting_max`
    /// rest.
    pub(super) fn forget(&mut self, floor: VirtualTime, resting_max: usize) -> Option<u64> {
        let (clock, tenant) = self.resting.first().copied()?;
        if clock > floor && self.resting.len() <= resting_max {
            return None;
        }
        self.resting.pop_first();
        Some(tenant)
    }
}
