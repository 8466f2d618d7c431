//! Days of the calendar as numbers, and back. UTC, without leap seconds, from 1970 to 9999.

/// Microseconds of a day.
pub(super) const DAY_US: u64 = 86_400_000_000;
/// The first year of the epoch.
const YEAR_FIRST: u64 = 1970;
/// The last year that is read or written.
const YEAR_LAST: u64 = 9999;

/// A day of the Gregorian calendar, which is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) year: u64,
    pub(super) month: u64,
    pub(super) day: u64,
}

impl Day {
    /// Nothing for a day that the calendar does not have, or beyond the years that count here.
    pub(super) fn new(year: u64, month: u64, day: u64) -> Option<Self> {
        let is_known = (YEAR_FIRST..=YEAR_LAST).contains(&year) && (1..=12).contains(&month);
        (is_known && (1..=days_of_month(year, month)).contains(&day)).then_some(Self { year, month, day })
    }

    /// Days since the first of January 1970.
    pub(super) fn number(self) -> u64 {
        let years: u64 = (YEAR_FIRST..self.year).map(days_of_year).sum();
        let months: u64 = (1..self.month).map(|month| days_of_month(self.year, month)).sum();
        years + months + self.day - 1
    }

    /// The day with a number; the last one for numbers beyond it.
    pub(super) fn of_number(number: u64) -> Self {
        let mut left = number;
        for year in YEAR_FIRST..=YEAR_LAST {
            if left >= days_of_year(year) {
                left -= days_of_year(year);
                continue;
            }
            let mut month = 1;
            while left >= days_of_month(year, month) {
                left -= days_of_month(year, month);
                month += 1;
            }
            return Self { year, month, day: left + 1 };
        }
        Self { year: YEAR_LAST, month: 12, day: 31 }
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_numbers_and_come_back() {
        let check = |(year, month, day), number| {
            let found = Day::new(year, month, day).unwrap();
            assert_eq!((found.number(), Day::of_number(number)), (number, found));
        };
        check((1970, 1, 1), 0);
        check((2000, 2, 29), 11_016);
        check((2026, 11, 21), 20_778);
        check((9999, 12, 31), 2_932_896);
        assert_eq!(Day::of_number(u64::MAX), Day::of_number(2_932_896));
        for number in (0..2_932_897).step_by(4_799) {
            assert_eq!(Day::of_number(number).number(), number);
        }
    }

    #[test]
    fn days_that_are_none_are_refused() {
        for (year, month, day) in
            [(1969, 12, 31), (10_000, 1, 1), (2026, 0, 1), (2026, 13, 1), (2026, 2, 29), (1, 1, 0)]
        {
            assert_eq!(Day::new(year, month, day), None, "{year}-{month}-{day}");
        }
        assert_eq!(Day::new(2100, 2, 29), None, "a century is no leap year");
    }
}
