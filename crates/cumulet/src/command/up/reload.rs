//! `--watch`: what changed is built, checked and loaded again, and takes the place of what is served.
//!
//! When any of that fails, the error is shown and the version before stays; requests in flight finish on the version
//! that they began with.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::path::{Path, PathBuf};

use cumulet_node::watch::{Change, Place, Plan, PlanError, Watch, WatchError};
use cumulet_spec::id::ComponentName;
use serde_json::json;

use crate::command::check;
use crate::command::up::serving::Serving;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::fetching;
use crate::making;
use crate::review::{self, Purpose};
use crate::target::Target;
use crate::terminal::Terminal;

/// A watched target.
#[derive(Debug)]
pub(super) struct Reload {
    path: PathBuf,
    terminal: Terminal,
    watch: Watch,
    /// Components whose last build failed, or was cut short by a wrong manifest.
    unbuilt: BTreeSet<ComponentName>,
    /// The manifest is another one since the last build: everything is to be built, and other files may be to watch.
    unbuilt_all: bool,
}

impl Reload {
    /// Starts to watch the files of `target`, which was read from `path`.
    ///
    /// # Errors
    /// When a pattern of the manifest is wrong or the system cannot watch.
    pub(super) fn start(path: &Path, target: &Target, terminal: Terminal) -> Result<Self, Box<Failure>> {
        let watch = watch(target)?;
        Ok(Self { path: path.to_owned(), terminal, watch, unbuilt: BTreeSet::new(), unbuilt_all: false })
    }

    /// Takes what the build made for known. To be called before it is read.
    ///
    /// # Errors
    /// When a folder that the build made cannot be watched.
    pub(super) fn built(&mut self, target: &Target) -> Result<(), Box<Failure>> {
        self.watch.acknowledge().map_err(|error| unwatched(target, &error))
    }

    /// Reloads at every change, forever.
    pub(super) async fn follow(mut self, serving: &Serving) -> Infallible {
        loop {
            let change = self.watch.changed().await;
            if let Err(failure) = self.reload(change, serving).await {
                self.terminal.failure(&failure);
                self.tell("reload-failed", serving);
                self.terminal.note("the version before is still served");
            }
        }
    }

    async fn reload(&mut self, change: Change, serving: &Serving) -> Result<(), Box<Failure>> {
        self.unbuilt.extend(change.build);
        self.unbuilt_all |= change.manifest;
        let mut target = Target::resolve(&self.path)?;
        fetching::fetch(&mut target, self.terminal).await?;
        if self.unbuilt_all {
            // Before the build, so that what is edited meanwhile is seen.
            self.watch = watch(&target)?;
        }
        let (unbuilt, all) = (self.unbuilt.clone(), self.unbuilt_all);
        making::build(&target, |name| all || unbuilt.contains(name), self.terminal).await?;
        self.built(&target)?;
        self.unbuilt.clear();
        self.unbuilt_all = false;
        let reviewed = review::review(&target, Purpose::Serve)?;
        if let Some(failure) = review::refused(&target, &reviewed) {
            return Err(failure);
        }
        check::warnings(&target, &reviewed, self.terminal);
        serving.load(&target, self.terminal).await?;
        self.tell("reloaded", serving);
        self.terminal.done("reloaded");
        Ok(())
    }

    /// For programs that wait for it.
    fn tell(&self, event: &str, serving: &Serving) {
        if self.terminal.is_json() {
            self.terminal.json(&json!({ "event": event, "url": serving.url() }));
        }
    }
}

fn watch(target: &Target) -> Result<Watch, Box<Failure>> {
    let file = target.file.as_ref().map(|file| file.path.as_path());
    let place = Place { base_dir: &target.base_dir, file };
    let started = Plan::new(&target.manifest, place).map_err(WatchError::from).and_then(Watch::start);
    started.map_err(|error| unwatched(target, &error))
}

fn unwatched(target: &Target, error: &WatchError) -> Box<Failure> {
    let (exit, next) = match error {
        WatchError::Plan(PlanError::Pattern { .. }) => {
            (Exit::INVALID, "correct the pattern: `*` stands for a part of a name, `**` for folders")
        }
        WatchError::Plan(PlanError::Folder { .. }) => (Exit::INVALID, "correct `dir` of the build"),
        WatchError::Start(_) | WatchError::Folder { .. } => {
            (Exit::FAILED, "raise the system's limit (fs.inotify.max_user_watches), or name fewer files in build.watch")
        }
    };
    let file = target.file.as_ref().map_or(target.base_dir.as_path(), |file| file.path.as_path());
    Failure::new(exit, "cannot watch the files of this app").at(file).because(error).next(next)
}
