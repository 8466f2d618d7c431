//! A node of many deployed apps: what is deployed by the library, and served by the real binary.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cumulet_node::compiler::WorkerProgram;
use cumulet_node::{DeployRequest, DeployedOptions, EventFormat, Node, Observe, ServeOptions};
use cumulet_spec::manifest::Manifest;
use cumulet_spec::node::NodeConfig;
use serde_json::Value;
use tempfile::TempDir;

use crate::paths;
use crate::server::Server;

/// A data folder and the configuration of the node on it.
#[derive(Debug)]
pub struct Fleet {
    folder: TempDir,
    config: PathBuf,
}

/// An app of a fleet.
#[derive(Debug, Clone)]
pub struct App {
    /// Whose it is.
    pub tenant: &'static str,
    /// Its name.
    pub name: String,
    /// Its component.
    pub source: PathBuf,
    /// Further keys of the component, such as `limit`.
    pub more: &'static str,
}

impl App {
    /// The host at which it answers.
    #[must_use]
    pub fn host(&self) -> String {
        format!("{}.{}.localhost", self.name, self.tenant)
    }

    fn manifest(&self) -> anyhow::Result<Manifest> {
        let Self { name, source, more, .. } = self;
        let text = format!(
            "manifest = 1\n[app]\nname = {name:?}\n[component.main]\nsource = {source:?}\n{more}\n\
             [[trigger.http]]\nroute = \"/*\"\ncomponent = \"main\"\n"
        );
        Ok(Manifest::parse(&text)?)
    }
}

impl Fleet {
    /// An empty data folder, and a configuration with these lines.
    ///
    /// # Errors
    /// When no folder can be made.
    pub fn new(config: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("node.toml");
        std::fs::write(&path, format!("node = 1\n{config}"))?;
        Ok(Self { folder, config: path })
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The guest `file` with other bytes at its end, so that it is a component of its own.
    ///
    /// # Errors
    /// When the guest was not built.
    pub fn component(&self, file: &str, mark: &str) -> anyhow::Result<PathBuf> {
        let mut bytes = std::fs::read(paths::guest(file)?)?;
        // A custom section: its id, its length, its name with a length of its own, its content.
        let content = [&[4][..], b"mark", mark.as_bytes()].concat();
        bytes.extend_from_slice(&[0, u8::try_from(content.len())?]);
        bytes.extend_from_slice(&content);
        let path = self.folder.path().join(format!("{mark}.wasm"));
        std::fs::write(&path, bytes)?;
        Ok(path)
    }

    /// A component of a few kilobytes that no compiler can take: every local of one function passes through every loop.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn compile_bomb(&self) -> anyhow::Result<PathBuf> {
        const LOCALS: usize = 3_000;
        const LOOPS: usize = 3_000;
        let mut function = format!("(func (export \"bomb\") (param i32) (local{})", " i64".repeat(LOCALS));
        function += &"(loop ".repeat(LOOPS);
        for local in 1..LOCALS {
            write!(function, "(local.set {local} (i64.add (local.get {local}) (local.get {})))", local + 1)?;
        }
        function += &"(br_if 0 (local.get 0)))".repeat(LOOPS);
        function.push(')');
        let text = std::fs::read_to_string(paths::text_guest("small.wat")?)?;
        let place = text.find("(global $served").context("the small guest has its global")?;
        let (before, after) = text.split_at(place);
        // Text takes functions and globals in any order.
        let path = self.folder.path().join("bomb.wat");
        std::fs::write(&path, format!("{before}{function}\n    {after}"))?;
        Ok(path)
    }

    /// Deploys apps, each compiled by the binary in a process apart, and says for each what came of it.
    ///
    /// # Errors
    /// When the node cannot be started, or a manifest of an app is wrong.
    pub fn deploy(&self, apps: &[App]) -> anyhow::Result<Vec<Result<(), String>>> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        runtime.block_on(async {
            let node = self.start()?;
            let mut ends = Vec::new();
            for app in apps {
                let manifest = app.manifest()?;
                let request = DeployRequest {
                    tenant: app.tenant.parse()?,
                    manifest: &manifest,
                    base_dir: self.folder.path(),
                    idempotency_key: None,
                    expected_generation: None,
                };
                let end = node.deploy(request, |_step| {}).await;
                ends.push(end.map(drop).map_err(|error| format!("{:#}", anyhow::Error::from(error))));
            }
            node.drain().await;
            Ok(ends)
        })
    }

    fn start(&self) -> anyhow::Result<Node> {
        let config = NodeConfig::parse(&std::fs::read_to_string(&self.config)?)?;
        let compiler = WorkerProgram { path: paths::binary()?, args: vec!["compile-worker".into()] };
        let any_port = "127.0.0.1:0".parse()?;
        Ok(Node::start(ServeOptions {
            listen: any_port,
            admin: any_port,
            data_dir: self.data(),
            env: Vec::new(),
            variables: std::iter::empty().collect(),
            bindings: Vec::new(),
            observe: Observe::Nothing,
            clock_step: None,
            events: EventFormat::Json,
            threads: Some(1),
            deployed: Some(DeployedOptions { config, compiler: Some(compiler) }),
        })?)
    }

    /// Serves what is deployed with the binary.
    ///
    /// # Errors
    /// When it does not get ready.
    pub fn serve(&self) -> anyhow::Result<Server> {
        Server::node_in(&self.data(), &self.config)
    }

    /// What the binary says was used, by tenant, app and outcome, as JSON.
    ///
    /// # Errors
    /// When it says nothing that can be read.
    pub fn usage(&self) -> anyhow::Result<Value> {
        usage(&self.data())
    }
}

fn usage(data: &Path) -> anyhow::Result<Value> {
    let mut command = std::process::Command::new(paths::binary()?);
    command.args(["usage", "--json", "--by", "tenant,app,outcome", "--data-dir"]).arg(data);
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&said)
        .with_context(|| format!("{}: {said}{}", output.status, String::from_utf8_lossy(&output.stderr)))
}
