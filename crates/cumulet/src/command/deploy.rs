//! `cumulet deploy`: from a folder to an app that answers on a node.

mod follow;
mod package;
mod plan;
mod teller;
mod upload;

use std::path::PathBuf;

use clap::Args;
use cumulet_spec::api::{DeployView, Plan, WhoAmI};
use cumulet_spec::deploy::DeployPhase;
use cumulet_spec::id::AppName;
use cumulet_spec::traffic::Percent;
use http::Method;
use serde_json::json;

use crate::client::{Client, Resource, TenantArgs};
use crate::command::deploy::package::Package;
use crate::command::deploy::teller::Teller;
use crate::command::traffic::percent;
use crate::command::up::require_route;
use crate::command::{Ended, check};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::fetching;
use crate::making;
use crate::review::{self, Purpose};
use crate::target::Target;
use crate::terminal::Terminal;

/// Build, check and send an app to a node, and let it answer there
#[derive(Debug, Args)]
#[command(after_help = "\
Only components that the node does not have yet are sent. The node compiles them, links them, tries the new revision with a request, \
and only then lets it answer: no request is dropped, and if anything fails, what ran before still runs. Prints \
`live http://HOST:PORT/` on standard output, and how long each phase took; with --json {\"event\":…} for each phase, at last \
{\"event\":\"deployed\",\"revision\":…,\"urls\":[…]} or {\"event\":\"failed\",\"phase\":…}.

Values with `env` or `file`, and `roots`, are read here and go with it. A grant that the app did not have before is asked for on a \
terminal, and refused elsewhere unless --accept-grants is given.

Examples:
  cumulet deploy
  cumulet deploy shop --dry-run
  cumulet deploy shop --traffic 10% --note \"new checkout\"
  cumulet deploy shop --tenant acme --node https://edge.example.com --token-file token --accept-grants --json")]
pub(crate) struct Deploy {
    /// A folder with cumulet.toml, or that file
    #[arg(value_name = "DIR", default_value = ".")]
    target: PathBuf,
    /// The share of the traffic that it gets [default: all of it]
    #[arg(long, value_name = "N%", value_parser = percent)]
    traffic: Option<Percent>,
    /// What is said of it where revisions are listed
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Let it have grants that the app did not have before
    #[arg(long)]
    accept_grants: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Deploy what was built before
    #[arg(long)]
    no_build: bool,
    #[command(flatten)]
    at: TenantArgs,
}

impl Deploy {
    pub(crate) async fn execute(self, terminal: Terminal) -> Ended {
        let mut target = Target::resolve(&self.target)?;
        require_manifest(&target, &self.target)?;
        require_route(&target)?;
        let client = Client::open(&self.at.node, terminal)?;
        // Before a long build: whether there is a node, and whether it knows this token.
        let greeted = client.get::<WhoAmI>(&Resource::new(["whoami"])).await;
        greeted.map_err(|error| error.failure(format!("{} was not deployed", target.manifest.app.name)))?;
        let mut teller = Teller::start(terminal);
        fetching::fetch(&mut target, terminal).await?;
        if !self.no_build {
            making::build(&target, |_| true, terminal).await?;
        }
        let reviewed = review::review(&target, Purpose::Show)?;
        if let Some(failure) = review::refused(&target, &reviewed) {
            return Err(failure);
        }
        check::warnings(&target, &reviewed, terminal);
        let app = &target.manifest.app.name;
        let package = self.package(&target)?;
        teller.built(&package);
        let resource = Resource::app(&self.at.tenant, app);
        let plan = self.planned(&client, &resource, app, &package).await?;
        if self.dry_run {
            plan::show(&plan, app, terminal);
            return Ok(Exit::DONE);
        }
        if terminal.is_json() {
            terminal.json(&plan::event_of(&plan));
        }
        let package = self.agreed(package, &plan, terminal)?;
        let sent = upload::send(&client, &self.at.tenant, &package, &plan.missing, terminal).await?;
        teller.uploaded(sent, plan.missing.len());
        let deploy = self.deployed(&client, &resource, &package, &mut teller).await?;
        self.conclude(&deploy, &plan, &teller)
    }

    fn package(&self, target: &Target) -> Result<Package, Box<Failure>> {
        let mut package = Package::read(target)?;
        package.request.percent = self.traffic.map(Percent::get);
        package.request.note.clone_from(&self.note);
        package.request.accept_grants = self.accept_grants;
        Ok(package)
    }

    async fn planned(
        &self,
        client: &Client,
        resource: &Resource,
        app: &AppName,
        package: &Package,
    ) -> Result<Plan, Box<Failure>> {
        let plan = client.send(Method::POST, &resource.clone().then("plan"), &package.request).await;
        let mut plan: Plan = plan.map_err(|error| error.failure(format!("{app} cannot be deployed")))?;
        for component in &mut plan.components {
            // The node does not know the size of what it was not sent.
            component.bytes_after = component.bytes_after.or_else(|| package.size(&component.component));
        }
        Ok(plan)
    }

    /// The package, once whoever deploys it agrees to the grants that the app would gain.
    fn agreed(&self, mut package: Package, plan: &Plan, terminal: Terminal) -> Result<Package, Box<Failure>> {
        package.request.expected_generation = plan.generation;
        if plan.gained.is_empty() || self.accept_grants {
            return Ok(package);
        }
        match plan::ask(plan, terminal) {
            Some(true) => package.request.accept_grants = true,
            Some(false) => {
                return Err(Failure::new(Exit::FAILED, "nothing was deployed").why("the new grants were not accepted"));
            }
            None => return Err(plan::unaccepted(plan)),
        }
        Ok(package)
    }

    async fn deployed(
        &self,
        client: &Client,
        resource: &Resource,
        package: &Package,
        teller: &mut Teller,
    ) -> Result<DeployView, Box<Failure>> {
        let deploys = resource.clone().then("deploys");
        let begun = client.send(Method::POST, &deploys, &package.request).await;
        let begun: DeployView =
            begun.map_err(|error| error.failure("nothing was deployed; what ran before still runs"))?;
        teller.begun(&begun);
        let ended = follow::follow(client, &deploys, begun, teller).await;
        teller.ended();
        ended
    }

    fn conclude(&self, deploy: &DeployView, plan: &Plan, teller: &Teller) -> Ended {
        if deploy.phase == DeployPhase::Live {
            teller.deployed(deploy);
            return Ok(Exit::DONE);
        }
        teller.failed(deploy);
        let what = format!("{} was not deployed as {}", deploy.app, deploy.revision);
        let failure = match &deploy.failure {
            Some(failure) => Failure::new(Exit::FAILED, what)
                .why(format!("it did not get to `{}`: {}", failure.phase, failure.message))
                .next(failure.next.clone()),
            None => Failure::new(Exit::FAILED, what).why("the node does not say why").next("see the node's log"),
        };
        let runs = plan.generation.is_some();
        Err(failure.why(if runs { "what ran before still runs" } else { "nothing ran before, and nothing runs now" }))
    }
}

/// A bare component has no name to be deployed under, and no grants.
fn require_manifest(target: &Target, path: &std::path::Path) -> Result<(), Box<Failure>> {
    if target.file.is_some() {
        return Ok(());
    }
    Err(Failure::new(Exit::USAGE, "a component alone cannot be deployed")
        .at(path)
        .why("its manifest says what the app is called, and what it may reach")
        .next("write a cumulet.toml beside it, as `cumulet new` does, and name the folder"))
}

/// A line of a deploy for programs.
fn event(name: &str, mut value: serde_json::Value) -> serde_json::Value {
    if let Some(object) = value.as_object_mut() {
        object.insert("event".to_owned(), json!(name));
    }
    value
}
