//! Pictures that are made, not kept: a sky, hills, windows and grain out of a formula and a seed.
#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "pictures for tests, of sizes that are known"
)]

use jpeg_encoder::{ColorType, Encoder, ImageBuffer, JpegColorType, SamplingFactor};
use picture::rows::{Channels, Size, Whole};

/// A scene that can be asked for any pixel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Photograph {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) seed: u32,
}

impl Photograph {
    /// The colour of a pixel.
    pub(crate) fn pixel(&self, x: u32, y: u32) -> [u8; 3] {
        let (across, down) = (f64::from(x) / f64::from(self.width), f64::from(y) / f64::from(self.height));
        let wave = |turns: f64| (turns.fract() * 2.0 - 1.0).abs() * 2.0 - 1.0;
        let hill = 0.55 + 0.12 * wave(across * 1.5 + f64::from(self.seed) / 8.0) + 0.05 * wave(across * 5.0);
        let grain = f64::from(
            (x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ self.seed).wrapping_mul(0xc2b2_ae3d) >> 28,
        );
        let colours = if down < hill {
            [90.0 + 120.0 * down, 140.0 + 80.0 * down, 230.0 - 40.0 * down]
        } else if (x / 12 + y / 18).is_multiple_of(4) {
            [220.0, 190.0, 120.0]
        } else {
            let light = 1.0 - 0.5 * (down - hill);
            [60.0 * light, 110.0 * light, 50.0 + 30.0 * wave(across * 7.0)]
        };
        colours.map(|colour| (colour + grain - 8.0).clamp(0.0, 255.0) as u8)
    }

    /// A JPEG that ends where its picture would begin, with a frame of the given kind and this size.
    pub(crate) fn jpeg_header_claiming(&self, frame: u8) -> Vec<u8> {
        let mut file = Made { width: 16, height: 16, ..Made::default() }.jpeg();
        let at = file.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
        file[at + 1] = frame;
        file[at + 5..at + 7].copy_from_slice(&(self.height as u16).to_be_bytes());
        file[at + 7..at + 9].copy_from_slice(&(self.width as u16).to_be_bytes());
        file
    }
}

impl ImageBuffer for Photograph {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.width as u16
    }

    fn height(&self) -> u16 {
        self.height as u16
    }

    fn fill_buffers(&self, y: u16, buffers: &mut [Vec<u8>; 4]) {
        for x in 0..self.width {
            let [red, green, blue] = self.pixel(x, u32::from(y));
            let (y, cb, cr) = jpeg_encoder::rgb_to_ycbcr(red, green, blue);
            buffers[0].push(y);
            buffers[1].push(cb);
            buffers[2].push(cr);
        }
    }
}

/// A photograph as a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Made {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) sampling: SamplingFactor,
    pub(crate) restart: u16,
    pub(crate) quality: u8,
    pub(crate) progressive: bool,
    pub(crate) grey: bool,
    pub(crate) orientation: u8,
}

impl Default for Made {
    fn default() -> Self {
        Self {
            width: 96,
            height: 80,
            sampling: SamplingFactor::R_4_2_0,
            restart: 0,
            quality: 85,
            progressive: false,
            grey: false,
            orientation: 1,
        }
    }
}

impl Made {
    pub(crate) fn photograph(&self) -> Photograph {
        Photograph { width: self.width, height: self.height, seed: 7 }
    }

    pub(crate) fn pixels(&self) -> Vec<u8> {
        let photograph = self.photograph();
        (0..self.height).flat_map(|y| (0..self.width).flat_map(move |x| photograph.pixel(x, y))).collect()
    }

    pub(crate) fn whole(&self) -> Whole {
        Whole::new(Size { width: self.width, height: self.height }, Channels::Rgb, self.pixels()).unwrap()
    }

    pub(crate) fn jpeg(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, self.quality);
        encoder.set_sampling_factor(self.sampling);
        encoder.set_progressive(self.progressive);
        if self.restart > 0 {
            encoder.set_restart_interval(self.restart);
        }
        if self.orientation != 1 {
            let tiff =
                [b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[self.orientation], &[0; 6]].concat();
            encoder.add_exif_metadata(&tiff).unwrap();
        }
        if self.grey {
            let grey: Vec<u8> = self.pixels().iter().step_by(3).copied().collect();
            encoder.encode(&grey, self.width as u16, self.height as u16, ColorType::Luma).unwrap();
        } else {
            encoder.encode_image(self.photograph()).unwrap();
        }
        file
    }

    pub(crate) fn png(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header().unwrap().write_image_data(&self.pixels()).unwrap();
        file
    }

    pub(crate) fn webp(&self) -> Vec<u8> {
        let mut file = Vec::new();
        let encoder = image_webp::WebPEncoder::new(&mut file);
        encoder.encode(&self.pixels(), self.width, self.height, image_webp::ColorType::Rgb8).unwrap();
        file
    }
}
