//! `wasi:http/client` of WASI 0.3, put right where the engine's own departs from the interface: a request without a path
//! goes to `/`, a relative path may be set (though not sent), and a request that was never sent says so to the future that
//! stands for its transmission.

pub(crate) mod path;

use http::uri::PathAndQuery;
use std::marker::PhantomData;
use tokio::sync::oneshot;
use wasmtime::Result;
use wasmtime::component::{Accessor, HasData, Linker, LinkerInstance, Resource};
use wasmtime_wasi::TrappableError;
use wasmtime_wasi_http::p3::bindings::http::client::{self, HostWithStore};
use wasmtime_wasi_http::p3::bindings::http::types::ErrorCode;
use wasmtime_wasi_http::p3::{Request, Response};
use wasmtime_wasi_http::{Error, WasiHttp, WasiHttpCtxView, WasiHttpView};

/// The interface of requests, in the version that the engine implements.
const TYPES: &str = "wasi:http/types@0.3.0";

/// Leads from a store's data to what one guest's requests work on.
pub(crate) trait Getter<T>: Send + 'static {
    /// The view.
    fn get(data: &mut T) -> WasiHttpCtxView<'_>;
}

/// Replaces the engine's own client. The linker must allow shadowing.
pub(crate) fn add_to_linker<T: WasiHttpView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    client::add_to_linker::<T, Client<T, Own>>(linker, T::http)?;
    correct_types(linker)
}

/// Puts the paths of requests right. The linker must allow shadowing.
pub(crate) fn correct_types<T: WasiHttpView + 'static>(linker: &mut Linker<T>) -> Result<()> {
    let mut types = linker.instance(TYPES)?;
    types.func_wrap("[method]request.get-path-with-query", path::get::<T>)?;
    types.func_wrap("[method]request.set-path-with-query", path::set::<T>)
}

/// Offers the client under any name, for whomever `G` leads to.
pub(crate) fn add_to_instance<T: Send + 'static, G: Getter<T>>(instance: &mut LinkerInstance<'_, T>) -> Result<()> {
    client::add_to_linker_instance::<T, Client<T, G>>(instance, G::get)
}

/// The store's only guest.
struct Own;

impl<T: WasiHttpView> Getter<T> for Own {
    fn get(data: &mut T) -> WasiHttpCtxView<'_> {
        data.http()
    }
}

struct Client<T, G>(PhantomData<(T, G)>);

impl<T: Send + 'static, G: Getter<T>> HasData for Client<T, G> {
    type Data<'a> = WasiHttpCtxView<'a>;
}

impl<T: Send + 'static, G: Getter<T>> HostWithStore<T> for Client<T, G> {
    async fn send(
        accessor: &Accessor<T, Self>,
        request: Resource<Request>,
    ) -> Result<Resource<Response>, TrappableError<ErrorCode>> {
        send(&accessor.with_getter::<WasiHttp>(G::get), G::get, request).await
    }
}

async fn send<T: Send + 'static>(
    accessor: &Accessor<T, WasiHttp>,
    getter: fn(&mut T) -> WasiHttpCtxView<'_>,
    request: Resource<Request>,
) -> Result<Resource<Response>, TrappableError<ErrorCode>> {
    let (tell, outcome) = oneshot::channel();
    let request = watch(accessor, getter, (request, outcome))?;
    let sent = <WasiHttp as HostWithStore<T>>::send(accessor, request).await;
    let outcome = match &sent {
        Ok(_) => Ok(()),
        Err(error) => Err(error.downcast_ref().cloned().unwrap_or(ErrorCode::InternalError(None))),
    };
    // Whoever made the request may have dropped the other end.
    drop(tell.send(outcome));
    sent
}

/// The same request, whose transmission ends as `outcome` says.
fn watch<T: Send + 'static>(
    accessor: &Accessor<T, WasiHttp>,
    getter: fn(&mut T) -> WasiHttpCtxView<'_>,
    (request, outcome): (Resource<Request>, oneshot::Receiver<Result<(), ErrorCode>>),
) -> Result<Resource<Request>, TrappableError<ErrorCode>> {
    accessor.with(|mut access| {
        let mut request = access.get().table.delete(request).map_err(TrappableError::trap)?;
        let path = path::absolute(request.path_with_query.take());
        let is_sendable = path.is_some();
        request.path_with_query = path.or(Some(PathAndQuery::from_static("/")));
        let transmission = async {
            match outcome.await {
                Ok(outcome) => outcome.map_err(Error::from),
                // The call was given up before the request was on its way.
                Err(_) => Err(Error::ConnectionTerminated),
            }
        };
        let (mut request, options) = request.into_http_with_getter(&mut access, transmission, getter)?;
        if !is_sendable {
            return Err(ErrorCode::HttpRequestUriInvalid.into());
        }
        let WasiHttpCtxView { hooks, table, .. } = access.get();
        if hooks.set_host_header() {
            // It is set again where the request is sent.
            request.headers_mut().remove(http::header::HOST);
        }
        let (mut request, _) = Request::from_http(hooks, request);
        request.options = options;
        table.push(request).map_err(TrappableError::trap)
    })
}
