//! What a component finds of each capability that a neighbour may have: the same code in two components of one composition.

use bindings::spin::sqlite::sqlite::Connection;
use bindings::wasi::blobstore::blobstore;
use bindings::wasi::config::store as config;
use bindings::wasi::keyvalue::{atomics, store};
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{Fields, OutgoingRequest, Scheme};
use wasip2::sockets::network::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasip2::sockets::{
    instance_network::instance_network, ip_name_lookup::resolve_addresses, tcp_create_socket::create_tcp_socket,
    udp_create_socket::create_udp_socket,
};

mod bindings {
    wit_bindgen::generate!({
        inline: r#"
            package probes:probes;
            world imports {
                import wasi:keyvalue/store@0.2.0-draft2;
                import wasi:keyvalue/atomics@0.2.0-draft2;
                import wasi:config/store@0.2.0-rc.1;
                import wasi:blobstore/blobstore@0.2.0-draft;
                import spin:sqlite/sqlite@3.0.0;
            }
        "#,
        path: ["../../../wit/keyvalue", "../../../wit/config", "../../../wit/blobstore", "../../../wit/sqlite"],
        world: "probes:probes/imports",
        generate_all,
        with: {
            "wasi:io/error@0.2.0": wasip2::io::error,
            "wasi:io/poll@0.2.0": wasip2::io::poll,
            "wasi:io/streams@0.2.0": wasip2::io::streams,
        },
    });
}

/// What is found of `capability`, in a line.
pub fn probe(capability: &str) -> String {
    let (what, argument) = capability.split_once(' ').unwrap_or((capability, ""));
    match what {
        "env" => format!("{:?}", std::env::vars().collect::<Vec<_>>()),
        "files" => format!("{:?}", std::fs::read_to_string(argument).map_err(|error| error.kind())),
        "keyvalue" => match store::open(argument) {
            Ok(bucket) => format!("{:?}", bucket.exists("key")),
            Err(error) => format!("{error:?}"),
        },
        "blobs" => match blobstore::get_container(argument) {
            Ok(container) => format!("{:?}", container.has_object("key")),
            Err(error) => error,
        },
        "sqlite" => match Connection::open(argument) {
            Ok(connection) => format!("{:?}", connection.execute("select 1", &[]).map(|found| found.columns.len())),
            Err(error) => format!("{error:?}"),
        },
        "config" => format!("{:?}", config::get(argument)),
        "outbound" => outbound(argument),
        "network" => network(argument.parse().unwrap_or(80)),
        "datagram" => datagram(argument.parse().unwrap_or(53)),
        "lookup" => lookup(argument),
        other => format!("no capability {other:?}"),
    }
}

/// Counts in a bucket.
pub fn count(bucket: &str, key: &str) -> Result<i64, String> {
    let bucket = store::open(bucket).map_err(|error| format!("{error:?}"))?;
    atomics::increment(&bucket, key, 1).map_err(|error| format!("{error:?}"))
}

fn outbound(authority: &str) -> String {
    let request = OutgoingRequest::new(Fields::new());
    request.set_scheme(Some(&Scheme::Http)).unwrap();
    request.set_authority(Some(authority)).unwrap();
    request.set_path_with_query(Some("/")).unwrap();
    let pending = match handle(request, None) {
        Ok(pending) => pending,
        Err(code) => return format!("{code:?}"),
    };
    pending.subscribe().block();
    match pending.get().expect("it is ready").expect("it was not taken before") {
        Ok(response) => format!("status {}", response.status()),
        Err(code) => format!("{code:?}"),
    }
}

fn network(port: u16) -> String {
    let socket = match create_tcp_socket(IpAddressFamily::Ipv4) {
        Ok(socket) => socket,
        Err(code) => return code.name().to_owned(),
    };
    let address = ipv4((127, 0, 0, 1), port);
    if let Err(code) = socket.start_connect(&instance_network(), address) {
        return code.name().to_owned();
    }
    socket.subscribe().block();
    match socket.finish_connect() {
        Ok(_) => "connected".to_owned(),
        Err(code) => code.name().to_owned(),
    }
}

fn datagram(port: u16) -> String {
    let opened = create_udp_socket(IpAddressFamily::Ipv4).and_then(|socket| {
        socket.start_bind(&instance_network(), ipv4((0, 0, 0, 0), 0))?;
        socket.finish_bind()?;
        socket.stream(Some(ipv4((127, 0, 0, 1), port))).map(drop)
    });
    opened.map_or_else(|code| code.name().to_owned(), |()| "opened".to_owned())
}

fn lookup(name: &str) -> String {
    let stream = match resolve_addresses(&instance_network(), name) {
        Ok(stream) => stream,
        Err(code) => return code.name().to_owned(),
    };
    stream.subscribe().block();
    stream.resolve_next_address().map_or_else(|code| code.name().to_owned(), |_address| "resolved".to_owned())
}

fn ipv4(address: (u8, u8, u8, u8), port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address })
}
