//! Responses kept for a component: a private cache as RFC 9111 has it, bounded, for grants that ask for it.
//!
//! A fresh isolate remembers nothing, so that a set of keys that hardly changes would be fetched for every request.
//! With `cache = true` on its grant the host keeps it instead, for as long as the server says that it may.

use super::RequestBody;
use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use http_cache_semantics::{BeforeRequest, CacheOptions, CachePolicy};
use parking_lot::RwLock;
use std::collections::HashMap;
use std::time::SystemTime;
use wasmtime_wasi_http::Error;

/// Responses that are kept for one component.
const ENTRIES_MAX: usize = 64;
/// The largest body that is kept, in bytes.
const BODY_BYTES_MAX: usize = 256 << 10;

type ResponseBody = UnsyncBoxBody<Bytes, Error>;

/// The head of a request that may be answered from the cache, and by whose answer it may be filled.
pub(super) struct Question {
    head: http::Request<()>,
}

struct Entry {
    policy: CachePolicy,
    body: Bytes,
}

/// The responses of one component, by URI.
#[derive(Default)]
pub(super) struct Cache {
    entries: RwLock<HashMap<http::Uri, Entry>>,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("entries", &self.entries.read().len()).finish()
    }
}

#[expect(clippy::disallowed_methods, reason = "freshness is a matter of calendar time, read here and nowhere else")]
fn now() -> SystemTime {
    SystemTime::now()
}

impl Cache {
    /// What to ask the cache for a request; `None` when it can have nothing to do with it.
    pub(super) fn question(&self, request: &http::Request<RequestBody>) -> Option<Question> {
        if request.method() != http::Method::GET || !request.body().is_end_stream() {
            return None;
        }
        // A component acts for many people: what one of them may see is not an answer for the next.
        let personal = [http::header::AUTHORIZATION, http::header::COOKIE];
        if personal.iter().any(|name| request.headers().contains_key(name)) {
            return None;
        }
        let mut head = http::Request::new(());
        *head.uri_mut() = request.uri().clone();
        *head.headers_mut() = request.headers().clone();
        Some(Question { head })
    }

    /// A response that is still fresh.
    pub(super) fn find(&self, question: &Question) -> Option<http::Response<ResponseBody>> {
        let entries = self.entries.read();
        let entry = entries.get(question.head.uri())?;
        match entry.policy.before_request(&question.head, now()) {
            BeforeRequest::Fresh(head) => Some(http::Response::from_parts(head, whole(entry.body.clone()))),
            BeforeRequest::Stale { .. } => None,
        }
    }

    /// Keeps a response if it may be kept and is small, and gives it back either way.
    pub(super) async fn keep(
        &self,
        question: Question,
        response: http::Response<ResponseBody>,
    ) -> Result<http::Response<ResponseBody>, Error> {
        let (head, body) = response.into_parts();
        let answer = http::Response::from_parts(head.clone(), ());
        let options = CacheOptions { shared: false, ..CacheOptions::default() };
        let policy = CachePolicy::new_options(&question.head, &answer, now(), options);
        let small = body.size_hint().lower() <= BODY_BYTES_MAX as u64;
        if !policy.is_storable() || !small || head.status != http::StatusCode::OK {
            return Ok(http::Response::from_parts(head, body));
        }
        match collect(body).await? {
            Collected::Whole(bytes) => {
                self.insert(question.head.uri().clone(), Entry { policy, body: bytes.clone() });
                Ok(http::Response::from_parts(head, whole(bytes)))
            }
            Collected::TooLarge(body) => Ok(http::Response::from_parts(head, body)),
        }
    }

    /// Forgets what is kept of a URI.
    pub(super) fn forget(&self, uri: &http::Uri) {
        self.entries.write().remove(uri);
    }

    fn insert(&self, uri: http::Uri, entry: Entry) {
        let mut entries = self.entries.write();
        if entries.len() >= ENTRIES_MAX && !entries.contains_key(&uri) {
            let at = now();
            entries.retain(|_uri, entry| !entry.policy.is_stale(at));
            if entries.len() >= ENTRIES_MAX
                && let Some(any) = entries.keys().next().cloned()
            {
                entries.remove(&any);
            }
        }
        entries.insert(uri, entry);
    }
}

enum Collected {
    Whole(Bytes),
    TooLarge(ResponseBody),
}

/// Reads a body up to the bound; beyond it, what was read goes in front of what was not. A body with trailers is not
/// kept, because they could not be given back.
async fn collect(mut body: ResponseBody) -> Result<Collected, Error> {
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame?;
        let over = match frame.data_ref() {
            Some(data) => read.len() + data.len() > BODY_BYTES_MAX,
            None => true,
        };
        if over {
            let first = futures_util::stream::iter([Ok(http_body::Frame::data(read.freeze())), Ok(frame)]);
            let rest = http_body_util::BodyStream::new(body);
            let all = futures_util::StreamExt::chain(first, rest);
            return Ok(Collected::TooLarge(StreamBody::new(all).boxed_unsync()));
        }
        if let Ok(data) = frame.into_data() {
            read.extend_from_slice(&data);
        }
    }
    Ok(Collected::Whole(read.freeze()))
}

fn whole(bytes: Bytes) -> ResponseBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}
