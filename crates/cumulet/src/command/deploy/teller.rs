//! What a person or a program hears of a deploy.

use std::time::Duration;

use cumulet_spec::api::{DeployView, PhaseView};
use cumulet_spec::deploy::DeployPhase;
use indicatif::BinaryBytes;
use serde_json::{Value, json};

use super::event;
use super::package::Package;
use crate::stopwatch::{Stopwatch, display};
use crate::terminal::{Step, Terminal};

/// Tells each phase with the time that it took.
#[derive(Debug)]
pub(super) struct Teller {
    terminal: Terminal,
    start: Stopwatch,
    /// Since the last phase that was told.
    phase: Stopwatch,
    /// When the node reached its last one, by its own clock.
    at_us: Option<u64>,
    /// What moves on a terminal while the node works.
    step: Option<Step>,
}

impl Teller {
    /// Begins to count.
    pub(super) fn start(terminal: Terminal) -> Self {
        let start = Stopwatch::start();
        Self { terminal, start, phase: start, at_us: None, step: None }
    }

    /// It is built and checked.
    pub(super) fn built(&mut self, package: &Package) {
        let bytes: u64 = package.blobs.values().map(|bytes| bytes.len() as u64).sum();
        let components = package.request.components.len();
        let text = format!("{}, {}", counted(components, "component"), BinaryBytes(bytes));
        self.tell("built", None, &text, json!({ "components": package.request.components, "bytes": bytes }));
    }

    /// What the node did not have is there.
    pub(super) fn uploaded(&mut self, bytes: u64, components: usize) {
        let text = match components {
            0 => "the node has every component".to_owned(),
            some => format!("{}, {}", counted(some, "component"), BinaryBytes(bytes)),
        };
        self.tell("uploaded", None, &text, json!({ "bytes": bytes }));
    }

    /// The node has begun.
    pub(super) fn begun(&mut self, deploy: &DeployView) {
        if self.terminal.is_interactive() {
            self.step = Some(self.terminal.step(format!("{} {}", deploy.app, deploy.revision)));
        }
    }

    /// The node has ended.
    pub(super) fn ended(&mut self) {
        self.step = None;
    }

    /// The node got to a phase.
    pub(super) fn reached(&mut self, phase: PhaseView) {
        let before = self.at_us.replace(phase.at_us);
        if phase.phase == DeployPhase::Failed {
            return;
        }
        // Between two phases the node's own clock counts, which knows nothing of the way from there to here.
        let took = before.map(|before| Duration::from_micros(phase.at_us.saturating_sub(before)));
        self.tell(phase.phase.label(), took, "", json!({ "at_us": phase.at_us }));
    }

    /// It answers.
    pub(super) fn deployed(&self, deploy: &DeployView) {
        let took = self.start.elapsed();
        if self.terminal.is_json() {
            self.terminal.json(&event(
                "deployed",
                json!({
                    "tenant": deploy.tenant, "app": deploy.app, "revision": deploy.revision, "id": deploy.id,
                    "urls": deploy.urls, "took_ms": millis(took),
                }),
            ));
            return;
        }
        self.terminal.done(&format!("{} {} in {}", deploy.app, deploy.revision, display(took)));
        for url in &deploy.urls {
            self.terminal.data(&format!("live {url}"));
        }
    }

    /// It does not.
    pub(super) fn failed(&self, deploy: &DeployView) {
        if self.terminal.is_json() {
            let failure = deploy.failure.as_ref();
            self.terminal.json(&event(
                "failed",
                json!({
                    "tenant": deploy.tenant, "app": deploy.app, "revision": deploy.revision, "id": deploy.id,
                    "phase": failure.map(|failure| failure.phase), "message": failure.map(|failure| &failure.message),
                    "next": failure.map(|failure| &failure.next), "took_ms": millis(self.start.elapsed()),
                }),
            ));
        }
    }

    fn tell(&mut self, name: &str, took: Option<Duration>, text: &str, mut value: Value) {
        let took = took.unwrap_or_else(|| self.phase.elapsed());
        self.phase = Stopwatch::start();
        if !self.terminal.is_json() {
            let line = format!("{:>8}  {text}", display(took));
            let write = || self.terminal.stage(name, line.trim_end());
            match &self.step {
                Some(step) => step.suspend(write),
                None => write(),
            }
            return;
        }
        if let Some(object) = value.as_object_mut() {
            object.insert("took_ms".to_owned(), json!(millis(took)));
        }
        self.terminal.json(&event(name, value));
    }
}

/// Thousandths of a second, to the microsecond.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
