//! The file that an object has.
//!
//! Letters, digits, `-`, `_` and `.` of a name stand for themselves; any other byte, and a `.` at the start, is written
//! `%XX`: `photos/a b.jpg` lies in `photos%2Fa%20b.jpg`. A name for which that is longer than a file's name may be lies in
//! `~` and the hex digits of its BLAKE3 hash, and the file starts with a header that holds the name. No other file is an
//! object: each name has exactly one file, and each file at most one name.

use std::fmt::Write as _;
use std::io::{self, Read};

use crate::blobstore::{ContainerError, NAME_BYTES_MAX, name};

/// The longest name of a file on the file systems that matter, in bytes.
const FILE_NAME_BYTES_MAX: usize = 255;
/// What a file with a header starts with: the format of the header is in its last digit.
const MAGIC: [u8; 8] = *b"cumulet1";

/// Where an object lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileName {
    file: String,
    /// The name of the object, if the file's name does not tell it.
    long: Option<String>,
}

impl FileName {
    /// The file of an object.
    ///
    /// # Errors
    /// When no object can have this name.
    pub(super) fn of(name: &str) -> Result<Self, ContainerError> {
        name::check(name)?;
        let file = encoded(name);
        if file.len() <= FILE_NAME_BYTES_MAX {
            return Ok(Self { file, long: None });
        }
        Ok(Self { file: hashed(name), long: Some(name.to_owned()) })
    }

    /// The name of the file in the folder of objects.
    pub(super) fn as_str(&self) -> &str {
        &self.file
    }

    /// What the file holds before the object's first byte.
    pub(super) fn header(&self) -> Vec<u8> {
        let Some(name) = &self.long else {
            return Vec::new();
        };
        let length = u16::try_from(name.len()).expect("a name has at most NAME_BYTES_MAX bytes");
        [&MAGIC[..], &length.to_le_bytes(), name.as_bytes()].concat()
    }
}

/// What the name of a file tells about the object in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The object's name.
    Name(String),
    /// That its name is in the header.
    Header,
    /// That it is none.
    Nothing,
}

/// Reads the name of a file.
pub(super) fn told(file: &str) -> Told {
    if file.starts_with('~') {
        return Told::Header;
    }
    match decoded(file) {
        Some(name) if FileName::of(&name).is_ok_and(|of| of.file == file) => Told::Name(name),
        _ => Told::Nothing,
    }
}

/// Reads the header of a file of that name: the name of the object. `None` if it does not belong there.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn name_in_header(file: &str, mut contents: impl Read) -> io::Result<Option<String>> {
    let mut start = [0; MAGIC.len() + 2];
    if !filled(&mut contents, &mut start)? || !start.starts_with(&MAGIC) {
        return Ok(None);
    }
    let [.., low, high] = start;
    let length = usize::from(u16::from_le_bytes([low, high]));
    if length > NAME_BYTES_MAX {
        return Ok(None);
    }
    let mut name = vec![0; length];
    if !filled(&mut contents, &mut name)? {
        return Ok(None);
    }
    let name = String::from_utf8(name).ok();
    Ok(name.filter(|name| FileName::of(name).is_ok_and(|of| of.file == file)))
}

fn filled(contents: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match contents.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

fn encoded(name: &str) -> String {
    let mut file = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => file.push(char::from(byte)),
            b'.' if at > 0 => file.push('.'),
            _ => write!(file, "%{byte:02X}").expect("writing to a string does not fail"),
        }
    }
    file
}

fn decoded(file: &str) -> Option<String> {
    String::from_utf8(percent_encoding::percent_decode_str(file).collect()).ok()
}

fn hashed(name: &str) -> String {
    format!("~{}", blake3::hash(name.as_bytes()).to_hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_its_file_tell_each_other() {
        #[track_caller]
        fn check(name: &str, file: &str) {
            assert_eq!(FileName::of(name).unwrap().as_str(), file);
            assert_eq!(told(file), Told::Name(name.to_owned()));
        }
        check("a", "a");
        check("photos/a b.jpg", "photos%2Fa%20b.jpg");
        check(".hidden", "%2Ehidden");
        check("~x", "%7Ex");
        check("%2F", "%252F");
        check("é", "%C3%A9");
        check(&"n".repeat(255), &"n".repeat(255));
    }

    #[test]
    fn a_long_name_is_in_the_header_of_its_file_and_of_no_other() {
        let name = "long/".repeat(80) + "name";
        let file = FileName::of(&name).unwrap();
        assert_eq!((file.as_str().len(), told(file.as_str())), (65, Told::Header));
        let header = file.header();
        assert_eq!(name_in_header(file.as_str(), &header[..]).unwrap(), Some(name));
        assert_eq!(name_in_header("~0", &header[..]).unwrap(), None);
        for end in 0..header.len() {
            assert_eq!(name_in_header(file.as_str(), &header[..end]).unwrap(), None);
        }
    }

    #[test]
    fn other_files_are_no_objects() {
        for file in [".", "..", ".a", "%61", "a%2fb", "a b", "a%", "%FF", "%2E%2E", "a%2F", "", "é", &"n".repeat(256)]
        {
            assert_eq!(told(file), Told::Nothing, "{file:?}");
        }
    }
}
