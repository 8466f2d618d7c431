//! Sizes and lengths of time as people write them: `128MiB`, `250ms`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A number of bytes, written `500B`, `64KiB`, `128MiB`, `1GiB` or `1TiB`.
///
/// Units are powers of 1024; a number without a unit, and `MB` or `M`, are refused so that nobody has to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bytes(pub u64);

/// The text is not a quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a valid {noun}: {reason}")]
pub struct QuantityError {
    /// What was expected: `size` or `duration`.
    pub noun: &'static str,
    /// The text that was given.
    pub found: String,
    /// What is wrong with it and what is accepted.
    pub reason: &'static str,
}

const SIZE_FORM: &str = "write a whole number and a unit, B, KiB, MiB, GiB or TiB, for example `128MiB`";
const DURATION_FORM: &str = "write a whole number and a unit, us, ms, s, m or h, for example `250ms` or `10s`";
const TOO_LARGE: &str = "the number is too large";

const SIZE_UNITS: [(&str, u64); 5] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
const DURATION_UNITS: [(&str, u64); 5] =
    [("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1)];

impl Bytes {
    /// This many kibibytes (1024 bytes).
    #[must_use]
    pub const fn kib(count: u64) -> Self {
        Self(count << 10)
    }

    /// This many mebibytes (1024 kibibytes).
    #[must_use]
    pub const fn mib(count: u64) -> Self {
        Self(count << 20)
    }

    /// This many gibibytes (1024 mebibytes).
    #[must_use]
    pub const fn gib(count: u64) -> Self {
        Self(count << 30)
    }

    /// The number for this machine's memory, or its largest when it does not fit.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// Reads a size such as `128MiB`.
    ///
    /// # Errors
    /// When there is no unit, the number is not whole or not positive decimal digits, or it passes `u64`.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        parse_units(text, &SIZE_UNITS).map(Self).map_err(|fault| fault.into_error("size", text, SIZE_FORM))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format_units(self.0, &SIZE_UNITS))
    }
}

impl FromStr for Bytes {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Bytes {
    type Error = QuantityError;

    fn try_from(text: String) -> Result<Self, QuantityError> {
        Self::parse(&text)
    }
}

impl From<Bytes> for String {
    fn from(bytes: Bytes) -> Self {
        bytes.to_string()
    }
}

/// Reads a length of time: `10s`, `250ms`, `500us`, `5m`, `1h`.
///
/// # Errors
/// When there is no unit, the number is not whole, or it passes what 64 bits of microseconds hold.
pub fn parse_duration(text: &str) -> Result<Duration, QuantityError> {
    parse_units(text, &DURATION_UNITS)
        .map(Duration::from_micros)
        .map_err(|fault| fault.into_error("duration", text, DURATION_FORM))
}

/// Writes a length of time so that [`parse_duration`] reads it back; what is below a microsecond is cut off.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    format_units(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX), &DURATION_UNITS)
}

/// Serialises a [`Duration`] as text, for `#[serde(with = "quantity::duration_text")]`.
pub mod duration_text {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de};

    /// Writes the duration as in a manifest.
    ///
    /// # Errors
    /// Only those of the serialiser.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::format_duration(*duration))
    }

    /// Reads the duration as in a manifest.
    ///
    /// # Errors
    /// When the text is not a duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        super::parse_duration(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

enum Fault {
    Form,
    TooLarge,
}

impl Fault {
    fn into_error(self, noun: &'static str, found: &str, form: &'static str) -> QuantityError {
        let reason = match self {
            Self::Form => form,
            Self::TooLarge => TOO_LARGE,
        };
        QuantityError { noun, found: found.to_owned(), reason }
    }
}

fn parse_units(text: &str, units: &[(&str, u64)]) -> Result<u64, Fault> {
    let split = text.find(|char: char| !char.is_ascii_digit()).ok_or(Fault::Form)?;
    let (digits, unit) = text.split_at(split);
    if digits.is_empty() {
        return Err(Fault::Form);
    }
    let (_, size) = units.iter().find(|(name, _)| *name == unit).ok_or(Fault::Form)?;
    let number: u64 = digits.parse().map_err(|_| Fault::TooLarge)?;
    number.checked_mul(*size).ok_or(Fault::TooLarge)
}

/// Writes the number in the largest unit that divides it; `units` go from large to small and end at 1.
fn format_units(number: u64, units: &[(&str, u64)]) -> String {
    let fitting = units.iter().find(|(_, size)| number > 0 && number.is_multiple_of(*size));
    let (name, size) = fitting.or(units.last()).copied().unwrap_or(("", 1));
    format!("{}{name}", number / size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_read_and_written_alike() {
        for (text, bytes) in [("500B", 500), ("64KiB", 65_536), ("128MiB", 1 << 27), ("1GiB", 1 << 30), ("0B", 0)] {
            assert_eq!(Bytes::parse(text), Ok(Bytes(bytes)));
            assert_eq!(Bytes(bytes).to_string(), text);
        }
        assert_eq!(Bytes::parse("1024KiB"), Ok(Bytes::mib(1)));
        assert_eq!(Bytes::mib(1).to_string(), "1MiB");
    }

    #[test]
    fn durations_are_read_and_written_alike() {
        for (text, micros) in
            [("10s", 10_000_000), ("250ms", 250_000), ("5m", 300_000_000), ("7us", 7), ("2h", 7_200_000_000)]
        {
            assert_eq!(parse_duration(text), Ok(Duration::from_micros(micros)));
            assert_eq!(format_duration(Duration::from_micros(micros)), text);
        }
        assert_eq!(format_duration(Duration::from_secs(90)), "90s");
    }

    #[test]
    fn what_could_be_guessed_is_refused() {
        for bad in ["", "128", "MiB", "128 MiB", "128MB", "128M", "128mib", "1.5GiB", "-1MiB", "+1MiB", "1MiB "] {
            assert!(Bytes::parse(bad).is_err(), "{bad:?} was accepted");
        }
        for bad in ["", "10", "s", "10 s", "1.5s", "-1s", "10sec", "1d", "10S"] {
            assert!(parse_duration(bad).is_err(), "{bad:?} was accepted");
        }
        assert_eq!(Bytes::parse("99999999TiB").unwrap_err().reason, TOO_LARGE);
        assert_eq!(parse_duration("99999999999999999999s").unwrap_err().reason, TOO_LARGE);
    }

    proptest! {
        #[test]
        fn every_size_comes_back(bytes: u64) {
            prop_assert_eq!(Bytes::parse(&Bytes(bytes).to_string()), Ok(Bytes(bytes)));
        }

        #[test]
        fn every_round_size_comes_back(count in 0_u64..5000, shift in prop::sample::select(vec![0, 10, 20, 30, 40])) {
            let bytes = Bytes(count << shift);
            prop_assert_eq!(Bytes::parse(&bytes.to_string()), Ok(bytes));
        }

        #[test]
        fn every_duration_comes_back(micros: u64) {
            let duration = Duration::from_micros(micros);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _read = (Bytes::parse(&text), parse_duration(&text));
        }
    }
}
