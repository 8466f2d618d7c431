//! A client of a node's admin API: how the commands reach a node.
//!
//! It follows no redirect, takes no proxy from the environment for this machine's own addresses, and names each write
//! with a key, so that one whose answer was lost can be sent again and is done once.

mod call;
mod node_args;
mod resource;
mod roots;
mod source;
mod token;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cumulet_spec::api::{BlobView, IDEMPOTENCY_KEY, Page, UPLOAD_LENGTH, UPLOAD_OFFSET};
use cumulet_spec::token::TokenText;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::redirect::Policy;
use reqwest::{Response, Url};
use rustls::crypto::CryptoProvider;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::Terminal;

pub(crate) use call::CallError;
pub(crate) use node_args::{NodeArgs, TenantArgs};
pub(crate) use resource::Resource;
pub(crate) use source::{Source, SourceArgs};

/// How long a connection may take to open.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);
/// How long an answer may take, beside the time that the node was asked to wait.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a piece of an upload may take.
const PIECE_TIME_MAX: Duration = Duration::from_secs(300);
/// How often a request is sent if what hinders it may pass.
const ATTEMPTS_MAX: u32 = 3;
/// The pause before the second attempt; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 32 << 20;
/// The most parts of a list that are read: a node that never ends one is not followed.
const PAGES_MAX: usize = 1_000;

/// Who the client says that it is.
const USER_AGENT: &str = concat!("cumulet/", env!("CARGO_PKG_VERSION"));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// A node that can be asked.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    node: Url,
    token: TokenText,
}

/// One request, which may be sent more than once.
#[derive(Debug)]
struct Call<'a> {
    method: Method,
    resource: &'a Resource,
    headers: HeaderMap,
    body: Bytes,
    time_max: Duration,
    attempts_max: u32,
}

