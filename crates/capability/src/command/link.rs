//! The host functions that a command finds.

use crate::command::data::CommandData;
use crate::command::names;
use wasmtime::component::Linker as ComponentLinker;
use wasmtime::{Engine, Linker as ModuleLinker, Result};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi_config::WasiConfig;

/// The function that runs a command module.
pub(super) const START: &str = "_start";

/// Preview 1, for core modules.
pub(super) fn preview1(engine: &Engine) -> Result<ModuleLinker<CommandData>> {
    let mut linker = ModuleLinker::new(engine);
    wasmtime_wasi::p1::add_to_linker_async(&mut linker, CommandData::preview1)?;
    // The library's own refuses codes from 126 on, which C programs do use; a process can pass on 8 bits of them.
    linker.allow_shadowing(true);
    linker.func_wrap("wasi_snapshot_preview1", "proc_exit", |code: i32| -> Result<()> { Err(I32Exit(code).into()) })?;
    Ok(linker)
}

/// WASI 0.2 and 0.3 side by side, for components.
pub(super) fn components(engine: &Engine) -> Result<ComponentLinker<CommandData>> {
    let mut linker = ComponentLinker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
    wasmtime_wasi_config::add_to_linker(&mut linker, |data: &mut CommandData| WasiConfig::new(data.config()))?;
    linker.allow_shadowing(true);
    names::add_to_linker_02(&mut linker)?;
    crate::reason::add_to_linker(&mut linker)?;
    names::add_to_linker_03(&mut linker)?;
    crate::client::add_to_linker(&mut linker)?;
    linker.allow_shadowing(false);
    Ok(linker)
}
