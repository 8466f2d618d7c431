//! A conversation with one registry about one repository: who asks is told when the registry wants to know.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cumulet_spec::reference::Reference;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Method, Response, StatusCode, Url};
use serde::Deserialize;
use url::form_urlencoded;

use crate::credential::Credential;
use crate::oci::Registries;
use crate::oci::challenge::Challenge;
use crate::transfer::{Call, Size, TransferError, TransferErrorKind, Transport, is_this_machine, permit};

/// How often a registry may ask who calls: its tokens last minutes, and large uploads longer.
const LOGINS_MAX: u32 = 8;
/// The largest answer with a token, in bytes.
const TOKEN_BYTES_MAX: u64 = 64 << 10;
/// What we are called where a login is changed for a token.
const CLIENT: &str = "cumulet";
/// The registry whose interface is at another host than its name says.
const DOCKER_HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

/// What is to be done in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Pull,
    Push,
}

impl Scope {
    fn actions(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "pull,push",
        }
    }
}

pub(super) struct Session<'a> {
    registries: &'a Registries,
    reference: &'a Reference,
    scope: Scope,
    base: Url,
    authorization: Option<HeaderValue>,
    logins: u32,
}

/// What a token server answers.
#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        registries: &'a Registries,
        reference: &'a Reference,
        scope: Scope,
    ) -> Result<Self, TransferError> {
        let base = base(reference.registry());
        let base = base.ok_or_else(|| TransferError {
            place: reference.to_string(),
            kind: TransferErrorKind::Unfit("its registry is not a host; write REGISTRY/REPOSITORY:TAG"),
        })?;
        Ok(Self { registries, reference, scope, base, authorization: None, logins: 0 })
    }

    pub(super) fn transport(&self) -> &'a Transport {
        &self.registries.transport
    }

    /// An error about what is at the reference.
    pub(super) fn fail(&self, kind: TransferErrorKind) -> TransferError {
        TransferError { place: self.reference.to_string(), kind }
    }

    /// A call about the repository.
    pub(super) fn call(&self, method: Method, path: &[&str]) -> Result<Call, TransferError> {
        let mut url = self.base.clone();
        match url.path_segments_mut() {
            Ok(mut segments) => {
                segments.pop_if_empty().push("v2").extend(self.reference.repository().split('/')).extend(path);
            }
            Err(()) => return Err(self.fail(TransferErrorKind::Unfit("its registry is not a host"))),
        }
        Ok(Call::new(method, url))
    }

    /// Sends a call, and once more after a login if the registry asks for one.
    pub(super) async fn send(&mut self, call: Call) -> Result<Response, TransferError> {
        let response = self.transport().send(self.signed(call.clone())).await?;
        if !self.asks_who(&response) {
            return Ok(response);
        }
        self.log_in(&response).await?;
        let response = self.transport().send(self.signed(call)).await?;
        if self.asks_who(&response) {
            return Err(self.unauthorized(true).await);
        }
        if response.status() == StatusCode::FORBIDDEN && response.url().origin() == self.base.origin() {
            return Err(self.unauthorized(true).await);
        }
        Ok(response)
    }

    /// The same where one answer is the right one.
    pub(super) async fn send_for(&mut self, call: Call, status: StatusCode) -> Result<Response, TransferError> {
        let response = self.send(call).await?;
        if response.status() == status { Ok(response) } else { Err(self.transport().refusal(response).await) }
    }

    /// Who we are is told the registry alone, not where it leads or takes uploads.
    fn signed(&self, mut call: Call) -> Call {
        if let Some(authorization) = self.authorization.as_ref().filter(|_| call.url.origin() == self.base.origin()) {
            call.headers.insert(AUTHORIZATION, authorization.clone());
        }
        call
    }

    fn asks_who(&self, response: &Response) -> bool {
        response.status() == StatusCode::UNAUTHORIZED && response.url().origin() == self.base.origin()
    }

    async fn log_in(&mut self, response: &Response) -> Result<(), TransferError> {
        if self.logins == LOGINS_MAX {
            return Err(self.unauthorized(true).await);
        }
        self.logins += 1;
        let challenges = response.headers().get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let challenge = Challenge::choose(challenges);
        let challenge = challenge.map_err(|text| self.fail(TransferErrorKind::Challenge(text)))?;
        let credential = self.registries.credentials.find(self.reference.registry()).await;
        let credential = credential.map_err(|error| self.fail(error.into()))?;
        let authorization = match challenge {
            Challenge::Basic => match credential.as_ref().map(basic) {
                Some(Some(value)) => Some(value),
                Some(None) | None => return Err(self.unauthorized(false).await),
            },
            Challenge::Bearer { realm, service } => self.token((&realm, service.as_deref()), credential).await?,
        };
        let authorization = authorization
            .ok_or_else(|| self.fail(TransferErrorKind::Challenge("it gives out a token that is none")))?;
        self.authorization = Some(authorization);
        Ok(())
    }

    /// Fetches a token, for nobody in particular where we have no name.
    async fn token(
        &self,
        (realm, service): (&str, Option<&str>),
        credential: Option<Credential>,
    ) -> Result<Option<HeaderValue>, TransferError> {
        let had_credential = credential.is_some();
        let call = self.token_call(self.realm(realm)?, service, credential);
        let response = self.transport().send(call).await?;
        if matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(self.unauthorized(had_credential).await);
        }
        if response.status() != StatusCode::OK {
            return Err(self.transport().refusal(response).await);
        }
        let size = Size { max: TOKEN_BYTES_MAX, exact: None };
        let bytes = self.transport().read(response, size, &|_| {}).await?;
        let token = serde_json::from_slice::<Token>(&bytes).ok().and_then(|token| token.token.or(token.access_token));
        Ok(token.filter(|token| !token.is_empty()).and_then(|token| secret(format!("Bearer {token}"))))
    }

    /// A login is shown by name and password, or changed for a token (RFC 6749, section 6) where it is one itself.
    fn token_call(&self, mut url: Url, service: Option<&str>, credential: Option<Credential>) -> Call {
        let scope = format!("repository:{}:{}", self.reference.repository(), self.scope.actions());
        let service = service.map(|service| ("service", service));
        if let Some(Credential::IdentityToken(token)) = &credential {
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair("grant_type", "refresh_token").append_pair("client_id", CLIENT).extend_pairs(service);
            form.append_pair("scope", &scope).append_pair("refresh_token", token.reveal());
            let mut call = Call::new(Method::POST, url);
            call.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
            call.body = form.finish().into();
            return call;
        }
        url.query_pairs_mut().extend_pairs(service).append_pair("scope", &scope);
        let mut call = Call::new(Method::GET, url);
        if let Some(value) = credential.as_ref().and_then(basic) {
            call.headers.insert(AUTHORIZATION, value);
        }
        call
    }

    /// Where tokens are given out. A registry on the network cannot have passwords sent in the clear, or to this machine.
    fn realm(&self, realm: &str) -> Result<Url, TransferError> {
        let url = Url::parse(realm)
            .map_err(|_not_one| self.fail(TransferErrorKind::Challenge("it names no address for tokens")))?;
        permit(&url)?;
        if self.base.scheme() == "https" && url.scheme() != "https" {
            return Err(TransferError::at(&url, TransferErrorKind::Insecure));
        }
        Ok(url)
    }

    async fn unauthorized(&self, logged_in: bool) -> TransferError {
        let registry = self.reference.registry().to_owned();
        let had_credential =
            logged_in && self.registries.credentials.find(&registry).await.is_ok_and(|found| found.is_some());
        self.fail(TransferErrorKind::Unauthorized { registry, had_credential })
    }
}

fn base(registry: &str) -> Option<Url> {
    let host = if registry == DOCKER_HUB.0 { DOCKER_HUB.1 } else { registry };
    let url = Url::parse(&format!("https://{host}/")).ok()?;
    let scheme = if is_this_machine(url.host_str()?) { "http" } else { "https" };
    Url::parse(&format!("{scheme}://{host}/")).ok()
}

/// `None` for a token that stands for a login: it is for token servers alone.
fn basic(credential: &Credential) -> Option<HeaderValue> {
    let Credential::Password { user, password } = credential else { return None };
    secret(format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{}", password.reveal()))))
}

fn secret(text: String) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
