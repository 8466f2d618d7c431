//! Bodies on their way into a container and out of one: streams with a bound on what waits between the two sides.

use super::bindings::wasi::blobstore::types;
use super::{View, told};
use crate::stores::Held;
use bytes::{Bytes, BytesMut};
use cumulet_provider::blobstore::{Chunks, Container, ContainerError, Reading};
use futures_util::StreamExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, StreamError, StreamResult,
};

/// Chunks that wait for the store, and the size of each: together they bound what the host holds of a body.
const CHUNKS_MAX: usize = 16;
/// See [`CHUNKS_MAX`].
const CHUNK_BYTES_MAX: usize = 64 << 10;
/// The largest part of an object that is handed over in one piece.
const WHOLE_BYTES_MAX: u64 = 64 << 20;

type Chunk = Result<Bytes, ContainerError>;

/// A body that a guest writes.
///
/// It may be given to a container before or after it is written, though without a container it holds no more than
/// [`CHUNKS_MAX`] chunks.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub struct OutgoingValue {
    /// Where the stream comes from; `None` once the guest has it.
    writer: Option<BodyWriter>,
    /// The other end; `None` once a container has it.
    body: Option<mpsc::Receiver<Chunk>>,
    /// Tells the body that it is whole. Dropped without that, the body ends with an error.
    end: mpsc::Sender<Chunk>,
    /// Whether a container reads.
    given: Arc<AtomicBool>,
    /// There once something can be written.
    held: Option<Held>,
    upload: Option<AbortOnDropHandle<Result<(), ContainerError>>>,
}

impl OutgoingValue {
    fn new() -> Self {
        let (sender, body) = mpsc::channel(CHUNKS_MAX);
        let given = Arc::new(AtomicBool::new(false));
        let writer = BodyWriter { sender: sender.clone(), given: Arc::clone(&given) };
        Self { writer: Some(writer), body: Some(body), end: sender, given, held: None, upload: None }
    }

    /// Begins to store what is written.
    pub(super) fn send_to(&mut self, container: Arc<dyn Container>, name: String) -> Result<(), String> {
        let body = self.body.take().ok_or("this value is being written to an object already")?;
        self.given.store(true, Ordering::Relaxed);
        let body = chunks(body);
        let upload = tokio::spawn(async move { container.write(name, body).await });
        self.upload = Some(AbortOnDropHandle::new(upload));
        Ok(())
    }

    /// Ends the body and waits until the object is there.
    async fn finish(self) -> Result<(), String> {
        let Self { writer, body, end, upload, .. } = self;
        drop((writer, body));
        let Some(upload) = upload else { return Err("this value was given to no container".to_owned()) };
        // An empty chunk marks the end; a store that has failed does not take it.
        drop(end.send(Ok(Bytes::new())).await);
        drop(end);
        match upload.await {
            Ok(stored) => stored.map_err(told),
            Err(_panicked) => Err("the blob store failed".to_owned()),
        }
    }
}

/// The chunks up to the mark of the end. Without the mark the guest has given up: the object must not appear.
fn chunks(body: mpsc::Receiver<Chunk>) -> Chunks {
    let next = |body: Option<mpsc::Receiver<Chunk>>| async move {
        let mut body = body?;
        match body.recv().await {
            Some(Ok(chunk)) if chunk.is_empty() => None,
            Some(chunk) => Some((chunk, Some(body))),
            None => Some((Err(ContainerError::Broken), None)),
        }
    };
    futures_util::stream::unfold(Some(body), next).fuse().boxed()
}

/// The guest's stream into a value.
#[derive(Debug)]
struct BodyWriter {
    sender: mpsc::Sender<Chunk>,
    given: Arc<AtomicBool>,
}

impl BodyWriter {
    /// Full, and nobody reads: waiting would not help.
    fn is_stuck(&self) -> bool {
        self.sender.capacity() == 0 && !self.given.load(Ordering::Relaxed)
    }
}

#[async_trait::async_trait]
impl Pollable for BodyWriter {
    async fn ready(&mut self) {
        if !self.is_stuck() {
            // An error means that the store has stopped reading, which the next call tells.
            drop(self.sender.reserve().await);
        }
    }
}

