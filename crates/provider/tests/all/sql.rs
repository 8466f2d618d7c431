//! SQL databases.

mod sqlite;
