//! The markers in front of the picture: tables, sizes, and which of JPEG's many kinds it is.

use std::io::Read;

use super::huffman::Huffman;
use crate::exif::{self, Orientation};
use crate::input::Input;
use crate::rows::{ImageError, Size};

/// A component of the picture: brightness, a colour difference, a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Component {
    pub(crate) id: u8,
    /// Blocks side by side in a unit of the scan, 1 to 4.
    pub(crate) across: usize,
    /// Blocks above each other in a unit of the scan, 1 to 4.
    pub(crate) down: usize,
    pub(crate) quantisation: usize,
    pub(crate) dc: usize,
    pub(crate) ac: usize,
}

/// How a picture is coded, as far as it decides how it is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Everything in one scan, from top to bottom: rows can be decoded as they arrive.
    Rows,
    /// Anything else that decoders know: progressive, several scans, four colours.
    Whole,
}

/// Everything that stands before the picture's first coded bit.
#[derive(Debug, Clone)]
pub struct Header {
    /// Width and height of the file's pixels, before they are turned.
    pub size: Size,
    /// How the camera was held.
    pub orientation: Orientation,
    /// How the picture is coded.
    pub kind: Kind,
    pub(crate) components: Vec<Component>,
    /// Factors of the coefficients, in the order in which they are coded.
    pub(crate) quantisation: [Option<[u16; 64]>; 4],
    pub(crate) dc: [Option<Huffman>; 4],
    pub(crate) ac: [Option<Huffman>; 4],
    /// Units between two restart markers; 0 for none.
    pub(crate) restart: usize,
    /// Components are red, green and blue as they stand.
    pub(crate) is_rgb: bool,
}

/// What is gathered until a scan begins.
#[derive(Default)]
struct Gathered {
    frame: Option<(u8, Size, Vec<Component>)>,
    quantisation: [Option<[u16; 64]>; 4],
    dc: [Option<Huffman>; 4],
    ac: [Option<Huffman>; 4],
    restart: usize,
    orientation: Orientation,
    adobe_transform: Option<u8>,
}

impl Header {
    /// Reads from the first byte up to the first scan.
    ///
    /// # Errors
    /// When a marker is damaged, or stands for a kind of JPEG that nobody uses.
    pub fn read<R: Read>(input: &mut Input<R>) -> Result<Self, ImageError> {
        if input.take(2)?.as_deref() != Some(&[0xff, 0xd8]) {
            return Err(ImageError::jpeg("it does not begin like one"));
        }
        let mut gathered = Gathered::default();
        loop {
            let marker = marker(input)?;
            match marker {
                0x01 | 0xd0..=0xd7 => continue,
                0xd8 | 0xd9 => return Err(ImageError::jpeg("it ends before a picture begins")),
                _ => {}
            }
            let segment = segment(input)?;
            match marker {
                0xc0..=0xc2 => gathered.frame(marker, &segment)?,
                0xc4 => gathered.huffman(&segment)?,
                0xdb => gathered.quantisation(&segment)?,
                0xdd => gathered.restart = usize::from(short(&segment, 0)?),
                0xda => return gathered.scan(&segment),
                0xe1 => gathered.exif(&segment),
                0xee => gathered.adobe(&segment),
                0xc3 | 0xc5..=0xcf => {
                    return Err(ImageError::Unsupported(
                        "this JPEG is lossless, hierarchical or arithmetically coded; send a baseline or progressive one",
                    ));
                }
                _ => {}
            }
        }
    }
}

impl Gathered {
    fn frame(&mut self, marker: u8, segment: &[u8]) -> Result<(), ImageError> {
        if self.frame.is_some() {
            return Err(ImageError::jpeg("it has two frames"));
        }
        let [precision, .., count] = segment.get(..6).unwrap_or_default() else {
            return Err(ImageError::jpeg("its frame is cut short"));
        };
        if *precision != 8 {
            return Err(ImageError::Unsupported("this JPEG does not have 8 bits to a colour; send one that has"));
        }
        let size = Size { height: u32::from(short(segment, 1)?), width: u32::from(short(segment, 3)?) };
        let components: Vec<_> = segment.get(6..).unwrap_or_default().chunks_exact(3).map(component).collect();
        if size.pixels() == 0 || components.len() != usize::from(*count) || !matches!(count, 1 | 3 | 4) {
            return Err(ImageError::jpeg("its frame has no size, or a number of components that nobody uses"));
        }
        if !components.iter().all(|component| {
            (1..=4).contains(&component.across) && (1..=4).contains(&component.down) && component.quantisation < 4
        }) {
            return Err(ImageError::jpeg("a component's sampling is out of range"));
        }
        self.frame = Some((marker, size, components));
        Ok(())
    }

