//! Logs as a whole: on a real disk, cut at every byte, killed, full.

mod bounds;
mod codec;
mod damage;
mod disk;
mod follow;
mod kill;

use super::*;
use crate::clock::now;
use cumulet_spec::id::RequestId;
use cumulet_spec::node::LogLimits;
use cumulet_spec::quantity::Bytes;
use std::path::PathBuf;

/// 2026-11-21 at midnight, in microseconds since the Unix epoch.
const START_US: u64 = 1_795_219_200_000_000;
const SMALL: LogLimits = LogLimits { per_app: Bytes::mib(1), total: Bytes::mib(64) };

fn app(text: &str) -> AppId {
    text.parse().unwrap()
}

/// Logs, and what writes them.
struct Desk {
    logs: Logs,
    shelf: Shelf,
}

impl Desk {
    /// Of a process that begins now: what is there is looked through.
    fn new(data: &Path, limits: LogLimits) -> Self {
        Self::since(u64::MAX, data, limits)
    }

    /// Of a process that began at this time.
    fn since(since_us: u64, data: &Path, limits: LogLimits) -> Self {
        let logs = Logs::make(data).unwrap();
        let shelf = Shelf::new(&logs, limits, since_us);
        Self { logs, shelf }
    }

    /// A line that a guest printed at a second.
    fn print(&mut self, name: &str, second: u64, text: &str) {
        let request = RequestId::from_bits(second);
        let source = Source { request: &request, component: "front", revision: "0123456789ab" };
        let content = Content::Output { channel: Channel::Stdout, text: text.as_bytes() };
        let entry = Entry { time_us: START_US + second * 1_000_000, source: Some(source), content };
        self.shelf.add(&app(name), &entry, now());
    }

    fn flush(&mut self) {
        self.shelf.flush(now());
    }
}

fn segments(data: &Path, name: &str) -> Vec<PathBuf> {
    let folder = folder::of_app(&folder::logs(data), &app(name));
    let listed = segment::list(&folder).unwrap();
    listed.iter().map(|listed| segment::path(&folder, listed.number)).collect()
}

/// Everything of a log.
fn all(data: &Path, name: &str) -> Page {
    let reader = LogReader::open(data).unwrap();
    let mut query = LogQuery::all(app(name));
    let mut whole = reader.read(&query).unwrap();
    while !whole.is_end {
        query.after = whole.cursor;
        let page = reader.read(&query).unwrap();
        whole.records.extend(page.records);
        whole.notes.extend(page.notes);
        (whole.cursor, whole.is_end, whole.is_gap) = (page.cursor, page.is_end, whole.is_gap || page.is_gap);
    }
    whole
}

/// The entries of a page, shortly.
fn texts(page: &Page) -> Vec<String> {
    let text = |record: &LogRecord| match &record.content {
        LogContent::Output { text, .. } => text.clone(),
        LogContent::Invocation(ended) => format!("{} {}", ended.outcome, ended.path),
        LogContent::Dropped { pieces } => format!("dropped {pieces}"),
    };
    page.records.iter().map(text).collect()
}

#[test]
fn what_is_asked_for_is_found() {
    let data = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(data.path(), SMALL);
    for second in 0..2_500 {
        desk.print("acme/shop", second, &format!("line {second}"));
    }
    desk.print("shop", 9, "another tenant's");
    desk.flush();
    let reader = desk.logs.reader();
    assert_eq!(reader.apps().unwrap(), [app("acme/shop"), app("shop")]);
    let ask = |query: LogQuery| texts(&reader.last(&query).unwrap());
    let shop = || LogQuery::all(app("acme/shop"));
    assert_eq!(all(data.path(), "acme/shop").records.len(), 2_500);
    assert_eq!(ask(LogQuery { limit: 2, ..shop() }), ["line 2498", "line 2499"]);
    let at = |second: u64| Some(START_US + second * 1_000_000);
    assert_eq!(ask(LogQuery { since_us: at(7), until_us: at(9), ..shop() }), ["line 7", "line 8"]);
    assert_eq!(ask(LogQuery { request: Some(RequestId::from_bits(1_234)), ..shop() }), ["line 1234"]);
    assert!(ask(LogQuery { component: Some("back".parse().unwrap()), ..shop() }).is_empty());
    assert!(ask(LogQuery::all(app("acme/blog"))).is_empty());
    assert_eq!(ask(LogQuery::all(app("shop"))), ["another tenant's"]);
    assert_eq!(reader.near(&app("shpo")).unwrap(), [app("shop"), app("acme/shop")]);
    assert!(reader.near(&app("image-resize")).unwrap().is_empty() && reader.knows(&app("shop")).unwrap());
}

#[test]
fn a_folder_without_logs_says_so() {
    let data = tempfile::tempdir().unwrap();
    let error = LogReader::open(data.path()).unwrap_err();
    assert!(matches!(error.kind, LogErrorKind::Missing), "{error}");
}
