//! Numbers in few columns.

/// Millionths of a core as a share of it: `12.3%`.
pub(super) fn percent(ppm: u64) -> String {
    match ppm {
        0 => "0%".to_owned(),
        1..1_000_000 => format!("{}.{}%", ppm / 10_000, ppm % 10_000 / 1_000),
        _ => format!("{}%", ppm / 10_000),
    }
}

/// A number for a thousand seconds as one for a second: `0.2`, `1,234`.
pub(super) fn rate(milli: u64) -> String {
    match milli {
        0 => "0".to_owned(),
        1..100_000 => format!("{}.{}", milli / 1_000, milli % 1_000 / 100),
        _ => count(milli / 1_000),
    }
}

/// `999`, `12,345`, `1.2M`, `34.5G`.
pub(super) fn count(number: u64) -> String {
    match number {
        0..1_000 => number.to_string(),
        1_000..1_000_000 => format!("{},{:03}", number / 1_000, number % 1_000),
        1_000_000..1_000_000_000 => format!("{}.{}M", number / 1_000_000, number % 1_000_000 / 100_000),
        _ => format!("{}.{}G", number / 1_000_000_000, number % 1_000_000_000 / 100_000_000),
    }
}

/// Microseconds: `950 µs`, `1.23 ms`, `45.6 ms`, `789 ms`, `1.20 s`, `30 s`.
pub(super) fn time(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..10_000 => format!("{}.{:02} ms", micros / 1_000, micros % 1_000 / 10),
        10_000..100_000 => format!("{}.{} ms", micros / 1_000, micros % 1_000 / 100),
        100_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..10_000_000 => format!("{}.{:02} s", micros / 1_000_000, micros % 1_000_000 / 10_000),
        _ => format!("{} s", micros / 1_000_000),
    }
}

/// Bytes: `512 B`, `12.3 KiB`, `128 MiB`.
pub(super) fn bytes(bytes: u64) -> String {
    let (shift, unit) = match bytes {
        0..1_024 => return format!("{bytes} B"),
        1_024..1_048_576 => (10, "KiB"),
        1_048_576..1_073_741_824 => (20, "MiB"),
        _ => (30, "GiB"),
    };
    let whole = bytes >> shift;
    let tenth = ((bytes >> (shift - 10)) & 1_023) * 10 / 1_024;
    if whole < 100 { format!("{whole}.{tenth} {unit}") } else { format!("{whole} {unit}") }
}

/// How long something has run: `12 s`, `5 min 12 s`, `3 h 05 min`, `12 d 04 h`.
pub(super) fn age(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {:02} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// The last numbers as bars of one column each, `max` as high as a bar can be. Something is never shown as nothing.
pub(super) fn bars(numbers: &[u64], columns: usize, max: u64) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let shown = numbers.get(numbers.len().saturating_sub(columns)..).unwrap_or_default();
    let bar = |number: &u64| {
        let place = u128::from(*number) * 8 / u128::from(max.max(1));
        let place = usize::try_from(place).unwrap_or(usize::MAX).min(BARS.len() - 1);
        if *number == 0 { ' ' } else { BARS.get(place).copied().unwrap_or(' ') }
    };
    let bars: String = shown.iter().map(bar).collect();
    format!("{bars:>columns$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let check = |write: fn(u64) -> String, cases: &[(u64, &str)]| {
            for (number, expect) in cases {
                assert_eq!(write(*number), *expect, "{number}");
            }
        };
        check(percent, &[(0, "0%"), (999, "0.0%"), (123_456, "12.3%"), (999_999, "99.9%"), (12_345_678, "1234%")]);
        check(rate, &[(0, "0"), (200, "0.2"), (99_999, "99.9"), (1_234_567, "1,234"), (u64::MAX, "18446744.0G")]);
        check(count, &[(999, "999"), (12_345, "12,345"), (1_299_999, "1.2M"), (34_500_000_000, "34.5G")]);
        check(time, &[(0, "0 µs"), (999, "999 µs"), (1_234, "1.23 ms"), (45_678, "45.6 ms"), (789_012, "789 ms")]);
        check(time, &[(1_204_000, "1.20 s"), (30_000_000, "30 s")]);
        check(
            bytes,
            &[(0, "0 B"), (1_023, "1023 B"), (1_024, "1.0 KiB"), (12_600, "12.3 KiB"), (134_217_728, "128 MiB")],
        );
        check(bytes, &[(u64::MAX, "17179869183 GiB")]);
        check(age, &[(12_000_000, "12 s"), (312_000_000, "5 min 12 s"), (11_100_000_000, "3 h 05 min")]);
        check(age, &[(1_051_200_000_000, "12 d 04 h")]);
    }

    #[test]
    fn bars_are_as_high_as_their_numbers() {
        assert_eq!(bars(&[], 3, 8), "   ");
        assert_eq!(bars(&[0, 1, 4, 7, 8, 9], 8, 8), "   ▂▅███");
        assert_eq!(bars(&[5, 5, 1_000], 2, 1_000), "▁█", "the last ones");
        assert_eq!(bars(&[0, u64::MAX], 2, 0), " █");
    }
}
