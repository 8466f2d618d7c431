//! What each member of a composition imports under a name of its own: everything that its grants decide about.
//!
//! A name that stands for no member, or for nothing that is offered, is left out, and the composition does not link.
//! Such a name is compatible with no other: the engine's search for another version never leads to another member.

use crate::client;
use crate::command::names::{self, NamesView};
use crate::host::Host;
use crate::{blobstore, config, keyvalue, postgres, sqlite, stores};
use cumulet_spec::member::{MEMBERS_MAX, MemberImport};
use wasmtime::Result;
use wasmtime::component::{Component, Linker, LinkerInstance};
use wasmtime_wasi::cli::{WasiCli, WasiCliCtxView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemCtxView};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsCtxView};
use wasmtime_wasi::{p2, p3};
use wasmtime_wasi_http::{WasiHttp, WasiHttpCtxView};

/// How the host finds what belongs to one member.
struct Getters {
    cli: fn(&mut Host) -> WasiCliCtxView<'_>,
    filesystem: fn(&mut Host) -> WasiFilesystemCtxView<'_>,
    sockets: fn(&mut Host) -> WasiSocketsCtxView<'_>,
    names: fn(&mut Host) -> NamesView<'_, Host>,
    http: fn(&mut Host) -> WasiHttpCtxView<'_>,
    client: fn(&mut LinkerInstance<'_, Host>) -> Result<()>,
    config: fn(&mut Host) -> config::View<'_>,
    keyvalue: fn(&mut Host) -> stores::View<'_>,
    blobstore: fn(&mut Host) -> stores::View<'_>,
    sqlite: fn(&mut Host) -> stores::View<'_>,
    postgres: fn(&mut Host) -> stores::View<'_>,
}

/// The linker takes plain functions, which carry nothing: so there is one of each for every place.
const GETTERS: [Getters; MEMBERS_MAX] =
    [of::<0>(), of::<1>(), of::<2>(), of::<3>(), of::<4>(), of::<5>(), of::<6>(), of::<7>()];

const fn of<const MEMBER: usize>() -> Getters {
    Getters {
        cli: Host::cli_of::<MEMBER>,
        filesystem: Host::filesystem_of::<MEMBER>,
        sockets: Host::sockets_of::<MEMBER>,
        names: names_of::<MEMBER>,
        http: Host::http_of::<MEMBER>,
        client: client::add_to_instance::<Host, Member<MEMBER>>,
        config: Host::config_of::<MEMBER>,
        keyvalue: Host::keyvalue_of::<MEMBER>,
        blobstore: Host::blobstore_of::<MEMBER>,
        sqlite: Host::sqlite_of::<MEMBER>,
        postgres: Host::postgres_of::<MEMBER>,
    }
}

fn names_of<const MEMBER: usize>(host: &mut Host) -> NamesView<'_, Host> {
    NamesView { data: host, may_look_up: Host::may_look_up_of::<MEMBER>, lookup: Host::lookup_of::<MEMBER> }
}

/// Leads to one member.
struct Member<const MEMBER: usize>;

