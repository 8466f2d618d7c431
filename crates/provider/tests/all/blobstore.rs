//! Containers in folders and in buckets.

mod backend;
mod bodies;
mod child;
mod conformance;
mod crash;
mod folder;
mod memory;
mod s3;
mod server;
