//! What all members of a composition import under one name: nothing that a grant decides about.
//!
//! The list is [`cumulet_spec::member`]'s. What a member asks for here is answered from the first member's surroundings:
//! its output goes where that one's goes, and clocks, randomness and handles are one for all.

use crate::client;
use crate::host::Host;
use crate::reason;
use cumulet_engine::EngineClass;
use wasmtime::Result;
use wasmtime::component::{HasData, Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView as _};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as _};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView as _};
use wasmtime_wasi::random::{WasiRandom, WasiRandomCtx};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView as _};
use wasmtime_wasi::{WasiCtxView, WasiView as _, p2, p3};
use wasmtime_wasi_http::{WasiHttp, WasiHttpView as _};

pub(super) fn add_to_linker(linker: &mut Linker<Host>, class: EngineClass) -> Result<()> {
    io_02(linker)?;
    cli_02(linker)?;
    rest_02(linker)?;
    if class != EngineClass::Plain {
        cli_03(linker)?;
        rest_03(linker)?;
    }
    linker.allow_shadowing(true);
    reason::add_to_linker(linker)?;
    if class != EngineClass::Plain {
        client::correct_types(linker)?;
    }
    linker.allow_shadowing(false);
    Ok(())
}

struct Handles;

impl HasData for Handles {
    type Data<'a> = &'a mut ResourceTable;
}

fn io_02(linker: &mut Linker<Host>) -> Result<()> {
    use wasmtime_wasi_io::bindings::wasi::io;
    io::error::add_to_linker::<Host, Handles>(linker, |host| host.ctx().table)?;
    io::poll::add_to_linker::<Host, Handles>(linker, |host| host.ctx().table)?;
    io::streams::add_to_linker::<Host, Handles>(linker, |host| host.ctx().table)
}

fn cli_02(linker: &mut Linker<Host>) -> Result<()> {
    use p2::bindings::cli;
    cli::exit::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::stdin::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::stdout::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::stderr::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::terminal_input::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::terminal_output::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::terminal_stdin::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::terminal_stdout::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::terminal_stderr::add_to_linker::<Host, WasiCli>(linker, Host::cli)
}

fn rest_02(linker: &mut Linker<Host>) -> Result<()> {
    use p2::bindings::{clocks, filesystem, random, sockets};
    clocks::wall_clock::add_to_linker::<Host, WasiClocks>(linker, Host::clocks)?;
    clocks::monotonic_clock::add_to_linker::<Host, WasiClocks>(linker, Host::clocks)?;
    filesystem::types::add_to_linker::<Host, WasiFilesystem>(linker, Host::filesystem)?;
    random::random::add_to_linker::<Host, WasiRandom>(linker, randomness)?;
    random::insecure::add_to_linker::<Host, WasiRandom>(linker, randomness)?;
    random::insecure_seed::add_to_linker::<Host, WasiRandom>(linker, randomness)?;
    sockets::network::add_to_linker::<Host, WasiSockets>(linker, &Default::default(), Host::sockets)?;
    let http = &Default::default();
    wasmtime_wasi_http::p2::bindings::http::types::add_to_linker::<Host, WasiHttp>(linker, http, Host::http)
}

fn cli_03(linker: &mut Linker<Host>) -> Result<()> {
    use p3::bindings::cli;
    cli::exit::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::stdin::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::stdout::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::stderr::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::terminal_input::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::terminal_output::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::terminal_stdin::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::terminal_stdout::add_to_linker::<Host, WasiCli>(linker, Host::cli)?;
    cli::terminal_stderr::add_to_linker::<Host, WasiCli>(linker, Host::cli)
}

fn rest_03(linker: &mut Linker<Host>) -> Result<()> {
    p3::clocks::add_to_linker(linker)?;
    p3::random::add_to_linker(linker)?;
    p3::bindings::filesystem::types::add_to_linker::<Host, WasiFilesystem>(linker, Host::filesystem)?;
    wasmtime_wasi_http::p3::bindings::http::types::add_to_linker::<Host, WasiHttp>(linker, Host::http)
}

fn randomness(host: &mut Host) -> &mut WasiRandomCtx {
    let WasiCtxView { ctx, .. } = host.ctx();
    ctx.random()
}
