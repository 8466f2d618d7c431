//! The backends as the suite sees them.

use std::sync::Arc;

use cumulet_provider::keyvalue::{Bucket, nats, redis, sqlite};
use tempfile::TempDir;

use super::server::{NATS, REDIS, Server};

/// A backend, fresh for one test.
pub(crate) trait Backend: Sized {
    /// Whether a value that was written anew counts as changed though its bytes be the same.
    const HAS_VERSIONS: bool;

    /// Starts it; `None` when it cannot run here.
    async fn start() -> Option<Self>;

    async fn bucket(&self, name: &str) -> Arc<dyn Bucket>;
}

pub(crate) struct Sqlite {
    store: Arc<sqlite::Store>,
    _folder: TempDir,
}

pub(crate) struct Redis {
    server: Arc<redis::Server>,
    _process: Server,
}

pub(crate) struct Nats {
    server: Arc<nats::Server>,
    _process: Server,
}

impl Backend for Sqlite {
    const HAS_VERSIONS: bool = true;

    async fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let store = sqlite::Store::open(&folder.path().join("app/kv.sqlite")).unwrap();
        Some(Self { store, _folder: folder })
    }

    async fn bucket(&self, name: &str) -> Arc<dyn Bucket> {
        self.store.bucket(name)
    }
}

impl Backend for Redis {
    const HAS_VERSIONS: bool = false;

    async fn start() -> Option<Self> {
        let connect = async |port| redis::Server::connect(&format!("redis://127.0.0.1:{port}")).await;
        let (process, server) = Server::start(&REDIS, &[], connect).await?;
        Some(Self { server, _process: process })
    }

    async fn bucket(&self, name: &str) -> Arc<dyn Bucket> {
        self.server.bucket(name)
    }
}

impl Backend for Nats {
    const HAS_VERSIONS: bool = true;

    async fn start() -> Option<Self> {
        let connect = async |port| nats::Server::connect(&format!("nats://127.0.0.1:{port}")).await;
        let (process, server) = Server::start(&NATS, &[], connect).await?;
        // The port is open before JetStream is there.
        super::server::eventually(|| server.bucket("ready")).await;
        Some(Self { server, _process: process })
    }

    async fn bucket(&self, name: &str) -> Arc<dyn Bucket> {
        self.server.bucket(name).await.unwrap()
    }
}
