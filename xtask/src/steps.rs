//! The steps of a longer task, each with its duration.

use std::time::Duration;

use crate::stopwatch::{self, Stopwatch};

/// What is done when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    Stop,
    GoOn,
}

/// Runs steps in order and remembers how each ended.
#[derive(Debug)]
pub(crate) struct Steps {
    on_failure: OnFailure,
    ended: Vec<Ended>,
}

#[derive(Debug)]
struct Ended {
    name: String,
    duration: Duration,
    failure: Option<String>,
}

impl Steps {
    pub(crate) fn new(on_failure: OnFailure) -> Self {
        Self { on_failure, ended: Vec::new() }
    }

    /// Runs `step`, unless one before it failed and that ends the task.
    pub(crate) fn run(&mut self, name: &str, step: impl FnOnce() -> anyhow::Result<()>) {
        if !self.go_on() {
            return;
        }
        println!("\n== {name}");
        let stopwatch = Stopwatch::start();
        let failure = step().err().map(|error| format!("{error:#}"));
        if let Some(failure) = &failure {
            eprintln!("error: {failure}");
        }
        self.ended.push(Ended { name: name.to_owned(), duration: stopwatch.elapsed(), failure });
    }

    /// Whether another step would run.
    pub(crate) fn go_on(&self) -> bool {
        self.on_failure == OnFailure::GoOn || !self.failed()
    }

    pub(crate) fn failed(&self) -> bool {
        self.ended.iter().any(|step| step.failure.is_some())
    }

    /// One line for each step: its name, its duration, whether it failed.
    pub(crate) fn summary(&self) -> String {
        let width = self.ended.iter().map(|step| step.name.len()).max().unwrap_or(0);
        let lines = self.ended.iter().map(|step| {
            let mark = if step.failure.is_some() { "FAILED" } else { "ok" };
            let duration = stopwatch::display(step.duration);
            format!("  {:width$}  {duration:>12}  {mark}", step.name)
        });
        let total = stopwatch::display(self.ended.iter().map(|step| step.duration).sum());
        lines.chain([format!("  {:width$}  {total:>12}", "total")]).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_of(on_failure: OnFailure) -> Vec<String> {
        let mut steps = Steps::new(on_failure);
        steps.run("first", || Ok(()));
        steps.run("second", || anyhow::bail!("no"));
        steps.run("third", || Ok(()));
        assert!(steps.failed());
        assert!(steps.summary().contains("FAILED"));
        steps.ended.into_iter().map(|step| step.name).collect()
    }

    #[test]
    fn a_failure_stops_what_follows() {
        assert_eq!(names_of(OnFailure::Stop), ["first", "second"]);
    }

    #[test]
    fn unless_told_to_go_on() {
        assert_eq!(names_of(OnFailure::GoOn), ["first", "second", "third"]);
    }
}
