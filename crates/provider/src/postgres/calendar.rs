//! Days and microseconds since 2000 as dates and times, as PostgreSQL counts them: the Gregorian calendar without end in
//! both directions.

/// Days from 1970 to 2000.
const EPOCH_DAYS: i64 = 10_957;
const MICROS_PER_DAY: i64 = 86_400_000_000;
/// Days in 400 years.
const ERA_DAYS: i64 = 146_097;

/// Year, month and day of a day since 2000. Howard Hinnant's `civil_from_days`.
pub(super) fn date(days: i64) -> Option<(i32, u8, u8)> {
    let days = days + EPOCH_DAYS + 719_468;
    let (era, day_of_era) = (days.div_euclid(ERA_DAYS), days.rem_euclid(ERA_DAYS));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Some((i32::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?))
}

/// Hour, minute, second and nanosecond of a microsecond of a day; 24:00 is one.
pub(super) fn time(micros: i64) -> Option<(u8, u8, u8, u32)> {
    let seconds = micros.div_euclid(1_000_000);
    let nanos = micros.rem_euclid(1_000_000) * 1_000;
    let part = |number: i64| u8::try_from(number).ok();
    Some((part(seconds / 3_600)?, part(seconds / 60 % 60)?, part(seconds % 60)?, u32::try_from(nanos).ok()?))
}

/// Days since 2000, and microseconds of the day, of a microsecond since 2000.
pub(super) fn split(micros: i64) -> (i64, i64) {
    (micros.div_euclid(MICROS_PER_DAY), micros.rem_euclid(MICROS_PER_DAY))
}

/// Days since 2000, and microseconds of the day, of a second since 1970.
pub(super) fn split_seconds(seconds: i64) -> (i64, i64) {
    (seconds.div_euclid(86_400) - EPOCH_DAYS, seconds.rem_euclid(86_400) * 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        for (days, expect) in [
            (0, (2000, 1, 1)),
            (59, (2000, 2, 29)),
            (60, (2000, 3, 1)),
            (-1, (1999, 12, 31)),
            (-10_957, (1970, 1, 1)),
            (-730_119, (1, 1, 1)),
            (-730_120, (0, 12, 31)),
            (2_921_940, (10_000, 1, 1)),
        ] {
            assert_eq!(date(days), Some(expect), "{days}");
        }
        assert_eq!(split(-1), (-1, MICROS_PER_DAY - 1));
        assert_eq!(time(MICROS_PER_DAY - 1), Some((23, 59, 59, 999_999_000)));
        assert_eq!(split_seconds(-1), (-10_958, 86_399_000_000));
    }
}
