//! The name that was probably meant.

use super::failure::LogError;
use super::folder;
use super::reader::LogReader;
use cumulet_spec::id::AppId;

impl LogReader {
    /// Whether an app has a log.
    ///
    /// # Errors
    /// When the folder cannot be looked at.
    pub fn knows(&self, app: &AppId) -> Result<bool, LogError> {
        let folder = folder::of_app(self.folder(), app);
        folder.try_exists().map_err(LogError::file("look at", &folder))
    }

    /// The apps with a log whose names are near to one that has none, the nearest first: its own name with other tenants,
    /// then those that differ by a few letters.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn near(&self, app: &AppId) -> Result<Vec<AppId>, LogError> {
        let wanted = app.app.as_str();
        let steps = |known: &AppId| strsim::damerau_levenshtein(wanted, known.app.as_str());
        let most = 1 + wanted.chars().count() / 3;
        let mut near: Vec<(usize, AppId)> = self.apps()?.into_iter().map(|known| (steps(&known), known)).collect();
        near.retain(|(steps, _)| *steps <= most);
        near.sort_by_key(|(steps, known)| (*steps, known.tenant != app.tenant));
        Ok(near.into_iter().map(|(_, known)| known).collect())
    }
}
