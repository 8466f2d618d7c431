//! Tables of cases: what differs between them stands in a file, what is done with each in a scenario.

use anyhow::Context as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::paths;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table<C> {
    case: Vec<C>,
}

/// The cases in a file of `tests/data/scenarios`: each `[[case]]` of it.
///
/// # Errors
/// When the file is not there, or says what no case has.
pub fn cases<C: DeserializeOwned>(file: &str) -> anyhow::Result<Vec<C>> {
    let path = paths::repository().join("tests/data/scenarios").join(file);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let table: Table<C> = toml::from_str(&text).with_context(|| format!("{file} is no table of cases"))?;
    Ok(table.case)
}
