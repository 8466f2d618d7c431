//! A whole percentage.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A share in whole percent, from 1 to 100; written as the number, and `25%` for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Percent(u8);

/// It is not a percentage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found} is not a percentage: write a whole number from 1 to 100 with `%`, for example `10%`")]
pub struct PercentError {
    /// What was given.
    pub found: String,
}

impl Percent {
    /// The whole.
    pub const ALL: Self = Self(100);

    /// Takes a number as a percentage.
    ///
    /// # Errors
    /// When it is zero or above 100.
    pub fn new(number: u32) -> Result<Self, PercentError> {
        match u8::try_from(number) {
            Ok(percent @ 1..=100) => Ok(Self(percent)),
            Ok(_) | Err(_) => Err(PercentError { found: number.to_string() }),
        }
    }

    /// Reads `10%`.
    ///
    /// # Errors
    /// When it has no `%`, is not whole, is zero or above 100.
    pub fn parse(text: &str) -> Result<Self, PercentError> {
        let fault = || PercentError { found: format!("{text:?}") };
        let digits = text.strip_suffix('%').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        let number = digits.and_then(|digits| digits.parse().ok()).ok_or_else(fault)?;
        Self::new(number).map_err(|_outside| fault())
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}%", self.0))
    }
}

impl FromStr for Percent {
    type Err = PercentError;

    fn from_str(text: &str) -> Result<Self, PercentError> {
        Self::parse(text)
    }
}

impl TryFrom<u32> for Percent {
    type Error = PercentError;

    fn try_from(number: u32) -> Result<Self, PercentError> {
        Self::new(number)
    }
}

impl From<Percent> for u32 {
    fn from(percent: Percent) -> Self {
        Self::from(percent.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_whole_and_from_1_to_100() {
        for (text, number) in [("1%", 1), ("10%", 10), ("100%", 100)] {
            assert_eq!(Percent::parse(text).unwrap().get(), number);
            assert_eq!(Percent::new(u32::from(number)).unwrap().to_string(), text);
        }
        for bad in ["", "%", "10", "0%", "101%", "1.5%", "-1%", "+1%", "10 %", "10%%", "99999999999%"] {
            assert!(Percent::parse(bad).is_err(), "{bad:?} was accepted");
        }
        assert_eq!(
            serde_json::from_str::<Percent>("0").unwrap_err().to_string(),
            "0 is not a percentage: write a whole number from 1 to 100 with `%`, for example `10%`"
        );
    }
}
