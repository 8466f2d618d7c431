//! Counters, kept as decimal text so that other programs can read them.

use super::BucketError;

/// What a counter becomes. The rules are Redis's own, so that a counter is the same thing on every backend: no sign
/// before a positive number, no leading zero, no space.
pub(super) fn add(value: Option<&[u8]>, delta: i64) -> Result<i64, BucketError> {
    let before = match value {
        Some(text) => parse(text).ok_or(BucketError::Counter)?,
        None => 0,
    };
    before.checked_add(delta).ok_or(BucketError::Counter)
}

fn parse(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shortest_text_of_a_number_is_a_counter() {
        let check =
            |text: &str, expected: Option<i64>| assert_eq!(add(Some(text.as_bytes()), 1).ok(), expected, "{text:?}");
        check("0", Some(1));
        check("-1", Some(0));
        check("9223372036854775806", Some(i64::MAX));
        check("9223372036854775807", None);
        for text in ["", "+1", "01", "-0", " 1", "1 ", "1.0", "one", "9223372036854775808"] {
            check(text, None);
        }
        assert_eq!(add(None, i64::MIN), Ok(i64::MIN));
    }
}
