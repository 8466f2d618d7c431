//! Numbers as people read them: thousands apart, fractions at full length.

/// `1234567` as `1,234,567`.
pub(super) fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Microseconds as milliseconds: `1,234.567`. Exact.
pub(super) fn millis(micros: u64) -> String {
    format!("{}.{:03}", grouped(u128::from(micros / 1_000)), micros % 1_000)
}

/// Byte-microseconds as GB-seconds with six decimal places, rounded half up. A GB is 2^30 bytes.
///
/// 2^30 byte-microseconds are a millionth of a GB-second.
pub(super) fn gb_seconds(byte_us: u128) -> String {
    let millionths = byte_us.saturating_add(1 << 29) >> 30;
    format!("{}.{:06}", grouped(millionths / 1_000_000), millionths % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (number, expect) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), expect);
        }
        assert_eq!(millis(1_234_567_008), "1,234,567.008");
        assert_eq!(gb_seconds(1_u128 << 30), "0.000001");
        assert_eq!(gb_seconds((1_u128 << 29) - 1), "0.000000");
        // A GiB for an hour.
        assert_eq!(gb_seconds((1_u128 << 30) * 3_600_000_000), "3,600.000000");
        assert_eq!(gb_seconds(u128::MAX), "316,912,650,057,057,350,374,175.801343");
    }
}
