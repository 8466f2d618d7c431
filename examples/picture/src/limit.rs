//! What is taken in and given out, at most.

/// Pixels of a picture that is decoded by rows: baseline JPEG, PNG without interlacing.
pub const ROW_PIXELS_MAX: u64 = 40_000_000;
/// Pixels of a picture that has to be decoded whole: progressive JPEG, interlaced PNG, WebP.
pub const WHOLE_PIXELS_MAX: u64 = 4_194_304;
/// Bytes of a file that has to be decoded whole.
pub const WHOLE_FILE_BYTES_MAX: usize = 8 << 20;
/// Bytes of markers and metadata in front of a JPEG's picture.
pub const JPEG_HEADER_BYTES_MAX: usize = 2 << 20;
/// Bytes of the result.
pub const RESULT_BYTES_MAX: usize = 6 << 20;
/// Pixels of a result that has to be turned, and is therefore held whole before it is written.
pub const TURNED_PIXELS_MAX: u64 = 2_097_152;
