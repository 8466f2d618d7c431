//! Bytes from and to other machines, over HTTPS: bounded in size, time, redirects and retries.
//!
//! Plain HTTP is spoken with this machine alone. Redirects are followed by hand: only for what is read, never from HTTPS
//! to anything else, and without the authorization as soon as they lead elsewhere.

mod error;

use std::sync::Arc;
use std::time::Duration;

use cumulet_spec::id::Digest;
use reqwest::header::{AUTHORIZATION, HeaderMap, LOCATION};
use reqwest::{Client, Method, Response, StatusCode, Url, redirect};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;

pub use error::{Cause, TransferError, TransferErrorKind};

/// The most redirects that one request follows.
const REDIRECTS_MAX: usize = 5;
/// The most bytes of a refusal that are read, of which a line is told.
pub(crate) const REFUSAL_BYTES_MAX: u64 = 16 << 10;

/// How long, and how often.
#[derive(Debug, Clone, Copy)]
pub struct TransferBounds {
    /// The most times that something is asked for which can be asked for again.
    pub attempts: u32,
    /// The pause before the second time; each further one is four times as long.
    pub pause: Duration,
    /// For a connection to come about.
    pub connect: Duration,
    /// In which not a byte comes.
    pub idle: Duration,
    /// For a whole transfer, with everything that it takes.
    pub whole: Duration,
}

impl Default for TransferBounds {
    fn default() -> Self {
        Self {
            attempts: 3,
            pause: Duration::from_millis(250),
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            whole: Duration::from_secs(10 * 60),
        }
    }
}

/// How far a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transferred {
    /// Bytes that have come, or gone.
    pub bytes: u64,
    /// Bytes that there will be, where that is known.
    pub total: Option<u64>,
}

/// Is told how far a transfer is.
pub type OnTransferred<'a> = &'a (dyn Fn(Transferred) + Send + Sync);

/// What is asked of another machine.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: bytes::Bytes,
}

impl Call {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: bytes::Bytes::new() }
    }
}

/// How many bytes an answer may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) max: u64,
    pub(crate) exact: Option<u64>,
}

/// The client that all transfers share.
#[derive(Debug, Clone)]
pub(crate) struct Transport {
    client: Client,
    pub(crate) bounds: TransferBounds,
}

impl Transport {
    /// A client that trusts whom this machine trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR` say otherwise).
    pub(crate) fn new(bounds: TransferBounds) -> Result<Self, TransferError> {
        let client = client(bounds).map_err(|kind| TransferError { place: "this machine".to_owned(), kind })?;
        Ok(Self { client, bounds })
    }

    /// Sends, follows redirects, and returns the answer, whatever its status.
    pub(crate) async fn send(&self, mut call: Call) -> Result<Response, TransferError> {
        permit(&call.url)?;
        for _ in 0..=REDIRECTS_MAX {
            let url = call.url.clone();
            let response = self.send_once(&call).await.map_err(|error| lost(&url, error))?;
            let is_read = matches!(call.method, Method::GET | Method::HEAD);
            let leads_on =
                is_read && response.status().is_redirection() && response.status() != StatusCode::NOT_MODIFIED;
            if !leads_on {
                return Ok(response);
            }
            let next = next(&response).map_err(|kind| TransferError::at(&url, kind))?;
            if next.origin() != url.origin() {
                call.headers.remove(AUTHORIZATION);
            }
            call.url = next;
        }
        Err(TransferError::at(&call.url, TransferErrorKind::Redirects { max: REDIRECTS_MAX }))
    }

    async fn send_once(&self, call: &Call) -> Result<Response, reqwest::Error> {
        let request = self.client.request(call.method.clone(), call.url.clone()).headers(call.headers.clone());
        // Without a body no length is stated, which registries want of a POST.
        let has_body = !call.body.is_empty() || !matches!(call.method, Method::GET | Method::HEAD);
        let request = if has_body { request.body(call.body.clone()) } else { request };
        request.send().await
    }

