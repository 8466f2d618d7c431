//! What stands behind stores, against one suite for each noun, on real servers.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "this is a test: the lints are off in test functions, and these are their helpers"
)]

mod all {
    mod keyvalue;
}
