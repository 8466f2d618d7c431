//! `start`: what a fresh isolate costs in each language, and a call from one component of a composition to another.

mod disk;
mod fresh;
mod hop;
mod language;

use std::path::Path;

use anyhow::Result;

use self::language::Language;
use crate::cores::Cores;
use crate::report::Report;
use crate::settings::Settings;

/// Runs the bench.
pub(crate) fn bench(settings: &Settings, logs: &Path) -> Result<Report> {
    let mut report = Report::new("start");
    let program = match settings.cumulet() {
        Ok(program) => program,
        Err(missing) => {
            report.left_out(missing);
            return Ok(report);
        }
    };
    let mut built = Vec::new();
    for language in Language::ALL {
        match language.build(settings, &program) {
            Ok(found) => built.push(found),
            Err(missing) => report.left_out(missing),
        }
    }
    let split = Cores::allowed()?.split(1);
    split.load.confine()?;
    let place = (&split, logs);
    fresh::measure(settings, (&program, &built), place, &mut report)?;
    disk::measure(settings, &built, place, &mut report)?;
    hop::measure(settings, &program, place, &mut report)?;
    Ok(report)
}