    /// Reads the body of an answer.
    pub(crate) async fn read(
        &self,
        mut response: Response,
        size: Size,
        progress: OnTransferred<'_>,
    ) -> Result<Vec<u8>, TransferError> {
        let url = response.url().clone();
        let fail = |kind| TransferError::at(&url, kind);
        let stated = response.content_length();
        check_size(stated.unwrap_or_default(), size.max).map_err(fail)?;
        let total = size.exact.or(stated);
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| lost(&url, error))? {
            check_size(bytes.len() as u64 + chunk.len() as u64, size.max).map_err(fail)?;
            bytes.extend_from_slice(&chunk);
            progress(Transferred { bytes: bytes.len() as u64, total });
        }
        match size.exact {
            Some(expected) if expected != bytes.len() as u64 => {
                Err(fail(TransferErrorKind::Size { expected, found: bytes.len() as u64 }))
            }
            _ => Ok(bytes),
        }
    }

    /// The bytes behind a URL, which must have this digest.
    pub(crate) async fn get(
        &self,
        url: &Url,
        (digest, size): (Digest, Size),
        progress: OnTransferred<'_>,
    ) -> Result<Vec<u8>, TransferError> {
        let mut tries = Tries::new(self.bounds);
        loop {
            let got = self.try_get(url, size, progress).await;
            match got {
                Err(error) if tries.another(&error).await => {}
                got => return check_digest(url, got?, digest),
            }
        }
    }

    async fn try_get(&self, url: &Url, size: Size, progress: OnTransferred<'_>) -> Result<Vec<u8>, TransferError> {
        let response = self.send(Call::new(Method::GET, url.clone())).await?;
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        self.read(response, size, progress).await
    }

    /// The error that an answer stands for which is not the one that was hoped for.
    pub(crate) async fn refusal(&self, response: Response) -> TransferError {
        let (url, status) = (response.url().clone(), response.status());
        let size = Size { max: REFUSAL_BYTES_MAX, exact: None };
        let body = self.read(response, size, &|_| {}).await.unwrap_or_default();
        TransferError::at(&url, TransferErrorKind::Status { status: status.as_u16(), said: error::said(&body) })
    }

    /// Ends what takes longer than a whole transfer may.
    pub(crate) async fn within<T>(
        &self,
        place: &str,
        work: impl Future<Output = Result<T, TransferError>>,
    ) -> Result<T, TransferError> {
        let late = TransferErrorKind::Late { max: self.bounds.whole };
        let late = TransferError { place: place.to_owned(), kind: late };
        tokio::time::timeout(self.bounds.whole, work).await.unwrap_or(Err(late))
    }
}

/// Counts how often something was asked for.
#[derive(Debug)]
pub(crate) struct Tries {
    bounds: TransferBounds,
    done: u32,
}

impl Tries {
    pub(crate) fn new(bounds: TransferBounds) -> Self {
        Self { bounds, done: 1 }
    }

    /// Whether to ask once more after this error. Waits before it says so.
    pub(crate) async fn another(&mut self, error: &TransferError) -> bool {
        if self.done >= self.bounds.attempts || !error.may_pass() {
            return false;
        }
        tokio::time::sleep(self.bounds.pause * 4_u32.pow(self.done - 1)).await;
        self.done += 1;
        true
    }
}

fn client(bounds: TransferBounds) -> Result<Client, TransferErrorKind> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| TransferErrorKind::Tls(Cause::of(&error)))?
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .connect_timeout(bounds.connect)
        .read_timeout(bounds.idle)
        .user_agent(concat!("cumulet/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| TransferErrorKind::Tls(Cause::of(&error)))
}

/// Refuses what would go over a network unencrypted.
pub(crate) fn permit(url: &Url) -> Result<(), TransferError> {
    let is_permitted = match url.scheme() {
        "https" => true,
        "http" => url.host_str().is_some_and(is_this_machine),
        _ => false,
    };
    if is_permitted { Ok(()) } else { Err(TransferError::at(url, TransferErrorKind::Insecure)) }
}

/// Whether a host can only be this machine.
pub(crate) fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn next(response: &Response) -> Result<Url, TransferErrorKind> {
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let next = location.and_then(|location| response.url().join(location).ok());
    let next = next.ok_or(TransferErrorKind::RedirectNowhere)?;
    let is_downgrade = response.url().scheme() == "https" && next.scheme() != "https";
    if is_downgrade || permit(&next).is_err() {
        return Err(TransferErrorKind::RedirectInsecure { to: error::place(&next) });
    }
    Ok(next)
}

fn check_size(bytes: u64, max: u64) -> Result<(), TransferErrorKind> {
    if bytes > max { Err(TransferErrorKind::TooLarge { max }) } else { Ok(()) }
}

pub(crate) fn check_digest(url: &Url, bytes: Vec<u8>, expected: Digest) -> Result<Vec<u8>, TransferError> {
    let found = Digest::of(&bytes);
    if found == expected {
        return Ok(bytes);
    }
    Err(TransferError::at(url, TransferErrorKind::Digest { expected, found, bytes: bytes.len() as u64 }))
}

fn lost(url: &Url, error: reqwest::Error) -> TransferError {
    let is_connect = error.is_connect();
    let is_late = error.is_timeout();
    // The URL of a redirect may carry what stands for a password.
    let cause = Cause::of(&error.without_url());
    let kind = match (is_late, is_connect) {
        (true, _) => TransferErrorKind::Silent,
        (false, true) => TransferErrorKind::Connect(cause),
        (false, false) => TransferErrorKind::Lost(cause),
    };
    TransferError::at(url, kind)
}
