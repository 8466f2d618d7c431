//! `cumulet remove`: an app answers no more.

use clap::Args;
use cumulet_spec::id::AppName;
use serde_json::json;

use crate::client::{Client, Resource, TenantArgs};
use crate::command::Ended;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Remove an app from a node
#[derive(Debug, Args)]
#[command(after_help = "\
On a terminal it asks first. What it used stays in the ledger.

Examples:
  cumulet remove shop
  cumulet remove shop --tenant acme --yes")]
pub(crate) struct Remove {
    /// The app
    #[arg(value_name = "APP", value_parser = AppName::parse)]
    app: AppName,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    at: TenantArgs,
}

impl Remove {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        let client = Client::open(&self.at.node, terminal)?;
        if !self.yes {
            agreed(&format!("remove {} of {} from {}?", self.app, self.at.tenant, client.node()), terminal)?;
        }
        let resource = Resource::app(&self.at.tenant, &self.app);
        client.delete(&resource).await.map_err(|error| error.failure(format!("{} was not removed", self.app)))?;
        if terminal.is_json() {
            terminal.json(&json!({ "removed": self.app.as_str(), "tenant": self.at.tenant.as_str() }));
        } else {
            terminal.done(&format!("{} is removed", self.app));
        }
        Ok(Exit::DONE)
    }
}

/// Asks a person whether something is to be done for good.
pub(super) fn agreed(question: &str, terminal: Terminal) -> Result<(), Box<Failure>> {
    match terminal.confirm(question) {
        Some(true) => Ok(()),
        Some(false) => Err(Failure::new(Exit::FAILED, "nothing was removed").why("the answer was not yes")),
        None => {
            let failure = Failure::new(Exit::FAILED, "nothing was removed").why("there is nobody to ask");
            Err(failure.next("say that it is meant with --yes"))
        }
    }
}
