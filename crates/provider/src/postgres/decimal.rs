//! `numeric` exactly, whatever its size.
//!
//! On the wire: the number of digits in base 10,000, the power of the first of them, a sign, the number of decimals to
//! show, the digits (`numeric_send` of PostgreSQL's `numeric.c`).

use std::fmt::Write as _;

use super::decode::Wire;

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xc000;
const INFINITY: u16 = 0xd000;
const NEGATIVE_INFINITY: u16 = 0xf000;
/// Decimals in one digit.
const DIGIT_DECIMALS: i64 = 4;

/// The number in base 10; `None` if the bytes are not one.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    let mut wire = Wire(bytes);
    let (count, weight, sign, scale) = (wire.u16()?, wire.i16()?, wire.u16()?, wire.u16()?);
    match sign {
        NAN => return Some("NaN".to_owned()),
        INFINITY => return Some("Infinity".to_owned()),
        NEGATIVE_INFINITY => return Some("-Infinity".to_owned()),
        _ => {}
    }
    let digits = (0..count).map(|_| wire.u16()).collect::<Option<Vec<u16>>>()?;
    let digit = |power: i64| {
        let index = usize::try_from(i64::from(weight) - power).ok();
        index.and_then(|index| digits.get(index)).copied().unwrap_or(0)
    };
    let mut text = String::from(if sign == NEGATIVE { "-" } else { "" });
    let first = i64::from(weight).max(0);
    text.push_str(&digit(first).to_string());
    for power in (0..first).rev() {
        write!(text, "{:04}", digit(power)).ok()?;
    }
    if scale > 0 {
        let mut decimals = String::new();
        for power in 1..=(i64::from(scale) + DIGIT_DECIMALS - 1) / DIGIT_DECIMALS {
            write!(decimals, "{:04}", digit(-power)).ok()?;
        }
        decimals.truncate(usize::from(scale));
        text.push('.');
        text.push_str(&decimals);
    }
    Some(text)
}
