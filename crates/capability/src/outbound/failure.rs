//! What a client's error comes to in the words of `wasi:http`.

use super::connect::ConnectFault;
use super::guard::LookupFault;
use hyper_util::client::legacy;
use rustls::Error as TlsError;
use std::error::Error as StdError;
use std::io;
use wasmtime_wasi_http::Error;

/// Translates what the client says into what `wasi:http` lets a guest see.
pub(super) fn read_error(error: &legacy::Error) -> Error {
    tracing::debug!(error = error as &dyn StdError, "outbound request failed");
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(read) = read_cause(current) {
            return read;
        }
        cause = match current.downcast_ref::<io::Error>() {
            // Its source would be that of the error inside it, which itself would be passed over.
            Some(outer) => outer.get_ref().map(|inner| inner as _),
            None => current.source(),
        };
    }
    if error.is_connect() { Error::DestinationUnavailable } else { Error::HttpProtocolError }
}

fn read_cause(cause: &(dyn StdError + 'static)) -> Option<Error> {
    if let Some(fault) = cause.downcast_ref::<LookupFault>() {
        return Some(read_lookup(fault));
    }
    if let Some(fault) = cause.downcast_ref::<ConnectFault>() {
        return Some(match fault {
            ConnectFault::Full => Error::ConnectionLimitReached,
            ConnectFault::Late => Error::ConnectionTimeout,
        });
    }
    if let Some(error) = cause.downcast_ref::<TlsError>() {
        return Some(read_tls(error));
    }
    if let Some(error) = cause.downcast_ref::<hyper::Error>() {
        return read_hyper(error);
    }
    // The guest's own body, or its bound.
    if let Some(Error::HttpRequestBodySize(size)) = cause.downcast_ref::<Error>() {
        return Some(Error::HttpRequestBodySize(*size));
    }
    match cause.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::ConnectionRefused => Some(Error::ConnectionRefused),
        io::ErrorKind::TimedOut => Some(Error::ConnectionTimeout),
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Some(Error::ConnectionTerminated),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => Some(Error::DestinationIpUnroutable),
        _ => None,
    }
}

fn read_lookup(fault: &LookupFault) -> Error {
    match fault {
        LookupFault::NotGlobal => Error::DestinationIpProhibited,
        LookupFault::Late => Error::DnsTimeout,
        LookupFault::NoAddress => Error::DnsError { rcode: Some("the name has no address".into()), info_code: None },
        LookupFault::Failed(_) => Error::DnsError { rcode: Some("the name does not resolve".into()), info_code: None },
    }
}

fn read_tls(error: &TlsError) -> Error {
    match error {
        TlsError::InvalidCertificate(_) | TlsError::NoCertificatesPresented => Error::TlsCertificateError,
        TlsError::AlertReceived(alert) => {
            Error::TlsAlertReceived { alert_id: Some(u8::from(*alert)), alert_message: Some(format!("{alert:?}")) }
        }
        _ => Error::TlsProtocolError,
    }
}

fn read_hyper(error: &hyper::Error) -> Option<Error> {
    if error.is_parse_too_large() {
        return Some(Error::HttpResponseHeaderSectionSize(None));
    }
    if error.is_incomplete_message() {
        return Some(Error::HttpResponseIncomplete);
    }
    // Others say more about themselves further down.
    None
}
