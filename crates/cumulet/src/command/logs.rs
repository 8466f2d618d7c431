//! `cumulet logs`: what an app printed and how its invocations ended, from the logs of a data folder.

mod data_folder;
mod print;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use cumulet_node::logs::{LogError, LogErrorKind, LogQuery, LogReader, Page};
use cumulet_node::usage::{When, now_us};
use cumulet_spec::id::{AppId, AppName, ComponentName, RequestId, TenantId};
use cumulet_spec::outcome::Outcome;

use crate::command::Ended;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Entries that are shown where nothing says which.
const LIMIT_DEFAULT: u32 = 200;
/// The most that can be asked for by number: they are held in memory.
const LIMIT_MAX: u32 = 1_000_000;
/// Names that are suggested in the place of one that is not known.
const NEAR_MAX: usize = 3;
/// How often it is looked whether there is more. What a node writes is some hundredths of a second old by then.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Show what an app printed, and how its requests ended
#[derive(Debug, Args)]
#[command(after_help = "\
Reads the logs that `cumulet node` keeps in its data folder, beside the node or after it has ended. Each app has the newest 32 MiB, \
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
    /// The app's tenant; may be left out where one tenant alone has an app of this name
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
    /// The folder whose logs are read [default: that of `cumulet node`]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

fn outcome() -> impl clap::builder::TypedValueParser<Value = Outcome> {
    let labels = Outcome::ALL.map(Outcome::label);
    PossibleValuesParser::new(labels).map(|label| {
        // The parser takes nothing else.
        Outcome::ALL.into_iter().find(|outcome| outcome.label() == label).unwrap_or(Outcome::Ok)
    })
}

impl Logs {
    pub(crate) fn execute(self, terminal: Terminal) -> Ended {
        let data = match &self.data_dir {
            Some(folder) => folder.clone(),
            None => data_folder::with_logs()?,
        };
        let reader = LogReader::open(&data).map_err(|error| unreadable(&error))?;
        let mut query = LogQuery {
            since_us: self.since.map(|since| since.micros(now_us())),
            request: self.request,
            outcome: self.outcome,
            component: self.component.clone(),
            ..LogQuery::all(self.find(&reader)?)
        };
        // A reader that went away is no failure of ours.
        let Ok(end) = self.begin(&reader, &query, terminal)? else { return Ok(Exit::DONE) };
        if !self.follow {
            return Ok(Exit::DONE);
        }
        query.after = end.cursor;
        loop {
            let page = reader.read(&query).map_err(|error| unreadable(&error))?;
            if show(&page, terminal).is_err() {
                return Ok(Exit::DONE);
            }
            query.after = page.cursor;
            if page.is_end {
                std::thread::sleep(LOOK_EVERY);
            }
        }
    }

    /// Shows what is there, and returns the last page of it.
    fn begin(
        &self,
        reader: &LogReader,
        query: &LogQuery,
        terminal: Terminal,
    ) -> Result<io::Result<Page>, Box<Failure>> {
        let is_narrow = self.since.is_some() || self.request.is_some() || self.outcome.is_some();
        let limit = self.limit.or((!is_narrow).then_some(LIMIT_DEFAULT));
        if let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) {
            let last = reader.last(&LogQuery { limit, ..query.clone() }).map_err(|error| unreadable(&error))?;
            return Ok(show(&last, terminal).map(|()| last));
        }
        let mut query = query.clone();
        loop {
            let page = reader.read(&query).map_err(|error| unreadable(&error))?;
            if let Err(error) = show(&page, terminal) {
                return Ok(Err(error));
            }
            if page.is_end {
                return Ok(Ok(page));
            }
            query.after = page.cursor;
        }
    }

    /// The app that is meant.
    fn find(&self, reader: &LogReader) -> Result<AppId, Box<Failure>> {
        let wanted = AppId { tenant: self.tenant.clone().unwrap_or_else(TenantId::local), app: self.app.clone() };
        let apps = reader.apps().map_err(|error| unreadable(&error))?;
        if apps.contains(&wanted) {
            return Ok(wanted);
        }
        let mut others = apps.into_iter().filter(|known| self.tenant.is_none() && known.app == self.app);
        match (others.next(), others.next()) {
            (Some(only), None) => Ok(only),
            (Some(first), Some(second)) => Err(ambiguous(&self.app, [first, second].into_iter().chain(others))),
            (None, _) => {
                let near = reader.near(&wanted).map_err(|error| unreadable(&error))?;
                Err(unknown(&wanted, &near))
            }
        }
    }
}

fn show(page: &Page, terminal: Terminal) -> io::Result<()> {
    for error in &page.notes {
        let why = std::error::Error::source(error).map(|source| format!(": {source}")).unwrap_or_default();
        terminal.warning(&format!("{error}{why}"));
    }
    if page.is_gap {
        terminal.warning("entries were removed to make room before they were shown");
    }
    print::print(&page.records, terminal)
}

fn ambiguous(app: &AppName, apps: impl Iterator<Item = AppId>) -> Box<Failure> {
    let tenants: Vec<String> = apps.map(|app| format!("`{}`", app.tenant)).collect();
    Failure::new(Exit::USAGE, format!("more than one tenant has an app `{app}`: {}", tenants.join(", ")))
        .next("say whose with --tenant")
}

fn unknown(wanted: &AppId, near: &[AppId]) -> Box<Failure> {
    let failure = Failure::new(Exit::FAILED, format!("there is no log of app `{wanted}`"))
        .why("a log begins with the app's first request, and may have been removed to make room for newer ones");
    match near {
        [] => failure.next("check the name and the tenant"),
        near => {
            let command = |app: &AppId| match &app.tenant {
                local if *local == TenantId::local() => format!("`cumulet logs {}`", app.app),
                tenant => format!("`cumulet logs {} --tenant {tenant}`", app.app),
            };
            let commands: Vec<String> = near.iter().take(NEAR_MAX).map(command).collect();
            failure.next(format!("did you mean {}?", commands.join(" or ")))
        }
    }
}

fn unreadable(error: &LogError) -> Box<Failure> {
    let failure = Failure::new(Exit::FAILED, "cannot read the logs").at(&error.path).because(&error.kind);
    match &error.kind {
        LogErrorKind::Missing => failure.next("name the data folder of a node with --data-dir"),
        _ => failure.next("see that you may read the data folder; only the user of the node may"),
    }
}
