//! stub
use std::path::Path;
use anyhow::Result;
use crate::report::Report;
use crate::settings::Settings;
/// stub
pub(crate) fn bench(_: &Settings, _: &Path) -> Result<Report> { Ok(Report::new("neighbour")) }
