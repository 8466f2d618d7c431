//! Which revision a request goes to.

use super::Traffic;
use crate::id::Digest;

/// The points over which the shares of an app are laid: 100 for each percent.
pub const TRAFFIC_POINTS: u16 = 10_000;

impl Traffic {
    /// The revision that has this point, of 0 to [`TRAFFIC_POINTS`] less one; a point beyond goes to the last.
    ///
    /// Equal points and equal traffic give the same revision. As long as the order of the arms stays, one whose share
    /// grows keeps the points that it had, but for those that the arms before it take.
    #[must_use]
    pub fn choose(&self, point: u16) -> &Digest {
        let mut end = 0;
        let arm = self.arms.iter().find(|arm| {
            end += u16::from(arm.percent.get()) * (TRAFFIC_POINTS / 100);
            point < end
        });
        &arm.or(self.arms.last()).expect("a traffic has at least one arm").revision
    }
}
