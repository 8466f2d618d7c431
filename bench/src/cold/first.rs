//! First requests to apps that are not loaded, each followed by warm ones on the same connection.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};

use super::{Kind, Stage};
use crate::fleet::{App, Caller, Metrics, NodeProcess, Times, each_file, empty_page_cache};

/// Requests to another app before measuring, so that the node's own code is warm.
const WARM_REQUESTS: usize = 200;
/// Warm requests after each cold one.
const AGAIN: usize = 3;
/// How often each app is loaded again where that is measured.
const ROUNDS: usize = 10;
/// Apps that are compiled anew in one repetition, of all components together.
const RECOMPILED: usize = 16;
/// The least that may be loaded: apps evict each other.
const LITTLE_LOADED: &str = "[limit]\nloaded = \"16MiB\"\n";
/// The steps of loading, as `/metrics` names them.
const PHASES: [&str; 5] = ["lookup", "verify", "map", "link", "compile"];

/// Requests to the apps of one component.
#[derive(Debug, Default)]
pub(super) struct Sample {
    /// First ones.
    pub(super) cold: Times,
    /// Those after them.
    pub(super) warm: Times,
    /// Half of the first ones took no longer, in microseconds, by repetition.
    pub(super) cold_p50: Vec<f64>,
}

/// What the repetitions gave.
#[derive(Debug, Default)]
pub(super) struct Runs {
    /// By component.
    pub(super) models: BTreeMap<String, Sample>,
    /// Apps that were loaded.
    pub(super) loaded: f64,
    /// What each step took, in microseconds for each of them.
    pub(super) phases_us: Vec<Option<f64>>,
    /// Bytes that the node read from the disk.
    pub(super) read_bytes: f64,
    /// Bytes that the node's memory grew by for each app.
    pub(super) grown_bytes: Vec<f64>,
    seconds: [f64; PHASES.len()],
}

impl Sample {
    /// By how much a quantile of the cold ones is above that of the warm ones, in microseconds.
    pub(super) fn beyond(&self, part: f64) -> Option<f64> {
        Some(self.cold.quantile(part)? - self.warm.quantile(part)?)
    }
}

impl Stage<'_> {
    /// Measures one kind in a node of its own for each repetition.
    pub(super) fn repeat(&self, kind: Kind) -> Result<Runs> {
        let mut runs = Runs::default();
        for _ in 0..self.settings.repetitions() {
            self.once(kind, &mut runs)?;
        }
        let loaded = runs.loaded;
        runs.phases_us = runs.seconds.iter().map(|seconds| (loaded > 0.0).then(|| seconds * 1e6 / loaded)).collect();
        Ok(runs)
    }

    fn once(&self, kind: Kind, runs: &mut Runs) -> Result<()> {
        let node = self.start(if kind.is_later() { LITTLE_LOADED } else { "" })?;
        let mut caller = Caller::new(&node)?;
        for _ in 0..WARM_REQUESTS {
            caller.ask(&self.warm)?;
        }
        let few = if kind == Kind::Recompiled { RECOMPILED } else { self.apps.len() };
        let apps = self.apps.get(..few).unwrap_or(&self.apps);
        if kind.is_later() {
            for app in apps {
                caller.ask(app)?;
            }
        }
        let (before, read, held) = (node.metrics()?, read_bytes(&node)?, node.memory()?);
        let mut samples: BTreeMap<String, (Times, Times)> = BTreeMap::new();
        for _ in 0..if kind.is_later() { ROUNDS } else { 1 } {
            for app in apps {
                self.prepare(kind)?;
                let (cold, warm) = samples.entry(app.model.name.clone()).or_default();
                cold.push(caller.ask(app)?);
                for _ in 0..AGAIN {
                    warm.push(caller.ask(app)?);
                }
            }
        }
        let asked = super::whole(samples.values().map(|(cold, _)| cold.len()).sum());
        runs.read_bytes += read_bytes(&node)? - read;
        runs.grown_bytes.push((node.memory()?.resident - held.resident) / asked);
        runs.add(&before, &node.metrics()?, asked)?;
        for (model, (cold, warm)) in samples {
            let sample = runs.models.entry(model).or_default();
            sample.cold_p50.extend(cold.quantile(0.5));
            sample.cold.extend(&cold);
            sample.warm.extend(&warm);
        }
        node.stop()
    }

    /// Puts the next app's files where this kind has them.
    fn prepare(&self, kind: Kind) -> Result<()> {
        if kind.is_from_disk() {
            return empty_page_cache(self.data.path());
        }
        if kind == Kind::Recompiled {
            return each_file(&self.data.path().join("compiled"), &mut |path, _| {
                let is_compiled = path.extension().is_some_and(|end| end == "cwasm");
                if is_compiled { fs::remove_file(path).context("cannot remove a compiled file") } else { Ok(()) }
            });
        }
        Ok(())
    }

    /// The app that is asked where one will do.
    pub(super) fn any_app(&self) -> &App {
        &self.warm
    }
}

impl Runs {
    fn add(&mut self, before: &Metrics, after: &Metrics, asked: f64) -> Result<()> {
        let grown = |name: &str| Some(after.get(name)? - before.get(name)?);
        let loaded = grown("cumulet_cold_starts_total").context("the node does not say how many apps it loaded")?;
        // Anything else would count a warm request as a cold one.
        ensure!((loaded - asked).abs() < 0.5, "{asked} first requests loaded {loaded} apps");
        self.loaded += loaded;
        for (seconds, phase) in self.seconds.iter_mut().zip(PHASES) {
            *seconds += after.phase(phase).zip(before.phase(phase)).map_or(0.0, |(after, before)| after - before);
        }
        Ok(())
    }
}

/// Bytes that a node has had read from a disk so far.
fn read_bytes(node: &NodeProcess) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{}/io", node.pid())).context("cannot read what the node read")?;
    let line = text.lines().find_map(|line| line.strip_prefix("read_bytes:"));
    line.and_then(|bytes| bytes.trim().parse().ok()).context("the kernel does not say what the node read")
}
