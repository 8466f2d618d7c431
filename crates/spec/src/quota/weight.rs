//! A tenant's weight.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A tenant's weight, from 1 to [`Weight::MAX`]; 100 when nothing is said.
///
/// Among tenants that want the processor at the same time, each gets a share in proportion to its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Weight(u32);

/// The number is not a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{found} is not a weight: write a whole number from 1 to {}", Weight::MAX)]
pub struct WeightError {
    /// The number that was given.
    pub found: u32,
}

impl Weight {
    /// The largest weight.
    pub const MAX: u32 = 1_000;

    /// Takes a number as a weight.
    ///
    /// # Errors
    /// When it is zero or above [`Weight::MAX`].
    pub const fn new(number: u32) -> Result<Self, WeightError> {
        if number >= 1 && number <= Self::MAX { Ok(Self(number)) } else { Err(WeightError { found: number }) }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self(100)
    }
}

impl TryFrom<u32> for Weight {
    type Error = WeightError;

    fn try_from(number: u32) -> Result<Self, WeightError> {
        Self::new(number)
    }
}

impl From<Weight> for u32 {
    fn from(weight: Weight) -> Self {
        weight.0
    }
}

impl fmt::Display for Weight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_from_1_to_1000() {
        for (number, is_weight) in [(0, false), (1, true), (100, true), (1_000, true), (1_001, false)] {
            assert_eq!(Weight::new(number).is_ok(), is_weight, "{number}");
            assert_eq!(serde_json::from_str::<Weight>(&number.to_string()).is_ok(), is_weight, "{number}");
        }
        assert_eq!(Weight::default().get(), 100);
    }
}
