//! `cumulet logs`: what an app printed and how its invocations ended, from a node, or from the logs in a data folder.

mod print;
mod reading;
mod whose;

use std::io;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use cumulet_node::logs::LogQuery;
use cumulet_node::usage::{When, now_us};
use cumulet_spec::api::LogPage;
use cumulet_spec::id::{AppName, ComponentName, RequestId, TenantId};
use cumulet_spec::outcome::Outcome;

use self::reading::Reading;
use crate::client::{Source, SourceArgs};
use crate::command::Ended;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Entries that are shown where nothing says which.
const LIMIT_DEFAULT: u32 = 200;
/// The most that can be asked for by number: they are held in memory.
const LIMIT_MAX: u32 = 1_000_000;
/// Where logs lie within a data folder.
const LOGS: &str = "logs";

/// Show what an app printed, and how its requests ended
#[derive(Debug, Args)]
#[command(after_help = "\
Asks the node; with --data-dir, and where no node runs, reads the logs in its data folder. Each app has the newest 32 MiB, \
unless the node is configured otherwise ([logs] in its file). WHEN is a date (2026-11-21), a time (2026-11-21T14:00:00Z), or how long \
ago (10m, 24h). With --json each entry is an object on a line; docs/guide/logs.md describes them.

Examples:
  cumulet logs shop
  cumulet logs shop --tenant acme --follow
  cumulet logs shop --since 1h --outcome trap
  cumulet logs shop --request 01f2c39a8b7d6e50 --json")]
pub(crate) struct Logs {
    /// The app
    #[arg(value_name = "APP", value_parser = AppName::parse)]
    app: AppName,
    /// The app's tenant [default: the token's; else local, or the one that has an app of this name]
    #[arg(long, value_name = "T", value_parser = TenantId::parse)]
    tenant: Option<TenantId>,
    /// Go on showing what comes
    #[arg(long, short)]
    follow: bool,
    /// Entries that were written from then on
    #[arg(long, value_name = "WHEN")]
    since: Option<When>,
    /// Everything of one request: the `x-request-id` of its response
    #[arg(long, value_name = "ID")]
    request: Option<RequestId>,
    /// Requests that ended so; what they printed is found by --request
    #[arg(long, value_name = "OUTCOME", value_parser = outcome(), hide_possible_values = true)]
    outcome: Option<Outcome>,
    /// Only this component
    #[arg(long, value_name = "NAME", value_parser = ComponentName::parse)]
    component: Option<ComponentName>,
    /// The newest N entries [default: 200, or all with --since, --request or --outcome]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(LIMIT_MAX)))]
    limit: Option<u32>,
    #[command(flatten)]
    at: SourceArgs,
}

fn outcome() -> impl clap::builder::TypedValueParser<Value = Outcome> {
    let labels = Outcome::ALL.map(Outcome::label);
    PossibleValuesParser::new(labels).map(|label| {
        // The parser takes nothing else.
        Outcome::ALL.into_iter().find(|outcome| outcome.label() == label).unwrap_or(Outcome::Ok)
    })
}

impl Logs {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        let wanted = (self.tenant.as_ref(), &self.app);
        let (reading, app) = match self.at.open(LOGS, terminal).await? {
            Source::Folder(data) => {
                let reader = reading::open(&data)?;
                let app = whose::in_folder(&reader, wanted)?;
                (Reading::Folder(reader), app)
            }
            Source::Node(client, who) => {
                let app = whose::on_node(&client, &who, wanted).await?;
                (Reading::Node(client), app)
            }
        };
        let query = LogQuery {
            since_us: self.since.map(|since| since.micros(now_us())),
            request: self.request,
            outcome: self.outcome,
            component: self.component.clone(),
            ..LogQuery::all(app)
        };
        // A reader that went away is no failure of ours.
        let Ok(end) = self.begin(&reading, &query, terminal).await? else { return Ok(Exit::DONE) };
        if !self.follow {
            return Ok(Exit::DONE);
        }
        let mut cursor = end.cursor;
        loop {
            let page = reading.next(&query, cursor.as_deref(), terminal).await?;
            if show(&page, terminal).is_err() {
                return Ok(Exit::DONE);
            }
            cursor = page.cursor;
        }
    }

    /// Shows what is there, and returns the last page of it.
    async fn begin(
        &self,
        reading: &Reading,
        query: &LogQuery,
        terminal: Terminal,
    ) -> Result<io::Result<LogPage>, Box<Failure>> {
        let is_narrow = self.since.is_some() || self.request.is_some() || self.outcome.is_some();
        let limit = self.limit.or((!is_narrow).then_some(LIMIT_DEFAULT));
        if let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) {
            let last = reading.last(&LogQuery { limit, ..query.clone() }).await?;
            return Ok(show(&last, terminal).map(|()| last));
        }
        let mut cursor = None;
        loop {
            let page = reading.read(query, cursor.as_deref()).await?;
            if let Err(error) = show(&page, terminal) {
                return Ok(Err(error));
            }
            if page.is_end {
                return Ok(Ok(page));
            }
            cursor = page.cursor;
        }
    }
}

fn show(page: &LogPage, terminal: Terminal) -> io::Result<()> {
    page.notes.iter().for_each(|note| terminal.warning(note));
    if page.is_gap {
        terminal.warning("entries were removed to make room before they were shown");
    }
    print::print(&page.items, terminal)
}
