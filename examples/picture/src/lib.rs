//! Makes photographs smaller, a row at a time.
//!
//! Rows are pulled from the end: the encoder asks the resizer for a row, the resizer asks the decoder, and the decoder
//! reads as much of the file as it needs. No stage holds a picture, so a baseline JPEG of any size takes a few hundred
//! kilobytes. Formats whose decoders need the whole picture are bounded by [`limit::WHOLE_PIXELS_MAX`].
//!
//! It is a library of its own because a component has one handler: an app that wants the pictures of another app's crate
//! would get its handler, too.

pub mod ask;
pub mod encode;
pub mod exif;
pub mod input;
pub mod jpeg;
pub mod limit;
pub mod open;
pub mod orient;
pub mod pipeline;
pub mod resize;
pub mod rows;
