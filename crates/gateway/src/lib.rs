//! Outside events become invocations: listeners, TLS, HTTP/1.1 and HTTP/2, size limits, request ids, error replies,
//! drain.
//!
//! A [`Gateway`], or a [`SecureGateway`] over TLS, owns a listener and its connections and calls a [`Handler`] for each
//! request. It knows nothing of routes, components or bills. On the path of a request it takes no lock, reads no clock,
//! arms no timer and starts no task; what bounds a connection's time is a sweep over all of them.
//!
//! A message that is not HTTP at all never becomes a request: hyper answers it (400, 414, 431) and closes the
//! connection, without a request id, since nothing asked under one.

mod body;
mod config;
mod connection;
mod crowd;
mod entrance;
mod gateway;
mod handler;
mod head;
mod protocol;
pub mod reply;
mod response;
mod service;
mod socket;
mod tls;

pub use body::{BodyMeter, Chunk, RequestBody, RequestBodyError, RequestBodyErrorKind};
pub use config::{
    BACKLOG, BODY_BYTES_MAX, CONNECTIONS_MAX, GatewayConfig, HEADER_BYTES_MAX, HEADER_COUNT_MAX, STREAMS_MAX,
    URI_BYTES_MAX,
};
pub use crowd::Drained;
pub use gateway::{BindError, Gateway};
pub use handler::{BodyFailure, Handler, Incoming, Rejection};
pub use head::Refusal;
pub use tls::{
    Certificate, CertificateError, CertificateFault, ChallengeAnswer, HANDSHAKES_MAX, HandshakeEnd, PemPart,
    SecureGateway, Tls, TlsError, TlsSettings,
};
