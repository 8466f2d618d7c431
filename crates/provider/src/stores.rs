//! Which backend stands behind a granted name, and what is open of it.

use crate::blobstore::{self, Container};
use crate::keyvalue::{self, Bucket};
use crate::{postgres, sqlite};
use cumulet_spec::grant::Capability;
use cumulet_spec::id::AppId;
use cumulet_spec::sensitive::Sensitive;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::OnceCell;

/// The folder of the embedded stores, in the data folder.
const FOLDER: &str = "stores";

/// A store could not be opened.
#[derive(Debug, Error)]
#[error("cannot open the {capability} store `{name}`")]
pub struct OpenError {
    capability: Capability,
    name: String,
    /// Why.
    #[source]
    pub kind: OpenErrorKind,
}

impl OpenError {
    /// The error with its causes, for the operator.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(current) = cause {
            text.push_str(": ");
            text.push_str(&current.to_string());
            cause = current.source();
        }
        text
    }
}

/// Why a store could not be opened.
#[derive(Debug, Error)]
pub enum OpenErrorKind {
    /// A key-value backend.
    #[error(transparent)]
    Keyvalue(#[from] keyvalue::OpenError),
    /// A blob store backend.
    #[error(transparent)]
    Blobstore(#[from] blobstore::OpenError),
    /// A database file.
    #[error(transparent)]
    Sqlite(#[from] sqlite::OpenError),
    /// A PostgreSQL server.
    #[error(transparent)]
    Postgres(#[from] postgres::OpenError),
    /// Nothing stands behind the name.
    #[error("nothing is bound to it: give one with `--bind {0}=URL`")]
    Unbound(String),
    /// A name that cannot be part of a path.
    #[error("the name cannot be that of a file")]
    Name,
    /// The work was lost.
    #[error("opening was interrupted")]
    Interrupted,
}

/// The address that an operator bound to each name.
pub type Bound = BTreeMap<(Capability, String), Sensitive>;

/// What is open, by a key; opened once by whoever comes first.
type Opened<K, T> = Mutex<HashMap<K, Arc<OnceCell<T>>>>;

/// The stores of a node: an embedded one for each name, unless the operator bound another.
#[derive(Debug)]
pub struct Stores {
    data_dir: PathBuf,
    bound: Bound,
    /// One file for each app, with all of its buckets.
    files: Opened<AppId, Arc<keyvalue::sqlite::Store>>,
    redis: Opened<String, Arc<keyvalue::redis::Server>>,
    nats: Opened<String, Arc<keyvalue::nats::Server>>,
    containers: Opened<(AppId, String), Arc<dyn Container>>,
    databases: Opened<(AppId, String), Arc<sqlite::Database>>,
    servers: Opened<String, Arc<postgres::Server>>,
}

impl Stores {
    /// Stores whose embedded ones lie in `data_dir`. Nothing is opened until it is asked for.
    #[must_use]
    pub fn new(data_dir: &Path, bound: Bound) -> Self {
        Self {
            data_dir: data_dir.join(FOLDER),
            bound,
            files: Opened::default(),
            redis: Opened::default(),
            nats: Opened::default(),
            containers: Opened::default(),
            databases: Opened::default(),
            servers: Opened::default(),
        }
    }

    /// A bucket of an app.
    ///
    /// # Errors
    /// When its backend cannot be opened.
    pub async fn bucket(&self, app: &AppId, name: &str) -> Result<Arc<dyn Bucket>, OpenError> {
        let bucket = match self.bound(Capability::Keyvalue, name) {
            None => self.embedded_bucket(app, name).await,
            Some(url) if url.reveal().starts_with("redis") => self.redis_bucket(app, name, url).await,
            Some(url) => self.nats_bucket(app, name, url).await,
        };
        bucket.map_err(fail(Capability::Keyvalue, name))
    }

    async fn embedded_bucket(&self, app: &AppId, name: &str) -> Result<Arc<dyn Bucket>, OpenErrorKind> {
        let path = self.folder(app).join("keyvalue.sqlite");
        let open = || blocking(move || Ok(keyvalue::sqlite::Store::open(&path)?));
        Ok(once(&self.files, app.clone(), open).await?.bucket(name))
    }

    async fn redis_bucket(&self, app: &AppId, name: &str, url: &Sensitive) -> Result<Arc<dyn Bucket>, OpenErrorKind> {
        let connect = || async { Ok(keyvalue::redis::Server::connect(url.reveal()).await?) };
        let server = once(&self.redis, url.reveal().to_owned(), connect).await?;
        Ok(server.bucket(&redis_prefix(app, name)))
    }

    async fn nats_bucket(&self, app: &AppId, name: &str, url: &Sensitive) -> Result<Arc<dyn Bucket>, OpenErrorKind> {
        let connect = || async { Ok(keyvalue::nats::Server::connect(url.reveal()).await?) };
        let server = once(&self.nats, url.reveal().to_owned(), connect).await?;
        Ok(server.bucket(&nats_bucket_name(app, name)).await?)
    }

    /// A container of an app.
    ///
    /// # Errors
    /// When its backend cannot be opened.
    pub async fn container(&self, app: &AppId, name: &str) -> Result<Arc<dyn Container>, OpenError> {
        let open = || async {
            match self.bound(Capability::Blobstore, name) {
                Some(url) => match url.reveal().strip_prefix("file:") {
                    Some(path) => open_folder(PathBuf::from(path.strip_prefix("//").unwrap_or(path))).await,
                    None => Ok(blobstore::s3::open(url.reveal())?),
                },
                None => open_folder(self.folder(app).join("blobstore").join(file_name(name)?)).await,
            }
        };
        once(&self.containers, (app.clone(), name.to_owned()), open).await.map_err(fail(Capability::Blobstore, name))
    }

    /// A database of an app.
    ///
    /// # Errors
    /// When its file cannot be opened.
    pub async fn database(&self, app: &AppId, name: &str) -> Result<Arc<sqlite::Database>, OpenError> {
        let open = || async {
            let path = self.folder(app).join("sqlite").join(format!("{}.sqlite", file_name(name)?));
            blocking(move || Ok(sqlite::Database::open(&path)?)).await
        };
        once(&self.databases, (app.clone(), name.to_owned()), open).await.map_err(fail(Capability::Sqlite, name))
    }

    /// A PostgreSQL server.
    ///
    /// # Errors
    /// When none is bound to the name, or its address is wrong.
    pub async fn server(&self, name: &str) -> Result<Arc<postgres::Server>, OpenError> {
        let open = || async {
            let Some(url) = self.bound(Capability::Postgres, name) else {
                return Err(OpenErrorKind::Unbound(format!("{}.{name}", Capability::Postgres)));
            };
            Ok(postgres::Server::new(url.reveal())?)
        };
        once(&self.servers, name.to_owned(), open).await.map_err(fail(Capability::Postgres, name))
    }

    /// Whether an operator bound something to a name.
    #[must_use]
    pub fn is_bound(&self, capability: Capability, name: &str) -> bool {
        self.bound(capability, name).is_some()
    }

    fn bound(&self, capability: Capability, name: &str) -> Option<&Sensitive> {
        self.bound.get(&(capability, name.to_owned()))
    }

    fn folder(&self, app: &AppId) -> PathBuf {
        self.data_dir.join(app.file_name())
    }
}

fn fail(capability: Capability, name: &str) -> impl FnOnce(OpenErrorKind) -> OpenError {
    let name = name.to_owned();
    move |kind| OpenError { capability, name, kind }
}

/// Gets what is open under a key, or opens it. Others who want the same wait; others who want something else do not.
async fn once<K: Hash + Eq, T: Clone, F: Future<Output = Result<T, OpenErrorKind>>>(
    opened: &Opened<K, T>,
    key: K,
    open: impl FnOnce() -> F,
) -> Result<T, OpenErrorKind> {
    let cell = Arc::clone(opened.lock().entry(key).or_default());
    cell.get_or_try_init(open).await.cloned()
}

async fn open_folder(path: PathBuf) -> Result<Arc<dyn Container>, OpenErrorKind> {
    blocking(move || Ok(blobstore::folder::open(&path)?)).await
}

/// What the keys of a bucket begin with. A colon in the name is written otherwise, or the keys of the bucket `a` could be
/// those of a bucket `a:b`.
fn redis_prefix(app: &AppId, name: &str) -> String {
    format!("{app}:{}", name.replace('%', "%25").replace(':', "%3A"))
}

/// A bucket of NATS JetStream, whose names hold neither dots nor slashes. App names have no capitals and no underscores, so
/// that the buckets of a tenant's app are never those of an app without one.
fn nats_bucket_name(app: &AppId, name: &str) -> String {
    match app.to_string().split_once('/') {
        Some((tenant, app)) => format!("T_{tenant}_{app}_{name}"),
        None => format!("{app}_{name}"),
    }
}

/// A name as a file's: manifests take any name without spaces, file systems do not.
fn file_name(name: &str) -> Result<&str, OpenErrorKind> {
    let fits = name.len() <= 128 && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    if fits && !name.is_empty() { Ok(name) } else { Err(OpenErrorKind::Name) }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, OpenErrorKind> + Send + 'static,
) -> Result<T, OpenErrorKind> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(OpenErrorKind::Interrupted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bucket_has_the_keys_of_another() {
        let app: AppId = "shop".parse().unwrap();
        let prefix = |name| redis_prefix(&app, name);
        assert_eq!(prefix("default"), "shop:default");
        let other: AppId = "acme/shop".parse().unwrap();
        assert_eq!(redis_prefix(&other, "default"), "acme/shop:default");
        assert_eq!(nats_bucket_name(&app, "default"), "shop_default");
        assert_eq!(nats_bucket_name(&other, "default"), "T_acme_shop_default");
        let names = ["a", "a:b", "a%3Ab", "a:", ":a"];
        for name in names {
            for other in names.iter().filter(|other| **other != name) {
                assert!(!prefix(other).starts_with(&format!("{}:", prefix(name))), "{name} and {other}");
                assert_ne!(prefix(other), prefix(name));
            }
        }
    }

    #[test]
    fn a_name_that_is_no_file_is_refused() {
        for name in ["a", "default", "a.b", "Bilder"] {
            assert!(file_name(name).is_ok(), "{name}");
        }
        for name in ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", &"x".repeat(129)] {
            assert!(file_name(name).is_err(), "{name}");
        }
    }
}
