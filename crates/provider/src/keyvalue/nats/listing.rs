//! The keys of a bucket, in the order in which they were last written.

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::Config;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer};
use async_nats::jetstream::kv::Store;
use futures_util::StreamExt as _;

use super::super::{BucketError, KeyPage, PAGE_KEYS_MAX};
use super::failure::bucket_error;
use super::{ANSWER_TIMEOUT, entry, key};

/// Some keys, from a revision on. The cursor is the revision where the next page begins.
pub(super) async fn page(store: &Store, cursor: Option<&str>) -> Result<KeyPage, BucketError> {
    let first = match cursor {
        Some(text) => text.parse().ok().filter(|revision| *revision != 0).ok_or(BucketError::Cursor)?,
        None => 1,
    };
    let consumer = store.stream.create_consumer(config(store, first)).await.map_err(|error| bucket_error(&error))?;
    let page = collect(store, &consumer, first).await;
    // The server forgets the consumer by itself; this is only sooner.
    if let Err(error) = store.stream.delete_consumer(&consumer.cached_info().name).await {
        tracing::debug!(%error, "a listing's consumer stays for a while");
    }
    page
}

fn config(store: &Store, first: u64) -> Config {
    let deliver_policy = match store.stream.cached_info().config.max_messages_per_subject {
        // Each message is the last of its key, so that a page can begin anywhere.
        1 => DeliverPolicy::ByStartSequence { start_sequence: first },
        // A bucket that somebody made with a history: it is gone through from the start for every page.
        _ => DeliverPolicy::LastPerSubject,
    };
    Config {
        deliver_policy,
        ack_policy: AckPolicy::None,
        filter_subject: format!("{}>", store.prefix),
        headers_only: true,
        inactive_threshold: ANSWER_TIMEOUT,
        memory_storage: true,
        ..Config::default()
    }
}

async fn collect(store: &Store, consumer: &PullConsumer, first: u64) -> Result<KeyPage, BucketError> {
    let mut page = KeyPage::default();
    let mut pending = consumer.cached_info().num_pending;
    while pending > 0 {
        let room = PAGE_KEYS_MAX.saturating_sub(page.keys.len());
        let batch = consumer.fetch().max_messages(room).messages().await;
        let mut batch = batch.map_err(|error| bucket_error(&error))?;
        let mut last = None;
        while let Some(message) = batch.next().await {
            let message = message.map_err(|error| BucketError::Backend(error.to_string()))?;
            let info = message.info().map_err(|error| BucketError::Backend(error.to_string()))?;
            (last, pending) = (Some(info.stream_sequence), info.pending);
            if info.stream_sequence >= first {
                page.keys.extend(listed(store, &message));
            }
        }
        // What was counted as pending has been overwritten or deleted since, and stands further on or nowhere.
        let Some(last) = last else { break };
        if page.keys.len() >= PAGE_KEYS_MAX && pending > 0 {
            page.cursor = Some(last.saturating_add(1).to_string());
            break;
        }
    }
    Ok(page)
}

fn listed(store: &Store, message: &Message) -> Option<String> {
    if entry::is_marker(message.headers.as_ref()) {
        return None;
    }
    key::decode(message.subject.as_str().strip_prefix(&store.prefix)?)
}