impl<const MEMBER: usize> client::Getter<Host> for Member<MEMBER> {
    fn get(host: &mut Host) -> WasiHttpCtxView<'_> {
        host.http_of::<MEMBER>()
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<Host>, component: &Component, members: usize) -> Result<()> {
    let engine = linker.engine().clone();
    let world = component.component_type();
    for (name, _) in world.imports(&engine) {
        let Some(import) = MemberImport::parse(name) else { continue };
        let Some(getters) = GETTERS.get(import.member).filter(|_| import.member < members) else { continue };
        let package = format!("{}:{}", import.namespace, import.package);
        match (package.as_str(), import.version) {
            ("wasi:config", "0.2.0-rc.1") if import.interface == "store" => {
                config::add_to_instance(&mut linker.instance(name)?, getters.config)?;
            }
            ("wasi:keyvalue", "0.2.0-draft2") => {
                keyvalue::add_to_instance(import.interface, &mut linker.instance(name)?, getters.keyvalue)?;
            }
            ("wasi:blobstore", "0.2.0-draft") => {
                blobstore::add_to_instance(import.interface, &mut linker.instance(name)?, getters.blobstore)?;
            }
            ("spin:sqlite", "3.0.0") if import.interface == "sqlite" => {
                sqlite::add_to_instance(&mut linker.instance(name)?, getters.sqlite)?;
            }
            ("spin:postgres", "4.0.0") if import.interface == "postgres" => {
                postgres::add_to_instance(&mut linker.instance(name)?, getters.postgres)?;
            }
            (package, version) if is_release(version, "0.2.") => {
                add_02((package, import.interface), &mut linker.instance(name)?, getters)?;
            }
            (package, version) if is_release(version, "0.3.") => {
                add_03((package, import.interface), &mut linker.instance(name)?, getters)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether a version is a release of a track, such as `0.2.6`; nothing before or after the number of its patch.
fn is_release(version: &str, track: &str) -> bool {
    let patch = version.strip_prefix(track);
    patch.is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}

fn add_02(interface: (&str, &str), instance: &mut LinkerInstance<'_, Host>, getters: &Getters) -> Result<()> {
    use p2::bindings::{cli, filesystem, sockets};
    use wasmtime_wasi_http::p2::bindings::http;
    match interface {
        ("wasi:cli", "environment") => cli::environment::add_to_linker_instance::<Host, WasiCli>(instance, getters.cli),
        ("wasi:filesystem", "preopens") => {
            filesystem::preopens::add_to_linker_instance::<Host, WasiFilesystem>(instance, getters.filesystem)
        }
        ("wasi:http", "outgoing-handler") => {
            http::outgoing_handler::add_to_linker_instance::<Host, WasiHttp>(instance, getters.http)
        }
        ("wasi:sockets", "instance-network") => {
            sockets::instance_network::add_to_linker_instance::<Host, WasiSockets>(instance, getters.sockets)
        }
        ("wasi:sockets", "ip-name-lookup") => names::add_to_instance_02(instance, getters.names),
        ("wasi:sockets", "tcp") => sockets::tcp::add_to_linker_instance::<Host, WasiSockets>(instance, getters.sockets),
        ("wasi:sockets", "tcp-create-socket") => {
            sockets::tcp_create_socket::add_to_linker_instance::<Host, WasiSockets>(instance, getters.sockets)
        }
        ("wasi:sockets", "udp") => sockets::udp::add_to_linker_instance::<Host, WasiSockets>(instance, getters.sockets),
        ("wasi:sockets", "udp-create-socket") => {
            sockets::udp_create_socket::add_to_linker_instance::<Host, WasiSockets>(instance, getters.sockets)
        }
        _ => Ok(()),
    }
}

fn add_03(interface: (&str, &str), instance: &mut LinkerInstance<'_, Host>, getters: &Getters) -> Result<()> {
    use p3::bindings::{cli, filesystem, sockets};
    match interface {
        ("wasi:cli", "environment") => cli::environment::add_to_linker_instance::<Host, WasiCli>(instance, getters.cli),
        ("wasi:filesystem", "preopens") => {
            filesystem::preopens::add_to_linker_instance::<Host, WasiFilesystem>(instance, getters.filesystem)
        }
        ("wasi:http", "client") => (getters.client)(instance),
        ("wasi:sockets", "ip-name-lookup") => names::add_to_instance_03(instance, getters.names),
        ("wasi:sockets", "types") => {
            sockets::types::add_to_linker_instance::<Host, WasiSockets>(instance, getters.sockets)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_releases_are_compatible() {
        for (version, expect) in [
            ("0.2.0", true),
            ("0.2.12", true),
            ("0.2.", false),
            ("0.2.1-rc", false),
            ("0.2.1+a", false),
            ("0.20.1", false),
        ] {
            assert_eq!(is_release(version, "0.2."), expect, "{version}");
        }
    }
}
