//! Where a browser's request comes from, and whom it thinks it talks to.
//!
//! A page of a stranger can lead its own name to this address (DNS rebinding) and then reads what is answered there. An
//! address and `localhost` cannot be led anywhere, so whoever asks for those is nobody's victim; other names are
//! configured.

use cumulet_spec::node::NodeConfig;
use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, Uri};
use std::net::IpAddr;

/// The authority that a request is for: of its target, else of `host`.
pub(super) fn authority(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let host = || headers.get(HOST)?.to_str().ok()?.parse().ok();
    uri.authority().cloned().or_else(host)
}

/// Whether the admin is asked for under a name of its own.
pub(super) fn is_own_name(authority: Option<&Authority>, config: &NodeConfig) -> bool {
    let Some(host) = authority.map(Authority::host) else { return false };
    let host = host.to_ascii_lowercase();
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(&host);
    bare.parse::<IpAddr>().is_ok() || host == "localhost" || config.admin_hosts.contains(&host)
}

/// Whether a request was begun by the page itself, as far as the browser says.
///
/// `sec-fetch-site` is not sent to plain HTTP at every name, `origin` not with every method; what is there must fit.
pub(super) fn is_same(parts: &Parts) -> bool {
    let site = parts.headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin");
    let origin = parts.headers.get(ORIGIN).is_none_or(|origin| {
        let authority = authority(&parts.uri, &parts.headers);
        let rest = origin.to_str().ok().and_then(|text| text.split_once("://")).map(|(_, rest)| rest);
        rest.zip(authority).is_some_and(|(rest, authority)| authority.as_str().eq_ignore_ascii_case(rest))
    });
    site && origin
}

/// Whether the browser came over TLS, which something before this node ends.
pub(super) fn is_secure(headers: &HeaderMap) -> bool {
    headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    #[test]
    fn the_admin_is_asked_for_by_address_or_by_its_own_names() {
        let config = NodeConfig { admin_hosts: vec!["edge-1.example.com".to_owned()], ..NodeConfig::default() };
        let check = |authority: &str, expected: bool| {
            let authority: Option<Authority> = authority.parse().ok();
            assert_eq!(is_own_name(authority.as_ref(), &config), expected, "{authority:?}");
        };
        for good in ["127.0.0.1:3001", "[::1]:3001", "10.1.2.3", "localhost:3001", "LOCALHOST", "Edge-1.example.com:80"]
        {
            check(good, true);
        }
        for bad in ["", "evil.example", "127.0.0.1.evil.example:3001", "localhost.evil.example", "x.edge-1.example.com"]
        {
            check(bad, false);
        }
        for bad in ["hello.local.localhost:3001", "user@evil.example", "localhost."] {
            check(bad, false);
        }
    }

    #[test]
    fn a_request_of_another_origin_is_told_by_what_is_there() {
        let check = |headers: &[(&str, &str)], expected: bool| {
            let mut request = Request::builder().uri("/ui/session").header("host", "127.0.0.1:3001");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(is_same(&parts), expected, "{headers:?}");
        };
        let (site, origin) = ("sec-fetch-site", "origin");
        check(&[], true);
        check(&[(site, "same-origin"), (origin, "http://127.0.0.1:3001")], true);
        check(&[(origin, "https://127.0.0.1:3001")], true);
        check(&[(site, "same-site"), (origin, "http://127.0.0.1:3000")], false);
        check(&[(site, "cross-site")], false);
        check(&[(site, "none")], false);
        check(&[(origin, "http://127.0.0.1:3000")], false);
        check(&[(origin, "http://127.0.0.1")], false);
        check(&[(origin, "http://evil.example")], false);
        check(&[(origin, "null")], false);
    }
}
