//! A real guest, called directly and through a socketpair.

use crate::LoadStep;
use crate::node::{Node, ServeOptions};
use crate::serving::ServingHandler;
use crate::wire::frame::{Frame, encode};
use crate::wire::{Client, Place, WINDOW_BYTES, WireError, serve};
use bytes::{Bytes, BytesMut};
use cumulet_gateway::{Chunk, Handler, Incoming, Rejection, RequestBody, RequestBodyErrorKind};
use cumulet_spec::id::{InvocationId, RequestId};
use cumulet_spec::invocation::{HeadContext, InvocationHead, Trigger};
use cumulet_spec::manifest::Manifest;
use cumulet_spec::outcome::Outcome;
use http::{HeaderMap, Request};
use http_body::Frame as BodyFrame;
use http_body_util::BodyExt as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

/// A limit on hangs; nothing is measured against it.
const PATIENCE: Duration = Duration::from_secs(60);
const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A node that serves the guest that misbehaves.
struct Stage {
    node: Node,
    place: Place,
    _data: tempfile::TempDir,
}

impl Stage {
    async fn set() -> Self {
        let file = "../../tests/guests/target/wasm32-wasip2/release/hostile.wasm";
        let guest = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        assert!(guest.exists(), "the guests are not built: run `cargo xtask guests`");
        let data = tempfile::tempdir().unwrap();
        let node = Node::start(ServeOptions::for_tests(data.path())).unwrap();
        let manifest = Manifest::single(&guest);
        let component = manifest.components.keys().next().unwrap().clone();
        let place = Place { app: manifest.app.name.clone(), component };
        node.install(node.load(&manifest, data.path(), |_step: LoadStep| {}).await.unwrap());
        Self { node, place, _data: data }
    }

    fn client(&self) -> impl Handler + use<> {
        let handler = self.node.handler();
        Client::new(self.place.clone(), move || {
            let handler = handler.clone();
            async move {
                let (ours, theirs) = UnixStream::pair()?;
                drop(tokio::spawn(async move { serve(theirs, &handler).await }));
                io::Result::Ok(ours)
            }
        })
    }

    /// Invocations that ended so.
    fn count(&self, outcome: Outcome) -> u64 {
        self.node.tally(&self.place.app, &self.place.component).totals().outcomes[outcome.index()]
    }

