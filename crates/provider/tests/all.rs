//! Providers against what stands behind them: files, and real servers where this machine has them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "this is a test: the lints are off in test functions, and these are their helpers"
)]

mod all {
    mod blobstore;
    mod keyvalue;
    mod sql;
}
