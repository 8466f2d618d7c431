//! Points in time as people write them: a date, a time, or how long ago.

use std::str::FromStr;

use cumulet_spec::quantity::parse_duration;
use thiserror::Error;

use super::calendar::{DAY_US, Day};

const SECOND_US: u64 = 1_000_000;
const MINUTE_US: u64 = 60 * SECOND_US;
const HOUR_US: u64 = 60 * MINUTE_US;
/// The most digits of a second's fraction that count; what is below a microsecond is cut off.
const FRACTION_DIGITS: usize = 6;

/// A point in time, fixed or relative to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Microseconds since the Unix epoch.
    At(u64),
    /// This many microseconds before now.
    Back(u64),
}

/// The text is no point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "write a date `2026-11-21`, a time `2026-11-21T14:00:00Z`, or how long ago, such as `24h` or `7d`; days are of UTC"
)]
pub struct WhenError;

impl When {
    /// Microseconds since the Unix epoch, if it is now `now_us`.
    #[must_use]
    pub const fn micros(self, now_us: u64) -> u64 {
        match self {
            Self::At(at_us) => at_us,
            Self::Back(back_us) => now_us.saturating_sub(back_us),
        }
    }
}

impl FromStr for When {
    type Err = WhenError;

    fn from_str(text: &str) -> Result<Self, WhenError> {
        back(text).map(Self::Back).or_else(|| at(text).map(Self::At)).ok_or(WhenError)
    }
}

/// A point in time in RFC 3339, to the microsecond: `2026-11-21T14:00:00.000000Z`, and without the fraction if it is zero.
#[must_use]
pub fn rfc3339(time_us: u64) -> String {
    let Day { year, month, day } = Day::of_number(time_us / DAY_US);
    let of_day = time_us % DAY_US;
    let (hour, minute) = (of_day / HOUR_US, of_day % HOUR_US / MINUTE_US);
    let (second, fraction) = (of_day % MINUTE_US / SECOND_US, of_day % SECOND_US);
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:06}") };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z")
}

fn back(text: &str) -> Option<u64> {
    if let Some(days) = text.strip_suffix('d') {
        return number(days)?.checked_mul(DAY_US);
    }
    u64::try_from(parse_duration(text).ok()?.as_micros()).ok()
}

fn at(text: &str) -> Option<u64> {
    let (date, time) = match text.split_at_checked("2026-11-21".len())? {
        (date, "") => (date, None),
        (date, rest) => (date, Some(rest.strip_prefix(['T', 't', ' '])?)),
    };
    let [year, month, day] = parts(date, '-', [4, 2, 2])?;
    let begin_us = Day::new(year, month, day)?.number() * DAY_US;
    match time {
        None => Some(begin_us),
        Some(time) => time_of_day(begin_us, time),
    }
}

/// `14:00:00Z`, `14:00:00.5+01:00`, on a day that begins at `begin_us`.
fn time_of_day(begin_us: u64, text: &str) -> Option<u64> {
    let (clock, rest) = text.split_at_checked("14:00:00".len())?;
    let [hour, minute, second] = parts(clock, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (fraction_us, zone) = match rest.strip_prefix('.') {
        Some(rest) => fraction(rest)?,
        None => (0, rest),
    };
    let local_us = begin_us + hour * HOUR_US + minute * MINUTE_US + second * SECOND_US + fraction_us;
    let ahead = |text| {
        let [hours, minutes] = parts(text, ':', [2, 2])?;
        (hours <= 23 && minutes <= 59).then_some(hours * HOUR_US + minutes * MINUTE_US)
    };
    match zone.split_at_checked(1)? {
        ("Z" | "z", "") => Some(local_us),
        ("+", zone) => local_us.checked_sub(ahead(zone)?),
        ("-", zone) => local_us.checked_add(ahead(zone)?),
        _ => None,
    }
}

/// The microseconds of a fraction, and what stands behind its digits.
fn fraction(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|char: char| !char.is_ascii_digit())?;
    let (digits, rest) = text.split_at_checked(end)?;
    let kept: String = digits.chars().chain("000000".chars()).take(FRACTION_DIGITS).collect();
    (!digits.is_empty()).then_some((number(&kept)?, rest))
}

/// Numbers of fixed lengths between separators.
fn parts<const N: usize>(text: &str, separator: char, lengths: [usize; N]) -> Option<[u64; N]> {
    let mut numbers = [0; N];
    let mut found = text.split(separator);
    for (place, length) in numbers.iter_mut().zip(lengths) {
        let part = found.next().filter(|part| part.len() == length)?;
        *place = number(part)?;
    }
    found.next().is_none().then_some(numbers)
}

/// Digits alone: the standard library takes a sign as well.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON_US: u64 = 20_778 * DAY_US + 12 * HOUR_US;

    #[test]
    fn points_in_time_are_read() {
        let check = |text: &str, expect: &str| {
            let found = text.parse::<When>().map(|when| rfc3339(when.micros(NOON_US)));
            assert_eq!(found.as_deref(), Ok(expect), "{text}");
        };
        check("2026-11-21", "2026-11-21T00:00:00Z");
        check("2026-11-21T12:00:00Z", "2026-11-21T12:00:00Z");
        check("2026-11-21 12:00:00z", "2026-11-21T12:00:00Z");
        check("2026-11-21T12:00:00.5Z", "2026-11-21T12:00:00.500000Z");
        check("2026-11-21T12:00:00.1234567Z", "2026-11-21T12:00:00.123456Z");
        check("2026-11-21T00:30:00+01:00", "2026-11-20T23:30:00Z");
        check("2026-12-31T23:00:00-02:30", "2027-01-01T01:30:00Z");
        check("24h", "2026-11-20T12:00:00Z");
        check("7d", "2026-11-14T12:00:00Z");
        check("90m", "2026-11-21T10:30:00Z");
        check("0s", "2026-11-21T12:00:00Z");
        check("999999d", "1970-01-01T00:00:00Z");
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            "now",
            "2026",
            "2026-11",
            "2026-11-31",
            "2026-1-01",
            "+026-11-21",
            "2026-11-21T",
            "2026-11-21T12:00Z",
            "2026-11-21T12:00:00",
            "2026-11-21T24:00:00Z",
            "2026-11-21T12:60:00Z",
            "2026-11-21T12:00:00.Z",
            "2026-11-21T12:00:00+1:00",
            "2026-11-21T12:00:00ZZ",
            "1970-01-01T00:00:00+01:00",
            "24",
            "h",
            "-1h",
            "d",
            "+1d",
            "99999999999999999999d",
            "2026-11-2é",
        ] {
            assert_eq!(text.parse::<When>(), Err(WhenError), "{text}");
        }
    }
}
