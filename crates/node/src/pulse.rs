//! What apps did since the node started: for whoever watches, and for the trials of new revisions.
//!
//! Fed by the thread that writes events, so that the path of a request knows nothing of it. What was dropped before it came
//! to that thread is not in here: the ledger has everything.

#[cfg(test)]
mod tests;

use crate::clock::Calendar;
use crate::event::Invoked;
use cumulet_control::{Answered, TrialRun, Verdict};
use cumulet_meter::LATENCY_BOUNDS_US;
use cumulet_spec::id::{AppId, Digest};
use cumulet_spec::outcome::{Fault, Outcome};
use cumulet_spec::rollout::Rollout;
use cumulet_spec::usage::Usage;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Apps that are remembered: those that were used last, and those with a trial.
const APPS_MAX: usize = 4_096;
/// The part of them that is forgotten at once when there are too many.
const FORGOTTEN_PART: usize = 16;
/// Revisions of an app that are told apart; what older ones did stays in the sums of the app.
const REVISIONS_MAX: usize = 8;

/// Verdicts that wait to be seen to.
const VERDICTS_MAX: usize = 256;

/// What a part of an app did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// By the place of the outcome in [`Outcome::ALL`].
    pub(crate) outcomes: [u64; Outcome::ALL.len()],
    /// Those that ended in a fault of the guest, or in a status of 500 or above.
    pub(crate) errors: u64,
    /// By wall time: not cumulative, one more than [`LATENCY_BOUNDS_US`].
    pub(crate) latency: [u64; LATENCY_BOUNDS_US.len() + 1],
    /// In microseconds.
    pub(crate) executed_us: u64,
    /// In microseconds.
    pub(crate) wall_us: u64,
    /// The largest so far, of one invocation.
    pub(crate) memory_peak_bytes: u64,
    /// Of request bodies.
    pub(crate) bytes_in: u64,
    /// Of response bodies.
    pub(crate) bytes_out: u64,
}

impl Sums {
    pub(crate) fn requests(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    fn add(&mut self, outcome: Outcome, is_error: bool, usage: &Usage) {
        let bucket = LATENCY_BOUNDS_US.partition_point(|bound| *bound < usage.wall_us);
        for counter in self.outcomes.get_mut(outcome.index()).into_iter().chain(self.latency.get_mut(bucket)) {
            *counter += 1;
        }
        self.errors += u64::from(is_error);
        self.executed_us += usage.executed_us;
        self.wall_us += usage.wall_us;
        self.memory_peak_bytes = self.memory_peak_bytes.max(usage.memory_peak_bytes);
        self.bytes_in += usage.bytes_in;
        self.bytes_out += usage.bytes_out;
    }

    fn add_all(&mut self, other: &Self) {
        for (sum, more) in self.outcomes.iter_mut().zip(other.outcomes) {
            *sum += more;
        }
        for (sum, more) in self.latency.iter_mut().zip(other.latency) {
            *sum += more;
        }
        self.errors += other.errors;
        self.executed_us += other.executed_us;
        self.wall_us += other.wall_us;
        self.memory_peak_bytes = self.memory_peak_bytes.max(other.memory_peak_bytes);
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
    }
}

/// What an app did.
#[derive(Clone, Debug, Default)]
pub(crate) struct AppPulse {
    /// The revisions that did something last.
    pub(crate) revisions: Vec<(Digest, Sums)>,
    /// All revisions together.
    pub(crate) all: Sums,
    /// How often it was loaded.
    pub(crate) cold_starts: u64,
    /// When something happened last, in microseconds since the Unix epoch.
    pub(crate) last_us: u64,
}

/// The trial of a revision has come to an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) app: AppId,
    pub(crate) revision: Digest,
    pub(crate) verdict: Verdict,
    /// In microseconds since the Unix epoch.
    pub(crate) at_us: u64,
}

#[derive(Debug, Default)]
struct RevisionBeat {
    sums: Sums,
    trial: Option<TrialRun>,
    last_us: u64,
}

#[derive(Debug, Default)]
struct Beat {
    revisions: BTreeMap<Digest, RevisionBeat>,
    /// What revisions did that are not told apart any more.
    earlier: Sums,
    cold_starts: u64,
    last_us: u64,
}

/// What apps did since the node started.
#[derive(Debug)]
pub(crate) struct Pulse {
    calendar: Calendar,
    /// In microseconds since the Unix epoch.
    pub(crate) started_us: u64,
    apps: Mutex<HashMap<AppId, Beat>>,
    judged: Sender<Judged>,
    /// Until somebody sees to it.
    verdicts: Mutex<Option<Receiver<Judged>>>,
}

impl Pulse {
    pub(crate) fn new(calendar: Calendar, started_us: u64) -> Self {
        let (judged, verdicts) = channel(VERDICTS_MAX);
        Self { calendar, started_us, apps: Mutex::default(), judged, verdicts: Mutex::new(Some(verdicts)) }
    }

    /// Where trials end up: for the first who asks.
    pub(crate) fn verdicts(&self) -> Option<Receiver<Judged>> {
        self.verdicts.lock().take()
    }

