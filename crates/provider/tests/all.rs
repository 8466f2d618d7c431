//! Every backend against what its noun promises.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test: the lints are off in test functions, and these are their helpers"
)]

#[path = "all/blobstore.rs"]
mod blobstore;
