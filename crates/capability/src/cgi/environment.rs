//! What a request becomes for a program: environment variables, and arguments.

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, Method, Version};

/// What a program is called, as its first argument.
const NAME: &str = "program";

/// How the variables of header fields begin.
const FIELD: &str = "HTTP_";

/// Variables that describe the request, whether or not a request has them: those of RFC 3875, section 4.1, and two that
/// every server sets.
const META_VARIABLES: [&str; 19] = [
    "AUTH_TYPE",
    "CONTENT_LENGTH",
    "CONTENT_TYPE",
    "GATEWAY_INTERFACE",
    "HTTPS",
    "PATH_INFO",
    "PATH_TRANSLATED",
    "QUERY_STRING",
    "REMOTE_ADDR",
    "REMOTE_HOST",
    "REMOTE_IDENT",
    "REMOTE_USER",
    "REQUEST_METHOD",
    "REQUEST_URI",
    "SCRIPT_NAME",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "SERVER_SOFTWARE",
];

/// Fields of the connection, which says nothing to a program; `proxy`, whose variable would name the proxy for requests
/// that the program sends (CVE-2016-5385); and those that have a variable of their own.
const KEPT_BACK: [&str; 12] = [
    "connection",
    "content-length",
    "content-type",
    "http2-settings",
    "keep-alive",
    "proxy",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a name is that of a variable that describes the request. A granted variable of this name is not passed on.
#[must_use]
pub fn is_meta_variable(name: &str) -> bool {
    META_VARIABLES.contains(&name)
}

/// The environment of a program that answers this request.
///
/// What describes the request cannot be granted, and what was granted cannot be overridden by a header field: of the two
/// under one name, the granted one stays.
pub(super) fn environment(head: &Parts, granted: &[(String, String)]) -> Vec<(String, String)> {
    let granted = || granted.iter().filter(|(name, _)| !is_meta_variable(name));
    let mut variables: Vec<(String, String)> = granted().cloned().collect();
    let mut set = |name: &str, value: String| variables.push((name.to_owned(), value));
    let target = head.uri.path_and_query();
    set("GATEWAY_INTERFACE", "CGI/1.1".to_owned());
    set("SERVER_SOFTWARE", concat!("cumulet/", env!("CARGO_PKG_VERSION")).to_owned());
    set("SERVER_PROTOCOL", protocol(head.version).to_owned());
    set("REQUEST_METHOD", head.method.as_str().to_owned());
    set("REQUEST_URI", target.map_or("/", |target| target.as_str()).to_owned());
    // Routes strip nothing, so all of the path is what the program is to look at.
    set("SCRIPT_NAME", String::new());
    set("PATH_INFO", decoded_path(head.uri.path()));
    set("QUERY_STRING", head.uri.query().unwrap_or_default().to_owned());
    let is_secure = head.uri.scheme() == Some(&Scheme::HTTPS);
    let (name, port) = server(head, if is_secure { 443 } else { 80 });
    set("SERVER_NAME", name);
    set("SERVER_PORT", port.to_string());
    if is_secure {
        set("HTTPS", "on".to_owned());
    }
    for (name, field) in [("CONTENT_LENGTH", CONTENT_LENGTH), ("CONTENT_TYPE", CONTENT_TYPE)] {
        if let Some(value) = head.headers.get(field) {
            set(name, text(value));
        }
    }
    for field in head.headers.keys() {
        let Some(name) = variable(field) else { continue };
        if granted().all(|(granted, _)| *granted != name) {
            set(&name, joined(&head.headers, field));
        }
    }
    variables
}

/// The arguments of a program, its name first: the words of a query that is no form, as RFC 3875 has it in section 4.4.
///
/// None where a word begins with a dash: options are not the client's to set. None either where a word cannot be told.
pub(super) fn arguments(head: &Parts) -> Vec<String> {
    let mut arguments = vec![NAME.to_owned()];
    let is_search = matches!(head.method, Method::GET | Method::HEAD);
    let query = head.uri.query().filter(|query| is_search && !query.is_empty() && !query.contains('='));
    let words = query.map(|query| query.split('+').map(word).collect::<Option<Vec<String>>>());
    arguments.extend(words.flatten().unwrap_or_default());
    arguments
}

fn word(encoded: &str) -> Option<String> {
    let word = String::from_utf8(decoded(encoded, |_| true)).ok()?;
    (!word.starts_with('-') && !word.contains('\0')).then_some(word)
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_10 => "HTTP/1.0",
        _ => "HTTP/1.1",
    }
}

/// The host and the port that the client asked for.
fn server(head: &Parts, port: u16) -> (String, u16) {
    let named = head.headers.get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
    match head.uri.authority().or(named.as_ref()) {
        Some(authority) => (authority.host().to_owned(), authority.port_u16().unwrap_or(port)),
        None => ("localhost".to_owned(), port),
    }
}

/// The path with its escapes decoded, but for those that stand for a slash or a control character: a program could not
/// tell these from what they are not. A path that would not be text stays as it came.
fn decoded_path(path: &str) -> String {
    let is_plain = |byte: u8| byte != b'/' && !byte.is_ascii_control();
    String::from_utf8(decoded(path, is_plain)).unwrap_or_else(|_| path.to_owned())
}

/// Decodes the escapes that stand for a byte that `may` be. What is no escape stays.
fn decoded(text: &str, may: impl Fn(u8) -> bool) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let escape = after.first_chunk::<2>().filter(|_| *first == b'%').and_then(|digits| byte_of(*digits));
        match escape.filter(|byte| may(*byte)) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

fn byte_of(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from((high? << 4) | low?).ok()
}

/// The variable of a header field. None for a field that is kept back, and for a name that holds anything but letters,
/// digits and dashes: `x_a` would become the variable of `x-a`.
fn variable(field: &HeaderName) -> Option<String> {
    let name = field.as_str();
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let upper = |byte| if byte == b'-' { '_' } else { char::from(byte).to_ascii_uppercase() };
    (is_plain && !KEPT_BACK.contains(&name)).then(|| FIELD.chars().chain(name.bytes().map(upper)).collect())
}

/// All values of a field as one: lists are joined by commas, and cookies, which are no list, by semicolons.
fn joined(headers: &HeaderMap, field: &HeaderName) -> String {
    let between = if field == COOKIE { "; " } else { ", " };
    headers.get_all(field).iter().map(text).collect::<Vec<_>>().join(between)
}

/// A value as text. What is not UTF-8 becomes marks of replacement: variables are text in WASI.
fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

#[cfg(test)]
mod tests;
