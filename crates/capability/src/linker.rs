//! The contents of the linker: everything that a guest can be given, the same for every component of a class.

mod own;
mod shared;

use crate::blobstore;
use crate::client;
use crate::command::names;
use crate::config;
use crate::host::Host;
use crate::keyvalue;
use crate::postgres;
use crate::reason;
use crate::sqlite;
use cumulet_engine::{Compiled, EngineClass, Engines};
use std::sync::OnceLock;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

/// Interfaces that the linker offers, by package and without version, in the order of WASI's own documents.
pub const OFFERED: [&str; 12] = [
    "spin:postgres",
    "spin:sqlite",
    "wasi:blobstore",
    "wasi:cli",
    "wasi:clocks",
    "wasi:config",
    "wasi:filesystem",
    "wasi:http",
    "wasi:io",
    "wasi:keyvalue",
    "wasi:random",
    "wasi:sockets",
];

/// The linkers of all classes, each filled once, when the first component of its class comes.
#[derive(Default)]
pub struct Linkers {
    plain: OnceLock<Filled>,
    concurrent: OnceLock<Filled>,
    large: OnceLock<Filled>,
}

/// The linkers of one class.
struct Filled {
    /// For a component that stands alone.
    alone: Linker<Host>,
    /// What the members of a composition share, and nothing that a grant stands behind. Filled for the first composition:
    /// a process that starts is waited for.
    shared: OnceLock<Linker<Host>>,
}

impl std::fmt::Debug for Linkers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Linkers").finish_non_exhaustive()
    }
}

impl Linkers {
    /// Fills the linker of a class before a component of it comes.
    ///
    /// # Errors
    /// When there can be no engine, or two interfaces clash, which a test would have shown.
    pub fn prepare(&self, engines: &Engines, class: EngineClass) -> wasmtime::Result<()> {
        self.of(engines.get(class)?, class).map(|_filled| ())
    }

    /// The linker for a component.
    ///
    /// # Errors
    /// When two interfaces clash, which a test would have shown.
    pub(crate) fn get(&self, compiled: &Compiled) -> wasmtime::Result<&Linker<Host>> {
        Ok(&self.of(compiled.component().engine(), compiled.class())?.alone)
    }

    /// A linker for one composition: what its members share, and each import that a grant stands behind under the name of
    /// its member. An import of a member that there is not, or of an interface that is not offered, is not in it.
    ///
    /// # Errors
    /// When two interfaces clash, which a test would have shown.
    pub(crate) fn composed(
        &self,
        class: EngineClass,
        component: &Component,
        members: usize,
    ) -> wasmtime::Result<Linker<Host>> {
        let mut linker = self.of(component.engine(), class)?.shared(class)?.clone();
        own::add_to_linker(&mut linker, component, members)?;
        Ok(linker)
    }

    fn of(&self, engine: &Engine, class: EngineClass) -> wasmtime::Result<&Filled> {
        let place = match class {
            EngineClass::Plain => &self.plain,
            EngineClass::Async => &self.concurrent,
            EngineClass::Large => &self.large,
        };
        if let Some(filled) = place.get() {
            return Ok(filled);
        }
        let filled = Filled { alone: fill_alone(engine, class)?, shared: OnceLock::new() };
        Ok(place.get_or_init(|| filled))
    }
}

impl Filled {
    fn shared(&self, class: EngineClass) -> wasmtime::Result<&Linker<Host>> {
        if let Some(shared) = self.shared.get() {
            return Ok(shared);
        }
        let mut shared = Linker::new(self.alone.engine());
        shared::add_to_linker(&mut shared, class)?;
        Ok(self.shared.get_or_init(|| shared))
    }
}

fn fill_alone(engine: &Engine, class: EngineClass) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    config::add_to_linker(&mut linker, Host::config_of::<0>)?;
    keyvalue::add_to_linker(&mut linker, Host::keyvalue_of::<0>)?;
    blobstore::add_to_linker(&mut linker, Host::blobstore_of::<0>)?;
    sqlite::add_to_linker(&mut linker, Host::sqlite_of::<0>)?;
    postgres::add_to_linker(&mut linker, Host::postgres_of::<0>)?;
    if class != EngineClass::Plain {
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    }
    linker.allow_shadowing(true);
    names::add_to_linker_02(&mut linker)?;
    reason::add_to_linker(&mut linker)?;
    if class != EngineClass::Plain {
        names::add_to_linker_03(&mut linker)?;
        client::add_to_linker(&mut linker)?;
    }
    linker.allow_shadowing(false);
    Ok(linker)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cumulet_engine::PoolSettings;

    #[test]
    fn a_composition_is_given_its_members_names_and_no_others() {
        let engines = Engines::new(PoolSettings { slots: 1, pagemap_scan: false, ..PoolSettings::default() });
        let linkers = Linkers::default();
        let environment = r#"(instance (export "get-arguments" (func (result (list string)))))"#;
        let keyvalue = r#"(instance (export "bucket" (type (sub resource))))"#;
        for (name, interface, is_there) in [
            ("member0:wasi-cli/environment@0.2.6", environment, true),
            ("member1:wasi-cli/environment@0.2.0", environment, true),
            ("member1:wasi-keyvalue/store@0.2.0-draft2", keyvalue, true),
            // Nobody sits there.
            ("member2:wasi-cli/environment@0.2.6", environment, false),
            ("member8:wasi-cli/environment@0.2.6", environment, false),
            // Nobody's own.
            ("wasi:cli/environment@0.2.6", environment, false),
            ("wasi:keyvalue/store@0.2.0-draft2", keyvalue, false),
            // Not what this host offers.
            ("member0:wasi-cli/environment@0.9.0", environment, false),
            ("member0:wasi-keyvalue/store@0.2.0-draft", keyvalue, false),
            ("member0:acme-cli/environment@0.2.6", environment, false),
        ] {
            for class in EngineClass::ALL {
                let text = format!(r#"(component (import "{name}" {interface}))"#);
                let component = Component::new(engines.get(class).unwrap(), text).unwrap();
                let linker = linkers.composed(class, &component, 2).unwrap();
                assert_eq!(linker.instantiate_pre(&component).is_ok(), is_there, "{name}, {}", class.label());
            }
        }
    }
}
