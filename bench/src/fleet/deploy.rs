//! Deploys apps in this process: what they are is on the disk when it returns, and the node that deployed them is gone.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use cumulet_node::values::Variables;
use cumulet_node::{DeployRequest, DeployedOptions, EventFormat, Node, Observe, ServeOptions};
use cumulet_spec::id::TenantId;
use cumulet_spec::manifest::Manifest;
use cumulet_spec::node::NodeConfig;
use tokio::task::JoinSet;

use super::model::Model;
use crate::clock;

/// Deploys at once.
const AT_ONCE: usize = 8;
/// Apps between two words about how far it is.
const WORD_EVERY: usize = 500;

/// An app that is to be deployed.
#[derive(Debug, Clone)]
pub(crate) struct App {
    /// Whose it is.
    pub(crate) tenant: String,
    /// Its name.
    pub(crate) name: String,
    /// What it is made from.
    pub(crate) model: Arc<Model>,
    /// What makes its component differ from all others of the model.
    pub(crate) number: u64,
}

impl App {
    /// So many apps of one model and one tenant.
    pub(crate) fn many(tenant: &str, model: &Arc<Model>, count: usize) -> Vec<Self> {
        let app = |number: u64| Self {
            tenant: tenant.into(),
            name: format!("{}-{number}", model.name),
            model: Arc::clone(model),
            number,
        };
        (0..count as u64).map(app).collect()
    }

    /// The host at which it answers.
    pub(crate) fn host(&self) -> String {
        format!("{}.{}.localhost", self.name, self.tenant)
    }
}

/// Deploys `apps` into a data folder, a few at once, and says how long it took.
pub(crate) fn deploy(data: &Path, apps: &[App]) -> Result<Duration> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start a runtime")?;
    let began = clock::now();
    runtime.block_on(async {
        let node = Arc::new(Node::start(options(data)).context("cannot start a node to deploy to")?);
        let sources = tempfile::tempdir().context("cannot make a folder for components")?;
        let mut running = JoinSet::new();
        for (place, app) in apps.iter().enumerate() {
            if running.len() >= AT_ONCE {
                running.join_next().await.context("nothing is deployed")???;
            }
            let (node, app, folder) = (Arc::clone(&node), app.clone(), sources.path().to_path_buf());
            running.spawn(async move { deploy_one(&node, &app, &folder).await });
            if place > 0 && place.is_multiple_of(WORD_EVERY) {
                let seconds = began.elapsed().as_secs_f64();
                writeln!(std::io::stderr(), "  deployed about {place} of {} apps in {seconds:.0} s", apps.len())?;
            }
        }
        while let Some(done) = running.join_next().await {
            done??;
        }
        let node = Arc::into_inner(node).context("a deploy still holds the node")?;
        node.drain().await;
        Ok(began.elapsed())
    })
}

async fn deploy_one(node: &Node, app: &App, folder: &Path) -> Result<()> {
    let source = folder.join(format!("{}-{}.wasm", app.tenant, app.name));
    fs::write(&source, app.model.distinct(app.number)).context("cannot write a component")?;
    let manifest =
        Manifest::parse(&app.model.manifest(&app.name, &source)).map_err(|error| anyhow::anyhow!("{error}"))?;
    let request = DeployRequest {
        tenant: TenantId::parse(&app.tenant).context("not a tenant's name")?,
        manifest: &manifest,
        base_dir: folder,
        idempotency_key: None,
        expected_generation: None,
    };
    node.deploy(request, |_step| {}).await.with_context(|| format!("cannot deploy {}", app.name))?;
    fs::remove_file(&source).context("cannot remove a component's source")
}

fn options(data: &Path) -> ServeOptions {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    ServeOptions {
        listen: any_port,
        admin: any_port,
        data_dir: data.to_path_buf(),
        env: Vec::new(),
        variables: Variables::new(),
        bindings: Vec::new(),
        observe: Observe::Nothing,
        clock_step: None,
        events: EventFormat::Failures,
        threads: None,
        deployed: Some(DeployedOptions { config: NodeConfig::default(), compiler: None }),
    }
}