impl OutputStream for BodyWriter {
    fn write(&mut self, mut bytes: Bytes) -> StreamResult<()> {
        while !bytes.is_empty() {
            let chunk = bytes.split_to(bytes.len().min(CHUNK_BYTES_MAX));
            self.sender.try_send(Ok(chunk)).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => StreamError::trap("more was written than the stream takes"),
                mpsc::error::TrySendError::Closed(_) => StreamError::Closed,
            })?;
        }
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        if self.sender.is_closed() {
            return Err(StreamError::Closed);
        }
        if self.is_stuck() {
            let bytes = CHUNKS_MAX * CHUNK_BYTES_MAX;
            let text = format!("call write-data first: before that, a value takes at most {bytes} bytes");
            return Err(StreamError::LastOperationFailed(wasmtime::Error::msg(text)));
        }
        Ok(if self.sender.capacity() == 0 { 0 } else { CHUNK_BYTES_MAX })
    }
}

/// Part of an object that a guest reads.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings export it again")]
pub struct IncomingValue {
    reading: Reading,
    held: Held,
}

impl IncomingValue {
    pub(super) fn new(reading: Reading, held: Held) -> Self {
        Self { reading, held }
    }

    /// All of it.
    async fn whole(mut self) -> Result<Vec<u8>, String> {
        if self.reading.size > WHOLE_BYTES_MAX {
            return Err(format!("above {WHOLE_BYTES_MAX} bytes a value is read as a stream"));
        }
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.reading.chunks.next().await {
            whole.extend_from_slice(&chunk.map_err(told)?);
        }
        Ok(whole.into())
    }
}

/// The guest's stream out of a value.
struct BodyReader {
    chunks: Chunks,
    /// What was received and not yet read.
    waiting: Option<Chunk>,
    ended: bool,
    _held: Held,
}

#[async_trait::async_trait]
impl Pollable for BodyReader {
    async fn ready(&mut self) {
        while self.waiting.is_none() && !self.ended {
            match self.chunks.next().await {
                Some(Ok(chunk)) if chunk.is_empty() => {}
                Some(chunk) => self.waiting = Some(chunk),
                None => self.ended = true,
            }
        }
    }
}

impl InputStream for BodyReader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        match self.waiting.take() {
            Some(Ok(mut chunk)) => {
                let part = chunk.split_to(size.min(chunk.len()));
                if !chunk.is_empty() {
                    self.waiting = Some(Ok(chunk));
                }
                Ok(part)
            }
            Some(Err(error)) => {
                self.ended = true;
                Err(StreamError::LastOperationFailed(wasmtime::Error::msg(told(error))))
            }
            None if self.ended => Err(StreamError::Closed),
            None => Ok(Bytes::new()),
        }
    }
}

impl types::Host for View<'_> {}

impl types::HostOutgoingValue for View<'_> {
    fn new_outgoing_value(&mut self) -> Result<Resource<OutgoingValue>> {
        Ok(self.table.push(OutgoingValue::new())?)
    }

    async fn outgoing_value_write_body(
        &mut self,
        value: Resource<OutgoingValue>,
    ) -> Result<Result<Resource<DynOutputStream>, ()>> {
        if self.table.get(&value)?.writer.is_none() {
            return Ok(Err(()));
        }
        let held = self.stores.hold().await;
        let own = self.table.get_mut(&value)?;
        own.held = Some(held);
        let Some(writer) = own.writer.take() else { return Ok(Err(())) };
        let stream: DynOutputStream = Box::new(writer);
        Ok(Ok(self.table.push_child(stream, &value)?))
    }

    async fn finish(&mut self, value: Resource<OutgoingValue>) -> Result<Result<(), String>> {
        Ok(self.table.delete(value)?.finish().await)
    }

    fn drop(&mut self, value: Resource<OutgoingValue>) -> Result<()> {
        self.table.delete(value)?;
        Ok(())
    }
}

impl types::HostIncomingValue for View<'_> {
    async fn incoming_value_consume_sync(&mut self, value: Resource<IncomingValue>) -> Result<Result<Vec<u8>, String>> {
        Ok(self.table.delete(value)?.whole().await)
    }

    fn incoming_value_consume_async(
        &mut self,
        value: Resource<IncomingValue>,
    ) -> Result<Result<Resource<DynInputStream>, String>> {
        let IncomingValue { reading, held } = self.table.delete(value)?;
        let body = BodyReader { chunks: reading.chunks, waiting: None, ended: false, _held: held };
        let stream: DynInputStream = Box::new(body);
        Ok(Ok(self.table.push(stream)?))
    }

    fn size(&mut self, value: Resource<IncomingValue>) -> Result<u64> {
        Ok(self.table.get(&value)?.reading.size)
    }

    fn drop(&mut self, value: Resource<IncomingValue>) -> Result<()> {
        self.table.delete(value)?;
        Ok(())
    }
}
