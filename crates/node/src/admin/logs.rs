//! What apps printed and how their invocations ended: read once, or waited for.

use super::api::Api;
use super::caller::Caller;
use super::fault::{Answer, Fault};
use super::input::{Names, Params};
use super::view::blocking;
use crate::logs::{Cursor, LogQuery, Logs};
use axum::Json;
use axum::extract::State;
use cumulet_spec::api::{LOG_WAIT_S_MAX, LogEntry, LogEvent, LogPage, PAGE_MAX, Problem, ProblemKind};
use cumulet_spec::id::{AppId, ComponentName, RequestId};
use cumulet_spec::outcome::Outcome;
use cumulet_spec::token::Scope;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Entries of a part where nothing says how many.
const LIMIT_DEFAULT: usize = 200;
/// What is left to gather once something came, so that what comes together is told together and a busy log is not read for
/// each of its entries.
const GATHER_TIME: Duration = Duration::from_millis(40);
/// Bytes of text of the newest entries that one answer holds; the oldest of them may be beyond.
const LAST_BYTES_MAX: usize = 4 << 20;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new().routes(routes!(read))
}

/// Which entries.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct LogParams {
    /// `cursor` of the part before; from the oldest entry on if absent.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
    /// Those that were written from then on, in microseconds since 1970.
    since_us: Option<u64>,
    /// Those that were written before then, in microseconds since 1970.
    until_us: Option<u64>,
    /// Everything of one request: the `x-request-id` of its response.
    #[param(value_type = Option<String>)]
    request: Option<RequestId>,
    /// Ends of invocations with this outcome; what they printed is found by their requests.
    #[param(value_type = Option<String>)]
    outcome: Option<Outcome>,
    /// Those of one component.
    #[param(value_type = Option<String>)]
    component: Option<ComponentName>,
    /// The most entries; 200 if absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Whether the newest entries are wanted instead of the oldest; not with `after`.
    #[serde(default)]
    last: bool,
    /// How long to wait, in seconds, where there is nothing; not at all if absent.
    #[param(minimum = 0, maximum = 30)]
    wait_s: Option<u64>,
}

/// What an app printed and how its invocations ended. To follow it, send each `cursor` as the next `after`, with `wait_s`.
/// An app that was removed keeps its log until newer ones need the room.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/apps/{app}/logs", tag = "logs",
    params(("tenant" = String, Path), ("app" = String, Path), LogParams), responses(
    (status = 200, body = LogPage),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
))]
async fn read(
    State(api): State<Arc<Api>>,
    caller: Caller,
    names: Names,
    Params(params): Params<LogParams>,
) -> Answer<Json<LogPage>> {
    let id = names.app()?;
    let wait = params.wait()?;
    let mut look = Look { query: params.query(&id)?, is_last: params.last };
    let (asked, there) = (id.clone(), Arc::clone(&api));
    let logs = blocking(move || {
        caller.may(&there, Scope::Read, &asked.tenant)?;
        there.logs_of(&asked)
    });
    let logs = logs.await?;
    let mut page = api.look(&logs, &look).await?;
    if wait.is_zero() || !is_idle(&page) {
        return Ok(Json(page));
    }
    let Some(_place) = api.waiters.join(&id.tenant) else {
        let detail = "as many requests wait for logs as may at once";
        return Err(Fault::new(ProblemKind::Busy, detail).next("ask again in a moment, or without `wait_s`"));
    };
    look.is_last = false;
    let waited = async {
        while is_idle(&page) {
            look.query.after = page.cursor.as_deref().and_then(|cursor| cursor.parse().ok());
            logs.wait(&id, look.query.after).await;
            tokio::time::sleep(GATHER_TIME).await;
            page = api.look(&logs, &look).await?;
        }
        Answer::Ok(())
    };
    tokio::select! {
        // Time that ran out is an answer too: nothing came, and this is the place to go on from.
        waited = tokio::time::timeout(wait, waited) => waited.unwrap_or(Ok(()))?,
        () = api.ship.stopped() => {}
    }
    Ok(Json(page))
}

/// What is looked for, and from which end.
#[derive(Debug, Clone)]
struct Look {
    query: LogQuery,
    is_last: bool,
}