    /// An invocation ended.
    pub(crate) fn invoked(&self, invoked: &Invoked) {
        let Invoked { outcome, status, usage, .. } = invoked;
        let place = &invoked.target.place;
        let at_us = self.calendar.micros(invoked.started) + usage.wall_us;
        self.note((&place.app, place.digest), (*outcome, *status, usage), at_us);
    }

    fn note(&self, (app, digest): (&AppId, Digest), (outcome, status, usage): (Outcome, u16, &Usage), at_us: u64) {
        let is_error = is_error(outcome, status);
        let mut apps = self.apps.lock();
        let revision = revision(&mut apps, app, digest, at_us);
        revision.sums.add(outcome, is_error, usage);
        // What was not the app's to answer says nothing of it.
        let is_its_own = !matches!(outcome.fault(), Some(Fault::Client | Fault::Host));
        let wall = Duration::from_micros(usage.wall_us);
        let run = revision.trial.as_mut().filter(|_| is_its_own);
        let Some(verdict) = run.and_then(|run| run.count(&Answered { at_us, is_error, wall })) else { return };
        let judged = Judged { app: app.clone(), revision: digest, verdict, at_us };
        // Where too many wait to be seen to, the next request comes to the same. Nobody listens while the node stops; after
        // its next start the trial begins anew.
        if self.judged.try_send(judged).is_ok() {
            revision.trial = None;
        }
    }

    /// An app was loaded.
    pub(crate) fn woke(&self, id: &AppId, at_us: u64) {
        let mut apps = self.apps.lock();
        let beat = beat(&mut apps, id, at_us);
        beat.cold_starts += 1;
    }

    /// Counts the requests of a revision on trial, unless that is done already.
    pub(crate) fn try_out(&self, id: &AppId, digest: Digest, bounds: &Rollout, at_us: u64) {
        let mut apps = self.apps.lock();
        let revision = revision(&mut apps, id, digest, at_us);
        revision.trial.get_or_insert_with(|| TrialRun::begin(bounds.clone(), at_us));
    }

    /// What the apps of which `wanted` says so did, in no order.
    pub(crate) fn read(&self, wanted: impl Fn(&AppId) -> bool) -> Vec<(AppId, AppPulse)> {
        let apps = self.apps.lock();
        let wanted = apps.iter().filter(|(id, _)| wanted(id));
        wanted.map(|(id, beat)| (id.clone(), beat.read())).collect()
    }
}

impl Beat {
    fn read(&self) -> AppPulse {
        let mut all = self.earlier.clone();
        for revision in self.revisions.values() {
            all.add_all(&revision.sums);
        }
        let revisions = self.revisions.iter().filter(|(_, revision)| revision.sums.requests() > 0);
        AppPulse {
            revisions: revisions.map(|(digest, revision)| (*digest, revision.sums.clone())).collect(),
            all,
            cold_starts: self.cold_starts,
            last_us: self.last_us,
        }
    }

    fn is_on_trial(&self) -> bool {
        self.revisions.values().any(|revision| revision.trial.is_some())
    }
}

/// Whether a request counts against the app.
fn is_error(outcome: Outcome, status: u16) -> bool {
    match outcome.fault() {
        Some(Fault::Guest) => true,
        Some(Fault::Client | Fault::Upstream | Fault::Host) => false,
        None => status >= 500,
    }
}

fn beat<'a>(apps: &'a mut HashMap<AppId, Beat>, id: &AppId, at_us: u64) -> &'a mut Beat {
    if !apps.contains_key(id) {
        if apps.len() >= APPS_MAX {
            forget(apps);
        }
        apps.insert(id.clone(), Beat::default());
    }
    let beat = apps.entry(id.clone()).or_default();
    beat.last_us = beat.last_us.max(at_us);
    beat
}

/// Forgets the apps of which nothing was heard for longest, those with a trial last.
fn forget(apps: &mut HashMap<AppId, Beat>) {
    let mut ages: Vec<_> = apps.iter().map(|(id, beat)| ((beat.is_on_trial(), beat.last_us), id.clone())).collect();
    let count = APPS_MAX / FORGOTTEN_PART;
    if ages.len() > count {
        ages.select_nth_unstable_by_key(count, |(age, _)| *age);
    }
    for (_, id) in ages.into_iter().take(count) {
        apps.remove(&id);
    }
}

fn revision<'a>(apps: &'a mut HashMap<AppId, Beat>, id: &AppId, digest: Digest, at_us: u64) -> &'a mut RevisionBeat {
    let Beat { revisions, earlier, .. } = beat(apps, id, at_us);
    if revisions.len() >= REVISIONS_MAX && !revisions.contains_key(&digest) {
        let oldest = revisions.iter().min_by_key(|(_, revision)| (revision.trial.is_some(), revision.last_us));
        let gone = oldest.map(|(digest, _)| *digest).and_then(|oldest| revisions.remove(&oldest));
        if let Some(gone) = gone {
            earlier.add_all(&gone.sums);
        }
    }
    let revision = revisions.entry(digest).or_default();
    revision.last_us = revision.last_us.max(at_us);
    revision
}
