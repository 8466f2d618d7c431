//! PostgreSQL databases that the operator runs.
