//! The thread that writes. It is there while there are writes, and ends a few seconds after the last: a node may hold
//! tens of thousands of stores.

use rusqlite::Connection;

use super::super::BucketError;
use super::failure::bucket_error;
use super::file;
use super::group::{self, Write};
use super::queue::{Queue, Turn};

/// Takes turns until there are none.
pub(super) fn serve(queue: &Queue) {
    let presence = Presence(queue);
    let mut connection = None;
    loop {
        match queue.next() {
            Turn::Group(writes) => commit(queue, &mut connection, writes),
            Turn::Idle => {
                close(connection.take());
                if queue.end_if_idle() {
                    break;
                }
            }
            Turn::Closed => break,
        }
    }
    close(connection);
    std::mem::forget(presence);
}

/// Tells the queue when this thread panics, so that nobody waits for it.
struct Presence<'q>(&'q Queue);

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

fn commit(queue: &Queue, connection: &mut Option<Connection>, writes: Vec<Box<dyn Write>>) {
    if writes.is_empty() {
        return;
    }
    let open = match connection.take() {
        Some(open) => Ok(open),
        None => file::writer(queue.path(), queue.bytes_max()).map_err(|error| bucket_error(&error)),
    };
    match open {
        Ok(open) => match group::commit(&open, writes) {
            Ok(()) | Err(BucketError::Full) => *connection = Some(open),
            // After an error of the disk, what the connection remembers may not be what is there: it is opened anew.
            Err(error) => tracing::error!(file = %queue.path().display(), %error, "a transaction failed"),
        },
        Err(error) => {
            tracing::error!(file = %queue.path().display(), %error, "cannot open the store for writing");
            writes.into_iter().for_each(|write| write.answer(Err(error.clone())));
        }
    }
}

/// Writes the log back into the file, so that a store that is not in use takes no more room than it needs.
fn close(connection: Option<Connection>) {
    let Some(connection) = connection else {
        return;
    };
    let written_back = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |row| row.get::<_, bool>(0));
    match written_back {
        Ok(false) => {}
        // Whoever writes or closes next does it then.
        Ok(true) => tracing::debug!("the log was not written back: somebody reads it"),
        Err(error) => tracing::debug!(%error, "the log was not written back"),
    }
}
