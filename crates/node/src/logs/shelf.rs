//! The logs of all apps, for the one thread that writes them.

use super::Logs;
use super::folder;
use super::followers::Followers;
use super::record::{Content, Entry};
use super::segment;
use super::writer::{Bounds, Writer, Written};
use crate::clock::Moment;
use cumulet_spec::id::AppId;
use cumulet_spec::node::LogLimits;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Logs that are open at once; for one more, the one that was written longest ago is closed.
const OPEN_MAX: usize = 256;
/// How long a log stays open after it was written.
pub(crate) const IDLE_TIME: Duration = Duration::from_secs(10);
/// Apps of which it is known how many entries were lost and not yet told; what is lost of others is not told.
const LOST_APPS_MAX: usize = 4_096;
/// When all logs together are too large, they are made smaller than they may be by this part, so that it is rare.
const SLACK_PART: u64 = 64;
/// How often it is reported that logs cannot be written.
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// The logs of a data folder, to be written. Sleeping apps have no part in it.
#[derive(Debug)]
pub(crate) struct Shelf {
    logs: PathBuf,
    bounds: Bounds,
    total_max: u64,
    /// Bytes of all logs; not known before they were counted.
    total: Option<u64>,
    open: HashMap<AppId, Writer>,
    /// Entries that could not be written and that their logs do not tell of yet.
    lost: BTreeMap<AppId, u64>,
    followers: Arc<Followers>,
    reported: Option<Moment>,
    /// Less in tests.
    pub(super) open_max: usize,
}

impl Shelf {
    /// The logs of a node that begins to write them at this time, in microseconds since the Unix epoch. Nothing is read
    /// yet.
    pub(crate) fn new(logs: &Logs, limits: LogLimits, now_us: u64) -> Self {
        Self {
            logs: logs.reader.folder().to_owned(),
            bounds: Bounds::of(limits.per_app.0, now_us),
            total_max: limits.total.0,
            total: None,
            open: HashMap::new(),
            lost: BTreeMap::new(),
            followers: Arc::clone(&logs.followers),
            reported: None,
            open_max: OPEN_MAX,
        }
    }

    /// Takes an entry of an app; it is on the disk after [`Shelf::flush`].
    pub(crate) fn add(&mut self, app: &AppId, entry: &Entry<'_>, now: Moment) {
        if !self.open.contains_key(app) {
            self.make_room(now);
            let writer = Writer::new(folder::of_app(&self.logs, app), self.bounds, now);
            self.open.insert(app.clone(), writer);
        }
        // A log tells of what it lost before it goes on.
        if let Some(pieces) = self.lost.remove(app) {
            let told = Entry { time_us: entry.time_us, source: None, content: Content::Dropped { pieces } };
            if let Some(writer) = self.open.get_mut(app) {
                writer.add(&told);
            }
        }
        let Some(writer) = self.open.get_mut(app) else { return };
        writer.used = now;
        if writer.add(entry) {
            let written = writer.flush();
            self.settle(app.clone(), written, now);
        }
    }

    /// Writes everything that was taken.
    pub(crate) fn flush(&mut self, now: Moment) {
        let mut done = Vec::new();
        for (app, writer) in self.open.iter_mut().filter(|(_, writer)| writer.is_pending()) {
            done.push((app.clone(), writer.flush()));
        }
        for (app, written) in done {
            self.settle(app, written, now);
        }
        self.bound_total(now);
    }

    /// Closes what has not been written for a while. Says whether anything is open still.
    pub(crate) fn rest(&mut self, now: Moment) -> bool {
        self.open.retain(|_, writer| writer.is_pending() || now.saturating_duration_since(writer.used) < IDLE_TIME);
        if self.open.is_empty() {
            self.open.shrink_to_fit();
        }
        !self.open.is_empty()
    }

    /// Entries of an app that are not written and not told of.
    #[cfg(test)]
    pub(super) fn lost(&self, app: &AppId) -> u64 {
        self.lost.get(app).copied().unwrap_or_default()
    }

    #[cfg(test)]
    pub(super) fn open_count(&self) -> usize {
        self.open.len()
    }

    fn make_room(&mut self, now: Moment) {
        while self.open.len() >= self.open_max {
            let Some(oldest) = self.open.iter().min_by_key(|(_, writer)| writer.used).map(|(app, _)| app.clone())
            else {
                return;
            };
            if let Some(mut writer) = self.open.remove(&oldest) {
                let written = writer.flush();
                self.settle(oldest, written, now);
            }
        }
    }

    /// Notes what a write did, and tells those who follow.
    fn settle(&mut self, app: AppId, written: Written, now: Moment) {
        if let Some(total) = &mut self.total {
            *total = total.saturating_add_signed(written.grown);
        }
        let Some(error) = written.error else {
            self.followers.tell(&app);
            return;
        };
        self.report(&folder::of_app(&self.logs, &app), &error, now);
        if self.lost.len() < LOST_APPS_MAX || self.lost.contains_key(&app) {
            *self.lost.entry(app).or_default() += written.lost;
        }
    }

    fn report(&mut self, folder: &Path, error: &io::Error, now: Moment) {
        if self.reported.is_none_or(|before| now.saturating_duration_since(before) >= REPORT_EVERY) {
            self.reported = Some(now);
            let folder = folder.display();
            tracing::error!(%folder, %error, "logs cannot be written; what is lost is counted, and requests go on");
        }
    }

    /// Removes the oldest segments of all apps once they are too many bytes together.
    fn bound_total(&mut self, now: Moment) {
        // The first time all are counted; from then on, what is written and removed.
        let total = match self.total.map_or_else(|| self.look().map(|found| sum(&found)), Ok) {
            Ok(total) => total,
            Err(error) => return self.report(&self.logs.clone(), &error, now),
        };
        self.total = Some(total);
        if total > self.total_max
            && let Err(error) = self.remove_oldest()
        {
            self.report(&self.logs.clone(), &error, now);
        }
    }

    fn remove_oldest(&mut self) -> io::Result<()> {
        let mut found = self.look()?;
        let mut total = sum(&found);
        found.sort_unstable_by_key(|(_, written_us, _)| *written_us);
        let enough = self.total_max - self.total_max / SLACK_PART;
        let current: Vec<PathBuf> = self.open.iter().filter_map(|(app, writer)| self.current(app, writer)).collect();
        for (bytes, _, path) in found {
            if total <= enough {
                break;
            }
            if current.contains(&path) {
                continue;
            }
            fs::remove_file(&path)?;
            total -= bytes;
            if let Some(folder) = path.parent() {
                // It stays while there is something in it.
                let _filled = fs::remove_dir(folder);
            }
        }
        self.total = Some(total);
        Ok(())
    }

    /// The segment that an open log is writing.
    fn current(&self, app: &AppId, writer: &Writer) -> Option<PathBuf> {
        Some(segment::path(&folder::of_app(&self.logs, app), writer.number()?))
    }

    /// Every segment.
    fn look(&self) -> io::Result<Vec<Found>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.logs)? {
            let path = entry?.path();
            if path.file_name().and_then(|name| name.to_str()).and_then(folder::app).is_none() {
                continue;
            }
            for listed in segment::list(&path)? {
                found.push((listed.bytes, listed.written_us, segment::path(&path, listed.number)));
            }
        }
        Ok(found)
    }
}

/// A segment of any app: its bytes, when it was last written, its path.
type Found = (u64, u64, PathBuf);

fn sum(found: &[Found]) -> u64 {
    found.iter().map(|(bytes, ..)| bytes).sum()
}
