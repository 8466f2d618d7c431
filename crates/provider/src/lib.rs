//! What stands behind a store that a guest was granted: SQLite, Redis, NATS, folders, S3, PostgreSQL.
//!
//! Each noun has one trait, and each backend is one file beneath it. What goes in and what comes out is owned and can be
//! serialised, so that a provider can stand in another process. This crate knows neither WebAssembly nor grants: whoever
//! calls it has checked them.

pub mod blobstore;
pub mod keyvalue;
pub mod postgres;
pub mod sqlite;
mod stores;
pub mod vault;

pub use stores::{Bound, OpenError, OpenErrorKind, Stores};
