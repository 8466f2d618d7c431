//! The user of a URL. The client reads none from there.

use async_nats::{ConnectOptions, ServerAddr};

/// Adds the user and the password of the first address that has any. A user without a password is a token, which is how
/// NATS writes one.
pub(super) fn apply(options: ConnectOptions, addresses: &[ServerAddr]) -> ConnectOptions {
    let Some(address) = addresses.iter().find(|address| address.has_user_pass()) else {
        return options;
    };
    let user = decode(address.username().unwrap_or_default());
    match address.password() {
        Some(password) => options.user_and_password(user, decode(password)),
        None => options.token(user),
    }
}

/// Undoes the `%XX` of a URL. What is no such escape stands for itself.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let escaped = match after.split_at_checked(2) {
            Some((digits, beyond)) if *byte == b'%' => hexadecimal(digits).map(|value| (value, beyond)),
            Some(_) | None => None,
        };
        let (value, after) = escaped.unwrap_or((*byte, after));
        bytes.push(value);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hexadecimal(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone() {
        let check = |text: &str, expected: &str| assert_eq!(decode(text), expected);
        check("plain", "plain");
        check("a%40b%2Fc%c3%bc", "a@b/cü");
        check("50%", "50%");
        check("%zz%4", "%zz%4");
    }
}
