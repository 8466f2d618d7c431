mod door;
mod files;
mod pebble;

use crate::reply::ReplyBody;
use bytes::Bytes;
use cumulet_gateway::{Handler, Incoming, Rejection};
use http::Response;
use rcgen::{CertificateParams, KeyPair};

/// Answers everything, with the target that it was asked for.
#[derive(Clone, Debug)]
struct Hello;

impl Handler for Hello {
    type Body = ReplyBody;

    async fn handle(&self, incoming: Incoming) -> Result<Response<ReplyBody>, Rejection> {
        Ok(Response::new(ReplyBody::full(Bytes::from(incoming.request.uri().to_string()))))
    }
}

/// A certificate that signs itself, and its key, in PEM.
fn pair(host: &str, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}
