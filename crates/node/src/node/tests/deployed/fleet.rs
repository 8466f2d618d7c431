//! A node on a data folder of its own, and what it is asked.

use crate::apps::Phase;
use crate::node::{DeployedOptions, Node, ServeOptions};
use crate::serving::Directory;
use crate::{DeployError, DeployRequest, DeployedRevision};
use cumulet_meter::ledger::{Dimension, LedgerReader, Minute, Query};
use cumulet_spec::manifest::Manifest;
use cumulet_spec::node::NodeConfig;
use cumulet_spec::outcome::Outcome;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A node on a data folder, with guests beside it.
pub(super) struct Fleet {
    pub(super) data: tempfile::TempDir,
    pub(super) config: NodeConfig,
}

pub(super) fn guest(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/target/wasm32-wasip2/release").join(name);
    assert!(path.exists(), "the guests are not built: run `cargo xtask guests`");
    path
}

impl Fleet {
    pub(super) fn new(config: &str) -> Self {
        let config = NodeConfig::parse(&format!("node = 1\n{config}")).unwrap();
        Self { data: tempfile::tempdir().unwrap(), config }
    }

    pub(super) fn start(&self) -> Node {
        self.start_with(ServeOptions::for_tests(self.data.path()))
    }

    pub(super) fn start_with(&self, options: ServeOptions) -> Node {
        let deployed = DeployedOptions { config: self.config.clone(), compiler: None };
        Node::start(ServeOptions { deployed: Some(deployed), ..options }).unwrap()
    }

    /// A component of its own for each `mark`: the same guest with other bytes in a custom section.
    pub(super) fn component(&self, guest_file: &str, mark: &str) -> PathBuf {
        let mut bytes = std::fs::read(guest(guest_file)).unwrap();
        let content = [&[4][..], b"mark", mark.as_bytes()].concat();
        bytes.extend_from_slice(&[0, u8::try_from(content.len()).unwrap()]);
        bytes.extend_from_slice(&content);
        let path = self.data.path().join(format!("{mark}.wasm"));
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(super) async fn deploy(&self, node: &Node, app: &str, more: &str) -> Result<DeployedRevision, DeployError> {
        let (tenant, name) = app.split_once('/').unwrap();
        let source = self.component("hostile.wasm", &app.replace('/', "-"));
        let text = format!(
            "manifest = 1\n[app]\nname = {name:?}\n[component.main]\nsource = {source:?}\n{more}\n\
             [[trigger.http]]\nroute = \"/*\"\ncomponent = \"main\"\n"
        );
        self.deploy_text(node, tenant, &text).await
    }

    pub(super) async fn deploy_text(
        &self,
        node: &Node,
        tenant: &str,
        text: &str,
    ) -> Result<DeployedRevision, DeployError> {
        let manifest = Manifest::parse(text).unwrap();
        let request = DeployRequest {
            tenant: tenant.parse().unwrap(),
            manifest: &manifest,
            base_dir: self.data.path(),
            idempotency_key: None,
            expected_generation: None,
        };
        node.deploy(request, |_step| {}).await
    }

    pub(super) fn compiled(&self) -> Vec<PathBuf> {
        let folders = std::fs::read_dir(self.data.path().join("compiled")).unwrap().filter_map(Result::ok);
        let files = folders.filter_map(|folder| std::fs::read_dir(folder.path()).ok()).flatten().filter_map(Result::ok);
        files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|end| end == "cwasm")).collect()
    }

    /// What the ledger says of each outcome.
    pub(super) fn records(&self, app: &str) -> Vec<(Outcome, u64)> {
        let (tenant, name) = app.split_once('/').unwrap();
        let query = Query {
            since: Minute::FIRST,
            until: Minute::END,
            by: vec![Dimension::Outcome],
            tenant: Some(tenant.parse().unwrap()),
            app: Some(name.parse().unwrap()),
            ..Query::default()
        };
        let rows = LedgerReader::open(self.data.path()).unwrap().sums(&query).unwrap();
        let counted = rows.into_iter().map(|row| (row.outcome.unwrap(), row.sums.invocations + row.sums.rejections));
        counted.collect()
    }
}

/// A connection to what a node serves.
pub(super) async fn connect(node: &Node) -> TcpStream {
    let authority = node.url().trim_start_matches("http://").trim_end_matches('/');
    TcpStream::connect(authority).await.unwrap()
}

/// The status and the body of a request to an app, as it came.
pub(super) async fn get(node: &Node, app: &str, path: &str) -> (u16, String) {
    let (tenant, name) = app.split_once('/').unwrap();
    get_at(node, &format!("{name}.{tenant}.localhost"), path).await
}

pub(super) async fn get_at(node: &Node, host: &str, path: &str) -> (u16, String) {
    let mut stream = connect(node).await;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    (reply.split(' ').nth(1).unwrap().parse().unwrap(), reply)
}

pub(super) fn compile_nanos(node: &Node) -> u64 {
    let Directory::Deployed(apps) = &node.serving.directory else { panic!("a node of deployed apps") };
    apps.cold.nanos(Phase::Compile)
}
