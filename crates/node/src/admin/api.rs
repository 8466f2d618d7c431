//! What the API works with, and where its places are.

use super::failures::Failures;
use super::session::Sessions;
use super::waiters::Waiters;
use super::{
    apps, audits, blobs, caller, deploys, live, logs, method, node, openapi, page, revisions, tenants, tokens, unknown,
    usage,
};
use crate::chain::chain;
use crate::ship::Ship;
use axum::Router;
use axum::middleware::from_fn_with_state;
use cumulet_artifact::Uploads;
use cumulet_control::{AuditEntry, AuditOutcome, Bearer, NewToken, Registry, RegistryError};
use cumulet_spec::id::TenantId;
use cumulet_spec::token::{Actor, Reach, Scope, TokenId, TokenName, TokenText};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::Semaphore;

/// The file that holds the first token, in the data folder.
const FIRST_TOKEN_FILE: &str = "admin.token";
/// How many requests read logs or the ledger at once; others wait for their turn.
const READINGS_MAX: usize = 8;

/// What the API works with.
#[derive(Debug)]
pub(crate) struct Api {
    pub(super) ship: Arc<Ship>,
    pub(super) uploads: Uploads,
    pub(super) failures: Failures,
    pub(super) sessions: Sessions,
    /// Who waits for entries of logs.
    pub(super) waiters: Arc<Waiters>,
    /// Turns of those who read logs or the ledger.
    pub(super) readings: Semaphore,
    /// Where the node serves.
    pub(super) url: String,
}

/// The first token of a node could not be made.
#[derive(Debug, Error)]
pub enum FirstTokenError {
    /// The registry does not work.
    #[error(transparent)]
    Token(#[from] cumulet_control::TokenError),
    /// The file cannot be written.
    #[error("cannot write the first token to {}; make room or mend the folder, and start again", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Makes the first token, which may do everything, where a node has none: it is the way in to all others.
pub(crate) struct FirstToken;

impl FirstToken {
    /// Writes it into the data folder, and returns where it is if it was made just now. Blocks.
    ///
    /// The file is there before the token is: a kill in between leaves a file that a new start replaces.
    pub(crate) fn ensure(registry: &Registry, data_dir: &Path, at_us: u64) -> Result<Option<PathBuf>, FirstTokenError> {
        let text = TokenText::new(TokenId::from_bits(rand::random()), &rand::random());
        let new = NewToken {
            id: text.id().clone(),
            hash: text.hash(),
            name: TokenName::parse("first").expect("`first` is a name"),
            reach: Reach::Node,
            scope: Scope::Admin,
            expires_us: None,
            by: Actor::Node,
            at_us,
        };
        let any = registry
            .tokens(None, None, 1)
            .map_err(|error| cumulet_control::TokenError { id: new.id.clone(), kind: error.into() })?;
        if !any.is_empty() {
            return Ok(None);
        }
        let path = data_dir.join(FIRST_TOKEN_FILE);
        write(&path, text.reveal()).map_err(|source| FirstTokenError::File { path: path.clone(), source })?;
        Ok(registry.first_admin(&new)?.then_some(path))
    }
}

fn write(path: &Path, secret: &str) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{secret}")?;
    file.sync_all()?;
    std::fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

impl Api {
    pub(crate) fn new(ship: Arc<Ship>, uploads: Uploads, url: String) -> Arc<Self> {
        Arc::new(Self {
            ship,
            uploads,
            failures: Failures::default(),
            sessions: Sessions::default(),
            waiters: Arc::default(),
            readings: Semaphore::new(READINGS_MAX),
            url,
        })
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.ship.apps.registry
    }

    /// Whether there is such a tenant: by the configuration, by an admin, or because nobody set up any.
    pub(super) fn has_tenant(&self, tenant: &TenantId) -> Result<bool, RegistryError> {
        let config = self.ship.apps.workshop.accounts.config();
        Ok(*tenant == TenantId::local()
            || config.tenants.contains_key(tenant)
            || self.registry().tenant(tenant)?.is_some())
    }

    /// Notes an attempt. That it cannot be noted stops nobody, and is in the log.
    pub(super) fn audit(&self, attempt: Attempt<'_>) {
        let entry = AuditEntry {
            at_us: self.ship.now_us(),
            who: attempt.who,
            tenant: attempt.tenant.cloned(),
            action: attempt.action,
            target: attempt.target.to_owned(),
            outcome: attempt.outcome,
            reason: attempt.reason.to_owned(),
        };
        if let Err(error) = self.registry().audit(&entry) {
            tracing::error!(error = %chain(&error), action = entry.action, "an entry of the audit log is lost");
        }
    }
}

/// Somebody tried something.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    pub(super) who: Actor,
    pub(super) tenant: Option<&'a TenantId>,
    pub(super) action: &'static str,
    pub(super) target: &'a str,
    pub(super) outcome: AuditOutcome,
    pub(super) reason: &'a str,
}

impl<'a> Attempt<'a> {
    pub(super) fn by(bearer: &Bearer, action: &'static str, target: &'a str) -> Self {
        let who = bearer.actor();
        Self { who, tenant: None, action, target, outcome: AuditOutcome::Done, reason: "" }
    }
}

/// Every place of the API, and the page.
pub(super) fn router(api: Arc<Api>) -> Router {
    let (router, _document) = openapi::routes().split_for_parts();
    // Places that do not exist are nobody's attempt.
    let noted = from_fn_with_state(Arc::clone(&api), caller::refused);
    router
        .route_layer(noted)
        .merge(page::routes())
        .fallback(unknown)
        .method_not_allowed_fallback(method)
        .with_state(api)
}

/// The parts that [`openapi::routes`] puts together.
pub(super) fn parts() -> Vec<utoipa_axum::router::OpenApiRouter<Arc<Api>>> {
    vec![
        node::routes(),
        live::routes(),
        tenants::routes(),
        tokens::routes(),
        blobs::routes(),
        apps::routes(),
        deploys::routes(),
        revisions::routes(),
        logs::routes(),
        usage::routes(),
        audits::routes(),
    ]
}
