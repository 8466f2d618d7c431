//! Containers and the names in them.

use super::bindings::wasi::blobstore::container::{self, ContainerMetadata, ObjectMetadata};
use super::value::{IncomingValue, OutgoingValue};
use super::{View, told};
use crate::stores::Held;
use cumulet_provider::blobstore::{Container, ContainerError, PAGE_NAMES_MAX};
use std::collections::VecDeque;
use std::sync::Arc;
use wasmtime::Result;
use wasmtime::component::Resource;

/// An open container of a guest.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub struct ContainerHandle {
    pub(super) name: String,
    pub(super) container: Arc<dyn Container>,
}

/// A listing that is under way: a page in hand, and whether there is another.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub struct NamesHandle {
    container: Arc<dyn Container>,
    page: VecDeque<String>,
    /// The last name of the newest page.
    last: Option<String>,
    more: bool,
    _held: Held,
}

impl NamesHandle {
    /// At most `wanted` names, and whether those were the last ones.
    async fn next(&mut self, wanted: usize) -> Result<(Vec<String>, bool), ContainerError> {
        let mut names = Vec::new();
        loop {
            let take = (wanted - names.len()).min(self.page.len());
            names.extend(self.page.drain(..take));
            if !self.page.is_empty() || !self.more || names.len() == wanted {
                return Ok((names, self.page.is_empty() && !self.more));
            }
            let page = self.container.list(self.last.clone()).await?;
            self.last = page.names.last().cloned().or(self.last.take());
            self.more = page.more;
            self.page = page.names.into();
        }
    }
}

/// Removes every object that is there.
pub(super) async fn clear(container: &dyn Container) -> Result<(), ContainerError> {
    let mut last = None;
    loop {
        let page = container.list(last.take()).await?;
        last = page.names.last().cloned();
        if !page.names.is_empty() {
            container.delete(page.names).await?;
        }
        if !page.more {
            return Ok(());
        }
    }
}

impl View<'_> {
    fn container(&self, handle: &Resource<ContainerHandle>) -> Result<Arc<dyn Container>> {
        Ok(Arc::clone(&self.table.get(handle)?.container))
    }
}

impl container::Host for View<'_> {}

impl container::HostContainer for View<'_> {
    fn name(&mut self, handle: Resource<ContainerHandle>) -> Result<Result<String, String>> {
        Ok(Ok(self.table.get(&handle)?.name.clone()))
    }

    async fn info(&mut self, handle: Resource<ContainerHandle>) -> Result<Result<ContainerMetadata, String>> {
        let name = self.table.get(&handle)?.name.clone();
        let info = self.container(&handle)?.info().await;
        Ok(info.map(|info| ContainerMetadata { name, created_at: info.created_at_s }).map_err(told))
    }

    async fn get_data(
        &mut self,
        handle: Resource<ContainerHandle>,
        name: String,
        start: u64,
        end: u64,
    ) -> Result<Result<Resource<IncomingValue>, String>> {
        let held = self.stores.hold().await;
        match self.container(&handle)?.read(name, start, end).await {
            Ok(reading) => Ok(Ok(self.table.push(IncomingValue::new(reading, held))?)),
            Err(error) => Ok(Err(told(error))),
        }
    }

    async fn write_data(
        &mut self,
        handle: Resource<ContainerHandle>,
        name: String,
        data: Resource<OutgoingValue>,
    ) -> Result<Result<(), String>> {
        let container = self.container(&handle)?;
        Ok(self.table.get_mut(&data)?.send_to(container, name))
    }

    async fn list_objects(
        &mut self,
        handle: Resource<ContainerHandle>,
    ) -> Result<Result<Resource<NamesHandle>, String>> {
        let container = self.container(&handle)?;
        let held = self.stores.hold().await;
        let names = NamesHandle { container, page: VecDeque::new(), last: None, more: true, _held: held };
        Ok(Ok(self.table.push(names)?))
    }

    async fn delete_object(&mut self, handle: Resource<ContainerHandle>, name: String) -> Result<Result<(), String>> {
        Ok(self.container(&handle)?.delete(vec![name]).await.map_err(told))
    }

    async fn delete_objects(
        &mut self,
        handle: Resource<ContainerHandle>,
        names: Vec<String>,
    ) -> Result<Result<(), String>> {
        if names.len() > PAGE_NAMES_MAX {
            return Ok(Err(format!("at most {PAGE_NAMES_MAX} objects are removed in one call")));
        }
        Ok(self.container(&handle)?.delete(names).await.map_err(told))
    }

    async fn has_object(&mut self, handle: Resource<ContainerHandle>, name: String) -> Result<Result<bool, String>> {
        match self.container(&handle)?.object(name).await {
            Ok(_object) => Ok(Ok(true)),
            Err(ContainerError::Missing(_)) => Ok(Ok(false)),
            Err(error) => Ok(Err(told(error))),
        }
    }

    async fn object_info(
        &mut self,
        handle: Resource<ContainerHandle>,
        name: String,
    ) -> Result<Result<ObjectMetadata, String>> {
        let container = self.table.get(&handle)?.name.clone();
        let object = self.container(&handle)?.object(name.clone()).await;
        let shown = |object: cumulet_provider::blobstore::ObjectInfo| ObjectMetadata {
            name,
            container,
            created_at: object.created_at_s,
            size: object.size,
        };
        Ok(object.map(shown).map_err(told))
    }

    async fn clear(&mut self, handle: Resource<ContainerHandle>) -> Result<Result<(), String>> {
        Ok(clear(&*self.container(&handle)?).await.map_err(told))
    }

    fn drop(&mut self, handle: Resource<ContainerHandle>) -> Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}

impl container::HostStreamObjectNames for View<'_> {
    async fn read_stream_object_names(
        &mut self,
        names: Resource<NamesHandle>,
        wanted: u64,
    ) -> Result<Result<(Vec<String>, bool), String>> {
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX).min(PAGE_NAMES_MAX);
        Ok(self.table.get_mut(&names)?.next(wanted).await.map_err(told))
    }

    async fn skip_stream_object_names(
        &mut self,
        names: Resource<NamesHandle>,
        wanted: u64,
    ) -> Result<Result<(u64, bool), String>> {
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX).min(PAGE_NAMES_MAX);
        let passed = self.table.get_mut(&names)?.next(wanted).await;
        Ok(passed.map(|(names, is_end)| (names.len() as u64, is_end)).map_err(told))
    }

    fn drop(&mut self, names: Resource<NamesHandle>) -> Result<()> {
        self.table.delete(names)?;
        Ok(())
    }
}