impl Client {
    /// A client of the node that the flags name, with the token that they name. Nothing is sent yet.
    ///
    /// # Errors
    /// When there is no token.
    pub(crate) fn open(args: &NodeArgs, terminal: Terminal) -> Result<Self, Box<Failure>> {
        let node = args.url()?;
        let token = token::find(args)?;
        let is_own = node_args::is_loopback(&node);
        let is_plain = node.scheme() == "http";
        if is_plain && !is_own {
            terminal.warning(&format!("the token travels to {node} as plain text: give an https URL"));
        }
        choose_cryptography();
        let mut builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .referer(false)
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT_TIME_MAX);
        if is_own {
            builder = builder.no_proxy();
        }
        if let Some(file) = &args.ca {
            builder = builder.tls_certs_only(roots::read(file)?);
        } else if is_plain {
            // Nothing is to be verified: the certificates of the machine need not be read.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| {
            let failure = Failure::new(Exit::FAILED, "cannot speak to a node").because(&error);
            failure.next("see that the certificates of this machine can be read")
        })?;
        Ok(Self { http, node, token })
    }

    /// Where it is.
    pub(crate) fn node(&self) -> &Url {
        &self.node
    }

    /// Asks for something.
    pub(crate) async fn get<T: DeserializeOwned>(&self, resource: &Resource) -> Result<T, CallError> {
        self.answered(&Call::new(Method::GET, resource)).await
    }

    /// Asks for something that may take the node this long to say.
    pub(crate) async fn wait<T: DeserializeOwned>(&self, resource: &Resource, time: Duration) -> Result<T, CallError> {
        let call = Call { time_max: time + ANSWER_TIME_MAX, ..Call::new(Method::GET, resource) };
        self.answered(&call).await
    }

    /// Asks for a whole list, part by part.
    pub(crate) async fn list<T: DeserializeOwned>(&self, resource: &Resource) -> Result<Vec<T>, CallError> {
        let mut page: Page<T> = self.get(resource).await?;
        let mut items = page.items;
        for _part in 1..PAGES_MAX {
            let Some(next) = page.next else { break };
            page = self.get(&resource.asking("after", next)).await?;
            items.append(&mut page.items);
        }
        Ok(items)
    }

    /// Changes something.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        resource: &Resource,
        body: &impl Serialize,
    ) -> Result<T, CallError> {
        let body = serde_json::to_vec(body).map_err(|error| CallError::unsaid(&self.node, &error))?;
        self.answered(&Call::new(method, resource).named().with(JSON, body.into())).await
    }

    /// Removes something.
    pub(crate) async fn delete(&self, resource: &Resource) -> Result<(), CallError> {
        self.call(&Call::new(Method::DELETE, resource).named()).await.map(drop)
    }

    /// Sends a piece of an upload, once: what became of it, the node knows.
    pub(crate) async fn piece(
        &self,
        resource: &Resource,
        (offset, length): (u64, u64),
        piece: Bytes,
    ) -> Result<BlobView, CallError> {
        let mut call = Call::new(Method::PATCH, resource).with(BYTES, piece);
        call.headers.insert(HeaderName::from_static(UPLOAD_OFFSET), offset.into());
        call.headers.insert(HeaderName::from_static(UPLOAD_LENGTH), length.into());
        self.answered(&Call { time_max: PIECE_TIME_MAX, attempts_max: 1, ..call }).await
    }

    async fn answered<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, CallError> {
        let body = self.call(call).await?;
        serde_json::from_slice(&body).map_err(|error| CallError::strange(&self.node, error.to_string()))
    }

    async fn call(&self, call: &Call<'_>) -> Result<Bytes, CallError> {
        let mut pause = PAUSE;
        for _earlier in 1..call.attempts_max {
            match self.attempt(call).await {
                Err(error) if error.may_pass() => tokio::time::sleep(pause).await,
                answered => return answered,
            }
            pause *= 2;
        }
        self.attempt(call).await
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<Bytes, CallError> {
        let lost = |error: reqwest::Error| CallError::lost(&self.node, &error);
        let request = self
            .http
            .request(call.method.clone(), call.resource.url(&self.node))
            .headers(call.headers.clone())
            .header(ACCEPT, JSON)
            .header(AUTHORIZATION, self.authorization()?)
            .body(call.body.clone())
            .timeout(call.time_max);
        let response = request.send().await.map_err(lost)?;
        let status = response.status();
        let body = self.read(response).await?;
        if status.is_success() { Ok(body) } else { Err(CallError::refused(&self.node, status, &body)) }
    }

    fn authorization(&self) -> Result<HeaderValue, CallError> {
        let text = format!("Bearer {}", self.token.reveal());
        let mut value = HeaderValue::try_from(text).map_err(|error| CallError::unsaid(&self.node, &error))?;
        value.set_sensitive(true);
        Ok(value)
    }

    async fn read(&self, mut response: Response) -> Result<Bytes, CallError> {
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| CallError::lost(&self.node, &error))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(CallError::strange(&self.node, format!("it says more than {ANSWER_BYTES_MAX} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

impl<'a> Call<'a> {
    fn new(method: Method, resource: &'a Resource) -> Self {
        Self {
            method,
            resource,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            time_max: ANSWER_TIME_MAX,
            attempts_max: ATTEMPTS_MAX,
        }
    }

    /// The same under a name of its own, by which the node knows it again.
    fn named(mut self) -> Self {
        let key = format!("{:032x}", rand::random::<u128>());
        // Hex digits can stand in every header.
        if let Ok(key) = HeaderValue::try_from(key) {
            self.headers.insert(HeaderName::from_static(IDEMPOTENCY_KEY), key);
        }
        self
    }

    fn with(mut self, kind: HeaderValue, body: Bytes) -> Self {
        self.headers.insert(CONTENT_TYPE, kind);
        Self { body, ..self }
    }
}

/// The client takes the cryptography of the process, and panics if there is none.
fn choose_cryptography() {
    if CryptoProvider::get_default().is_none() {
        // An error says that another thread was first.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}
