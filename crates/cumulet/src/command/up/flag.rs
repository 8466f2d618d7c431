//! The values of the flags of `cumulet up` and `cumulet node`.

use std::net::{SocketAddr, ToSocketAddrs as _};

/// An address to listen on: `127.0.0.1:3000`, `[::1]:3000`, `localhost:3000`.
pub(in crate::command) fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let found = text.to_socket_addrs().ok().and_then(|mut addresses| addresses.next());
    found.ok_or_else(|| "give an address and a port: 127.0.0.1:3000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for text in ["127.0.0.1:0", "[::1]:80", "localhost:3000"] {
            assert!(address(text).is_ok(), "{text}");
        }
        for text in ["3000", ":3000", "127.0.0.1", "127.0.0.1:99999", ""] {
            assert!(address(text).is_err(), "{text}");
        }
    }
}
