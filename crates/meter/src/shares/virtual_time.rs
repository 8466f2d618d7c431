//! Executed time by weight: what tenants are compared by.

use cumulet_spec::quota::Weight;
use std::ops::Add;

/// Executed time divided by a weight, in nanoseconds at [`Weight::MAX`].
///
/// 128 bits never wrap: 64 would after seven months of one core at the smallest weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct VirtualTime(u128);

impl VirtualTime {
    /// What `nanos` of executed time cost a tenant of this weight.
    pub(super) fn of(nanos: u64, weight: Weight) -> Self {
        Self(u128::from(nanos) * u128::from(Weight::MAX) / u128::from(weight.get()))
    }
}

impl Add for VirtualTime {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}
