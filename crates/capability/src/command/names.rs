//! Name lookup: only of names that were granted.

use std::marker::PhantomData;
use wasmtime::component::{Accessor, HasData, Linker, LinkerInstance, Resource};
use wasmtime::{Error, Result};
use wasmtime_wasi::p2::bindings::sockets::ip_name_lookup as p2;
use wasmtime_wasi::p2::bindings::sockets::network::{self, ErrorCode, IpAddress, Network};
use wasmtime_wasi::p2::{DynPollable, SocketError};
use wasmtime_wasi::p3::bindings::sockets::ip_name_lookup as p3;
use wasmtime_wasi::p3::bindings::sockets::types::IpAddress as IpAddress03;
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsCtxView};

/// Store data whose guest may look up some names.
pub(crate) trait LookupView: Send + 'static {
    /// Whether the guest may look up this name.
    fn may_look_up(&mut self, name: &str) -> bool;

    /// Sockets on which name lookup is switched on; used for names that the guest may look up.
    fn lookup(&mut self) -> WasiSocketsCtxView<'_>;
}

/// Replaces name lookup of WASI 0.2. The linker must allow shadowing.
pub(crate) fn add_to_linker_02<T: LookupView>(linker: &mut Linker<T>) -> Result<()> {
    p2::add_to_linker::<T, Names<T>>(linker, own_names)
}

/// Replaces name lookup of WASI 0.3. The linker must allow shadowing.
pub(crate) fn add_to_linker_03<T: LookupView>(linker: &mut Linker<T>) -> Result<()> {
    p3::add_to_linker::<T, Names<T>>(linker, own_names)
}

/// Offers name lookup of WASI 0.2 under any name, for whomever `view` leads to.
pub(crate) fn add_to_instance_02<T: Send + 'static>(
    instance: &mut LinkerInstance<'_, T>,
    view: fn(&mut T) -> NamesView<'_, T>,
) -> Result<()> {
    p2::add_to_linker_instance::<T, Names<T>>(instance, view)
}

/// Offers name lookup of WASI 0.3 under any name, for whomever `view` leads to.
pub(crate) fn add_to_instance_03<T: Send + 'static>(
    instance: &mut LinkerInstance<'_, T>,
    view: fn(&mut T) -> NamesView<'_, T>,
) -> Result<()> {
    p3::add_to_linker_instance::<T, Names<T>>(instance, view)
}

fn own_names<T: LookupView>(data: &mut T) -> NamesView<'_, T> {
    NamesView { data, may_look_up: T::may_look_up, lookup: T::lookup }
}

struct Names<T>(PhantomData<T>);

impl<T: Send + 'static> HasData for Names<T> {
    type Data<'a> = NamesView<'a, T>;
}

/// What name lookup works on.
pub(crate) struct NamesView<'a, T> {
    pub(crate) data: &'a mut T,
    /// Whether whoever asks may look up a name.
    pub(crate) may_look_up: fn(&mut T, &str) -> bool,
    /// Leads to sockets on which name lookup is switched on.
    pub(crate) lookup: fn(&mut T) -> WasiSocketsCtxView<'_>,
}

impl<T> NamesView<'_, T> {
    fn may_look_up(&mut self, name: &str) -> bool {
        (self.may_look_up)(self.data, name)
    }

    fn lookup(&mut self) -> WasiSocketsCtxView<'_> {
        (self.lookup)(self.data)
    }
}

// The generated linker function wants the neighbouring interface of the same type, for its error codes.
impl<T: Send + 'static> network::Host for NamesView<'_, T> {
    fn convert_error_code(&mut self, error: SocketError) -> Result<ErrorCode> {
        error.downcast()
    }

    fn network_error_code(&mut self, error: Resource<Error>) -> Result<Option<ErrorCode>> {
        network::Host::network_error_code(&mut self.lookup(), error)
    }
}

impl<T: Send + 'static> network::HostNetwork for NamesView<'_, T> {
    fn drop(&mut self, network: Resource<Network>) -> Result<()> {
        network::HostNetwork::drop(&mut self.lookup(), network)
    }
}

impl<T: Send + 'static> p2::Host for NamesView<'_, T> {
    fn resolve_addresses(
        &mut self,
        network: Resource<Network>,
        name: String,
    ) -> Result<Resource<p2::ResolveAddressStream>, SocketError> {
        if !self.may_look_up(&name) {
            return Err(ErrorCode::AccessDenied.into());
        }
        p2::Host::resolve_addresses(&mut self.lookup(), network, name)
    }
}

impl<T: Send + 'static> p2::HostResolveAddressStream for NamesView<'_, T> {
    fn resolve_next_address(
        &mut self,
        stream: Resource<p2::ResolveAddressStream>,
    ) -> Result<Option<IpAddress>, SocketError> {
        p2::HostResolveAddressStream::resolve_next_address(&mut self.lookup(), stream)
    }

    fn subscribe(&mut self, stream: Resource<p2::ResolveAddressStream>) -> Result<Resource<DynPollable>> {
        p2::HostResolveAddressStream::subscribe(&mut self.lookup(), stream)
    }

    fn drop(&mut self, stream: Resource<p2::ResolveAddressStream>) -> Result<()> {
        p2::HostResolveAddressStream::drop(&mut self.lookup(), stream)
    }
}

impl<T: Send + 'static> p3::Host for NamesView<'_, T> {}

impl<T: Send + 'static> p3::HostWithStore<T> for Names<T> {
    async fn resolve_addresses(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> Result<Result<Vec<IpAddress03>, p3::ErrorCode>> {
        let (may_look_up, lookup) = accessor.with(|mut access| {
            let mut view = access.get();
            (view.may_look_up(&name), view.lookup)
        });
        if !may_look_up {
            return Ok(Err(p3::ErrorCode::AccessDenied));
        }
        let sockets = accessor.with_getter::<WasiSockets>(lookup);
        <WasiSockets as p3::HostWithStore<T>>::resolve_addresses(&sockets, name).await
    }
}
