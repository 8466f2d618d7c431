//! Chance that can be had again: every scenario with some prints its seed.

use std::time::SystemTime;

/// How often scenarios kill, where this variable says so.
const KILLS_VARIABLE: &str = "CUMULET_KILLS";
/// The seed of all scenarios, where this variable says so.
const SEED_VARIABLE: &str = "CUMULET_SEED";

/// Numbers that look random (splitmix64), the same ones for the same seed.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Begins with a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// One of these, if there are any.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let place = self.below((from.len() as u64).max(1));
        usize::try_from(place).ok().and_then(|place| from.get(place))
    }
}

/// How often to kill: as often as the variable says, otherwise `unless_told`.
#[must_use]
pub fn kills(unless_told: u32) -> u32 {
    number(KILLS_VARIABLE).and_then(|kills| u32::try_from(kills).ok()).unwrap_or(unless_told)
}

/// A seed that nobody has seen, unless the variable gives one.
#[must_use]
pub fn seed() -> u64 {
    let moment = || SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| u64::from(since.subsec_nanos()));
    number(SEED_VARIABLE).unwrap_or_else(moment)
}

/// This seed, unless the variable gives one.
#[must_use]
pub fn seed_or(seed: u64) -> u64 {
    number(SEED_VARIABLE).unwrap_or(seed)
}

fn number(variable: &str) -> Option<u64> {
    std::env::var_os(variable)?.to_str()?.parse().ok()
}
