//! Containers in buckets of S3 and of servers that speak its protocol.
//!
//! A container is a bucket, or the part of one under a prefix, and belongs to Cumulet: keys that other clients put there
//! and that are no names, such as `folder/`, make listings fail. An object is one key, so that the longest name is as much
//! shorter as the prefix with its slash is long. A server that keeps keys as paths of files may refuse more names; S3
//! itself does not.
//!
//! What is acknowledged is as durable as the server makes it. An upload in parts that is given up is aborted; one whose
//! process ends is not, and stays until a lifecycle rule of the bucket removes it: set one (`AbortIncompleteMultipartUpload`).

mod address;
mod failure;
mod transport;
mod upload;

use std::time::Duration;
use std::{env, fmt, sync::Arc};

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::list::{PaginatedListOptions, PaginatedListStore as _};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, GetOptions, GetRange, ObjectStore as _, ObjectStoreExt as _, RetryConfig,
};

use self::address::Address;
use self::failure::failed;
use self::transport::Transport;
use super::chunks::split;
use super::intake::Intake;
use super::{
    Chunks, Container, ContainerError, ContainerInfo, NAME_BYTES_MAX, NamePage, OBJECT_BYTES_MAX, ObjectInfo,
    OpenError, PAGE_NAMES_MAX, Reading, name,
};

/// How long a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the server may be silent, also while it takes a part.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a request is sent again after the first time.
const RETRIES_MAX: usize = 3;
/// How long after the first time a request may be sent again.
const RETRIES_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest pause between two times.
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// More than any object has bytes, and still a number that every server can read.
const LAST_MAX: u64 = (1 << 53) - 1;

/// Opens a container in a bucket, at `s3://[KEY:SECRET@]BUCKET[/PREFIX][?region=REGION][&endpoint=URL]`.
///
/// - Without `endpoint` the bucket is one of AWS. With it, requests go there in path style; they are not encrypted if it
///   starts with `http://`.
/// - Without `region` it is `AWS_REGION`, `AWS_DEFAULT_REGION`, or `us-east-1`.
/// - Credentials are `KEY` and `SECRET`, percent-encoded, or else `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
///   `AWS_SESSION_TOKEN`. The roles that AWS gives to machines, containers and web identities are not used.
///
/// Nothing is sent yet: a bucket that is not there, and wrong credentials, are errors of the first operation.
///
/// # Errors
/// When the address is wrong, or there are no credentials.
pub fn open(url: &str) -> Result<Arc<dyn Container>, OpenError> {
    open_at_most(url, OBJECT_BYTES_MAX)
}

/// As [`open`], with a bound of the operator's own on the size of an object, in bytes.
///
/// # Errors
/// As [`open`].
pub fn open_at_most(url: &str, object_bytes_max: u64) -> Result<Arc<dyn Container>, OpenError> {
    let address = Address::parse(url, variable)?;
    let backoff = BackoffConfig { max_backoff: PAUSE_MAX, ..BackoffConfig::default() };
    let mut builder = AmazonS3Builder::new()
        .with_client_options(client_options())
        .with_bucket_name(address.bucket)
        .with_region(address.region)
        .with_access_key_id(address.credentials.key)
        .with_secret_access_key(address.credentials.secret)
        .with_allow_http(address.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://")))
        .with_retry(RetryConfig { backoff, max_retries: RETRIES_MAX, retry_timeout: RETRIES_TIMEOUT })
        .with_http_connector(Transport);
    if let Some(token) = address.credentials.token {
        builder = builder.with_token(token);
    }
    if let Some(endpoint) = address.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    let store = builder.build().map_err(|error| OpenError::Client(error.to_string()))?;
    Ok(Arc::new(Bucket { store, prefix: address.prefix, object_bytes_max: object_bytes_max.min(OBJECT_BYTES_MAX) }))
}

#[expect(clippy::disallowed_methods, reason = "the credentials of AWS clients are in variables; nothing else is read")]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// How requests are sent. A body takes as long as its reader does, so that only silence is bounded.
fn client_options() -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(CONNECT_TIMEOUT)
        .with_read_timeout(SILENCE_TIMEOUT)
        .with_timeout_disabled()
}

