//! The HTTP client, with one kind of error for all that may pass.
//!
//! `object_store` retries a status such as 503 as it retries a lost connection, but then hides it in a text. Here such a
//! status becomes an error of the transport, which it retries as well and keeps as a value.

use async_trait::async_trait;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService, ReqwestConnector,
};
use object_store::{ClientOptions, Result};
use rustls::crypto::CryptoProvider;
use thiserror::Error;

/// Too many requests, and no time for this one: the two statuses below 500 that may pass.
const PASSING: [u16; 2] = [429, 408];

/// Makes the clients of a bucket.
#[derive(Debug)]
pub(super) struct Transport;

impl HttpConnector for Transport {
    fn connect(&self, options: &ClientOptions) -> Result<HttpClient> {
        choose_cryptography();
        let client = ReqwestConnector::default().connect(options)?;
        Ok(HttpClient::new(Statuses(client)))
    }
}

/// The client takes the cryptography of the process, and panics if there is none: it becomes the one that all of Cumulet
/// uses, unless the process has chosen before.
fn choose_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // An error says that another thread was first.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}

#[derive(Debug)]
struct Statuses(HttpClient);

/// A server that cannot do it now.
#[derive(Debug, Error)]
#[error("the server answered with status {0}")]
struct Passing(u16);

#[async_trait]
impl HttpService for Statuses {
    async fn call(&self, request: HttpRequest) -> std::result::Result<HttpResponse, HttpError> {
        let response = self.0.execute(request).await?;
        let status = response.status();
        if status.is_server_error() || PASSING.contains(&status.as_u16()) {
            return Err(HttpError::new(HttpErrorKind::Request, Passing(status.as_u16())));
        }
        Ok(response)
    }
}
