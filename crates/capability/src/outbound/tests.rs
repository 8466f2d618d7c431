//! What outbound HTTP promises, and each way around it that we know of: the servers and requests that the tests share.

mod around;
mod cached;
mod inside;
mod limits;
mod names;
mod proxy;
mod redirects;
mod secure;

use super::bounds::Bounds;
use super::resolve::{Lookup, Resolve};
use super::send::send;
use super::*;
use cumulet_spec::grant::{HttpGrant, HttpOrigin};
use http_body_util::{BodyExt as _, StreamBody};
use parking_lot::Mutex;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// An HTTP/1 server on loopback that counts who comes.
struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
    /// The heads of all requests.
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers every request with these bytes, and closes the connection when they say so.
    async fn answering(answer: impl Into<String>) -> Self {
        let answer: Arc<str> = answer.into().into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server =
            Self { port: listener.local_addr().unwrap().port(), connections: Arc::default(), heads: Arc::default() };
        let (connections, heads) = (Arc::clone(&server.connections), Arc::clone(&server.heads));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, Arc::clone(&answer), Arc::clone(&heads)));
            }
        });
        server
    }

    /// Answers every request with `keys`, on connections of their own.
    async fn plain() -> Self {
        Self::answering("HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nkeys").await
    }

    /// Takes connections and requests, and says nothing.
    async fn silent() -> Self {
        Self::answering("").await
    }

    fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, answer: Arc<str>, heads: Arc<Mutex<Vec<String>>>) {
    while let Some(head) = read_head(&mut stream).await {
        heads.lock().push(head);
        if stream.write_all(answer.as_bytes()).await.is_err() || answer.contains("connection: close") {
            return;
        }
    }
}

async fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

/// Gives every name the same addresses, and counts who asks.
#[derive(Default)]
struct Names {
    addresses: Vec<IpAddr>,
    asked: AtomicUsize,
}

impl Names {
    fn all(address: &str) -> Arc<Self> {
        Arc::new(Self { addresses: vec![address.parse().unwrap()], asked: AtomicUsize::new(0) })
    }
}

impl Resolve for Names {
    fn resolve(&self, _name: &str) -> Lookup {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(std::future::ready(Ok(self.addresses.clone())))
    }
}

fn grants(origins: &[&str], cache: bool) -> Grants {
    let http = origins.iter().map(|origin| HttpGrant { origin: HttpOrigin::parse(origin).unwrap(), cache });
    Grants { http: http.collect(), ..Grants::default() }
}

/// An outbound side with these grants, and all the rest as it is served.
fn outbound(origins: &[&str]) -> Arc<Outbound> {
    Arc::new(Outbound::new(grants(origins, false)))
}

fn outbound_with(origins: &[&str], options: OutboundOptions) -> Arc<Outbound> {
    Arc::new(Outbound::with_options(grants(origins, false), options))
}

fn outbound_bounded(origins: &[&str], bounds: Bounds) -> Arc<Outbound> {
    Arc::new(Outbound::bounded(grants(origins, false), OutboundOptions::default(), bounds))
}

fn get(uri: &str) -> http::Request<RequestBody> {
    // A body that is finished only after it was sent, as guests make them.
    let body = StreamBody::new(futures_util::stream::empty()).boxed_unsync();
    let mut request = http::Request::new(body);
    *request.uri_mut() = uri.parse().unwrap();
    request
}

async fn try_send(
    outbound: &Arc<Outbound>,
    request: http::Request<RequestBody>,
) -> Result<http::Response<ResponseBody>, Error> {
    try_send_inside(outbound, None, request).await
}

async fn try_send_inside(
    outbound: &Arc<Outbound>,
    inside: Option<Arc<dyn Inside>>,
    request: http::Request<RequestBody>,
) -> Result<http::Response<ResponseBody>, Error> {
    let sent = send(Arc::clone(outbound), inside, request, RequestOptions::default()).await;
    sent.map(|(response, _done)| response)
}

/// The text of an answer, or why there is none.
async fn text(outbound: &Arc<Outbound>, request: http::Request<RequestBody>) -> Result<String, Error> {
    read(try_send(outbound, request).await?).await
}

async fn read(response: http::Response<ResponseBody>) -> Result<String, Error> {
    let body = response.into_body().collect().await?;
    Ok(String::from_utf8(body.to_bytes().to_vec()).unwrap())
}

/// The name of the error that a request comes to, as in `wasi:http`, without its fields.
async fn refusal(outbound: &Arc<Outbound>, request: http::Request<RequestBody>) -> String {
    shown(text(outbound, request).await)
}

fn shown(answer: Result<String, Error>) -> String {
    match answer {
        Ok(text) => format!("answered with {text:?}"),
        Err(error) => kind(&error),
    }
}

fn kind(error: &Error) -> String {
    let text = format!("{error:?}");
    text.split([' ', '(']).next().unwrap_or_default().to_owned()
}