struct Bucket {
    store: AmazonS3,
    /// Empty, or ends with a slash.
    prefix: String,
    object_bytes_max: u64,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Bucket {
    fn key(&self, name: &str) -> Result<Path, ContainerError> {
        name::check(name)?;
        let key = format!("{}{name}", self.prefix);
        let refused = || ContainerError::Name(name.to_owned());
        if key.len() > NAME_BYTES_MAX {
            return Err(refused());
        }
        Path::parse(key).map_err(|_| refused())
    }

    /// What a failed read of a part means: servers refuse a range of an empty object, and the client has no word for
    /// any range that they refuse.
    async fn explain(&self, name: &str, first: u64, error: object_store::Error) -> Result<Reading, ContainerError> {
        if !matches!(error, object_store::Error::Generic { .. }) || failure::is_transient(&error) {
            return Err(failed(Some(name), &error));
        }
        let object = self.object(name.to_owned()).await?;
        if object.size == 0 && first == 0 {
            return Ok(Reading { size: 0, chunks: stream::empty().boxed() });
        }
        if first >= object.size {
            return Err(ContainerError::Range);
        }
        Err(failed(Some(name), &error))
    }
}

#[async_trait]
impl Container for Bucket {
    async fn info(&self) -> Result<ContainerInfo, ContainerError> {
        Ok(ContainerInfo { created_at_s: 0 })
    }

    async fn read(&self, name: String, first: u64, last: u64) -> Result<Reading, ContainerError> {
        let key = self.key(&name)?;
        if first > last || first > LAST_MAX {
            return Err(ContainerError::Range);
        }
        let range = GetRange::Bounded(first..last.min(LAST_MAX) + 1);
        let options = GetOptions { range: ((first, last) != (0, u64::MAX)).then_some(range), ..GetOptions::default() };
        let found = match self.store.get_opts(&key, options).await {
            Ok(found) => found,
            Err(error) => return self.explain(&name, first, error).await,
        };
        let size = found.range.end - found.range.start;
        let chunks = found
            .into_stream()
            .map_err(move |error| failed(Some(&name), &error))
            .map_ok(|block| stream::iter(split(block).map(Ok)))
            .try_flatten()
            .boxed();
        Ok(Reading { size, chunks })
    }

    async fn write(&self, name: String, body: Chunks) -> Result<(), ContainerError> {
        let key = self.key(&name)?;
        upload::write(&self.store, &key, Intake::new(body, self.object_bytes_max)).await
    }

    async fn list(&self, after: Option<String>) -> Result<NamePage, ContainerError> {
        name::check_after(after.as_deref())?;
        let options = PaginatedListOptions {
            offset: after.map(|after| format!("{}{after}", self.prefix)),
            max_keys: Some(PAGE_NAMES_MAX),
            ..PaginatedListOptions::default()
        };
        let prefix = Some(self.prefix.as_str()).filter(|prefix| !prefix.is_empty());
        let page = self.store.list_paginated(prefix, options).await.map_err(|error| failed(None, &error))?;
        let keys = page.result.objects.iter().map(|object| object.location.as_ref());
        let names = keys.filter_map(|key| key.strip_prefix(&self.prefix)).map(str::to_owned).collect();
        Ok(NamePage { names, more: page.page_token.is_some() })
    }

    async fn object(&self, name: String) -> Result<ObjectInfo, ContainerError> {
        let key = self.key(&name)?;
        let found = self.store.head(&key).await.map_err(|error| failed(Some(&name), &error))?;
        let created_at_s = u64::try_from(found.last_modified.timestamp()).unwrap_or(0);
        Ok(ObjectInfo { created_at_s, size: found.size })
    }

    async fn delete(&self, names: Vec<String>) -> Result<(), ContainerError> {
        let keys = names.iter().map(|name| self.key(name)).collect::<Result<Vec<_>, _>>()?;
        let mut deleted = self.store.delete_stream(stream::iter(keys.into_iter().map(Ok)).boxed());
        while let Some(result) = deleted.next().await {
            match result {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(failed(None, &error)),
            }
        }
        Ok(())
    }
}
