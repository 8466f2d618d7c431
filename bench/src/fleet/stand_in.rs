//! Serves what is deployed where the program under test has no command for it.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use cumulet_node::compiler::WorkerProgram;
use cumulet_node::values::Variables;
use cumulet_node::{DeployedOptions, EventFormat, Node, Observe, ServeOptions};
use cumulet_spec::node::NodeConfig;

use crate::settings::own_program;

/// The part of the flags of `cumulet node` that benches use.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    data_dir: PathBuf,
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long)]
    admin: SocketAddr,
    #[arg(long)]
    config: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

/// Serves until a signal ends it.
pub(crate) fn serve(options: &Options) -> Result<()> {
    let config = match &options.config {
        Some(path) => {
            let text = std::fs::read_to_string(path).context("cannot read the configuration")?;
            NodeConfig::parse(&text).map_err(|error| anyhow::anyhow!("{error}"))?
        }
        None => NodeConfig::default(),
    };
    let compiler = own_program()?.with_file_name("cumulet");
    let compiler = compiler.is_file().then(|| WorkerProgram { path: compiler, args: vec!["compile-worker".into()] });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start a runtime")?;
    runtime.block_on(async {
        let node = Node::start(ServeOptions {
            listen: options.listen,
            admin: options.admin,
            data_dir: options.data_dir.clone(),
            env: Vec::new(),
            variables: Variables::new(),
            bindings: Vec::new(),
            observe: Observe::Nothing,
            clock_step: None,
            events: EventFormat::Json,
            threads: None,
            deployed: Some(DeployedOptions { config, compiler }),
        })?;
        let ready = serde_json::json!({ "event": "ready", "url": node.url(), "admin": node.admin_url() });
        writeln!(std::io::stdout(), "{ready}")?;
        let mut end = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        end.recv().await;
        node.drain().await;
        Ok(())
    })
}
