//! The nouns that cross a process or a disk: manifest, revision, ids, limits, outcome, usage record.
//!
//! Nothing here does IO, waits, or knows how a component is run. Text that people write is parsed once, by the
//! type that it becomes ([`id::AppName`], [`quantity::Bytes`], [`grant::HttpOrigin`], [`route::RoutePattern`]),
//! and [`manifest::Manifest::parse`] puts those together and reports every problem that it finds.

pub mod binding;
pub mod grant;
pub mod id;
pub mod invocation;
pub mod limit;
pub mod manifest;
pub mod outcome;
pub mod quantity;
pub mod quota;
pub mod revision;
pub mod route;
pub mod sensitive;
pub mod usage;
