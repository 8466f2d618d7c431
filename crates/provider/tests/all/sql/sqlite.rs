//! Databases in files.

mod bounds;
mod crash;
mod functions;
mod hostile;
mod sharing;
mod values;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cumulet_provider::sqlite::{Connection, Database, Limits, Rows, StatementError, Value};
use tempfile::TempDir;

/// A database in a folder of its own, which goes away with it.
struct Scratch {
    database: Arc<Database>,
    folder: TempDir,
}

impl Scratch {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open_with(&folder.path().join("app").join("main.db"), limits).unwrap();
        Self { database, folder }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("app").join("main.db")
    }
}

/// Limits that a test reaches quickly.
fn impatient() -> Limits {
    Limits {
        statement_time: Duration::from_millis(100),
        busy_time: Duration::from_millis(100),
        size_bytes_max: 1 << 20,
    }
}

async fn run(connection: &Arc<dyn Connection>, statement: &str) -> Result<Rows, StatementError> {
    connection.execute(statement.to_owned(), Vec::new()).await
}

/// The only value of the only row.
async fn one(connection: &Arc<dyn Connection>, statement: &str) -> Value {
    run(connection, statement).await.unwrap().rows[0][0].clone()
}
