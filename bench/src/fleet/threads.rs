//! Processor time of a process, thread by thread.

use std::fs;

use anyhow::{Context, Result};

/// What the threads of a process have run so far, by name. Threads that have ended are not among them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Threads(Vec<(String, f64)>);

impl Threads {
    /// Reads it now.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let folder = format!("/proc/{pid}/task");
        let mut threads = Vec::new();
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {folder}"))? {
            let path = entry?.path();
            // A thread that has just ended is left out, like those that ended before.
            let read = |file: &str| fs::read_to_string(path.join(file)).ok();
            let (Some(name), Some(time)) = (read("comm"), read("schedstat")) else { continue };
            threads.push((name.trim_end().to_owned(), seconds(&time).context("the kernel counts no processor time")?));
        }
        Ok(Self(threads))
    }

    /// Seconds that threads ran whose names begin with one of these.
    pub(crate) fn seconds(&self, names: &[&str]) -> f64 {
        let counts = |name: &str| names.iter().any(|begin| name.starts_with(begin));
        self.0.iter().filter(|(name, _)| counts(name)).map(|(_, seconds)| seconds).sum()
    }

    /// Seconds that all of them ran.
    pub(crate) fn all(&self) -> f64 {
        self.0.iter().map(|(_, seconds)| seconds).sum()
    }
}

/// The first number of `schedstat`: nanoseconds on a core.
fn seconds(schedstat: &str) -> Option<f64> {
    let nanos: f64 = schedstat.split_whitespace().next()?.parse().ok()?;
    Some(nanos / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_threads_can_be_read() {
        let threads = Threads::of(std::process::id()).unwrap();
        assert!(threads.all() > 0.0);
        assert!(threads.seconds(&["no thread is called so"]) == 0.0 && threads.seconds(&[""]) == threads.all());
    }

    #[test]
    fn nanoseconds_are_read() {
        assert_eq!(seconds("1500000000 20 3\n"), Some(1.5));
        assert_eq!(seconds(""), None);
    }
}