    async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let waiting = async {
            while !holds() {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{what}"));
    }

    fn running(&self) -> u32 {
        self.node.handler().0.admission.slots().inside()
    }
}

fn incoming(path: &str, body: RequestBody) -> Incoming {
    let request = Request::post(path).header("host", "guest.test").header("x-twice", "a").header("x-twice", "b");
    let request = request.body(body).unwrap();
    Incoming { id: RequestId::from_bits(1), request, peer: ANY_PORT }
}

fn body(chunks: Vec<Chunk>) -> RequestBody {
    let (sender, receiver) = mpsc::channel(chunks.len().max(1));
    for chunk in chunks {
        sender.try_send(chunk).unwrap();
    }
    RequestBody::from_chunks(receiver, u64::MAX)
}

fn data(bytes: impl Into<Bytes>) -> Chunk {
    Ok(BodyFrame::data(bytes.into()))
}

/// All that a client may see of an answer.
#[derive(Debug, PartialEq)]
struct Seen {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
    failed: Option<Outcome>,
}

async fn call(handler: &impl Handler, incoming: Incoming) -> Result<Seen, Rejection> {
    let response = timeout(PATIENCE, handler.handle(incoming)).await.expect("a head in time")?;
    let (head, body) = response.into_parts();
    let mut seen =
        Seen { status: head.status.as_u16(), headers: head.headers, body: Vec::new(), trailers: None, failed: None };
    let mut body = Box::pin(body);
    while let Some(frame) = timeout(PATIENCE, body.frame()).await.expect("a frame in time") {
        match frame.map(BodyFrame::into_data) {
            Ok(Ok(bytes)) => seen.body.extend_from_slice(&bytes),
            Ok(Err(frame)) => seen.trailers = frame.into_trailers().ok(),
            Err(failure) => seen.failed = Some(failure.outcome),
        }
    }
    Ok(seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_is_served_through_a_socketpair() {
    let stage = Stage::set().await;
    same_answers(&stage).await;
    streams_both_ways(&stage).await;
    more_than_a_window_crosses(&stage).await;
    a_dropped_body_cancels(&stage).await;
    a_dropped_call_cancels(&stage).await;
    a_dropped_connection_cancels(&stage).await;
    what_breaks_the_protocol_closes_the_connection(&stage).await;
    stage.until("something still runs", || stage.running() == 0).await;
}

async fn same_answers(stage: &Stage) {
    let (direct, wired) = (stage.node.handler(), stage.client());
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", http::HeaderValue::from_static("1"));
    let bodies: [&dyn Fn() -> RequestBody; 4] = [
        &RequestBody::empty,
        &|| body(vec![data("one "), data(""), data("two")]),
        &|| body(vec![data("one"), Ok(BodyFrame::trailers(trailers.clone()))]),
        &|| body(vec![data("one"), Err(RequestBodyErrorKind::TooLarge.into())]),
    ];
    let plain = ["/count", "/headers", "/trailers", "/status?code=204", "/status?code=404", "/panic", "/nothing"];
    let plain = plain.into_iter().chain(["/never-answer", "/flood-headers", "/echo"]).map(|path| (path, 0));
    for (path, which) in plain.chain([("/echo", 1), ("/echo", 2), ("/slow-read?ms=0", 1), ("/slow-read?ms=0", 3)]) {
        let expect = call(&direct, incoming(path, bodies[which]())).await;
        let seen = call(&wired, incoming(path, bodies[which]())).await;
        assert_eq!(seen, expect, "{path} with body {which}");
    }
    let counted = call(&wired, incoming("/count", RequestBody::empty())).await.unwrap();
    assert_eq!(counted.body, b"1\n");
    let echoed = call(&wired, incoming("/echo", bodies[2]())).await.unwrap();
    assert_eq!((echoed.body.as_slice(), echoed.trailers), (&b"one"[..], Some(trailers)));
}

async fn streams_both_ways(stage: &Stage) {
    let (sender, receiver) = mpsc::channel(1);
    let request = incoming("/echo", RequestBody::from_chunks(receiver, u64::MAX));
    let response = timeout(PATIENCE, stage.client().handle(request)).await.expect("a head before the body").unwrap();
    let mut body = pin!(response.into_body());
    for round in 0..32_u8 {
        let piece = vec![round; 1 + 97 * usize::from(round)];
        sender.send(data(piece.clone())).await.unwrap();
        let mut echo = Vec::new();
        while echo.len() < piece.len() {
            let frame = timeout(PATIENCE, body.frame()).await.expect("an echo in time").unwrap().unwrap();
            echo.extend_from_slice(&frame.into_data().unwrap());
        }
        assert_eq!(echo, piece);
    }
    drop(sender);
    assert!(timeout(PATIENCE, body.frame()).await.expect("an end in time").is_none());
}

async fn more_than_a_window_crosses(stage: &Stage) {
    let piece = vec![b'x'; 100_000];
    let pieces = 40;
    let sent = pieces * piece.len();
    assert!(sent > 4 * usize::try_from(WINDOW_BYTES).unwrap());
    let request = incoming("/echo", body((0..pieces).map(|_| data(piece.clone())).collect()));
    let seen = call(&stage.client(), request).await.unwrap();
    assert_eq!((seen.body.len(), seen.failed), (sent, None));
}

async fn a_dropped_body_cancels(stage: &Stage) {
    let gone = stage.count(Outcome::ClientGone);
    let request = incoming("/flood-body", RequestBody::empty());
    let response = timeout(PATIENCE, stage.client().handle(request)).await.expect("a head in time").unwrap();
    let mut body = Box::pin(response.into_body());
    assert!(timeout(PATIENCE, body.frame()).await.expect("a piece in time").unwrap().is_ok());
    drop(body);
    stage.until("the flood goes on", || stage.count(Outcome::ClientGone) == gone + 1).await;
}

async fn a_dropped_call_cancels(stage: &Stage) {
    let gone = stage.count(Outcome::ClientGone);
    stage.until("a guest still runs", || stage.running() == 0).await;
    let client = stage.client();
    let call = tokio::spawn(async move { client.handle(incoming("/spin", RequestBody::empty())).await.is_ok() });
    stage.until("the guest does not start", || stage.running() == 1).await;
    call.abort();
    stage.until("the guest spins on", || stage.count(Outcome::ClientGone) == gone + 1).await;
}

/// The head of a request, and then whatever `more` is, by hand.
fn by_hand(stage: &Stage, path: &str, more: &[Frame]) -> BytesMut {
    let Place { app, component } = stage.place.clone();
    let (id, request, trigger) = (InvocationId(1), RequestId::from_bits(1), Trigger::Http);
    let context = HeadContext { id, request, app, component, trigger };
    let head = InvocationHead::from_request(context, &incoming(path, RequestBody::empty()).request);
    let mut bytes = BytesMut::new();
    encode(&Frame::Invocation(Box::new(head)), &mut bytes).unwrap();
    for frame in more {
        encode(frame, &mut bytes).unwrap();
    }
    bytes
}

async fn a_dropped_connection_cancels(stage: &Stage) {
    let gone = stage.count(Outcome::ClientGone);
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let handler = stage.node.handler();
    let serving = tokio::spawn(async move { serve(theirs, &handler).await });
    ours.write_all(&by_hand(stage, "/hang", &[])).await.unwrap();
    stage.until("the guest does not start", || stage.running() == 1).await;
    drop(ours);
    let served = timeout(PATIENCE, serving).await.expect("an end in time").unwrap();
    assert!(matches!(served, Err(WireError::Closed | WireError::Stream(_))), "{served:?}");
    stage.until("the guest hangs on", || stage.count(Outcome::ClientGone) == gone + 1).await;
}

async fn what_breaks_the_protocol_closes_the_connection(stage: &Stage) {
    let chunk = || Frame::Chunk(Bytes::from(vec![0; 64 << 10]));
    let long: Vec<Frame> = (0..16).map(|_| chunk()).collect();
    let outcome = || Frame::Outcome(Outcome::Ok.into());
    let cases: [(&str, BytesMut); 8] = [
        ("a frame of version 80 instead of 1", BytesMut::from(&b"POST /echo"[..])),
        ("a frame chunk of 65537 bytes, where 65536 are the most", BytesMut::from(&b"\x01\x02\x00\x01\x00\x01"[..])),
        ("a frame end came where none may", { by_hand(stage, "/hang", &[Frame::End, Frame::End]) }),
        ("a frame chunk came where none may", { by_hand(stage, "/hang", &[Frame::End, chunk()]) }),
        ("a frame outcome came where none may", { by_hand(stage, "/hang", &[outcome()]) }),
        ("a frame invocation came where none may", { by_hand(stage, "/hang", &[]).repeat(2)[..].into() }),
        ("more of a body came than was granted", by_hand(stage, "/hang", &long)),
        ("more was granted than a window", by_hand(stage, "/hang", &[Frame::Credit(WINDOW_BYTES + 1)])),
    ];
    for (expect, bytes) in cases {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let handler: ServingHandler = stage.node.handler();
        let serving = tokio::spawn(async move { serve(theirs, &handler).await });
        // The other side may have closed before it took all.
        let _written: io::Result<()> = ours.write_all(&bytes).await;
        let served = timeout(PATIENCE, serving).await.expect("an end in time").unwrap();
        assert_eq!(served.unwrap_err().to_string(), expect);
        let mut rest = Vec::new();
        let _closed: io::Result<usize> = timeout(PATIENCE, ours.read_to_end(&mut rest)).await.expect("a close in time");
    }
}
