//! `wasi:config`: values and secrets that were granted by key.

use crate::values::Values;
use crate::witness::{Witness, note};
use bindings::wasi::config::store;
use cumulet_spec::grant::Capability;
use wasmtime::Result;
use wasmtime::component::{HasData, Linker, LinkerInstance};

#[expect(clippy::error_impl_error, reason = "the name is the interface's own")]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit/config",
        world: "imports",
        imports: { default: trappable },
    });
}

/// What the interface works on.
pub(crate) struct View<'a> {
    pub(crate) values: &'a Values,
    pub(crate) witness: Option<&'a Witness>,
}

struct Config;

impl HasData for Config {
    type Data<'a> = View<'a>;
}

/// Offers the interface.
pub(crate) fn add_to_linker<T: 'static>(linker: &mut Linker<T>, view: fn(&mut T) -> View<'_>) -> Result<()> {
    store::add_to_linker::<T, Config>(linker, view)
}

/// Offers it under any name.
pub(crate) fn add_to_instance<T: 'static>(
    instance: &mut LinkerInstance<'_, T>,
    view: fn(&mut T) -> View<'_>,
) -> Result<()> {
    store::add_to_linker_instance::<T, Config>(instance, view)
}

impl store::Host for View<'_> {
    fn get(&mut self, key: String) -> Result<Result<Option<String>, store::Error>> {
        if let Some(secret) = self.values.secret(&key) {
            note(self.witness, Capability::Secret, &key, true);
            return Ok(Ok(Some(secret.to_owned())));
        }
        let value = self.values.get(&key);
        note(self.witness, Capability::Config, &key, value.is_some());
        Ok(Ok(value))
    }

    /// Secrets are not among them: who lists everything probably prints it.
    fn get_all(&mut self) -> Result<Result<Vec<(String, String)>, store::Error>> {
        Ok(Ok(self.values.all()))
    }
}
