//! What a deploy needs next: a pure function of what was asked for and of what is there.
//!
//! A deploy keeps no plan. After a restart, a crash, or the loss of a compiled file it goes on from what is observed.

use std::collections::BTreeSet;
use std::time::Duration;

use cumulet_spec::deploy::{DeployFailure, DeployPhase};
use cumulet_spec::id::Digest;

/// How long a deploy may take from the request to going live. One that takes longer is given up, so that each one ends.
pub const DEPLOY_TIME_MAX: Duration = Duration::from_secs(30 * 60);

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredDeploy {
    /// The components of the revision.
    pub components: BTreeSet<Digest>,
    /// What is compiled of them: each component, or each composition of several.
    pub units: BTreeSet<Digest>,
    /// When it was asked for, in µs since 1970.
    pub at_us: u64,
    /// How far it came. What is observed decides, unless it has ended.
    pub phase: DeployPhase,
}

/// What is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservedDeploy {
    /// Now, in µs since 1970.
    pub now_us: u64,
    /// The components whose bytes this tenant has sent, and that are kept.
    pub blobs: BTreeSet<Digest>,
    /// The units whose compiled code is kept.
    pub compiled: BTreeSet<Digest>,
    /// Why a unit cannot be compiled.
    pub compiling: Observation,
    /// Whether every component was linked, since this process started.
    pub linked: Observation,
    /// Whether it answered the probe, since this process started.
    pub probed: Observation,
    /// Whether going live was refused.
    pub live: Observation,
}

/// What is known of one step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Observation {
    /// It was not tried, or did not come to an end.
    #[default]
    Open,
    /// It was done.
    Done,
    /// It cannot be done.
    Failed(DeployFailure),
}

/// What a deploy needs next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeployStep {
    /// Refuse it: the bytes of these components were not sent.
    Refuse(Vec<Digest>),
    /// Compile these units.
    Compile(Vec<Digest>),
    /// Link every component once.
    Link,
    /// Ask for the probe's path.
    Probe,
    /// Lead requests to it.
    GoLive,
    /// Nothing: it has ended.
    Done,
    /// Give it up.
    Fail(DeployFailure),
}

/// The next step of a deploy. Whoever takes the steps, and observes again after each, comes to an end.
#[must_use]
pub fn reconcile(desired: &DesiredDeploy, observed: &ObservedDeploy) -> DeployStep {
    if desired.phase.is_end() {
        return DeployStep::Done;
    }
    if let Some(failure) = observed.failure() {
        return DeployStep::Fail(failure.clone());
    }
    let missing = without(&desired.components, &observed.blobs);
    if !missing.is_empty() {
        return DeployStep::Refuse(missing);
    }
    let uncompiled = without(&desired.units, &observed.compiled);
    let step = match (uncompiled.is_empty(), &observed.linked, &observed.probed) {
        (false, _, _) => DeployStep::Compile(uncompiled),
        (true, Observation::Done, Observation::Done) => DeployStep::GoLive,
        (true, Observation::Done, _) => DeployStep::Probe,
        (true, _, _) => DeployStep::Link,
    };
    if Duration::from_micros(observed.now_us.saturating_sub(desired.at_us)) > DEPLOY_TIME_MAX {
        return DeployStep::Fail(too_long(&step));
    }
    step
}

fn without(all: &BTreeSet<Digest>, there: &BTreeSet<Digest>) -> Vec<Digest> {
    all.difference(there).copied().collect()
}

fn too_long(step: &DeployStep) -> DeployFailure {
    let minutes = DEPLOY_TIME_MAX.as_secs() / 60;
    DeployFailure::new(
        step.phase(),
        format!("it was not {} within {minutes} minutes", step.phase()),
        "look at what the node is busy with, and deploy again",
    )
}

impl ObservedDeploy {
    /// The first step that cannot be done.
    fn failure(&self) -> Option<&DeployFailure> {
        [&self.compiling, &self.linked, &self.probed, &self.live].into_iter().find_map(|seen| match seen {
            Observation::Failed(failure) => Some(failure),
            Observation::Open | Observation::Done => None,
        })
    }
}

impl DeployStep {
    /// The phase that the deploy reaches by this step.
    #[must_use]
    pub fn phase(&self) -> DeployPhase {
        match self {
            Self::Compile(_) => DeployPhase::Compiled,
            Self::Link => DeployPhase::Linked,
            Self::Probe => DeployPhase::Probed,
            Self::GoLive | Self::Done => DeployPhase::Live,
            Self::Refuse(_) | Self::Fail(_) => DeployPhase::Failed,
        }
    }

    /// Why the deploy is given up, if it is.
    #[must_use]
    pub fn failure(&self) -> Option<DeployFailure> {
        match self {
            Self::Fail(failure) => Some(failure.clone()),
            Self::Refuse(missing) => Some(not_sent(missing)),
            Self::Compile(_) | Self::Link | Self::Probe | Self::GoLive | Self::Done => None,
        }
    }
}

fn not_sent(missing: &[Digest]) -> DeployFailure {
    let first = missing.first().map(ToString::to_string).unwrap_or_default();
    let others = missing.len().saturating_sub(1);
    let message = match others {
        0 => format!("component {first} was not sent"),
        _ => format!("component {first} and {others} others were not sent"),
    };
    DeployFailure::new(DeployPhase::Compiled, message, "send it as a blob, and deploy again")
}

#[cfg(test)]
mod tests;
