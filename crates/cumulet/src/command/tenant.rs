//! `cumulet tenant`: who has apps on a node.

use clap::{Args, Subcommand};
use cumulet_spec::api::{TenantRequest, TenantView};
use cumulet_spec::id::TenantId;
use http::Method;
use serde_json::json;

use crate::client::{Client, NodeArgs, Resource};
use crate::command::Ended;
use crate::command::remove::agreed;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::table;
use crate::terminal::Terminal;

/// List, make, change and remove the tenants of a node
#[derive(Debug, Args)]
#[command(after_help = "\
Apps of a tenant answer at APP.TENANT.DOMAIN, and at hosts that the tenant was given. The token must be an admin's of the whole node.

Examples:
  cumulet tenant list
  cumulet tenant put acme --host shop.example.com --host www.example.com
  cumulet tenant remove acme --yes")]
pub(crate) struct Tenant {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    node: NodeArgs,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum Action {
    /// List the tenants, with the hosts that their routes may name
    List,
    /// Make a tenant, or change the hosts of one
    Put {
        /// Its name
        #[arg(value_name = "NAME", value_parser = TenantId::parse)]
        tenant: TenantId,
        /// A host that its routes may name; may be given more than once. One that it had and that is not named is free again
        #[arg(long = "host", value_name = "HOST")]
        hosts: Vec<String>,
    },
    /// Remove a tenant
    Remove {
        /// Its name
        #[arg(value_name = "NAME", value_parser = TenantId::parse)]
        tenant: TenantId,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Tenant {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        let client = Client::open(&self.node, terminal)?;
        match self.action {
            Action::List => list(&client, terminal).await?,
            Action::Put { tenant, hosts } => put(&client, &tenant, hosts, terminal).await?,
            Action::Remove { tenant, yes } => {
                if !yes {
                    agreed(&format!("remove the tenant {tenant} from {}?", client.node()), terminal)?;
                }
                let removed = client.delete(&resource(&tenant)).await;
                removed.map_err(|error| error.failure(format!("the tenant {tenant} was not removed")))?;
                if terminal.is_json() {
                    terminal.json(&json!({ "removed": tenant.as_str() }));
                } else {
                    terminal.done(&format!("the tenant {tenant} is removed"));
                }
            }
        }
        Ok(Exit::DONE)
    }
}

fn resource(tenant: &TenantId) -> Resource {
    Resource::new(["tenants", tenant.as_str()])
}

async fn list(client: &Client, terminal: Terminal) -> Result<(), Box<Failure>> {
    let tenants = client.list(&Resource::new(["tenants"])).await;
    let tenants: Vec<TenantView> = tenants.map_err(|error| error.failure("cannot list the tenants"))?;
    if terminal.is_json() {
        terminal.json(&json!({ "tenants": tenants }));
        return Ok(());
    }
    let rows = tenants.iter().map(|one| [one.tenant.to_string(), one.hosts.join(" ")]);
    terminal.data(&table::of_names(["TENANT", "HOSTS"], rows).join("\n"));
    Ok(())
}

async fn put(client: &Client, tenant: &TenantId, hosts: Vec<String>, terminal: Terminal) -> Result<(), Box<Failure>> {
    let request = TenantRequest { hosts };
    let view: TenantView = client
        .send(Method::PUT, &resource(tenant), &request)
        .await
        .map_err(|error| error.failure(format!("the tenant {tenant} was not written")))?;
    if terminal.is_json() {
        terminal.json(&json!(view));
    } else {
        let hosts = if view.hosts.is_empty() { "no host of its own".to_owned() } else { view.hosts.join(", ") };
        terminal.done(&format!("{}: {hosts}", view.tenant));
    }
    Ok(())
}
