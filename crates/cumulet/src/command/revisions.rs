//! `cumulet revisions`: what was deployed of an app, and by whom.

use clap::Args;
use cumulet_node::usage::rfc3339;
use cumulet_spec::api::{Page, RevisionView};
use cumulet_spec::id::AppName;
use cumulet_spec::rollout::Trial;
use serde_json::json;

use crate::client::{Client, Resource, TenantArgs};
use crate::command::Ended;
use crate::exit::Exit;
use crate::table;
use crate::terminal::Terminal;

/// The most that are asked for at once: the most that a node gives.
const LIMIT_MAX: i64 = 1_000;

/// List the revisions of an app, the newest first
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cumulet revisions shop\n  cumulet revisions shop --limit 100 --json")]
pub(crate) struct Revisions {
    /// The app
    #[arg(value_name = "APP", value_parser = AppName::parse)]
    app: AppName,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=LIMIT_MAX))]
    limit: u16,
    #[command(flatten)]
    at: TenantArgs,
}

impl Revisions {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        let client = Client::open(&self.at.node, terminal)?;
        let resource = Resource::app(&self.at.tenant, &self.app).then("revisions").asking("limit", self.limit);
        let page: Page<RevisionView> = client
            .get(&resource)
            .await
            .map_err(|error| error.failure(format!("cannot list the revisions of {}", self.app)))?;
        if terminal.is_json() {
            terminal.json(&json!({ "app": self.app.as_str(), "revisions": page.items }));
            return Ok(Exit::DONE);
        }
        terminal.data(&lines(&page.items).join("\n"));
        if page.next.is_some() {
            terminal.note("there are older ones: see more with --limit");
        }
        Ok(Exit::DONE)
    }
}

fn lines(revisions: &[RevisionView]) -> Vec<String> {
    let rows = revisions.iter().map(|one| {
        let share = if one.percent == 0 { "-".to_owned() } else { format!("{}%", one.percent) };
        let version = one.version.clone().unwrap_or_else(|| "-".to_owned());
        let trial = one.trial.as_ref().map(|trial| match trial {
            Trial::Open => "on trial".to_owned(),
            Trial::Kept => "kept".to_owned(),
            Trial::TakenBack { why } => format!("taken back: {why}"),
        });
        let note = trial.into_iter().chain(one.note.clone()).collect::<Vec<_>>().join("; ");
        // People read days and times, not microseconds.
        let at = rfc3339(one.at_us / 1_000_000 * 1_000_000);
        [one.revision.clone(), share, at, one.by.clone(), version, one.digest.short(), note]
    });
    table::of_names(["REVISION", "TRAFFIC", "DEPLOYED", "BY", "VERSION", "DIGEST", "NOTE"], rows)
}
