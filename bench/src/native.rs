//! The native peer: bare hyper, with the same answers as the component under test and nothing around them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::app::{App, Native, NativeRequest};

/// Bytes in one chunk of `/stream`, as in the component.
const CHUNK_BYTES: usize = 64 * 1024;

/// What the native server takes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// The address to serve.
    #[arg(long)]
    listen: SocketAddr,
    /// The body of every answer but those of `/echo` and `/stream?bytes=N`.
    #[arg(long, default_value = "Hello, world!\n")]
    body: String,
    /// Answer everything by the native code of this example app instead.
    #[arg(long)]
    app: Option<App>,
}

type Reply = Response<BoxBody<Bytes, hyper::Error>>;

#[derive(Debug)]
struct Hello {
    body: Bytes,
    length: HeaderValue,
}

/// Serves until the process is killed, with as many threads as it may use cores.
pub(crate) fn serve(options: &Options) -> Result<()> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let mut builder = if threads == 1 {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    let runtime = builder.enable_all().build().context("cannot start the runtime")?;
    let length = HeaderValue::from_str(&options.body.len().to_string())?;
    let hello = Arc::new(Hello { body: Bytes::from(options.body.clone()), length });
    let listen = options.listen;
    let app = options.app.map(Native::new).transpose()?.map(Arc::new);
    runtime.block_on(async move {
        let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
        loop {
            let (stream, _) = listener.accept().await.context("cannot accept")?;
            stream.set_nodelay(true)?;
            let (hello, app) = (Arc::clone(&hello), app.clone());
            let service = service_fn(move |request| {
                let (hello, app) = (Arc::clone(&hello), app.clone());
                async move {
                    match &app {
                        None => Ok::<_, hyper::Error>(answer(&hello, request)),
                        Some(app) => run(app, request).await,
                    }
                }
            });
            tokio::spawn(async move {
                // A client that breaks off concerns nobody here.
                drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
            });
        }
    })
}

fn answer(hello: &Hello, request: Request<Incoming>) -> Reply {
    match request.uri().path() {
        "/echo" => Response::new(request.into_body().boxed()),
        "/stream" => {
            let bytes = request.uri().query().and_then(|query| query.strip_prefix("bytes="));
            let left = bytes.and_then(|bytes| bytes.parse().ok()).unwrap_or(0);
            let body = BodyExt::map_err(Repeat::new(left), |never| match never {});
            typed("application/octet-stream", Response::new(body.boxed()))
        }
        _ => {
            let body = Full::new(hello.body.clone()).map_err(|never| match never {});
            let mut reply = typed("text/plain; charset=utf-8", Response::new(body.boxed()));
            reply.headers_mut().insert(CONTENT_LENGTH, hello.length.clone());
            reply
        }
    }
}

/// Runs an app's own code where its component would be called.
async fn run(app: &Native, request: Request<Incoming>) -> Result<Reply, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let authorization = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let made = app.answer(NativeRequest { method: head.method.as_str(), path, authorization, body: &body });
    let bytes: Bytes = made.body.concat().into();
    let mut reply = typed(made.content_type, Response::new(Full::new(bytes).map_err(|never| match never {}).boxed()));
    *reply.status_mut() = StatusCode::from_u16(made.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Ok(reply)
}

fn typed(media_type: &'static str, mut reply: Reply) -> Reply {
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    reply
}

/// A body of one chunk over and over.
#[derive(Debug)]
pub(crate) struct Repeat {
    chunk: Bytes,
    left: u64,
}

impl Repeat {
    /// A body of so many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        Self { chunk: Bytes::from(vec![b'.'; CHUNK_BYTES]), left: bytes }
    }
}

impl Body for Repeat {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let size = usize::try_from(self.left).unwrap_or(usize::MAX).min(self.chunk.len());
        if size == 0 {
            return std::task::Poll::Ready(None);
        }
        self.left -= size as u64;
        let chunk = self.chunk.slice(..size);
        std::task::Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
