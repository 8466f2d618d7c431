//! `wasi:keyvalue`: buckets that were granted by name.

use crate::stores::{HasStores, Held, Refusal, View};
use bindings::wasi::keyvalue::{atomics, batch, store};
use bytes::Bytes;
use cumulet_provider::keyvalue::{Bucket, BucketError, Snapshot, Swap};
use std::sync::Arc;
use wasmtime::Result;
use wasmtime::component::{Linker, LinkerInstance, Resource};

#[expect(clippy::error_impl_error, reason = "the name is the interface's own")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/keyvalue",
        world: "imports",
        imports: {
            // What is in the host already is answered without a detour.
            "wasi:keyvalue/atomics.[method]cas.current": trappable,
            "wasi:keyvalue/atomics.[drop]cas": trappable,
            "wasi:keyvalue/store.[drop]bucket": trappable,
            default: async | trappable,
        },
        with: {
            "wasi:keyvalue/store.bucket": super::BucketHandle,
            "wasi:keyvalue/atomics.cas": super::CasHandle,
        },
    });
}

/// An open bucket of a guest.
#[derive(Clone, Debug)]
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub struct BucketHandle(Arc<dyn Bucket>);

/// A compare-and-swap of a guest that is under way.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub struct CasHandle {
    bucket: Arc<dyn Bucket>,
    key: String,
    seen: Snapshot,
    _held: Held,
}

/// Offers the three interfaces.
pub(crate) fn add_to_linker<T: Send + 'static>(linker: &mut Linker<T>, view: fn(&mut T) -> View<'_>) -> Result<()> {
    store::add_to_linker::<T, HasStores>(linker, view)?;
    atomics::add_to_linker::<T, HasStores>(linker, view)?;
    batch::add_to_linker::<T, HasStores>(linker, view)
}

/// Offers one of them under any name. One that there is not offers nothing.
pub(crate) fn add_to_instance<T: Send + 'static>(
    interface: &str,
    instance: &mut LinkerInstance<'_, T>,
    view: fn(&mut T) -> View<'_>,
) -> Result<()> {
    match interface {
        "store" => store::add_to_linker_instance::<T, HasStores>(instance, view),
        "atomics" => atomics::add_to_linker_instance::<T, HasStores>(instance, view),
        "batch" => batch::add_to_linker_instance::<T, HasStores>(instance, view),
        _ => Ok(()),
    }
}

impl View<'_> {
    fn bucket(&self, bucket: &Resource<BucketHandle>) -> Result<Arc<dyn Bucket>> {
        Ok(Arc::clone(&self.table.get(bucket)?.0))
    }
}

fn told(error: BucketError) -> store::Error {
    if let BucketError::Backend(cause) = &error {
        tracing::warn!(%cause, "a key-value store failed");
        // What the backend says is for the operator.
        return store::Error::Other("the store failed".to_owned());
    }
    store::Error::Other(error.to_string())
}

impl store::Host for View<'_> {
    async fn open(&mut self, identifier: String) -> Result<Result<Resource<BucketHandle>, store::Error>> {
        match self.stores.bucket(&identifier).await {
            Ok(bucket) => Ok(Ok(self.table.push(BucketHandle(bucket))?)),
            Err(Refusal::Denied) => Ok(Err(store::Error::AccessDenied)),
            Err(Refusal::Closed(error)) => {
                tracing::warn!(bucket = identifier, error = error.chain(), "a key-value store cannot be opened");
                Ok(Err(store::Error::Other("the store cannot be opened".to_owned())))
            }
        }
    }
}

