//! Sends a blob: in one piece, or in several where it is large.

use bytes::Bytes;
use cumulet_spec::id::Digest;
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, Response, StatusCode, Url};

use crate::oci::session::Session;
use crate::source::COMPONENT_BYTES_MAX;
use crate::transfer::{Call, OnTransferred, TransferError, TransferErrorKind, Transferred, Tries, permit};

/// Blobs up to this size are sent in one piece, larger ones in pieces of it: a piece that is lost costs little, and
/// servers before registries often bound a body.
const PIECE_BYTES: u64 = 8 << 20;
/// The largest piece that a registry may want at least.
const PIECE_BYTES_MAX: u64 = 64 << 20;
/// What a registry wants a piece to have at least.
const PIECE_MIN: HeaderName = HeaderName::from_static("oci-chunk-min-length");

/// Sends a blob unless the registry has it. Returns how much was sent.
pub(super) async fn blob(
    session: &mut Session<'_>,
    (digest, bytes): (Digest, &Bytes),
    progress: OnTransferred<'_>,
) -> Result<u64, TransferError> {
    let total = bytes.len() as u64;
    if total > COMPONENT_BYTES_MAX {
        return Err(session.fail(TransferErrorKind::TooLarge { max: COMPONENT_BYTES_MAX }));
    }
    if is_there(session, digest).await? {
        progress(Transferred { bytes: total, total: Some(total) });
        return Ok(0);
    }
    let start = session.call(Method::POST, &["blobs", "uploads", ""])?;
    let started = session.send_for(start, StatusCode::ACCEPTED).await?;
    let place = place(session, &started)?;
    let (place, last) = if total <= PIECE_BYTES {
        (place, bytes.clone())
    } else {
        (pieces(session, (place, piece_bytes(&started)), bytes, progress).await?, Bytes::new())
    };
    finish(session, (place, digest), last).await?;
    progress(Transferred { bytes: total, total: Some(total) });
    Ok(total)
}

async fn is_there(session: &mut Session<'_>, digest: Digest) -> Result<bool, TransferError> {
    let call = session.call(Method::HEAD, &["blobs", &digest.to_string()])?;
    let mut tries = Tries::new(session.transport().bounds);
    loop {
        match session.send(call.clone()).await {
            Err(error) if tries.another(&error).await => {}
            // One that may only be written to says neither yes nor no.
            answer => return Ok(answer?.status() == StatusCode::OK),
        }
    }
}

/// Sends piece after piece. An upload is a conversation: nothing of it is asked for twice.
async fn pieces(
    session: &mut Session<'_>,
    (mut upload, piece): (Url, u64),
    bytes: &Bytes,
    progress: OnTransferred<'_>,
) -> Result<Url, TransferError> {
    let (total, piece) = (bytes.len(), usize::try_from(piece).unwrap_or(usize::MAX));
    let mut sent = 0;
    while sent < total {
        let end = sent.saturating_add(piece).min(total);
        let mut call = Call::new(Method::PATCH, upload);
        call.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        let range = HeaderValue::from_str(&format!("{sent}-{}", end - 1));
        call.headers.insert(CONTENT_RANGE, range.expect("digits and a hyphen"));
        call.body = bytes.slice(sent..end);
        let answer = session.send_for(call, StatusCode::ACCEPTED).await?;
        upload = place(session, &answer)?;
        sent = end;
        progress(Transferred { bytes: sent as u64, total: Some(total as u64) });
    }
    Ok(upload)
}

/// Ends an upload with its last bytes, which may be all or none.
async fn finish(
    session: &mut Session<'_>,
    (mut upload, digest): (Url, Digest),
    bytes: Bytes,
) -> Result<(), TransferError> {
    upload.query_pairs_mut().append_pair("digest", &digest.to_string());
    let mut call = Call::new(Method::PUT, upload);
    call.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    call.body = bytes;
    session.send_for(call, StatusCode::CREATED).await.map(drop)
}

/// Where an upload goes on.
fn place(session: &Session<'_>, response: &Response) -> Result<Url, TransferError> {
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let next = location.and_then(|location| response.url().join(location).ok());
    let nowhere = || session.fail(TransferErrorKind::Nonsense("an upload without a place to send to".to_owned()));
    let next = next.ok_or_else(nowhere)?;
    permit(&next)?;
    if response.url().scheme() == "https" && next.scheme() != "https" {
        return Err(TransferError::at(&next, TransferErrorKind::Insecure));
    }
    Ok(next)
}

fn piece_bytes(response: &Response) -> u64 {
    let wanted = response.headers().get(PIECE_MIN).and_then(|value| value.to_str().ok()?.parse().ok());
    wanted.unwrap_or(PIECE_BYTES).clamp(PIECE_BYTES, PIECE_BYTES_MAX)
}
