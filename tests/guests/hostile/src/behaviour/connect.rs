//! Tries what sockets offer: a TCP connection to `?port=` here, a listener, a datagram, a name lookup.

use wasip2::sockets::network::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasip2::sockets::{
    instance_network::instance_network, ip_name_lookup::resolve_addresses, tcp_create_socket::create_tcp_socket,
    udp_create_socket::create_udp_socket,
};

use crate::call::Call;

pub fn run(call: Call) {
    let port = u16::try_from(call.number("port", 80)).unwrap_or(80);
    let text = format!(
        "tcp-connect {}\ntcp-listen {}\nudp-bind {}\nlookup {}\n",
        tcp_connect(port),
        tcp_listen(),
        udp_bind(),
        lookup(),
    );
    call.answer(200, &text);
}

fn loopback(port: u16) -> IpSocketAddress {
    IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (127, 0, 0, 1) })
}

fn tcp_connect(port: u16) -> String {
    let socket = match create_tcp_socket(IpAddressFamily::Ipv4) {
        Ok(socket) => socket,
        Err(code) => return code.name().to_owned(),
    };
    if let Err(code) = socket.start_connect(&instance_network(), loopback(port)) {
        return code.name().to_owned();
    }
    socket.subscribe().block();
    match socket.finish_connect() {
        Ok(_) => "connected".to_owned(),
        Err(code) => code.name().to_owned(),
    }
}

fn tcp_listen() -> String {
    let socket = match create_tcp_socket(IpAddressFamily::Ipv4) {
        Ok(socket) => socket,
        Err(code) => return code.name().to_owned(),
    };
    if let Err(code) = socket.start_bind(&instance_network(), loopback(0)) {
        return code.name().to_owned();
    }
    match socket.finish_bind().and_then(|()| socket.start_listen()) {
        Ok(()) => "listening".to_owned(),
        Err(code) => code.name().to_owned(),
    }
}

fn udp_bind() -> String {
    let socket = match create_udp_socket(IpAddressFamily::Ipv4) {
        Ok(socket) => socket,
        Err(code) => return code.name().to_owned(),
    };
    match socket.start_bind(&instance_network(), loopback(0)).and_then(|()| socket.finish_bind()) {
        Ok(()) => "bound".to_owned(),
        Err(code) => code.name().to_owned(),
    }
}

fn lookup() -> String {
    let stream = match resolve_addresses(&instance_network(), "localhost") {
        Ok(stream) => stream,
        Err(code) => return code.name().to_owned(),
    };
    stream.subscribe().block();
    match stream.resolve_next_address() {
        Ok(_) => "resolved".to_owned(),
        Err(code) => code.name().to_owned(),
    }
}
