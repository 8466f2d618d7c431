//! The nouns that cross a process or a disk: manifest, revision, ids, limits, outcome, usage record.
//!
//! Nothing here does IO, waits, or knows how a component is run. Text that people write is parsed once, by the
//! type that it becomes ([`id::AppName`], [`quantity::Bytes`], [`grant::HttpOrigin`], [`route::RoutePattern`]),
//! and [`manifest::Manifest::parse`] and [`node::NodeConfig::parse`] put those together and report every problem that
//! they find.

pub mod api;
pub mod binding;
mod checked_text;
pub mod deploy;
mod document;
pub mod grant;
pub mod id;
pub mod invocation;
pub mod limit;
pub mod manifest;
pub mod member;
pub mod node;
pub mod outcome;
pub mod probe;
pub mod quantity;
pub mod quota;
pub mod reference;
pub mod revision;
pub mod rollout;
pub mod route;
pub mod sensitive;
pub mod token;
pub mod traffic;
pub mod usage;
