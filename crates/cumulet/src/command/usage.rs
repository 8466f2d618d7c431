//! `cumulet usage`: what apps used, from a node, or from the ledger in a data folder.

mod number;
mod print;

use std::path::Path;

use clap::{Args, ValueEnum};
use cumulet_node::usage::{
    Comparison, Dimension, LedgerError, LedgerErrorKind, Question, Report, ReportError, When, Window, now_us,
};
use cumulet_spec::api::UsageView;
use cumulet_spec::id::{AppName, TenantId};

use crate::client::{Resource, Source, SourceArgs};
use crate::command::Ended;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Where a ledger lies within a data folder.
const LEDGER: &str = "ledger";

/// Show what apps used: requests, executed time, memory-time, egress, rejections
#[derive(Debug, Args)]
#[command(after_help = "\
Asks the node; with --data-dir, and where .cumulet is in the current folder or no node runs, reads the ledger in a data folder, beside \
the node that writes it or after it has ended. WHEN is a date (2026-11-21), a time \
(2026-11-21T14:00:00Z), or how long ago (24h, 7d); both ends are rounded down to the minute, and days are of UTC. What a number \
means, and how to check it, is in docs/guide/metering.md.

Examples:
  cumulet usage
  cumulet usage shop --since 2026-11-01 --until 2026-12-01 --by outcome
  cumulet usage --tenant acme --since 24h --compare --json
  cumulet usage --node https://edge.example.com --token-file token")]
pub(crate) struct Usage {
    /// Only this app
    #[arg(value_name = "APP", value_parser = AppName::parse)]
    app: Option<AppName>,
    /// Only this tenant
    #[arg(long, value_name = "T", value_parser = TenantId::parse)]
    tenant: Option<TenantId>,
    /// What was admitted from then on
    #[arg(long, value_name = "WHEN")]
    since: Option<When>,
    /// What was admitted before then
    #[arg(long, value_name = "WHEN")]
    until: Option<When>,
    /// By what rows are told apart; may be given more than once [default: tenant, app, component]
    #[arg(long, value_name = "BY", value_delimiter = ',')]
    by: Vec<By>,
    /// Also estimate what the same work would cost at list prices of Lambda, Workers and Fastly
    #[arg(long)]
    compare: bool,
    #[command(flatten)]
    at: SourceArgs,
}

/// By what rows are told apart.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    Tenant,
    App,
    Component,
    Revision,
    Outcome,
}

impl By {
    fn dimension(self) -> Dimension {
        match self {
            Self::Tenant => Dimension::Tenant,
            Self::App => Dimension::App,
            Self::Component => Dimension::Component,
            Self::Revision => Dimension::Revision,
            Self::Outcome => Dimension::Outcome,
        }
    }
}

impl Usage {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        let question = self.question()?;
        let view = match self.at.open(LEDGER, terminal).await? {
            Source::Folder(data) => self.in_folder(&data, &question)?,
            Source::Node(client, _who) => {
                let answer = client.get(&self.resource(&question)).await;
                answer.map_err(|error| error.failure("cannot show what was used"))?
            }
        };
        print::print(&view, &question.by, terminal);
        Ok(Exit::DONE)
    }

    fn in_folder(&self, data: &Path, question: &Question) -> Result<UsageView, Box<Failure>> {
        let report = Report::read(data, question).map_err(|error| unreadable(&error))?;
        let compared = self.compare.then(|| Comparison::read(data, question)).transpose();
        let compared = compared.map_err(|error| unreadable(&error.into()))?;
        Ok(report.view(question, compared.as_ref()))
    }

    fn resource(&self, question: &Question) -> Resource {
        let by: Vec<&str> = question.by.iter().map(|dimension| dimension.label()).collect();
        let mut resource = Resource::usage().asking("by", by.join(","));
        for (name, value) in [
            ("tenant", question.tenant.as_ref().map(ToString::to_string)),
            ("app", question.app.as_ref().map(ToString::to_string)),
            ("since_us", question.window.since_us().map(|micros| micros.to_string())),
            ("until_us", question.window.until_us().map(|micros| micros.to_string())),
            ("compare", self.compare.then(|| "true".to_owned())),
        ] {
            resource = value.iter().fold(resource, |resource, value| resource.asking(name, value));
        }
        resource
    }

    fn question(&self) -> Result<Question, Box<Failure>> {
        let now_us = now_us();
        let micros = |when: Option<When>| when.map(|when| when.micros(now_us));
        let window = Window::new(micros(self.since), micros(self.until)).map_err(|error| {
            let failure = Failure::new(Exit::USAGE, "the time that was asked for is empty").because(&error);
            failure.next("give an --until that is at least a minute after --since")
        })?;
        let given: Vec<Dimension> = self.by.iter().map(|by| by.dimension()).collect();
        let standard = [Dimension::Tenant, Dimension::App, Dimension::Component];
        let is_asked = |one: &Dimension| if given.is_empty() { standard.contains(one) } else { given.contains(one) };
        let by = Dimension::ALL.into_iter().filter(is_asked).collect();
        Ok(Question { tenant: self.tenant.clone(), app: self.app.clone(), window, by })
    }
}

fn unreadable(error: &ReportError) -> Box<Failure> {
    match error {
        ReportError::Ledger(error) => unreadable_ledger(error),
        ReportError::Unknown { what, nearest, .. } => {
            let failure = Failure::new(Exit::FAILED, error.to_string())
                .why(format!("it holds each {what} from its first request on"));
            match nearest {
                Some(nearest) => failure.next(format!("did you mean `{nearest}`?")),
                None => failure.next("run `cumulet usage` to see all that used something"),
            }
        }
    }
}

fn unreadable_ledger(error: &LedgerError) -> Box<Failure> {
    let failure = Failure::new(Exit::FAILED, "cannot read the ledger").at(&error.path).because(&error.kind);
    match &error.kind {
        LedgerErrorKind::Missing => failure.next("name the data folder of a node with --data-dir"),
        LedgerErrorKind::File(_) | LedgerErrorKind::Database(_) => {
            failure.next("see that you may read the data folder; only the user of the node may")
        }
        // The others say what to do.
        _ => failure,
    }
}
