//! Which names an object can have, on every backend alike.

use super::{ContainerError, NAME_BYTES_MAX};

/// Refuses a name that some backend could not keep, list or delete.
///
/// A name is a path as S3 clients understand it: its parts, between slashes, are neither empty nor `.` nor `..`, so that
/// no server and no proxy on the way folds two names into one. Control characters, U+FFFE and U+FFFF cannot stand in the
/// XML of a listing.
pub(super) fn check(name: &str) -> Result<(), ContainerError> {
    let parts_fit = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    let characters_fit = name.chars().all(|c| !c.is_ascii_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'));
    if name.len() <= NAME_BYTES_MAX && parts_fit && characters_fit {
        Ok(())
    } else {
        Err(ContainerError::Name(shown(name)))
    }
}

/// Refuses to list after what is longer than any name; anything else is only compared.
pub(super) fn check_after(after: Option<&str>) -> Result<(), ContainerError> {
    match after {
        Some(after) if after.len() > NAME_BYTES_MAX => Err(ContainerError::Name(shown(after))),
        _ => Ok(()),
    }
}

/// As much of a name as an error repeats: what a guest sends is not bounded before it is checked.
fn shown(name: &str) -> String {
    const SHOWN_BYTES_MAX: usize = 64;
    if name.len() <= SHOWN_BYTES_MAX {
        return name.to_owned();
    }
    let end = name.floor_char_boundary(SHOWN_BYTES_MAX);
    format!("{}…", name.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_path_without_tricks() {
        let longest = "n".repeat(NAME_BYTES_MAX);
        for name in ["a", "a/b", ".a", "...", "a..b", "a b", " a ", "é", "😀", "%2e%2e", "\\", "~", "a\u{80}", &longest]
        {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
        let too_long = "é".repeat(NAME_BYTES_MAX / 2 + 1);
        for name in
            ["", ".", "..", "/", "/a", "a/", "a//b", "a/../b", "a/.", "\0", "a\nb", "\u{7f}", "\u{ffff}", &too_long]
        {
            assert!(matches!(check(name), Err(ContainerError::Name(_))), "{name:?}");
        }
        assert_eq!(check(&too_long), Err(ContainerError::Name(format!("{}…", "é".repeat(32)))));
    }
}