    fn huffman(&mut self, mut segment: &[u8]) -> Result<(), ImageError> {
        while let [place, rest @ ..] = segment {
            let (counts, rest) =
                rest.split_first_chunk::<16>().ok_or_else(|| ImageError::jpeg("a Huffman table is cut short"))?;
            let total = counts.iter().map(|count| usize::from(*count)).sum();
            let values = rest.get(..total).ok_or_else(|| ImageError::jpeg("a Huffman table is cut short"))?;
            let tables = if place >> 4 == 0 { &mut self.dc } else { &mut self.ac };
            let table = tables.get_mut(usize::from(place & 15)).filter(|_| place >> 4 < 2);
            let table = table.ok_or_else(|| ImageError::jpeg("a Huffman table has no place"))?;
            *table = Some(Huffman::new(counts, values)?);
            segment = rest.get(total..).unwrap_or_default();
        }
        Ok(())
    }

    fn quantisation(&mut self, mut segment: &[u8]) -> Result<(), ImageError> {
        while let [place, rest @ ..] = segment {
            let bytes = if place >> 4 == 0 { 1 } else { 2 };
            let factors = rest.get(..64 * bytes).ok_or_else(|| ImageError::jpeg("a table of factors is cut short"))?;
            let mut table = [0; 64];
            for (entry, factor) in table.iter_mut().zip(factors.chunks_exact(bytes)) {
                *entry = factor.iter().fold(0, |sum, byte| (sum << 8) | u16::from(*byte));
            }
            let place = self.quantisation.get_mut(usize::from(place & 15));
            *place.ok_or_else(|| ImageError::jpeg("a table of factors has no place"))? = Some(table);
            segment = rest.get(64 * bytes..).unwrap_or_default();
        }
        Ok(())
    }

    fn exif(&mut self, segment: &[u8]) {
        if let Some(tiff) = segment.strip_prefix(b"Exif\0\0") {
            self.orientation = exif::orientation(tiff);
        }
    }

    fn adobe(&mut self, segment: &[u8]) {
        if segment.starts_with(b"Adobe") {
            self.adobe_transform = segment.get(11).copied();
        }
    }

    fn scan(self, segment: &[u8]) -> Result<Header, ImageError> {
        let (marker, size, mut components) =
            self.frame.ok_or_else(|| ImageError::jpeg("a scan stands before the frame"))?;
        let count = usize::from(segment.first().copied().unwrap_or(0));
        let choices = segment.get(1..1 + count * 2).ok_or_else(|| ImageError::jpeg("its scan is cut short"))?;
        let by_rows = marker != 0xc2 && count == components.len() && count != 4;
        if by_rows {
            for (component, choice) in components.iter_mut().zip(choices.chunks_exact(2)) {
                let [id, tables] = choice else { continue };
                if *id != component.id {
                    return Err(ImageError::jpeg("its scan names components in another order than its frame"));
                }
                (component.dc, component.ac) = (usize::from(tables >> 4), usize::from(tables & 15));
            }
        }
        // A single component is never interleaved: its sampling says nothing, and a unit is one block.
        if let [only] = components.as_mut_slice() {
            (only.across, only.down) = (1, 1);
        }
        let ids: Vec<_> = components.iter().map(|component| component.id).collect();
        Ok(Header {
            size,
            orientation: self.orientation,
            kind: if by_rows { Kind::Rows } else { Kind::Whole },
            is_rgb: self.adobe_transform.map_or(ids == *b"RGB", |transform| transform == 0),
            components,
            quantisation: self.quantisation,
            dc: self.dc,
            ac: self.ac,
            restart: self.restart,
        })
    }
}

fn component(bytes: &[u8]) -> Component {
    let [id, sampling, quantisation] = [0, 1, 2].map(|at| bytes.get(at).copied().unwrap_or(0));
    Component {
        id,
        across: usize::from(sampling >> 4),
        down: usize::from(sampling & 15),
        quantisation: usize::from(quantisation),
        dc: 0,
        ac: 0,
    }
}

fn marker<R: Read>(input: &mut Input<R>) -> Result<u8, ImageError> {
    let byte = |input: &mut Input<R>| input.byte()?.ok_or_else(|| ImageError::jpeg("it ends before the picture"));
    if byte(input)? != 0xff {
        return Err(ImageError::jpeg("a marker is missing"));
    }
    loop {
        match byte(input)? {
            0xff => {}
            0x00 => return Err(ImageError::jpeg("a marker is missing")),
            marker => return Ok(marker),
        }
    }
}

fn segment<R: Read>(input: &mut Input<R>) -> Result<Vec<u8>, ImageError> {
    let cut = || ImageError::jpeg("a segment is cut short");
    let length = usize::from(short(&input.take(2)?.ok_or_else(cut)?, 0)?);
    input.take(length.checked_sub(2).ok_or_else(cut)?)?.ok_or_else(cut)
}

fn short(bytes: &[u8], at: usize) -> Result<u16, ImageError> {
    let pair = bytes.get(at..at + 2).and_then(|pair| pair.try_into().ok());
    pair.map(u16::from_be_bytes).ok_or_else(|| ImageError::jpeg("a segment is cut short"))
}
