//! What apps print and how their invocations end, kept on disk: bounded for each app, and for all of them.
//!
//! ```text
//! DATA/logs/APP.TENANT/00000001.log   segments; the one with the highest number is written
//! ```
//!
//! The thread that writes events gives their entries to a shelf, in batches, a fraction of a second behind what happens;
//! nothing of this is on the path of a request, and nothing is synced: a log may lose its end with the power,
//! usage records may not. `docs/adr/0016-logs-on-disk.md` says why.

mod cursor;
mod failure;
mod folder;
mod followers;
mod frame;
mod query;
mod reader;
mod record;
mod scan;
mod segment;
mod shelf;
#[cfg(test)]
mod tests;
mod unknown;
mod view;
mod writer;

pub use self::cursor::{Cursor, CursorError};
pub use self::failure::{LogError, LogErrorKind};
pub use self::query::{LogQuery, Page};
pub use self::reader::LogReader;
pub use self::record::{LogContent, LogRecord, LogSource, LoggedInvocation};
pub use cumulet_capability::Channel;

pub(crate) use self::record::{Content, EndedInvocation, Entry, Source, TEXT_BYTES_MAX};
pub(crate) use self::shelf::{IDLE_TIME, Shelf};

use self::followers::Followers;
use cumulet_spec::id::AppId;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How often those look who follow more logs than can be told of.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The logs of a node that runs in this process.
#[derive(Debug, Clone)]
pub struct Logs {
    reader: LogReader,
    followers: Arc<Followers>,
}

impl Logs {
    /// Makes the folder of logs in a data folder, if it is not there.
    pub(crate) fn make(data_dir: &Path) -> Result<Self, LogError> {
        let logs = folder::logs(data_dir);
        DirBuilder::new().recursive(true).mode(0o700).create(&logs).map_err(LogError::file("make", &logs))?;
        Ok(Self { reader: LogReader::open(data_dir)?, followers: Arc::default() })
    }

    /// Reads them. It blocks.
    #[must_use]
    pub fn reader(&self) -> &LogReader {
        &self.reader
    }

    /// Waits until an app's log has something behind a cursor, or behind its beginning. It may also return without that;
    /// it does not end by itself where nothing comes: give it a time.
    ///
    /// # Cancel safety
    /// Nothing is lost: what came meanwhile is there for the next call.
    pub async fn wait(&self, app: &AppId, after: Option<Cursor>) {
        let follower = self.followers.join(app);
        let Some(notify) = follower.as_ref().and_then(|follower| follower.notify()) else {
            return tokio::time::sleep(LOOK_EVERY).await;
        };
        let told = notify.notified();
        tokio::pin!(told);
        // From here on nothing is missed: what was written before is seen by looking, what comes later is told.
        told.as_mut().enable();
        let (reader, query) = (self.reader.clone(), LogQuery { after, limit: 1, ..LogQuery::all(app.clone()) });
        let look = move || reader.read(&query).is_ok_and(|page| page.cursor != query.after || page.is_gap);
        if !tokio::task::spawn_blocking(look).await.unwrap_or(true) {
            told.await;
        }
    }
}
