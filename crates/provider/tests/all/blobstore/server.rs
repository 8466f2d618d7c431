//! A server of S3's protocol in this process: signatures are checked, objects lie in a temporary folder.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::bodies::files;

pub(crate) const KEY: &str = "test-key";
pub(crate) const SECRET: &str = "test/secret+1";

/// A server that runs as long as the test.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// Requests that are still to be answered with 503.
    pub(crate) refusals: Arc<AtomicU32>,
    folder: TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bucket")).unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let refusals = Arc::new(AtomicU32::new(0));
        tokio::spawn(serve(listener, builder.build(), Arc::clone(&refusals)));
        Self { address, refusals, folder }
    }

    /// The address of the part of the bucket under a prefix.
    pub(crate) fn url(&self, prefix: &str) -> String {
        let secret = SECRET.replace('/', "%2F").replace('+', "%2B");
        format!("s3://{KEY}:{secret}@bucket/{prefix}?region=eu-test-1&endpoint=http://{}", self.address)
    }

    /// Files of uploads that are neither completed nor aborted.
    pub(crate) fn open_uploads(&self) -> usize {
        let is_upload = |name: &str| name.starts_with(".upload");
        files(self.folder.path()).iter().filter(|name| is_upload(name)).count()
    }
}

async fn serve(listener: TcpListener, service: S3Service, refusals: Arc<AtomicU32>) {
    loop {
        let Ok((socket, _)) = listener.accept().await else {
            continue;
        };
        let (service, refusals) = (service.clone(), Arc::clone(&refusals));
        let answer = service_fn(move |request: hyper::Request<Incoming>| {
            let is_refused =
                refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
            let service = service.clone();
            async move {
                if is_refused {
                    let refusal = hyper::Response::builder().status(503).body(s3s::Body::empty()).unwrap();
                    return Ok(refusal);
                }
                Service::call(&service, request).await
            }
        });
        tokio::spawn(async move {
            // A client that goes away is no error of the server.
            drop(Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), answer).await);
        });
    }
}
