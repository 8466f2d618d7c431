//! Requests that wait for something to happen: bounded for each tenant, and for all of them.

use cumulet_spec::id::TenantId;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

/// Requests that wait at once.
pub(super) const WAITERS_MAX: usize = 256;
/// Those of them that wait for one tenant's things: the others' have room beside them.
pub(super) const TENANT_WAITERS_MAX: usize = 64;

/// Who waits, by tenant.
#[derive(Debug, Default)]
pub(super) struct Waiters(Mutex<HashMap<TenantId, usize>>);

/// One who waits. Dropping it ends that.
#[derive(Debug)]
#[must_use]
pub(super) struct Waiter {
    waiters: Arc<Waiters>,
    tenant: TenantId,
}

impl Waiters {
    /// Nothing when too many wait.
    pub(super) fn join(self: &Arc<Self>, tenant: &TenantId) -> Option<Waiter> {
        let mut waiting = self.0.lock();
        let all: usize = waiting.values().sum();
        let own = waiting.get(tenant).copied().unwrap_or(0);
        if all >= WAITERS_MAX || own >= TENANT_WAITERS_MAX {
            return None;
        }
        waiting.insert(tenant.clone(), own + 1);
        Some(Waiter { waiters: Arc::clone(self), tenant: tenant.clone() })
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiting = self.waiters.0.lock();
        let left = waiting.get(&self.tenant).copied().unwrap_or(0).saturating_sub(1);
        if left == 0 {
            waiting.remove(&self.tenant);
        } else {
            waiting.insert(self.tenant.clone(), left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_leaves_room_for_others_and_all_are_bounded() {
        let waiters = Arc::new(Waiters::default());
        let tenant = |number: usize| TenantId::parse(&format!("t{number}")).unwrap();
        let mut first: Vec<Waiter> = (0..TENANT_WAITERS_MAX).map(|_| waiters.join(&tenant(0)).unwrap()).collect();
        assert!(waiters.join(&tenant(0)).is_none());
        let others: Vec<Waiter> = (1..).map_while(|number| waiters.join(&tenant(number))).take(WAITERS_MAX).collect();
        assert_eq!(first.len() + others.len(), WAITERS_MAX);
        // Who goes makes room for another.
        first.pop();
        assert!(waiters.join(&tenant(1_000)).is_some());
        drop((first, others));
        assert!(waiters.0.lock().is_empty());
    }
}