impl store::HostBucket for View<'_> {
    async fn get(
        &mut self,
        bucket: Resource<BucketHandle>,
        key: String,
    ) -> Result<Result<Option<Vec<u8>>, store::Error>> {
        let found = self.bucket(&bucket)?.get(key).await;
        Ok(found.map(|value| value.map(Vec::from)).map_err(told))
    }

    async fn set(
        &mut self,
        bucket: Resource<BucketHandle>,
        key: String,
        value: Vec<u8>,
    ) -> Result<Result<(), store::Error>> {
        Ok(self.bucket(&bucket)?.set(key, Bytes::from(value)).await.map_err(told))
    }

    async fn delete(&mut self, bucket: Resource<BucketHandle>, key: String) -> Result<Result<(), store::Error>> {
        Ok(self.bucket(&bucket)?.delete(key).await.map_err(told))
    }

    async fn exists(&mut self, bucket: Resource<BucketHandle>, key: String) -> Result<Result<bool, store::Error>> {
        Ok(self.bucket(&bucket)?.exists(key).await.map_err(told))
    }

    async fn list_keys(
        &mut self,
        bucket: Resource<BucketHandle>,
        cursor: Option<String>,
    ) -> Result<Result<store::KeyResponse, store::Error>> {
        let page = self.bucket(&bucket)?.list_keys(cursor).await;
        Ok(page.map(|page| store::KeyResponse { keys: page.keys, cursor: page.cursor }).map_err(told))
    }

    fn drop(&mut self, bucket: Resource<BucketHandle>) -> Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl atomics::Host for View<'_> {
    async fn increment(
        &mut self,
        bucket: Resource<BucketHandle>,
        key: String,
        delta: i64,
    ) -> Result<Result<i64, store::Error>> {
        Ok(self.bucket(&bucket)?.increment(key, delta).await.map_err(told))
    }

    async fn swap(&mut self, cas: Resource<CasHandle>, value: Vec<u8>) -> Result<Result<(), atomics::CasError>> {
        let CasHandle { bucket, key, seen, _held } = self.table.delete(cas)?;
        match bucket.swap(key.clone(), seen, Bytes::from(value)).await {
            Ok(Swap::Done) => Ok(Ok(())),
            Ok(Swap::Changed(seen)) => {
                let again = self.table.push(CasHandle { bucket, key, seen, _held })?;
                Ok(Err(atomics::CasError::CasFailed(again)))
            }
            Err(error) => Ok(Err(atomics::CasError::StoreError(told(error)))),
        }
    }
}

impl atomics::HostCas for View<'_> {
    async fn new(
        &mut self,
        bucket: Resource<BucketHandle>,
        key: String,
    ) -> Result<Result<Resource<CasHandle>, store::Error>> {
        let bucket = self.bucket(&bucket)?;
        let held = self.stores.hold().await;
        match bucket.read(key.clone()).await {
            Ok(seen) => Ok(Ok(self.table.push(CasHandle { bucket, key, seen, _held: held })?)),
            Err(error) => Ok(Err(told(error))),
        }
    }

    fn current(&mut self, cas: Resource<CasHandle>) -> Result<Result<Option<Vec<u8>>, store::Error>> {
        Ok(Ok(self.table.get(&cas)?.seen.value.as_ref().map(|value| value.to_vec())))
    }

    fn drop(&mut self, cas: Resource<CasHandle>) -> Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}

impl batch::Host for View<'_> {
    async fn get_many(
        &mut self,
        bucket: Resource<BucketHandle>,
        keys: Vec<String>,
    ) -> Result<Result<Vec<Option<(String, Vec<u8>)>>, store::Error>> {
        let found = self.bucket(&bucket)?.get_many(keys.clone()).await;
        let pair = |(key, value): (String, Option<Bytes>)| value.map(|value| (key, Vec::from(value)));
        Ok(found.map(|values| keys.into_iter().zip(values).map(pair).collect()).map_err(told))
    }

    async fn set_many(
        &mut self,
        bucket: Resource<BucketHandle>,
        pairs: Vec<(String, Vec<u8>)>,
    ) -> Result<Result<(), store::Error>> {
        let pairs = pairs.into_iter().map(|(key, value)| (key, Bytes::from(value))).collect();
        Ok(self.bucket(&bucket)?.set_many(pairs).await.map_err(told))
    }

    async fn delete_many(
        &mut self,
        bucket: Resource<BucketHandle>,
        keys: Vec<String>,
    ) -> Result<Result<(), store::Error>> {
        Ok(self.bucket(&bucket)?.delete_many(keys).await.map_err(told))
    }
}
