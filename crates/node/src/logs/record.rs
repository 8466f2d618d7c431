//! One entry of an app's log, and its form on disk.
//!
//! | part | holds |
//! | --- | --- |
//! | kind | 1 byte: 1 output, 2 invocation, 3 dropped |
//! | time | 8 bytes: microseconds since the Unix epoch at which it was written |
//! | source | request id, component, revision: a length of 1 byte each, then text; all empty where there is none |
//! | output | 1 byte: 1 standard output, 2 standard error; text |
//! | invocation | started (8), status (2), outcome and method (a length of 1 byte, then text), path, wall, executed, memory, bytes in, bytes out (8 each), detail |
//! | dropped | 8 bytes: how many |
//!
//! Numbers are little-endian; text without another length has one of 4 bytes. What an older release does with newer
//! entries: a kind or an outcome that it does not know is passed over, and so is what stands behind the parts that it
//! knows. A newer release reads parts that are not there yet as empty. Anything else that changes is a new format of segment.

use cumulet_capability::Channel;
use cumulet_spec::id::{ComponentName, RequestId};
use cumulet_spec::outcome::Outcome;

/// Bytes of a line of output, or of what the operator is told of an invocation, that are kept.
pub(crate) const TEXT_BYTES_MAX: usize = 16 << 10;
/// Bytes of a request's path that are kept.
const PATH_BYTES_MAX: usize = 4 << 10;
/// Bytes of a method that are kept; those that have a name are shorter.
const METHOD_BYTES_MAX: usize = 32;
/// No entry is longer, in bytes: the text of the longest kind, its path, and room for everything that is short.
pub(super) const PAYLOAD_BYTES_MAX: usize = TEXT_BYTES_MAX + PATH_BYTES_MAX + (4 << 10);

const OUTPUT: u8 = 1;
const INVOCATION: u8 = 2;
const DROPPED: u8 = 3;

/// One entry of an app's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    /// When it was written, in microseconds since the Unix epoch: some milliseconds after it happened.
    pub time_us: u64,
    /// The invocation that it belongs to; none where it is a remark on the log itself.
    pub source: Option<LogSource>,
    /// What it says.
    pub content: LogContent,
}

/// The invocation that an entry belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSource {
    /// The request.
    pub request: RequestId,
    /// The component that answered it.
    pub component: ComponentName,
    /// The first digits of the component's revision.
    pub revision: String,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogContent {
    /// A guest printed a line. What was no UTF-8 in it has been replaced.
    Output {
        /// Where to.
        channel: Channel,
        /// The line, without its end. Control characters are in it: escape them before a terminal sees it.
        text: String,
    },
    /// An invocation ended.
    Invocation(Box<LoggedInvocation>),
    /// Output or events were dropped here, because there were more of them than could be written.
    Dropped {
        /// How many pieces of output and events.
        pieces: u64,
    },
}

/// An invocation that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedInvocation {
    /// When it was admitted, in microseconds since the Unix epoch.
    pub started_us: u64,
    /// The status that the client was given.
    pub status: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// The request's method.
    pub method: String,
    /// The request's path, without its query. Control characters may be in it.
    pub path: String,
    /// Time on the clock.
    pub wall_us: u64,
    /// Executed time.
    pub executed_us: u64,
    /// The most memory that it had.
    pub memory_peak_bytes: u64,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the response's body.
    pub bytes_out: u64,
    /// What the operator is told beyond the outcome, such as where it trapped.
    pub detail: Option<String>,
}

/// An entry on its way to the disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) time_us: u64,
    pub(crate) source: Option<Source<'a>>,
    pub(crate) content: Content<'a>,
}

/// See [`LogSource`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) request: &'a RequestId,
    pub(crate) component: &'a str,
    pub(crate) revision: &'a str,
}

/// See [`LogContent`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum Content<'a> {
    Output { channel: Channel, text: &'a [u8] },
    Invocation(&'a EndedInvocation<'a>),
    Dropped { pieces: u64 },
}

/// See [`LoggedInvocation`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct EndedInvocation<'a> {
    pub(crate) started_us: u64,
    pub(crate) status: u16,
    pub(crate) outcome: Outcome,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) quantities: [u64; QUANTITIES],
    pub(crate) detail: Option<&'a str>,
}

