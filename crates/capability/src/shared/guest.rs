//! The guest of a shared instance: lets invocations in as they come, and runs them side by side.

use crate::exchange::{Exchange, GuestBody, GuestEnd};
use crate::host::Host;
use crate::instance::{answered_with_an_error, request_p3};
use crate::occupant::Occupant;
use crate::shared::floor::{Floor, Newcomer};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use wasmtime::Store;
use wasmtime::component::Accessor;
use wasmtime_wasi_http::{Error, p3};

/// What becomes of a request's body.
type Received = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// Lets invocations in as they come, and runs them.
pub(super) async fn run(
    service: p3::bindings::ServicePre<Host>,
    mut store: Store<Host>,
    mut occupant: Occupant,
    floor: Arc<Mutex<Floor>>,
) -> wasmtime::Result<Infallible> {
    let guest = service.instantiate_async(&mut store).await?;
    let handle = *guest.wasi_http_handler().func_handle().func();
    let serve = async |accessor: &Accessor<Host>| {
        let mut calls = FuturesUnordered::new();
        let turn = poll_fn(|context| {
            loop {
                match calls.poll_next_unpin(context) {
                    Poll::Ready(Some(Ok(()))) => continue,
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(error),
                    Poll::Ready(None) | Poll::Pending => {}
                }
                if accessor.poll_ready_for_concurrent_call(handle, context).is_pending() {
                    return Poll::Pending;
                }
                let mut at_the_door = floor.lock();
                let Some(newcomer) = at_the_door.door.pop_front() else {
                    at_the_door.doorkeeper = Some(context.waker().clone());
                    return Poll::Pending;
                };
                drop(at_the_door);
                occupant.follow(&newcomer.exchange, newcomer.id);
                accessor.with(|mut access| access.data_mut().receive(&occupant));
                calls.push(call(accessor, &guest, newcomer, &floor));
            }
        });
        turn.await
    };
    Err(store.run_concurrent(serve).await?)
}

async fn call(
    accessor: &Accessor<Host>,
    guest: &p3::bindings::Service,
    newcomer: Newcomer,
    floor: &Arc<Mutex<Floor>>,
) -> wasmtime::Result<()> {
    let Newcomer { exchange, request, .. } = newcomer;
    let (request, received) = accessor.with(|mut access| {
        let (request, received) = request_p3(access.data_mut(), request);
        // Its type names the borrow, which its value does not hold.
        (request, Box::pin(received) as Received)
    });
    match guest.handle(accessor, request).await? {
        Ok(response) => {
            let response = accessor.with(|access| response.into_http(access, received))?;
            exchange.answer(Ok(response.map(|body| Watched::of(body, &exchange, floor))));
        }
        Err(code) => {
            exchange.answer(Err(answered_with_an_error(&code)));
            exchange.close(GuestEnd::Finished);
            floor.lock().wake(&exchange);
        }
    }
    Ok(())
}

/// A response body with whose end the invocation ends: the instance goes on.
struct Watched {
    body: GuestBody,
    exchange: Arc<Exchange>,
    floor: Arc<Mutex<Floor>>,
}

impl Watched {
    fn of(body: GuestBody, exchange: &Arc<Exchange>, floor: &Arc<Mutex<Floor>>) -> GuestBody {
        let watched = Self { body, exchange: Arc::clone(exchange), floor: Arc::clone(floor) };
        watched.boxed_unsync()
    }

    fn ends(&self) {
        self.exchange.close(GuestEnd::Finished);
        self.floor.lock().wake(&self.exchange);
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let poll = Pin::new(&mut self.body).poll_frame(context);
        if matches!(poll, Poll::Ready(None)) {
            self.ends();
        }
        poll
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    /// A body that nobody asks for to its end: its head said that there was none, or its client left.
    fn drop(&mut self) {
        self.ends();
    }
}
