//! Events of many apps through one queue, into their logs.

use super::*;
use crate::clock::Calendar;
use crate::logs::{LogContent, LogQuery, Logs, Shelf};
use cumulet_spec::node::LogLimits;
use cumulet_spec::quantity;
use std::sync::Barrier;

/// Lines that each of those who flood prints.
const FLOOD_LINES: u64 = 60_000;
const QUIET_LINES: u64 = 300;

fn output(events: &Arc<EventQueue>, app: &str) -> ComponentOutput {
    let place = events.place(app.parse().unwrap(), "front".parse().unwrap(), Digest::of(b""));
    ComponentOutput::new(place, Arc::clone(events))
}

/// The lines of an app's log, and how many pieces it says are missing.
fn read(logs: &Logs, app: &str) -> (Vec<String>, u64) {
    let query = LogQuery { limit: usize::MAX, ..LogQuery::all(app.parse().unwrap()) };
    let page = logs.reader().last(&query).unwrap();
    assert!(page.notes.is_empty(), "{:?}", page.notes);
    let (mut lines, mut dropped) = (Vec::new(), 0);
    for record in page.records {
        match record.content {
            LogContent::Output { text, .. } => lines.push(text),
            LogContent::Dropped { pieces } => dropped += pieces,
            LogContent::Invocation(_) => panic!("nothing was invoked"),
        }
    }
    (lines, dropped)
}

#[test]
fn who_floods_loses_its_own_lines_and_each_is_accounted_for() {
    let data = tempfile::tempdir().unwrap();
    let logs = Logs::make(data.path()).unwrap();
    let limits = LogLimits { per_app: quantity::Bytes::mib(64), total: quantity::Bytes::gib(1) };
    let events = EventQueue::new();
    let journal = Journal::new(Shelf::new(&logs, limits, 0), Calendar::start());
    let writer =
        EventWriter::start(Arc::clone(&events), EventFormat::Failures, Box::new(std::io::sink()), Some(journal), None);
    let writer = writer.unwrap();
    let start = Barrier::new(4);
    std::thread::scope(|scope| {
        for flood in 0..3_u64 {
            let (events, start) = (&events, &start);
            scope.spawn(move || {
                let output = output(events, &format!("acme/flood-{flood}"));
                let line = Bytes::from(format!("{}\n", "x".repeat(200)));
                start.wait();
                for number in 0..FLOOD_LINES {
                    output.write(&RequestId::from_bits(number), Channel::Stdout, line.clone());
                }
            });
        }
        let quiet = output(&events, "other/quiet");
        start.wait();
        for number in 0..QUIET_LINES {
            quiet.write(&RequestId::from_bits(number), Channel::Stderr, format!("line {number}\n").into());
            std::thread::yield_now();
        }
    });
    drop(writer);
    let (lines, dropped) = read(&logs, "other/quiet");
    let expected: Vec<String> = (0..QUIET_LINES).map(|number| format!("line {number}")).collect();
    assert_eq!((lines, dropped), (expected, 0));
    let mut lost = 0;
    for flood in 0..3 {
        let (lines, dropped) = read(&logs, &format!("acme/flood-{flood}"));
        assert_eq!(lines.len() as u64 + dropped, FLOOD_LINES);
        lost += dropped;
    }
    assert_eq!(lost, events.dropped());
    assert_eq!((events.events.len(), events.output_bytes.load(Ordering::SeqCst)), (0, 0));
    println!("{lost} of {} lines of the floods were dropped", 3 * FLOOD_LINES);
}
