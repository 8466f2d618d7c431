//! Keys as NATS takes them.
//!
//! A key of NATS is made of `A-Z a-z 0-9 - _ / = .`, where a `.` stands neither first nor last nor beside another. Those
//! stand for themselves, except `=`: it begins an escape, `=` and the byte as two upper-case hexadecimal digits. All other
//! bytes of a key's UTF-8 are escaped, and a `.` where it may not stand. So `cart/alice` is itself, and `a b` is `a=20b`.
//! A key has one encoding only; a key of another program that is not one is not listed.

use super::super::KEY_BYTES_MAX;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// A key as NATS takes it, at most three times as long.
pub(super) fn encode(key: &str) -> String {
    let mut encoded = String::with_capacity(key.len());
    let mut bytes = key.bytes().peekable();
    let mut before = b'.';
    while let Some(byte) = bytes.next() {
        // Without one before it, a dot stands first; without one behind it, last.
        let stands = match byte {
            b'.' => before != b'.' && bytes.peek().is_some(),
            _ => byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/'),
        };
        if stands {
            encoded.push(char::from(byte));
            before = byte;
        } else {
            encoded.push('=');
            encoded.extend([byte >> 4, byte & 15].map(hex));
            before = b'=';
        }
    }
    encoded
}

/// The key that was encoded so, unless this is none of ours.
pub(super) fn decode(encoded: &str) -> Option<String> {
    let mut key = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        if *byte == b'=' {
            let (digits, after) = after.split_at_checked(2)?;
            key.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            key.push(*byte);
            rest = after;
        }
    }
    let key = String::from_utf8(key).ok()?;
    ((1..=KEY_BYTES_MAX).contains(&key.len()) && encode(&key) == encoded).then_some(key)
}

fn hex(digit: u8) -> char {
    HEX.get(usize::from(digit)).copied().map_or('0', char::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_one_encoding() {
        let check = |key: &str, encoded: &str| {
            assert_eq!(encode(key), encoded);
            assert_eq!(decode(encoded).as_deref(), Some(key));
        };
        check("cart/alice-1_b", "cart/alice-1_b");
        check("a.b", "a.b");
        check("a b", "a=20b");
        check("=", "=3D");
        check("*?[]>", "=2A=3F=5B=5D=3E");
        check(".a.", "=2Ea=2E");
        check("a..b", "a.=2Eb");
        check("a...b", "a.=2E.b");
        check(".", "=2E");
        check("ü\n\0", "=C3=BC=0A=00");
        check("..", "=2E=2E");
    }

    #[test]
    fn what_is_no_encoding_is_none_of_ours() {
        for foreign in ["", "=", "=4", "=3d", "=41", "a=", "=FF", "=+1"] {
            assert_eq!(decode(foreign), None, "{foreign:?}");
        }
        assert_eq!(decode(&"a".repeat(KEY_BYTES_MAX + 1)), None);
    }
}