impl LogParams {
    fn wait(&self) -> Answer<Duration> {
        match self.wait_s.unwrap_or(0) {
            wait if wait <= LOG_WAIT_S_MAX => Ok(Duration::from_secs(wait)),
            wait => {
                let detail = format!("wait_s is {wait}, and at most {LOG_WAIT_S_MAX} can be");
                Err(Fault::new(ProblemKind::Invalid, detail).next("ask again when the time is over"))
            }
        }
    }

    fn query(&self, id: &AppId) -> Answer<LogQuery> {
        let limit = self.limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=PAGE_MAX).contains(&limit) {
            let detail = format!("limit is {limit}, and 1 to {PAGE_MAX} can be");
            return Err(Fault::new(ProblemKind::Invalid, detail).next("ask for more part by part, with `after`"));
        }
        if self.last && self.after.is_some() {
            let detail = "`last` asks for the end of the log, and `after` for what follows a place in it";
            return Err(Fault::new(ProblemKind::Invalid, detail).next("send one of them"));
        }
        Ok(LogQuery {
            app: id.clone(),
            since_us: self.since_us,
            until_us: self.until_us,
            request: self.request,
            outcome: self.outcome,
            component: self.component.clone(),
            limit,
            after: self.after,
        })
    }
}

impl Api {
    /// The logs, if there is an app of this name, or a log that it left. Blocks.
    fn logs_of(&self, id: &AppId) -> Answer<Logs> {
        let unknown = || Fault::not_found(&format!("app {}", id.app));
        let logs = self.ship.apps.workshop.logs.as_ref().ok_or_else(unknown)?;
        if logs.reader().knows(id)? || self.registry().find(&id.tenant, &id.app)?.is_some() {
            return Ok(logs.clone());
        }
        let near = logs.reader().near(id)?;
        // Names of other tenants are nobody's business.
        Err(match near.iter().find(|near| near.tenant == id.tenant) {
            Some(near) => unknown().next(&format!("did you mean `{}`?", near.app)),
            None => unknown(),
        })
    }

    /// Reads what is there now.
    async fn look(&self, logs: &Logs, look: &Look) -> Answer<LogPage> {
        let _turn = self.readings.acquire().await.map_err(|_closed| Fault::interrupted())?;
        let (reader, look) = (logs.reader().clone(), look.clone());
        blocking(move || {
            if look.is_last {
                Ok(newest(reader.last(&look.query)?.view()))
            } else {
                Ok(reader.read(&look.query)?.view())
            }
        })
        .await
    }
}

/// Whether there is nothing to tell, and nothing more to look at.
fn is_idle(page: &LogPage) -> bool {
    page.items.is_empty() && page.is_end && !page.is_gap && page.notes.is_empty()
}

/// As many of the newest entries as one answer can hold.
fn newest(mut page: LogPage) -> LogPage {
    let mut held = 0;
    let kept = page.items.iter().rev().take_while(|entry| {
        let has_room = held < LAST_BYTES_MAX;
        held += text_bytes(entry);
        has_room
    });
    let left_out = page.items.len() - kept.count();
    if left_out > 0 {
        page.items.drain(..left_out);
        page.notes.push(format!("{left_out} older entries were left out: they are longer than one answer may be"));
    }
    page
}

fn text_bytes(entry: &LogEntry) -> usize {
    match &entry.event {
        LogEvent::Output { text, .. } => text.len(),
        LogEvent::Invocation(ended) => ended.path.len() + ended.detail.as_ref().map_or(0, String::len),
        LogEvent::Dropped { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cumulet_spec::api::LogStream;

    #[test]
    fn an_answer_of_long_entries_says_what_it_leaves_out() {
        let entry = LogEntry {
            time: String::new(),
            request_id: None,
            component: None,
            revision: None,
            event: LogEvent::Output { stream: LogStream::Stdout, text: "x".repeat(LAST_BYTES_MAX / 4) },
        };
        let check = |count: usize, kept: usize| {
            let page = newest(LogPage { items: vec![entry.clone(); count], ..LogPage::default() });
            assert_eq!((page.items.len(), page.notes.len()), (kept, usize::from(kept < count)));
        };
        check(0, 0);
        check(4, 4);
        check(7, 4);
    }
}
