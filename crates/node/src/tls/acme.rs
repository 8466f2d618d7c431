//! Certificates from an ACME server (RFC 8555): asked for, kept in the data folder, and renewed at two thirds of their
//! life. Nothing that serves waits for any of it.

mod answer;
mod client;
mod folder;
mod order;
mod schedule;

use super::shelf::{Asking, Shelf};
use super::tokens::Tokens;
use crate::chain::chain;
use crate::clock::unix_seconds;
use answer::Answerer;
use client::Client;
use cumulet_capability::{RootsError, read_roots};
use cumulet_gateway::Certificate;
use cumulet_spec::node::Acme;
use folder::AcmeFolder;
use instant_acme::{Account, AccountCredentials, NewAccount};
use order::{OrderError, obtain};
use schedule::{Life, Standing};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio_util::task::AbortOnDropHandle;

pub use folder::AcmeFolderError;

/// How long an attempt may take.
const ATTEMPT_TIME_MAX: Duration = Duration::from_secs(5 * 60);
/// How long the task sleeps at most, so that a clock that was set is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(10 * 60);
/// What the server says of an account that it has not.
const NO_ACCOUNT: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// Certificates cannot be asked for.
#[derive(Debug, Error)]
pub enum AcmeStartError {
    /// The folder that they are kept in.
    #[error(transparent)]
    Folder(#[from] AcmeFolderError),
    /// The root certificates of the server.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// TLS to the server.
    #[error("cannot set up TLS to the ACME server")]
    Tls(#[source] rustls::Error),
}

/// An attempt that gave no certificate.
#[derive(Debug, Error)]
enum AttemptError {
    #[error("it took longer than {} s", ATTEMPT_TIME_MAX.as_secs())]
    Time,
    #[error("no account can be had")]
    Account(#[source] instant_acme::Error),
    #[error(transparent)]
    Folder(#[from] AcmeFolderError),
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error("the account that is kept cannot be read")]
    Credentials(#[source] serde_json::Error),
}

/// Asks for certificates and renews them, until it is dropped.
#[derive(Debug)]
pub(super) struct Renewal {
    _task: AbortOnDropHandle<()>,
}

/// One host and how it stands.
struct Host {
    name: String,
    standing: Standing,
    asking: Asking,
}

/// What asks.
struct Asker {
    config: Acme,
    folder: AcmeFolder,
    client: Client,
    answerer: Answerer,
    shelf: Arc<Shelf>,
    account: Option<Account>,
}

impl Renewal {
    /// Shows what is kept, and begins to ask for what is not. Must be called on a runtime.
    pub(super) fn start(
        config: &Acme,
        data_dir: &Path,
        (shelf, tokens): (&Arc<Shelf>, &Arc<Tokens>),
    ) -> Result<Self, AcmeStartError> {
        let folder = AcmeFolder::open(data_dir, &config.directory)?;
        let roots = config.roots.as_deref().map(read_roots).transpose()?.unwrap_or_default();
        let client = Client::new(&roots).map_err(AcmeStartError::Tls)?;
        let hosts = config.hosts.iter().map(|name| kept(&folder, name, shelf)).collect();
        let asker = Asker {
            config: config.clone(),
            folder,
            client,
            answerer: Answerer {
                challenge: config.challenge,
                tls: Arc::clone(shelf.tls()),
                tokens: Arc::clone(tokens),
            },
            shelf: Arc::clone(shelf),
            account: None,
        };
        Ok(Self { _task: AbortOnDropHandle::new(tokio::spawn(asker.run(hosts))) })
    }
}

/// A host, with the certificate that is kept for it, if it can be shown.
fn kept(folder: &AcmeFolder, name: &str, shelf: &Shelf) -> Host {
    let asking = Asking::default();
    shelf.note(name, asking);
    let mut host = Host { name: name.to_owned(), standing: Standing::default(), asking };
    match folder.certificate(name) {
        Ok(None) => {}
        Ok(Some(pem)) => match Certificate::from_pem(&pem, &pem) {
            Ok(certificate) => {
                host.standing.succeeded(Life::of(&certificate));
                shelf.put_asked_for(name, certificate);
            }
            Err(error) => {
                tracing::warn!(host = name, %error, "the certificate that is kept cannot be shown; another is asked for")
            }
        },
        Err(error) => {
            tracing::warn!(host = name, error = %chain(&error), "the certificate that is kept cannot be read; another is asked for")
        }
    }
    host
}

impl Asker {
    async fn run(mut self, mut hosts: Vec<Host>) {
        loop {
            let Some(host) = hosts.iter_mut().min_by_key(|host| host.standing.due_s()) else { return };
            let wait = host.standing.due_s().saturating_sub(unix_seconds());
            if wait > 0 {
                tokio::time::sleep(Duration::from_secs(wait).min(SLEEP_MAX)).await;
                continue;
            }
            self.attempt(host).await;
        }
    }

    /// One attempt, and what follows for the next.
    async fn attempt(&mut self, host: &mut Host) {
        let name = host.name.clone();
        tracing::info!(host = name, directory = self.config.directory, "a certificate is asked for");
        let asked = tokio::time::timeout(ATTEMPT_TIME_MAX, self.ask(&name)).await;
        match asked.unwrap_or(Err(AttemptError::Time)) {
            Ok(certificate) => {
                host.standing.succeeded(Life::of(&certificate));
                host.asking.succeeded += 1;
                host.asking.failed_in_a_row = 0;
                let not_after = certificate.not_after();
                self.shelf.put_asked_for(&name, certificate);
                tracing::info!(host = name, not_after, renewed_at = host.standing.due_s(), "a certificate was got");
            }
            Err(error) => {
                self.forget_account(&error);
                host.standing.failed(unix_seconds(), rand::random());
                host.asking.failed += 1;
                host.asking.failed_in_a_row += 1;
                let again_in_s = host.standing.due_s().saturating_sub(unix_seconds());
                tracing::warn!(host = name, error = %chain(&error), again_in_s, "no certificate was got; what is shown stays");
            }
        }
        self.shelf.note(&name, host.asking);
    }

    async fn ask(&mut self, host: &str) -> Result<Certificate, AttemptError> {
        let account = match &self.account {
            Some(account) => account.clone(),
            None => {
                let account = self.open_account().await?;
                self.account.insert(account).clone()
            }
        };
        let obtained = obtain(&account, host, &self.answerer).await?;
        let certificate =
            Certificate::from_pem(obtained.as_bytes(), obtained.as_bytes()).map_err(OrderError::Useless)?;
        self.folder.keep_certificate(host, obtained.as_bytes())?;
        Ok(certificate)
    }

    /// The account that is kept, or a new one, which is kept before it is used.
    async fn open_account(&self) -> Result<Account, AttemptError> {
        let builder = Account::builder_with_http(Box::new(self.client.clone()));
        if let Some(kept) = self.folder.account()? {
            let credentials: AccountCredentials = serde_json::from_slice(&kept).map_err(AttemptError::Credentials)?;
            return builder.from_credentials(credentials).await.map_err(AttemptError::Account);
        }
        let contact: Vec<&str> = self.config.contact.iter().map(String::as_str).collect();
        let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let made = builder.create(&new, self.config.directory.clone(), None).await;
        let (account, credentials) = made.map_err(AttemptError::Account)?;
        let text = serde_json::to_vec(&credentials).map_err(AttemptError::Credentials)?;
        self.folder.keep_account(&text)?;
        tracing::info!(directory = self.config.directory, id = account.id(), "an ACME account was made");
        Ok(account)
    }

    /// The server says that the account is not there: the next attempt makes another.
    fn forget_account(&mut self, error: &AttemptError) {
        let (AttemptError::Account(error) | AttemptError::Order(OrderError::Server(error))) = error else { return };
        let instant_acme::Error::Api(problem) = error else { return };
        if problem.r#type.as_deref() == Some(NO_ACCOUNT) {
            self.account = None;
            if let Err(error) = self.folder.remove_account() {
                tracing::warn!(error = %chain(&error), "an ACME account that is no more cannot be removed");
            }
        }
    }
}
