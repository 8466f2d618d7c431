//! Baseline JPEG, decoded one row of blocks at a time (ITU-T T.81, Huffman coding, 8 bits, one interleaved scan).
//!
//! What a decoder holds is one row of blocks for each component, whatever the picture's height: for 6000 pixels of width
//! and the usual subsampling that is 150 KB.

mod bits;
mod block;
mod colour;
mod header;
mod huffman;
mod idct;
mod scan;

pub use header::{Header, Kind};
pub use scan::Scan;
