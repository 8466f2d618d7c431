//! stub
use crate::report::Report;
use crate::settings::Settings;
use anyhow::Result;
use std::path::Path;
/// stub
pub(crate) fn bench(_: &Settings, _: &Path) -> Result<Report> {
    Ok(Report::new("neighbour"))
}
