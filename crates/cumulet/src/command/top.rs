//! `cumulet top`: what runs on a node, and what it takes, while it happens.

mod draw;
#[cfg(test)]
mod fixture;
mod history;
mod key;
mod keyboard;
mod model;
mod number;
mod once;
mod order;
mod rates;
mod screen;
mod watch;

use std::io::IsTerminal as _;
use std::time::Duration;

use clap::Args;
use cumulet_spec::api::{LIVE_APPS_MAX, LiveView};
use cumulet_spec::id::TenantId;
use cumulet_spec::quantity::parse_duration;

use self::draw::Theme;
use self::model::Model;
use self::order::{Order, SortKey};
use crate::client::{CallError, Client, NodeArgs, Resource};
use crate::command::Ended;
use crate::environment;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// The shortest time between two looks: each of them is a request to the node.
const EVERY_MIN: Duration = Duration::from_millis(200);
/// The longest.
const EVERY_MAX: Duration = Duration::from_secs(60);
/// How long a node may take to say what runs on it.
const LOOK_TIME_MAX: Duration = Duration::from_secs(5);

/// Watch the apps of a node: executed time, requests, p99, memory, cold starts, errors
#[derive(Debug, Args)]
#[command(after_help = "\
Rates are those of the last 5 seconds, or since the last look where that is longer ago. Executed time is a share of one core; memory is \
the most that one invocation had; cold starts are counted since the node started. Press ? for the keys. With --once, with --json, and \
where this is no terminal it looks twice, prints what happened in between, and ends. NO_COLOR is respected.

Examples:
  cumulet top
  cumulet top --tenant acme --node https://edge.example.com --token-file token
  cumulet top --once --sort p99
  cumulet top --json --every 10s")]
pub(crate) struct Top {
    /// Only apps of this tenant [default: all that the token reaches]
    #[arg(long, value_name = "T", value_parser = TenantId::parse)]
    tenant: Option<TenantId>,
    /// How long to wait between two looks at the node
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = every)]
    every: Duration,
    /// What the list is sorted by at first
    #[arg(long, value_name = "BY", default_value = "executed")]
    sort: SortKey,
    /// Print one table, and end
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// Where a node is looked at, and how often.
#[derive(Debug)]
struct Source {
    client: Client,
    resource: Resource,
    every: Duration,
}

impl Top {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        let client = Client::open(&self.node, terminal)?;
        let mut resource = Resource::new(["live"]).asking("limit", LIVE_APPS_MAX);
        if let Some(tenant) = &self.tenant {
            resource = resource.asking("tenant", tenant);
        }
        let source = Source { client, resource, every: self.every };
        let order = Order::by(self.sort);
        // What is wrong from the start is told as by every other command.
        let first = source.look().await.map_err(unwatched)?;
        if self.once || terminal.is_json() || !is_screen() {
            return once::print(&source, first, order, terminal).await;
        }
        let model = Model::new(source.client.node().to_string(), order, first);
        watch::watch(source, model, theme()).await
    }
}

impl Source {
    async fn look(&self) -> Result<LiveView, CallError> {
        let looked = tokio::time::timeout(LOOK_TIME_MAX, self.client.get(&self.resource)).await;
        looked.unwrap_or_else(|_elapsed| {
            let why = format!("it said nothing within {} seconds", LOOK_TIME_MAX.as_secs());
            Err(CallError::Unreached { node: self.client.node().to_string(), why, may_pass: true, is_untrusted: false })
        })
    }
}

fn unwatched(error: CallError) -> Box<Failure> {
    error.failure("cannot see what runs on the node")
}

/// Whether there is a terminal on which a cursor moves, and a person before it.
fn is_screen() -> bool {
    let is_dumb = environment::variables().get("TERM").is_some_and(|term| term == "dumb");
    std::io::stdout().is_terminal() && std::io::stdin().is_terminal() && !is_dumb
}

/// Colours, unless the person wants none: <https://no-color.org>.
fn theme() -> Theme {
    let is_unwanted = environment::variables().get("NO_COLOR").is_some_and(|value| !value.is_empty());
    if is_unwanted { Theme::Plain } else { Theme::Colored }
}

fn every(text: &str) -> Result<Duration, String> {
    let every = parse_duration(text).map_err(|error| error.to_string())?;
    if (EVERY_MIN..=EVERY_MAX).contains(&every) {
        return Ok(every);
    }
    Err(format!("give a time from {} ms to {} s", EVERY_MIN.as_millis(), EVERY_MAX.as_secs()))
}
