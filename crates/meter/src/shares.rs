//! Whose turn it is: the processor is shared by tenant and weight, then round by app.
//!
//! Every tenant has a clock that its executed time moves, the slower the larger its weight. Whoever's clock would stand
//! least after its next slice goes next, so that clocks stay within about a slice of each other and executed time
//! follows the weights, however many invocations a tenant has and however long its slices are. Looking one slice ahead
//! is what lets a tenant that needs little pass those that would use their whole slice.
//!
//! The idea is start-time fair queuing (Goyal, Vin and Cheng, 1996) with the look ahead of earliest deadline first.

mod order;
mod rotation;
#[cfg(test)]
mod tests;
mod virtual_time;

use cumulet_spec::quota::Weight;
use order::{Order, Standing};
use rotation::Rotation;
use std::collections::HashMap;
use virtual_time::VirtualTime;

/// Tenants that are remembered while nothing of theirs waits. Beyond it, those that owe least are forgotten.
const RESTING_MAX: usize = 16_384;

/// Whose something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The tenant's number on this node.
    pub tenant: u64,
    /// The app's number, unique within its tenant.
    pub app: u64,
    /// The tenant's weight; what the last push said holds for all that the tenant has waiting.
    pub weight: Weight,
}

/// What waits for the processor, in the order in which it gets it.
///
/// Between tenants the one that has used least by its weight goes first; within a tenant, apps take turns; within an
/// app, who came first. Pushing, popping and charging take time logarithmic in the number of tenants. Time that was
/// used while nobody waited is not held against anybody, nor is time that was not used credited.
///
/// It has no lock, no clock and no bound of its own on what waits: the caller has one, as each item is an invocation
/// that was admitted.
#[derive(Debug)]
pub struct Shares<T> {
    tenants: HashMap<u64, Tenant<T>>,
    order: Order,
    /// Where a tenant starts that has used nothing lately: the least clock of those that wait, never going back.
    floor: VirtualTime,
    arrivals: u64,
    len: usize,
    is_stopped: bool,
}

#[derive(Debug)]
struct Tenant<T> {
    standing: Standing,
    weight: Weight,
    items: Rotation<T>,
}

impl<T> Default for Shares<T> {
    fn default() -> Self {
        Self {
            tenants: HashMap::new(),
            order: Order::default(),
            floor: VirtualTime::default(),
            arrivals: 0,
            len: 0,
            is_stopped: false,
        }
    }
}

impl<T> Shares<T> {
    /// How many items wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether nothing waits and nobody owes: then what is charged makes no difference.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.tenants.is_empty()
    }

    /// Whether [`Shares::stop`] was called.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// Queues an item at the end of its app's lane.
    ///
    /// # Errors
    /// The item itself, when the queue has stopped.
    pub fn push(&mut self, turn: Turn, item: T) -> Result<(), T> {
        if self.is_stopped {
            return Err(item);
        }
        let arrival = self.arrive();
        let tenant = tenant_of(&mut self.tenants, turn, self.floor);
        tenant.weight = turn.weight;
        if tenant.items.is_empty() {
            self.order.remove(tenant.standing);
            tenant.standing.clock = tenant.standing.clock.max(self.floor);
            tenant.standing.arrival = arrival;
            self.order.wait(tenant.standing);
        }
        tenant.items.push(turn.app, item);
        self.len += 1;
        Ok(())
    }

    /// Takes the item whose turn it is. Whoever runs it charges what it used with the turn that comes with it, before
    /// pushing it again.
    pub fn pop(&mut self) -> Option<(Turn, T)> {
        let number = self.order.first()?;
        self.floor = self.order.least_clock().map_or(self.floor, |least| least.max(self.floor));
        let arrival = self.arrive();
        let tenant = self.tenants.get_mut(&number)?;
        let (app, item) = tenant.items.pop()?;
        let turn = Turn { tenant: number, app, weight: tenant.weight };
        self.order.remove(tenant.standing);
        tenant.standing.arrival = arrival;
        if tenant.items.is_empty() {
            self.order.rest(tenant.standing);
        } else {
            self.order.wait(tenant.standing);
        }
        self.len -= 1;
        self.forget();
        Some((turn, item))
    }

    /// Charges executed time to a tenant, whether it was used by an item from here or, as a first slice, outside.
    ///
    /// While nothing waits, nobody is kept from anything: time then passes for all, and what tenants owe grows old.
    pub fn charge(&mut self, turn: Turn, nanos: u64) {
        let cost = VirtualTime::of(nanos, turn.weight);
        if self.is_empty() {
            self.floor = self.floor + cost;
            return self.forget();
        }
        let tenant = tenant_of(&mut self.tenants, turn, self.floor);
        self.order.remove(tenant.standing);
        tenant.standing.clock = tenant.standing.clock.max(self.floor) + cost;
        tenant.standing.expected = cost;
        if tenant.items.is_empty() {
            self.order.rest(tenant.standing);
        } else {
            self.order.wait(tenant.standing);
        }
        self.forget();
    }

    /// Stops the queue: nothing is taken any more, and what waited comes back.
    ///
    /// Drop it outside of whatever lock is held here: the end of one may push another.
    #[must_use]
    pub fn stop(&mut self) -> Vec<T> {
        self.is_stopped = true;
        self.order = Order::default();
        self.len = 0;
        std::mem::take(&mut self.tenants).into_values().flat_map(|tenant| tenant.items.into_items()).collect()
    }

    fn arrive(&mut self) -> u64 {
        self.arrivals += 1;
        self.arrivals
    }

    /// Forgets tenants that start where they would if they had never been here, and beyond [`RESTING_MAX`] any.
    fn forget(&mut self) {
        while let Some(tenant) = self.order.forget(self.floor, RESTING_MAX) {
            self.tenants.remove(&tenant);
        }
    }
}

/// The tenant of a turn; one that is not known starts at the floor.
fn tenant_of<T>(tenants: &mut HashMap<u64, Tenant<T>>, turn: Turn, floor: VirtualTime) -> &mut Tenant<T> {
    tenants.entry(turn.tenant).or_insert_with(|| Tenant {
        standing: Standing { tenant: turn.tenant, clock: floor, expected: VirtualTime::default(), arrival: 0 },
        weight: turn.weight,
        items: Rotation::default(),
    })
}
