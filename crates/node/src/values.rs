//! Configuration and secrets of a component: where each value comes from, and what happens when one changes.

mod feed;

use crate::workshop::Workshop;
use cumulet_artifact::NodeKey;
use cumulet_capability::{LiveConfig, Values};
use cumulet_provider::vault::VaultError;
use cumulet_spec::grant::{ConfigSource, Grants};
use cumulet_spec::id::AppId;
use cumulet_spec::sensitive::Sensitive;
use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

pub use cumulet_provider::vault::{SECRET_BYTES_MAX, Vault};
pub(crate) use feed::Feed;

/// The largest file that a configuration value is read from, in bytes.
pub const CONFIG_FILE_BYTES_MAX: u64 = 1 << 20;
/// What the name of a variable begins with that holds a secret.
pub const SECRET_VARIABLE: &str = "CUMULET_SECRET_";
/// What the key of the vault is derived for.
const VAULT_PURPOSE: &str = "secrets at rest, version 1";

/// The variables of the environment that this process was started with.
pub type Variables = BTreeMap<String, String>;

/// A value cannot be had.
#[derive(Debug, Error)]
pub enum ValueError {
    /// A file that cannot be read.
    #[error("the configuration value `{key}` cannot be read from {}", path.display())]
    File {
        /// The value's key.
        key: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A variable that is not set.
    #[error("the configuration value `{key}` comes from the variable `{variable}`, which is not set")]
    Variable {
        /// The value's key.
        key: String,
        /// The variable.
        variable: String,
    },
    /// A secret that nobody set.
    #[error("the secret `{name}` has no value")]
    Secret {
        /// Its name.
        name: String,
    },
    /// Secrets that cannot be read.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Files that cannot be watched.
    #[error("cannot watch the files of configuration values")]
    Watch(#[source] notify::Error),
}

/// Opens the secrets of a data folder.
///
/// # Errors
/// When they cannot be read.
pub fn open_vault(data_dir: &Path, key: &NodeKey) -> Result<Vault, VaultError> {
    Vault::open(data_dir, key.derive(VAULT_PURPOSE))
}

/// Configuration values as they are now; relative files are taken from `base`. Blocks.
pub(crate) fn read_config(
    config: &BTreeMap<String, ConfigSource>,
    base: &Path,
    variables: &Arc<Variables>,
) -> Result<BTreeMap<String, String>, ValueError> {
    Sources { config: config.clone(), base: base.to_owned(), variables: Arc::clone(variables) }.read()
}

/// The values of one component, and the feed that keeps them current for as long as it lives. Blocks.
pub(crate) fn resolve(
    workshop: &Workshop,
    app: &AppId,
    grants: &Grants,
    base: &Path,
) -> Result<(Values, Option<Feed>), ValueError> {
    let sources =
        Sources { config: grants.config.clone(), base: base.to_owned(), variables: workshop.variables.clone() };
    let live = Arc::new(LiveConfig::new(sources.read()?));
    let secrets = secrets(workshop, app, grants)?;
    let feed = sources.has_files().then(|| Feed::start(sources, Arc::clone(&live))).transpose()?;
    Ok((Values { live, secrets }, feed))
}

/// From the vault, or from the environment where the vault has none of that name. Not so on a node of tenants: its
/// environment is not theirs.
fn secrets(workshop: &Workshop, app: &AppId, grants: &Grants) -> Result<BTreeMap<String, Sensitive>, ValueError> {
    if grants.secret.is_empty() {
        return Ok(BTreeMap::new());
    }
    let vault = open_vault(&workshop.data_dir, &workshop.key)?;
    let mut secrets = BTreeMap::new();
    for name in &grants.secret {
        let from_environment =
            || workshop.variables.get(&format!("{SECRET_VARIABLE}{name}")).cloned().map(Sensitive::new);
        let value = vault.get(app, name)?.or_else(|| from_environment().filter(|_| workshop.serves_one_app()));
        secrets.insert(name.clone(), value.ok_or_else(|| ValueError::Secret { name: name.clone() })?);
    }
    forbid_dumps();
    Ok(secrets)
}

/// A dump of this process would hold the secrets of every guest.
fn forbid_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // Kept for good: nothing that was secret once stops being so.
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!(%error, "core dumps cannot be switched off");
    }
    // A dump that is handed to a program knows no limit.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable) {
        tracing::warn!(%error, "core dumps cannot be switched off");
    }
}

/// Where a component's configuration comes from.
#[derive(Debug)]
struct Sources {
    config: BTreeMap<String, ConfigSource>,
    base: PathBuf,
    variables: Arc<Variables>,
}

impl Sources {
    fn has_files(&self) -> bool {
        self.files().next().is_some()
    }

    fn files(&self) -> impl Iterator<Item = PathBuf> {
        self.config.values().filter_map(|source| match source {
            ConfigSource::File(path) => Some(self.base.join(path)),
            ConfigSource::Text(_) | ConfigSource::Env(_) => None,
        })
    }

    /// Every value as it is now.
    fn read(&self) -> Result<BTreeMap<String, String>, ValueError> {
        self.config.iter().map(|(key, source)| Ok((key.clone(), self.value(key, source)?))).collect()
    }

    fn value(&self, key: &str, source: &ConfigSource) -> Result<String, ValueError> {
        match source {
            ConfigSource::Text(text) => Ok(text.clone()),
            ConfigSource::Env(variable) => self
                .variables
                .get(variable)
                .cloned()
                .ok_or_else(|| ValueError::Variable { key: key.to_owned(), variable: variable.clone() }),
            ConfigSource::File(path) => {
                let path = self.base.join(path);
                read_text(&path).map_err(|source| ValueError::File { key: key.to_owned(), path, source })
            }
        }
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(CONFIG_FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > CONFIG_FILE_BYTES_MAX {
        return Err(io::Error::other(format!("it has more than {CONFIG_FILE_BYTES_MAX} bytes")));
    }
    Ok(text)
}
