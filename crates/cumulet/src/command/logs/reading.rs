//! Where an app's log is read: from a node, or in its data folder.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

use cumulet_node::logs::{LogError, LogErrorKind, LogQuery, LogReader, Page};
use cumulet_spec::api::{LOG_WAIT_S_MAX, LogPage, PAGE_MAX};

use crate::client::{CallError, Client, Resource};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// How often it is looked whether a folder has more. What a node writes is some hundredths of a second old by then.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The pause before a node that went away is asked again.
const RETURN_PAUSE: Duration = Duration::from_secs(1);
/// How often it is asked before that is given up: a node that starts anew is there again by then.
const RETURNS_MAX: u32 = 60;

/// Where it is read.
#[derive(Debug)]
pub(super) enum Reading {
    /// In a data folder, by ourselves.
    Folder(LogReader),
    /// By a node.
    Node(Box<Client>),
}

impl Reading {
    /// The next entries behind a cursor, at most as many as the query says.
    pub(super) async fn read(&self, query: &LogQuery, after: Option<&str>) -> Result<LogPage, Box<Failure>> {
        match self {
            Self::Folder(reader) => in_folder(reader, query, after),
            Self::Node(client) => client.get(&resource(query, after)).await.map_err(unsaid),
        }
    }

    /// The newest entries, at most as many as the query says, and the cursor of the log's end.
    pub(super) async fn last(&self, query: &LogQuery) -> Result<LogPage, Box<Failure>> {
        match self {
            Self::Folder(reader) => {
                let page = reader.last(query).map_err(|error| unreadable(&error))?;
                Ok(with_places(&page))
            }
            Self::Node(client) if query.limit <= PAGE_MAX => {
                client.get(&resource(query, None).asking("last", true)).await.map_err(unsaid)
            }
            Self::Node(_) => self.last_of_all(query).await,
        }
    }

    /// The same where a node does not say so many at once.
    async fn last_of_all(&self, query: &LogQuery) -> Result<LogPage, Box<Failure>> {
        let part = LogQuery { limit: PAGE_MAX, ..query.clone() };
        let (mut last, mut page) = (VecDeque::new(), LogPage::default());
        loop {
            let next = self.read(&part, page.cursor.as_deref()).await?;
            last.extend(next.items);
            last.drain(..last.len().saturating_sub(query.limit));
            page = LogPage {
                items: Vec::new(),
                is_gap: page.is_gap || next.is_gap,
                notes: [page.notes, next.notes].concat(),
                ..next
            };
            if page.is_end {
                return Ok(LogPage { items: last.into(), ..page });
            }
        }
    }

    /// Waits for what comes behind a cursor. It may come back with nothing; a node that starts anew is waited for.
    pub(super) async fn next(
        &self,
        query: &LogQuery,
        after: Option<&str>,
        terminal: Terminal,
    ) -> Result<LogPage, Box<Failure>> {
        match self {
            Self::Folder(reader) => loop {
                let page = in_folder(reader, query, after)?;
                if !page.items.is_empty() || !page.is_end || page.is_gap || !page.notes.is_empty() {
                    return Ok(page);
                }
                tokio::time::sleep(LOOK_EVERY).await;
            },
            Self::Node(client) => {
                let resource = resource(query, after).asking("wait_s", LOG_WAIT_S_MAX);
                let mut tries = 0;
                loop {
                    let error = match client.wait(&resource, Duration::from_secs(LOG_WAIT_S_MAX)).await {
                        Ok(page) => return Ok(page),
                        Err(error) => error,
                    };
                    if !error.may_return() || tries == RETURNS_MAX {
                        return Err(unsaid(error));
                    }
                    if tries == 0 {
                        terminal.warning(&format!("the node at {} went away; waiting for it", client.node()));
                    }
                    tries += 1;
                    tokio::time::sleep(RETURN_PAUSE).await;
                }
            }
        }
    }
}

/// The logs of a data folder.
pub(super) fn open(data: &Path) -> Result<LogReader, Box<Failure>> {
    LogReader::open(data).map_err(|error| unreadable(&error))
}

fn in_folder(reader: &LogReader, query: &LogQuery, after: Option<&str>) -> Result<LogPage, Box<Failure>> {
    // It was given by this reader.
    let after = after.and_then(|after| after.parse().ok());
    let page = reader.read(&LogQuery { after, ..query.clone() }).map_err(|error| unreadable(&error))?;
    Ok(with_places(&page))
}

/// A page whose notes say where the files lie: whoever reads them here may know.
fn with_places(page: &Page) -> LogPage {
    let note = |error: &LogError| format!("{error}: {}", error.kind);
    LogPage { notes: page.notes.iter().map(note).collect(), ..page.view() }
}

/// The entries on a node.
pub(super) fn resource(query: &LogQuery, after: Option<&str>) -> Resource {
    let resource = Resource::app(&query.app.tenant, &query.app.app).then("logs").asking("limit", query.limit);
    let asked = [
        ("after", after.map(str::to_owned)),
        ("since_us", query.since_us.map(|micros| micros.to_string())),
        ("request", query.request.map(|request| request.to_string())),
        ("outcome", query.outcome.map(|outcome| outcome.to_string())),
        ("component", query.component.as_ref().map(ToString::to_string)),
    ];
    asked.into_iter().fold(resource, |resource, (name, value)| match value {
        Some(value) => resource.asking(name, value),
        None => resource,
    })
}

fn unsaid(error: CallError) -> Box<Failure> {
    error.failure("cannot show the log")
}

pub(super) fn unreadable(error: &LogError) -> Box<Failure> {
    let failure = Failure::new(Exit::FAILED, "cannot read the logs").at(&error.path).because(&error.kind);
    match &error.kind {
        LogErrorKind::Missing => failure.next("name the data folder of a node with --data-dir"),
        _ => failure.next("see that you may read the data folder; only the user of the node may"),
    }
}
