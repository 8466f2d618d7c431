//! How the camera was held.

/// How the rows and columns of a file become those of the picture: EXIF's orientation, 1 to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Orientation {
    /// Rows of the file are columns of the picture.
    pub transposed: bool,
    /// The picture's left is the file's right (after transposing, where that applies).
    pub mirrored: bool,
    /// The picture's top is the file's bottom (likewise).
    pub flipped: bool,
}

impl Orientation {
    /// Whether the file's pixels stand as the picture's do.
    #[must_use]
    pub fn is_upright(self) -> bool {
        self == Self::default()
    }

    fn from_tag(tag: u16) -> Self {
        let (transposed, mirrored, flipped) = match tag {
            2 => (false, true, false),
            3 => (false, true, true),
            4 => (false, false, true),
            5 => (true, false, false),
            6 => (true, true, false),
            7 => (true, true, true),
            8 => (true, false, true),
            _ => (false, false, false),
        };
        Self { transposed, mirrored, flipped }
    }
}

/// Reads the orientation out of EXIF data, which is a TIFF file. Whatever cannot be read leaves a picture upright.
#[must_use]
pub fn orientation(tiff: &[u8]) -> Orientation {
    tag(tiff).map(Orientation::from_tag).unwrap_or_default()
}

fn tag(tiff: &[u8]) -> Option<u16> {
    const ORIENTATION: u16 = 0x0112;
    let little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| -> Option<u16> {
        let bytes = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    };
    let long = |at: usize| -> Option<u32> {
        let bytes = tiff.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    };
    let directory = usize::try_from(long(4)?).ok()?;
    let entries = short(directory)?;
    (0..usize::from(entries))
        .map(|entry| directory.checked_add(2 + entry * 12))
        .find_map(|at| at.filter(|at| short(*at) == Some(ORIENTATION)))
        .and_then(|at| short(at.checked_add(8)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EXIF data with one entry before the orientation, in either order of bytes.
    fn exif(little: bool, tag: u16) -> Vec<u8> {
        let short = |value: u16| if little { value.to_le_bytes() } else { value.to_be_bytes() };
        let long = |value: u32| if little { value.to_le_bytes() } else { value.to_be_bytes() };
        let mut tiff = if little { b"II*\0".to_vec() } else { b"MM\0*".to_vec() };
        tiff.extend(long(8));
        tiff.extend(short(2));
        for (name, value) in [(0x0100_u16, 7_u16), (0x0112, tag)] {
            tiff.extend(short(name));
            tiff.extend(short(3));
            tiff.extend(long(1));
            tiff.extend(short(value));
            tiff.extend([0; 2]);
        }
        tiff
    }

    #[test]
    fn both_orders_of_bytes() {
        for little in [true, false] {
            assert!(orientation(&exif(little, 1)).is_upright());
            assert_eq!(orientation(&exif(little, 6)), Orientation { transposed: true, mirrored: true, flipped: false });
        }
    }

    #[test]
    fn nonsense_is_upright() {
        for cut in 0..exif(true, 6).len() - 3 {
            assert!(orientation(&exif(true, 6)[..cut]).is_upright(), "cut at {cut}");
        }
        assert!(orientation(&exif(true, 9)).is_upright());
        assert!(orientation(b"II*\0\xff\xff\xff\xff").is_upright());
    }
}
