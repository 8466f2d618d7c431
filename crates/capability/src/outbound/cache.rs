//! Responses kept for a component: a private cache as RFC 9111 has it, bounded, for grants that ask for it.
//!
//! A fresh isolate remembers nothing, so that a set of keys that hardly changes would be fetched for every request.
//! With `cache = true` on its grant the host keeps it instead, for as long as the server says that it may.

use super::{RequestBody, ResponseBody};
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full};
use http_cache_semantics::{BeforeRequest, CacheOptions, CachePolicy};
use parking_lot::RwLock;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;
use wasmtime_wasi_http::Error;

/// Responses that are kept for one component.
const ENTRIES_MAX: usize = 64;
/// The largest body that is kept, in bytes.
const BODY_BYTES_MAX: usize = 256 << 10;

/// The head of a request that may be answered from the cache, and by whose answer it may be filled.
pub(super) struct Question {
    head: http::Request<()>,
    /// How many changes had been seen when it was asked.
    changes: u64,
}

struct Entry {
    policy: CachePolicy,
    body: Bytes,
}

/// The responses of one component, by URI.
#[derive(Default)]
pub(super) struct Cache {
    kept: RwLock<Kept>,
}

#[derive(Default)]
struct Kept {
    entries: HashMap<http::Uri, Entry>,
    /// Counts what was forgotten. An answer that was on its way meanwhile may be from before the change, and is not kept.
    changes: u64,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("entries", &self.kept.read().entries.len()).finish()
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
        Some(Question { head, changes: self.kept.read().changes })
    }

    /// A response that is still fresh.
    pub(super) fn find(&self, question: &Question) -> Option<http::Response<ResponseBody>> {
        let kept = self.kept.read();
        let entry = kept.entries.get(question.head.uri())?;
        match entry.policy.before_request(&question.head, now()) {
            BeforeRequest::Fresh(head) => Some(http::Response::from_parts(head, whole(entry.body.clone()))),
            BeforeRequest::Stale { .. } => None,
        }
    }

    /// Keeps a response if it may be kept and is small, once the guest has read it to its end.
    pub(super) fn keep(
        self: &Arc<Self>,
        question: Question,
        response: http::Response<ResponseBody>,
    ) -> http::Response<ResponseBody> {
        let (head, body) = response.into_parts();
        let answer = http::Response::from_parts(head.clone(), ());
        let options = CacheOptions { shared: false, ..CacheOptions::default() };
        let policy = CachePolicy::new_options(&question.head, &answer, now(), options);
        let small = body.size_hint().lower() <= BODY_BYTES_MAX as u64;
        // What was set for one of the people that a component acts for is not for the next.
        let personal = head.headers.contains_key(http::header::SET_COOKIE);
        let lasts = policy.is_storable() && !policy.is_stale(now());
        if !lasts || !small || personal || head.status != http::StatusCode::OK {
            return http::Response::from_parts(head, body);
        }
        let copy = Copy { cache: Arc::clone(self), question, policy, read: BytesMut::new() };
        http::Response::from_parts(head, Copied { body, copy: Some(copy) }.boxed_unsync())
    }

    /// Forgets what is kept of a URI.
    pub(super) fn forget(&self, uri: &http::Uri) {
        let mut kept = self.kept.write();
        kept.entries.remove(uri);
        kept.changes += 1;
    }

    fn insert(&self, question: &Question, entry: Entry) {
        let mut kept = self.kept.write();
        if kept.changes != question.changes {
            return;
        }
        let uri = question.head.uri();
        let entries = &mut kept.entries;
        if entries.len() >= ENTRIES_MAX && !entries.contains_key(uri) {
            let at = now();
            entries.retain(|_uri, entry| !entry.policy.is_stale(at));
            if entries.len() >= ENTRIES_MAX
                && let Some(any) = entries.keys().next().cloned()
            {
                entries.remove(&any);
            }
        }
        entries.insert(uri.clone(), entry);
    }
}

/// What was read of a response that is to be kept.
struct Copy {
    cache: Arc<Cache>,
    question: Question,
    policy: CachePolicy,
    read: BytesMut,
}

impl Copy {
    /// Adds a part; none when the whole is not to be kept any more. A body with trailers is not, because they could not
    /// be given back.
    fn add(mut self, frame: &Frame<Bytes>) -> Option<Self> {
        let data = frame.data_ref()?;
        if self.read.len() + data.len() > BODY_BYTES_MAX {
            return None;
        }
        self.read.extend_from_slice(data);
        Some(self)
    }

    fn finish(self) {
        self.cache.insert(&self.question, Entry { policy: self.policy, body: self.read.freeze() });
    }
}

/// A body that goes to the guest as it comes, and into the cache when it has come to its end.
struct Copied {
    body: ResponseBody,
    copy: Option<Copy>,
}

impl Body for Copied {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let copy = self.copy.take();
        match &frame {
            Some(Ok(frame)) => self.copy = copy.and_then(|copy| copy.add(frame)),
            Some(Err(_)) => {}
            None => copy.into_iter().for_each(Copy::finish),
        }
        // Whoever knows the length does not ask for more after the last part.
        if self.body.is_end_stream() {
            self.copy.take().into_iter().for_each(Copy::finish);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn whole(bytes: Bytes) -> ResponseBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}
