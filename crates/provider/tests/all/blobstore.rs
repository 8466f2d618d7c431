//! Containers in folders.

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
