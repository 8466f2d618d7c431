//! Containers in folders and in buckets.

#[path = "blobstore/backend.rs"]
mod backend;
#[path = "blobstore/bodies.rs"]
mod bodies;
#[path = "blobstore/child.rs"]
mod child;
#[path = "blobstore/conformance.rs"]
mod conformance;
#[path = "blobstore/crash.rs"]
mod crash;
#[path = "blobstore/folder.rs"]
mod folder;
#[path = "blobstore/memory.rs"]
mod memory;
#[path = "blobstore/s3.rs"]
mod s3;
#[path = "blobstore/server.rs"]
mod server;
