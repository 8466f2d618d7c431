//! Whose turn it is: tenants in a circle, what each of them asks for in the order in which it asked.

use cumulet_spec::id::TenantId;
use std::collections::{HashMap, VecDeque};

/// Those who wait.
///
/// A tenant that asks a hundred times and one that asks once are served alternately until the one is done.
#[derive(Debug)]
pub(super) struct Turns<T> {
    /// Tenants with somebody waiting, each once, the next in front.
    circle: VecDeque<TenantId>,
    lines: HashMap<TenantId, VecDeque<T>>,
    line_max: usize,
}

/// The tenant's line is as long as it may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full(pub(super) usize);

impl<T> Turns<T> {
    /// At most `line_max` wait for each tenant.
    pub(super) fn new(line_max: usize) -> Self {
        Self { circle: VecDeque::new(), lines: HashMap::new(), line_max }
    }

    /// Takes a place at the end of the tenant's line, from which those who no longer wait are removed first.
    ///
    /// # Errors
    /// When the line is full.
    pub(super) fn push(&mut self, tenant: &TenantId, item: T, waits: impl Fn(&T) -> bool) -> Result<(), Full> {
        let line = self.lines.entry(tenant.clone()).or_default();
        if line.is_empty() {
            self.circle.push_back(tenant.clone());
        } else {
            line.retain(waits);
        }
        if line.len() >= self.line_max {
            return Err(Full(self.line_max));
        }
        line.push_back(item);
        Ok(())
    }

    /// The next one, whose tenant goes to the end of the circle.
    pub(super) fn next(&mut self) -> Option<T> {
        while let Some(tenant) = self.circle.pop_front() {
            let Some(line) = self.lines.get_mut(&tenant) else { continue };
            let item = line.pop_front();
            if line.is_empty() {
                self.lines.remove(&tenant);
            } else {
                self.circle.push_back(tenant);
            }
            if item.is_some() {
                return item;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(asked: &[(&str, u32)]) -> Turns<u32> {
        let mut turns = Turns::new(3);
        for (tenant, item) in asked {
            turns.push(&TenantId::parse(tenant).unwrap(), *item, |_| true).unwrap();
        }
        turns
    }

    #[test]
    fn tenants_take_turns() {
        let check = |asked: &[(&str, u32)], order: &[u32]| {
            let mut turns = turns(asked);
            let served: Vec<u32> = std::iter::from_fn(|| turns.next()).collect();
            assert_eq!(served, order, "{asked:?}");
            assert!(turns.circle.is_empty() && turns.lines.is_empty(), "nothing is kept of those who were served");
        };
        check(&[], &[]);
        check(&[("a", 1), ("a", 2), ("a", 3), ("b", 4)], &[1, 4, 2, 3]);
        check(&[("a", 1), ("b", 2), ("c", 3), ("a", 4), ("c", 5), ("b", 6)], &[1, 2, 3, 4, 6, 5].map(|item| item));
    }

    #[test]
    fn a_line_is_bounded_and_costs_its_own_tenant_only() {
        let mut turns = turns(&[("a", 1), ("a", 2), ("a", 3)]);
        let (greedy, other) = (TenantId::parse("a").unwrap(), TenantId::parse("b").unwrap());
        assert_eq!(turns.push(&greedy, 4, |_| true), Err(Full(3)));
        assert_eq!(turns.push(&other, 5, |_| true), Ok(()));
        // Who went away makes room.
        assert_eq!(turns.push(&greedy, 6, |item| *item != 1), Ok(()));
        assert_eq!(std::iter::from_fn(|| turns.next()).collect::<Vec<_>>(), [2, 5, 3, 6]);
    }

    #[test]
    fn a_line_whose_members_all_left_is_no_turn() {
        let mut turns = turns(&[("a", 1), ("a", 2)]);
        let tenant = TenantId::parse("a").unwrap();
        assert_eq!(turns.push(&tenant, 3, |_| false), Ok(()));
        assert_eq!(std::iter::from_fn(|| turns.next()).collect::<Vec<_>>(), [3]);
    }
}
