//! Buckets: one suite for every backend, then what each has of its own.

mod backend;
mod conformance;
mod crash;
mod nats;
mod redis;
mod server;
mod sqlite;
