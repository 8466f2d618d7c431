//! The connections of one component, and a request on one of them.

use super::RequestBody;
use super::bounds::{
    Bounds, CONNECTION_BYTES_MAX, HEAD_BYTES_MAX, HEAD_FIELDS_MAX, IDLE_CONNECTIONS_MAX, IDLE_TIME, STREAM_BYTES_MAX,
};
use super::connect::Connector;
use super::failure::read_error;
use super::guard::GuardedResolver;
use super::roots;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::Mutex;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use std::time::Duration;
use wasmtime_wasi_http::Error;

/// Connections that are open or can be opened.
pub(super) struct Pool {
    connector: Connector,
    client: Mutex<Client<Connector, RequestBody>>,
    requests_max: usize,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("free", &self.connector.free()).finish_non_exhaustive()
    }
}

impl Pool {
    pub(super) fn new(tls: ClientConfig, resolver: GuardedResolver, bounds: &Bounds) -> Self {
        let connector = Connector::new(tls, resolver, bounds);
        let client = Mutex::new(new_client(connector.clone()));
        Self { connector, client, requests_max: bounds.requests }
    }

    /// Sends a request, and waits for `connect_max` at most until it has a connection.
    pub(super) async fn request(
        &self,
        mut request: http::Request<RequestBody>,
        connect_max: Duration,
    ) -> Result<http::Response<Incoming>, Error> {
        let mut connection = capture_connection(&mut request);
        let response = self.client().request(request);
        let late = async {
            let waited = tokio::time::timeout(connect_max, connection.wait_for_connection_metadata());
            let connected = waited.await.is_ok();
            if connected {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            response = response => response.map_err(|error| read_error(&error)),
            () = late => Err(Error::ConnectionTimeout),
        }
    }

    /// The client, without its idle connections when they take the room that requests may need.
    fn client(&self) -> Client<Connector, RequestBody> {
        let mut client = self.client.lock();
        if self.connector.free() < self.requests_max {
            *client = new_client(self.connector.clone());
        }
        client.clone()
    }
}

fn new_client(connector: Connector) -> Client<Connector, RequestBody> {
    Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIME)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .http1_max_headers(HEAD_FIELDS_MAX)
        .http1_max_buf_size(HEAD_BYTES_MAX as usize)
        // It counts 32 bytes more for each field; the bound itself is checked once the head is here.
        .http2_max_header_list_size(2 * HEAD_BYTES_MAX)
        .http2_initial_stream_window_size(STREAM_BYTES_MAX)
        .http2_initial_connection_window_size(CONNECTION_BYTES_MAX)
        .http2_max_send_buf_size(STREAM_BYTES_MAX as usize)
        .build(connector)
}

/// What TLS asks of servers. Blocks while it reads the platform's certificates.
pub(super) fn tls(extra_roots: &[CertificateDer<'static>]) -> Result<ClientConfig, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(roots::provider()).with_safe_default_protocol_versions()?;
    let builder = match roots::verifier(extra_roots) {
        Ok(verifier) => builder.dangerous().with_custom_certificate_verifier(verifier),
        Err(error) => {
            // Plain HTTP needs no certificates.
            tracing::error!(%error, "no root certificates: every outbound request over TLS will be refused");
            builder.with_root_certificates(RootCertStore::empty())
        }
    };
    Ok(builder.with_no_client_auth())
}
