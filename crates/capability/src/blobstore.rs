//! `wasi:blobstore`: containers that were granted by name.

mod container;
mod value;

use crate::stores::{GrantedStores, HasStores, Refusal, View};
use bindings::wasi::blobstore::{blobstore, container as container_interface, types};
use container::ContainerHandle;
use cumulet_provider::blobstore::{Container, ContainerError};
use std::sync::Arc;
use wasmtime::Result;
use wasmtime::component::{Linker, LinkerInstance, Resource};

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/blobstore",
        world: "imports",
        imports: {
            // What is in the host already is answered without a detour.
            "wasi:blobstore/container.[method]container.name": trappable,
            "wasi:blobstore/container.[drop]container": trappable,
            "wasi:blobstore/container.[drop]stream-object-names": trappable,
            "wasi:blobstore/types.[static]outgoing-value.new-outgoing-value": trappable,
            "wasi:blobstore/types.[drop]outgoing-value": trappable,
            "wasi:blobstore/types.[static]incoming-value.incoming-value-consume-async": trappable,
            "wasi:blobstore/types.[method]incoming-value.size": trappable,
            "wasi:blobstore/types.[drop]incoming-value": trappable,
            default: async | trappable,
        },
        with: {
            "wasi:io": wasmtime_wasi_io::bindings::wasi::io,
            "wasi:blobstore/container.container": super::container::ContainerHandle,
            "wasi:blobstore/container.stream-object-names": super::container::NamesHandle,
            "wasi:blobstore/types.outgoing-value": super::value::OutgoingValue,
            "wasi:blobstore/types.incoming-value": super::value::IncomingValue,
        },
    });
}

/// Offers the three interfaces.
pub(crate) fn add_to_linker<T: Send + 'static>(linker: &mut Linker<T>, view: fn(&mut T) -> View<'_>) -> Result<()> {
    blobstore::add_to_linker::<T, HasStores>(linker, view)?;
    container_interface::add_to_linker::<T, HasStores>(linker, view)?;
    types::add_to_linker::<T, HasStores>(linker, view)
}

/// Offers one of them under any name. One that there is not offers nothing.
pub(crate) fn add_to_instance<T: Send + 'static>(
    interface: &str,
    instance: &mut LinkerInstance<'_, T>,
    view: fn(&mut T) -> View<'_>,
) -> Result<()> {
    match interface {
        "blobstore" => blobstore::add_to_linker_instance::<T, HasStores>(instance, view),
        "container" => container_interface::add_to_linker_instance::<T, HasStores>(instance, view),
        "types" => types::add_to_linker_instance::<T, HasStores>(instance, view),
        _ => Ok(()),
    }
}

/// What a guest is told of a failure; what the backend says is for the operator.
fn told(error: ContainerError) -> String {
    if let ContainerError::Backend(cause) = &error {
        tracing::warn!(%cause, "a blob store failed");
        return "the blob store failed".to_owned();
    }
    error.to_string()
}

/// A granted container; the error is the guest's.
async fn granted(stores: &GrantedStores, name: &str) -> Result<Arc<dyn Container>, String> {
    stores.container(name).await.map_err(|refusal| match refusal {
        Refusal::Denied => format!("access denied: the container {name:?} is not granted"),
        Refusal::Closed(error) => {
            tracing::warn!(container = name, error = error.chain(), "a blob store cannot be opened");
            "the blob store cannot be opened".to_owned()
        }
    })
}

async fn copy(stores: &GrantedStores, from: &types::ObjectId, to: &types::ObjectId) -> Result<(), String> {
    let (source, target) = (granted(stores, &from.container).await?, granted(stores, &to.container).await?);
    let reading = source.read(from.object.clone(), 0, u64::MAX).await.map_err(told)?;
    target.write(to.object.clone(), reading.chunks).await.map_err(told)
}

impl View<'_> {
    async fn open(&mut self, name: String) -> Result<Result<Resource<ContainerHandle>, String>> {
        match granted(self.stores, &name).await {
            Ok(container) => Ok(Ok(self.table.push(ContainerHandle { name, container })?)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }
}

impl blobstore::Host for View<'_> {
    /// A granted container is always there, so that this makes none.
    async fn create_container(&mut self, name: String) -> Result<Result<Resource<ContainerHandle>, String>> {
        self.open(name).await
    }

    async fn get_container(&mut self, name: String) -> Result<Result<Resource<ContainerHandle>, String>> {
        self.open(name).await
    }

    async fn delete_container(&mut self, name: String) -> Result<Result<(), String>> {
        match granted(self.stores, &name).await {
            Ok(container) => Ok(container::clear(&*container).await.map_err(told)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    async fn container_exists(&mut self, name: String) -> Result<Result<bool, String>> {
        Ok(granted(self.stores, &name).await.map(|_container| true))
    }

    async fn copy_object(&mut self, from: types::ObjectId, to: types::ObjectId) -> Result<Result<(), String>> {
        Ok(copy(self.stores, &from, &to).await)
    }

    async fn move_object(&mut self, from: types::ObjectId, to: types::ObjectId) -> Result<Result<(), String>> {
        if (&from.container, &from.object) == (&to.container, &to.object) {
            return Ok(granted(self.stores, &from.container).await.map(|_container| ()));
        }
        if let Err(error) = copy(self.stores, &from, &to).await {
            return Ok(Err(error));
        }
        match granted(self.stores, &from.container).await {
            Ok(container) => Ok(container.delete(vec![from.object]).await.map_err(told)),
            Err(refusal) => Ok(Err(refusal)),
        }
    }
}
