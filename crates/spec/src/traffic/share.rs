//! A newcomer gets a share, and the others make room; or one goes, and the others take over.

use super::{ARMS_MAX, Arm, Percent, Traffic};
use crate::id::Digest;

impl Traffic {
    /// The same traffic, in which a revision gets this share, and the others what is left, in the proportions that they
    /// have now.
    ///
    /// What rounding leaves over goes to whoever lost most by it, the earlier of two equal ones first. A revision that
    /// would get nothing is gone; so is the smallest one where there would be more than [`ARMS_MAX`]. If there are no
    /// others, the revision gets everything. Header rules and the cookie stay.
    #[must_use]
    pub fn with_share(&self, newcomer: Digest, percent: Percent) -> Self {
        let mut others: Vec<Arm> = self.arms.iter().filter(|arm| arm.revision != newcomer).copied().collect();
        while others.len() >= ARMS_MAX {
            let smallest = others.iter().enumerate().min_by_key(|(place, arm)| (arm.percent, usize::MAX - place));
            let Some((place, _)) = smallest else { break };
            others.remove(place);
        }
        let mut arms = scaled(&others, Percent::ALL.get() - percent.get());
        let percent = if arms.is_empty() { Percent::ALL } else { percent };
        arms.push(Arm { revision: newcomer, percent });
        Self { arms, headers: self.headers.clone(), sticky: self.sticky.clone() }
    }

    /// The same traffic without a revision: the others get its share in the proportions that they have, and rules that
    /// lead to it are gone. Nothing where there are no others.
    #[must_use]
    pub fn without(&self, revision: &Digest) -> Option<Self> {
        let others: Vec<Arm> = self.arms.iter().filter(|arm| arm.revision != *revision).copied().collect();
        let headers = self.headers.iter().filter(|rule| rule.revision() != *revision).cloned().collect();
        let arms = scaled(&others, Percent::ALL.get());
        (!arms.is_empty()).then(|| Self { arms, headers, sticky: self.sticky.clone() })
    }
}

/// The arms with shares that add up to `whole`, by the largest remainder.
fn scaled(arms: &[Arm], whole: u8) -> Vec<Arm> {
    let sum: u32 = arms.iter().map(|arm| u32::from(arm.percent.get())).sum();
    let exact = |arm: &Arm| u32::from(arm.percent.get()) * u32::from(whole);
    let mut shares: Vec<u32> = arms.iter().map(|arm| exact(arm).checked_div(sum).unwrap_or_default()).collect();
    let left = u32::from(whole).saturating_sub(shares.iter().sum());
    let mut order: Vec<usize> = (0..arms.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse(arms.get(*place).and_then(|arm| exact(arm).checked_rem(sum))));
    for place in order.into_iter().take(left as usize) {
        if let Some(share) = shares.get_mut(place) {
            *share += 1;
        }
    }
    let given = arms.iter().zip(shares);
    given.filter_map(|(arm, share)| Some(Arm { percent: Percent::new(share).ok()?, ..*arm })).collect()
}
