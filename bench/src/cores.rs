//! Which processor cores the server and the load run on.

use std::fmt;

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// A set of cores, by their numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cores(Vec<usize>);

impl Cores {
    /// The cores that this thread may use.
    pub(crate) fn allowed() -> Result<Self> {
        let set = sched_getaffinity(None).context("cannot read this thread's cores")?;
        Ok(Self((0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect()))
    }

    /// How many cores there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Each core by itself.
    pub(crate) fn each(&self) -> impl Iterator<Item = Self> + '_ {
        self.0.iter().map(|core| Self(vec![*core]))
    }

    /// The first `count` of them for a server, and the rest for its load: all of them where none would be left.
    pub(crate) fn split(&self, count: usize) -> Split {
        let (server, load) = self.0.split_at(count.min(self.0.len()));
        let shared = load.is_empty();
        let load = if shared { self.0.clone() } else { load.to_vec() };
        Split { server: Self(server.to_vec()), load: Self(load), shared }
    }

    /// These and others.
    pub(crate) fn with(&self, others: &Self) -> Self {
        let mut all: Vec<usize> = self.0.iter().chain(&others.0).copied().collect();
        all.sort_unstable();
        all.dedup();
        Self(all)
    }

    /// Confines this thread, and what it starts from now on, to these cores.
    pub(crate) fn confine(&self) -> Result<()> {
        let mut set = CpuSet::new();
        for core in &self.0 {
            set.set(*core);
        }
        sched_setaffinity(None, &set).with_context(|| format!("cannot move to cores {self}"))
    }

    /// Runs `work` confined to these cores and goes back to the former ones afterwards.
    ///
    /// A process that `work` starts inherits them.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> T) -> Result<T> {
        let before = Self::allowed()?;
        self.confine()?;
        let made = work();
        before.confine()?;
        Ok(made)
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, core) in self.0.iter().enumerate() {
            write!(f, "{}{core}", if place == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// Cores for a server and for its load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Split {
    /// Where the server runs.
    pub(crate) server: Cores,
    /// Where the load generator runs.
    pub(crate) load: Cores,
    /// Whether both share the same cores, because there are no others.
    pub(crate) shared: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cores: &[usize], count: usize, expect: (&str, &str, bool)) {
        let split = Cores(cores.to_vec()).split(count);
        assert_eq!((split.server.to_string().as_str(), split.load.to_string().as_str(), split.shared), expect);
    }

    #[test]
    fn splits() {
        check(&[0, 1], 1, ("0", "1", false));
        check(&[0, 1], 2, ("0,1", "0,1", true));
        check(&[2, 3, 8, 9], 2, ("2,3", "8,9", false));
        check(&[4], 2, ("4", "4", true));
    }
}
