//! What an instance holds, read through the functions that were added to it.

use crate::limiter::MemoryLimiter;
use std::collections::HashMap;
use wasmtime::component::{Instance, Lift, WasmList};
use wasmtime::{Store, error::Context as _};
use wasmtime_wizer::ComponentInstanceState;

/// An initialised instance that is read.
///
/// The reader has no way to hear of a failure: it is kept, and what was read is of no use then.
pub(super) struct State {
    store: Store<MemoryLimiter>,
    instance: Instance,
    /// What was read of memories. Each is asked for twice, and reading grows it.
    memories: HashMap<String, Vec<u8>>,
    failure: Option<wasmtime::Error>,
}

impl State {
    pub(super) fn new(store: Store<MemoryLimiter>, instance: Instance) -> Self {
        Self { store, instance, memories: HashMap::new(), failure: None }
    }

    /// Why it could not be read, if it could not.
    pub(super) fn failure(&self) -> Option<String> {
        self.failure.as_ref().map(|error| format!("its state cannot be read: {}", error.root_cause()))
    }

    /// Calls a function, or gives what stands for nothing.
    async fn call<R: Lift + Send + Sync + 'static, T: Default>(
        &mut self,
        (instance, function): (&str, &str),
        use_result: impl FnOnce(&Store<MemoryLimiter>, R) -> T + Send,
    ) -> T {
        match self.try_call(instance, function).await {
            Ok(result) => use_result(&self.store, result),
            Err(error) => {
                self.failure.get_or_insert(error);
                T::default()
            }
        }
    }

    async fn try_call<R: Lift + Send + Sync + 'static>(
        &mut self,
        instance: &str,
        function: &str,
    ) -> wasmtime::Result<R> {
        let Self { store, instance: own, .. } = self;
        let outer = own.get_export_index(&mut *store, None, instance).context("it lost its readers")?;
        let index = own.get_export_index(&mut *store, Some(&outer), function).context("it lost a reader")?;
        let function = own.get_typed_func::<(), (R,)>(&mut *store, index)?;
        Ok(function.call_async(&mut *store, ()).await?.0)
    }
}

impl ComponentInstanceState for State {
    async fn call_func_ret_list_u8(&mut self, instance: &str, func: &str, contents: impl FnOnce(&[u8]) + Send) {
        if !self.memories.contains_key(func) {
            let read = |store: &Store<MemoryLimiter>, list: WasmList<u8>| list.as_le_slice(store).to_vec();
            let memory = self.call((instance, func), read).await;
            self.memories.insert(func.to_owned(), memory);
        }
        contents(self.memories.get(func).map_or(&[], Vec::as_slice));
    }

    async fn call_func_ret_s32(&mut self, instance: &str, func: &str) -> i32 {
        self.call((instance, func), |_store, value| value).await
    }

    async fn call_func_ret_s64(&mut self, instance: &str, func: &str) -> i64 {
        self.call((instance, func), |_store, value| value).await
    }

    async fn call_func_ret_f32(&mut self, instance: &str, func: &str) -> u32 {
        self.call((instance, func), |_store, value: f32| value.to_bits()).await
    }

    async fn call_func_ret_f64(&mut self, instance: &str, func: &str) -> u64 {
        self.call((instance, func), |_store, value: f64| value.to_bits()).await
    }
}
