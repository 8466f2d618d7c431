//! `cumulet apps`: what is deployed.

use clap::Args;
use cumulet_spec::api::{AppView, ArmView};
use serde_json::json;

use crate::client::{Client, Resource, TenantArgs};
use crate::command::Ended;
use crate::exit::Exit;
use crate::table;
use crate::terminal::Terminal;

/// List the apps of a tenant on a node, and where their traffic goes
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cumulet apps\n  cumulet apps --tenant acme --node https://edge.example.com --token-file token --json"
)]
pub(crate) struct Apps {
    #[command(flatten)]
    at: TenantArgs,
}

impl Apps {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        let client = Client::open(&self.at.node, terminal)?;
        let apps: Vec<AppView> = client
            .list(&Resource::apps(&self.at.tenant))
            .await
            .map_err(|error| error.failure(format!("cannot list the apps of {}", self.at.tenant)))?;
        if terminal.is_json() {
            terminal.json(&json!({ "apps": apps }));
        } else if apps.is_empty() {
            terminal.note(&format!("{} has no app; deploy one with `cumulet deploy`", self.at.tenant));
        } else {
            terminal.data(&lines(&apps).join("\n"));
        }
        Ok(Exit::DONE)
    }
}

fn lines(apps: &[AppView]) -> Vec<String> {
    let rows = apps.iter().map(|app| [app.app.to_string(), shares(&app.traffic), app.urls.join(" ")]);
    table::of_names(["APP", "TRAFFIC", "URL"], rows)
}

/// `r7 90%, r8 10%`.
pub(super) fn shares(arms: &[ArmView]) -> String {
    let shares: Vec<String> = arms.iter().map(|arm| format!("{} {}%", arm.revision, arm.percent)).collect();
    shares.join(", ")
}