/// Wall time, executed time, memory, bytes in, bytes out.
pub(crate) const QUANTITIES: usize = 5;

/// Adds the form of an entry.
pub(super) fn encode(entry: &Entry<'_>, out: &mut Vec<u8>) {
    out.push(match entry.content {
        Content::Output { .. } => OUTPUT,
        Content::Invocation(_) => INVOCATION,
        Content::Dropped { .. } => DROPPED,
    });
    out.extend_from_slice(&entry.time_us.to_le_bytes());
    let (request, component, revision) =
        entry.source.map_or(("", "", ""), |source| (source.request.as_str(), source.component, source.revision));
    [request, component, revision].into_iter().for_each(|text| short(text, out));
    match entry.content {
        Content::Output { channel, text } => {
            out.push(match channel {
                Channel::Stdout => 1,
                Channel::Stderr => 2,
            });
            long(text.get(..TEXT_BYTES_MAX).unwrap_or(text), out);
        }
        Content::Invocation(ended) => {
            out.extend_from_slice(&ended.started_us.to_le_bytes());
            out.extend_from_slice(&ended.status.to_le_bytes());
            short(ended.outcome.label(), out);
            short(cut(ended.method, METHOD_BYTES_MAX), out);
            long(cut(ended.path, PATH_BYTES_MAX).as_bytes(), out);
            ended.quantities.iter().for_each(|quantity| out.extend_from_slice(&quantity.to_le_bytes()));
            long(cut(ended.detail.unwrap_or_default(), TEXT_BYTES_MAX).as_bytes(), out);
        }
        Content::Dropped { pieces } => out.extend_from_slice(&pieces.to_le_bytes()),
    }
}

/// The entry of this form; nothing when it is of a kind that this release does not know.
pub(super) fn decode(payload: &[u8]) -> Option<LogRecord> {
    let mut rest = Rest(payload);
    let kind = rest.byte();
    let time_us = rest.u64();
    let (request, component, revision) = (rest.short(), rest.short(), rest.short());
    let source = match RequestId::parse(request) {
        Some(request) => {
            let component = ComponentName::parse(&text(component)).ok()?;
            Some(LogSource { request, component, revision: text(revision) })
        }
        None => None,
    };
    let content = match kind {
        OUTPUT => {
            let channel = match rest.byte() {
                1 => Channel::Stdout,
                2 => Channel::Stderr,
                _ => return None,
            };
            LogContent::Output { channel, text: text(rest.long()) }
        }
        INVOCATION => {
            let (started_us, status) = (rest.u64(), rest.u16());
            let label = rest.short();
            let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.label().as_bytes() == label)?;
            let (method, path) = (text(rest.short()), text(rest.long()));
            let [wall_us, executed_us, memory_peak_bytes, bytes_in, bytes_out] = std::array::from_fn(|_| rest.u64());
            let detail = Some(text(rest.long())).filter(|detail| !detail.is_empty());
            LogContent::Invocation(Box::new(LoggedInvocation {
                started_us,
                status,
                outcome,
                method,
                path,
                wall_us,
                executed_us,
                memory_peak_bytes,
                bytes_in,
                bytes_out,
                detail,
            }))
        }
        DROPPED => LogContent::Dropped { pieces: rest.u64() },
        _ => return None,
    };
    Some(LogRecord { time_us, source, content })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Names, ids and labels: none is longer than a length of one byte can say.
fn short(text: &str, out: &mut Vec<u8>) {
    let text = cut(text, usize::from(u8::MAX));
    out.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(text.as_bytes());
}

fn long(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn cut(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or(text)
}

/// What is left to be read; zeros and empty text behind its end.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at_checked(count).unwrap_or((&[], &[]));
        self.0 = rest;
        taken
    }

    fn number<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).try_into().unwrap_or([0; N])
    }

    fn byte(&mut self) -> u8 {
        let [byte] = self.number();
        byte
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.number())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.number())
    }

    fn short(&mut self) -> &'a [u8] {
        let count = usize::from(self.byte());
        self.take(count)
    }

    fn long(&mut self) -> &'a [u8] {
        let count = u32::from_le_bytes(self.number());
        self.take(usize::try_from(count).unwrap_or(usize::MAX))
    }
}
