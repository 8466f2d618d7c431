//! SQL databases.

mod postgres;
mod sqlite;
