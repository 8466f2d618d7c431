//! `cumulet rollback`: what answered before answers again.

use clap::Args;
use cumulet_spec::api::{AppView, RollbackRequest};
use cumulet_spec::id::AppName;
use http::Method;
use serde_json::json;

use crate::client::{Client, Resource, TenantArgs};
use crate::command::Ended;
use crate::command::apps::shares;
use crate::exit::Exit;
use crate::stopwatch::{Stopwatch, display};
use crate::terminal::Terminal;

/// Send an app's traffic back to where it went before, or to a revision
#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is built, sent or compiled: a revision that was deployed is kept, and answers at once.

Examples:
  cumulet rollback shop
  cumulet rollback shop r7")]
pub(crate) struct Rollback {
    /// The app
    #[arg(value_name = "APP", value_parser = AppName::parse)]
    app: AppName,
    /// The revision that gets everything, such as r7 or its digest [default: where the traffic went before]
    #[arg(value_name = "REV")]
    revision: Option<String>,
    #[command(flatten)]
    at: TenantArgs,
}

impl Rollback {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        let client = Client::open(&self.at.node, terminal)?;
        let resource = Resource::app(&self.at.tenant, &self.app).then("rollback");
        let request = RollbackRequest { revision: self.revision, expected_generation: None };
        let stopwatch = Stopwatch::start();
        let app: AppView = client
            .send(Method::POST, &resource, &request)
            .await
            .map_err(|error| error.failure(format!("{} was not rolled back", self.app)))?;
        if terminal.is_json() {
            terminal.json(&json!(app));
        } else {
            let took = display(stopwatch.elapsed());
            terminal.done(&format!("{}: {} (switched in {took})", app.app, shares(&app.traffic)));
        }
        Ok(Exit::DONE)
    }
}
