//! Names: looked up once, in bounded time, and connected to as they were checked, against a name server that changes its
//! mind.

use super::*;
use crate::outbound::guard::LookupFault;
use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;
use tower_service::Service as _;

/// On the public network by its form, and given to nobody.
const GLOBAL: &str = "2d00::1";

/// A name server that gives one answer after the other, and stays with the last.
struct NameServer {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl NameServer {
    async fn answering(answers: &[&[&str]]) -> Self {
        let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        let answers: Vec<Vec<IpAddr>> = answers.iter().map(parse).collect();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = Self { address: socket.local_addr().unwrap(), asked: Arc::default() };
        let asked = Arc::clone(&server.asked);
        tokio::spawn(async move {
            let mut packet = [0; 512];
            while let Ok((length, client)) = socket.recv_from(&mut packet).await {
                let round = asked.fetch_add(1, Ordering::SeqCst);
                let question = Message::from_vec(&packet[..length]).unwrap();
                let name = question.queries[0].name().clone();
                let mut answer = question.into_response();
                let Some(addresses) = answers.get(round).or(answers.last()) else { continue };
                let records = addresses.iter().map(|it| Record::from_rdata(name.clone(), 0, RData::from(*it)));
                answer.add_answers(records);
                socket.send_to(&answer.to_vec().unwrap(), client).await.unwrap();
            }
        });
        server
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn options(&self) -> OutboundOptions {
        OutboundOptions { resolver: Some(Arc::new(Client { server: self.address })), ..OutboundOptions::default() }
    }
}

/// Asks a name server one question for a name.
struct Client {
    server: SocketAddr,
}

impl Resolve for Client {
    fn resolve(&self, name: &str) -> Lookup {
        let (server, name) = (self.server, Name::from_ascii(name).unwrap());
        Box::pin(async move {
            let socket = UdpSocket::bind("127.0.0.1:0").await?;
            let mut question = Message::query();
            question.add_query(Query::query(name, RecordType::ANY));
            socket.send_to(&question.to_vec().map_err(io::Error::other)?, server).await?;
            let mut packet = [0; 4096];
            let length = socket.recv(&mut packet).await?;
            let answer = Message::from_vec(&packet[..length]).map_err(io::Error::other)?;
            Ok(answer.answers.iter().filter_map(|record| record.data.ip_addr()).collect())
        })
    }
}

#[tokio::test]
async fn a_name_that_turns_inwards_reaches_nothing() {
    for inward in [
        "127.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "169.254.169.254",
        "::1",
        "::",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "fd00:ec2::254",
    ] {
        let server = Server::plain().await;
        let names = NameServer::answering(&[&[GLOBAL], &[inward]]).await;
        let origin = format!("http://rebind.example:{}", server.port);
        let outbound = outbound_with(&[&origin], names.options());
        let options = RequestOptions { connect_timeout: Some(Duration::from_millis(300)), ..RequestOptions::default() };
        // The address that was checked leads nowhere. Had the name been looked up again, it would lead inwards.
        let first = send(Arc::clone(&outbound), None, get(&origin), options).await.err();
        let first = first.as_ref().map(kind).unwrap_or_default();
        let unreachable = ["DestinationIpUnroutable", "DestinationUnavailable", "ConnectionTimeout"];
        assert!(unreachable.contains(&first.as_str()), "{inward}: {first:?}");
        assert_eq!(names.asked(), 1, "{inward}");
        assert_eq!(refusal(&outbound, get(&origin)).await, "DestinationIpProhibited", "{inward}");
        assert_eq!(names.asked(), 2, "{inward}");
        assert_eq!(server.connections(), 0, "{inward}");
    }
}

#[tokio::test]
async fn the_address_that_was_checked_is_connected_to() {
    let server = Server::plain().await;
    // A name below `localhost` may stand for loopback, and for nothing else that is not global.
    let names = NameServer::answering(&[&["10.0.0.1", "127.0.0.1"], &["127.0.0.2"], &["169.254.169.254"]]).await;
    let origin = format!("http://rebind.localhost:{}", server.port);
    let outbound = outbound_with(&[&origin], names.options());
    // Only the second of the two addresses passes; the first is not even tried.
    assert_eq!(refusal(&outbound, get(&origin)).await, "answered with \"keys\"");
    assert_eq!((names.asked(), server.connections()), (1, 1));
    // Nobody listens there.
    assert_eq!(refusal(&outbound, get(&origin)).await, "ConnectionRefused");
    assert_eq!(refusal(&outbound, get(&origin)).await, "DestinationIpProhibited");
    assert_eq!((names.asked(), server.connections()), (3, 1));
}

#[tokio::test]
async fn a_name_without_an_address_or_an_answer_is_told_apart() {
    let origin = "http://nowhere.example";
    let names = NameServer::answering(&[&[]]).await;
    assert_eq!(refusal(&outbound_with(&[origin], names.options()), get(origin)).await, "DnsError");
    let silent = NameServer::answering(&[]).await;
    let bounds = Bounds { lookup: Duration::from_millis(200), ..Bounds::default() };
    let outbound = Arc::new(Outbound::bounded(grants(&[origin], false), silent.options(), bounds));
    assert_eq!(refusal(&outbound, get(origin)).await, "DnsTimeout");
    assert_eq!(silent.asked(), 1);
}

#[tokio::test]
async fn the_system_finds_this_machine_by_name() {
    let server = Server::plain().await;
    let origin = format!("http://localhost:{}", server.port);
    assert_eq!(text(&outbound(&[&origin]), get(&origin)).await.unwrap(), "keys");
}

#[tokio::test]
async fn a_component_s_name_is_never_asked_for() {
    let names = Names::all("1.1.1.1");
    let resolver = Arc::clone(&names) as Arc<dyn Resolve>;
    let mut guard = GuardedResolver::new(&[], resolver, Duration::from_secs(1));
    for name in ["auth.internal", "AUTH.Internal", "a.b.internal", "internal"] {
        let found = guard.call(name.parse().unwrap()).await.map(|_addresses| ());
        assert!(matches!(found, Err(LookupFault::NoAddress)), "{name}");
    }
    assert_eq!(names.asked.load(Ordering::SeqCst), 0);
}
